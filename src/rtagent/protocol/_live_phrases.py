"""What a program wants, said in GPT-Live's events, as far as a session without turns can be told it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .. import events
from ..errors import Unsupported
from ..events import live
from ._phrases import checked

__all__ = ("LivePhrases",)

_SPEAKS = "the model decides when it speaks; use say() or delegation"
_STOPS = "the model owns barge-in; the sink can be muted or detached"
_INSTEAD: Mapping[str, str] = {
    "conversation.item.create": "use say(), or events.live.SessionInstructionsAppend",
    "input_audio_buffer.append": "use append_audio()",
    "response.create": _SPEAKS,
    "response.cancel": _STOPS,
    "conversation.item.truncate": _STOPS,
}


class LivePhrases:
    """Makes and checks the client events of a live dialect. Holds no state but the dialect."""

    def __init__(self, dialect: events.Dialect) -> None:
        self.dialect = dialect

    def opening(self, wanted: events.WireModel | None) -> events.ClientEvent | None:
        """The ``session.start``; None where the session runs already or the server knows what it will be.

        Raises:
            Unsupported: the configuration is one of another protocol.
        """
        if not self.dialect.takes("session.start"):
            return None
        if wanted is None:
            model = self.dialect.default_model
            return None if model is None else live.SessionStart(session=live.SessionConfig(model=model))
        if not isinstance(wanted, live.SessionConfig):
            feature = f"a session configured by {type(wanted).__qualname__}"
            raise self.dialect.unsupported(feature, hint="use events.live.SessionConfig")
        return live.SessionStart(session=wanted)

    def change(self, changes: Mapping[str, object]) -> events.ClientEvent:
        """The ``session.update`` with these fields.

        Raises:
            ConfigurationError: a name or value that no session has; every problem is named.
            Unsupported: settings that hold for the life of a session.
        """
        changeable = live.SessionUpdateConfig.model_fields
        fixed = [
            name for name in changes if name in live.SessionConfig.model_fields and name not in changeable
        ]
        session = checked(
            live.SessionUpdateConfig, {name: changes[name] for name in changes if name not in fixed}
        )
        if fixed:
            hint = f"only {' and '.join(changeable)} can change"
            raise self.dialect.unsupported(f"changing {', '.join(fixed)} after the start", hint=hint)
        return live.SessionUpdate(session=session)

    def words(self, text: str, role: Literal["user", "system", "assistant"]) -> events.ClientEvent:
        """Instructions for the model (``system``), or something that it may say (``assistant``)."""
        if role == "user":
            hint = 'the user speaks; use role="system" to tell the model something'
            raise self.dialect.unsupported("text of the user", hint=hint)
        make = live.SessionInstructionsAppend if role == "system" else live.SessionCommentaryAppend
        return make(content=text)

    def farewell(self) -> events.ClientEvent | None:
        """The ``session.close``; None where the session is not ours to end."""
        return None if self.dialect.farewell is None else live.SessionClose()

    def mute(self, muted: bool) -> events.ClientEvent:
        """Whether the model takes notice of the input."""
        return live.SessionInputAudioMute() if muted else live.SessionInputAudioUnmute()

    def no_response(self) -> Unsupported:
        """The error for who asks for a response."""
        return self.dialect.unsupported("asking for a response", hint=_SPEAKS)

    def no_interruption(self) -> Unsupported:
        """The error for who interrupts the voice."""
        return self.dialect.unsupported("interrupting", hint=_STOPS)

    def check(self, event: events.ClientEvent) -> None:
        """Raise for what this dialect does not take.

        Raises:
            Unsupported: with the event's type and what to use instead.
        """
        ours = live.CLIENT_EVENTS.get(event.type)
        if ours is None or not isinstance(event, ours):
            instead = _INSTEAD.get(event.type)
            if instead is None and ours is not None:
                instead = f"use events.live.{ours.__name__}"
            raise self.dialect.unsupported(event.type, hint=instead)
        if not self.dialect.takes(event.type):
            raise self.dialect.unsupported(event.type)
