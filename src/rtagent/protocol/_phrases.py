"""What a program wants, said in Realtime events, as far as the dialect can say it.

The only place that looks at what a dialect takes before something is sent. What cannot be said is refused
here, at the call that wanted it, with the dialect's name; what the core does of its own accord (corrections
after an interruption) asks ``takes`` first and leaves out what the server would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .. import events
from ..errors import ConfigurationError

__all__ = ("Phrases", "checked", "problems")

ModelT = TypeVar("ModelT", bound=events.WireModel)

_COMMIT = "input_audio_buffer.commit"


class Phrases:
    """Makes and checks the client events of one dialect of Realtime. Holds no state but the dialect."""

    def __init__(self, dialect: events.Dialect) -> None:
        self.dialect = dialect

    def opening(self, wanted: events.WireModel | None) -> events.ClientEvent | None:
        """The ``session.update`` that configures a fresh session; None when nothing is asked for."""
        if wanted is None:
            return None
        if not isinstance(wanted, events.RealtimeSession | events.TranscriptionSession):
            raise self.dialect.unsupported(f"a session configured by {type(wanted).__qualname__}")
        return events.SessionUpdate(session=wanted)

    def change(self, changes: Mapping[str, object]) -> events.ClientEvent:
        """The ``session.update`` with these fields."""
        return events.SessionUpdate(session=checked(events.RealtimeSession, changes))

    def words(self, text: str, role: Literal["user", "system", "assistant"]) -> events.ClientEvent:
        """A message item."""
        make = {
            "user": events.user_message,
            "system": events.system_message,
            "assistant": events.assistant_message,
        }
        return events.ConversationItemCreate(item=make[role](text))

    def farewell(self) -> events.ClientEvent | None:
        """What the server wants to hear before the socket is closed, if anything."""
        kind = self.dialect.farewell
        if kind is None:
            return None
        return events.InputAudioBufferCommit(final=True) if kind == _COMMIT else events.ClientEvent(type=kind)

    def mute(self, muted: bool) -> events.ClientEvent | None:
        """None: muting is our own affair, silence is sent instead."""
        return None

    def check(self, event: events.ClientEvent) -> None:
        """Raise for what this dialect does not take.

        Raises:
            Unsupported: with the dialect's name and what it does not take.
        """
        dialect = self.dialect
        known = events.CLIENT_EVENTS.get(event.type)
        if event.type != dialect.farewell and (known is None or not isinstance(event, known)):
            raise dialect.unsupported(f"{event.type} as {type(event).__module__}.{type(event).__qualname__}")
        if not dialect.takes(event.type):
            raise dialect.unsupported(event.type)
        if isinstance(event, events.ResponseCreate) and event.response is not None:
            self._check_response(event.response)
        elif isinstance(event, events.SessionUpdate):
            self._check_session(event.session)
        elif isinstance(event, events.ConversationItemCreate) and not dialect.images:
            content = getattr(event.item, "content", ())
            if any(isinstance(part, events.InputImage) for part in content):
                raise dialect.unsupported("images")

    def _check_response(self, params: events.ResponseParams) -> None:
        dialect = self.dialect
        if params.conversation == "none" and not dialect.out_of_band:
            raise dialect.unsupported('responses beside the conversation (conversation="none")')
        if not dialect.text_answers and list(params.output_modalities or ()) == ["text"]:
            raise dialect.unsupported("answers in writing alone")
        overrides = params.model_fields_set - {"conversation", "metadata"}
        if not dialect.response_overrides and overrides:
            raise dialect.unsupported(f"settings for one response ({', '.join(sorted(overrides))})")

    def _check_session(self, session: events.SessionConfig) -> None:
        dialect = self.dialect
        mode = "transcription" if isinstance(session, events.TranscriptionSession) else "conversation"
        if mode not in dialect.modes:
            raise dialect.unsupported(f"{mode} sessions")
        if getattr(session, "tools", None) and not dialect.functions:
            raise dialect.unsupported("tools")
        ear = session.audio.input if session.audio is not None else None
        mouth = session.audio.output if session.audio is not None else None
        if ear is not None:
            self._check_format(ear.format, dialect.input_rates, "hearing")
            self._check_turns(ear)
        if mouth is not None:
            self._check_format(mouth.format, dialect.output_rates, "speaking")

    def _check_turns(self, ear: events.AudioInput) -> None:
        dialect, wanted = self.dialect, ear.turn_detection
        if wanted is None:
            manual = "turn_detection" in ear.model_fields_set
            if manual and not dialect.manual_turns and dialect.turn_detections:
                raise dialect.unsupported("turns ended by the program")
        elif wanted.type not in dialect.turn_detections:
            hint = f"it has {', '.join(dialect.turn_detections)}" if dialect.turn_detections else None
            raise dialect.unsupported(f"turn detection by {wanted.type}", hint=hint)

    def _check_format(self, wanted: events.WireFormat | None, rates: tuple[int, ...], what: str) -> None:
        dialect = self.dialect
        match wanted:
            case events.PcmFormat(rate=int() as rate) if rate not in rates:
                known = ", ".join(str(rate) for rate in rates)
                raise dialect.unsupported(f"{what} at {rate} Hz", hint=f"it has {known} Hz")
            case events.PcmuFormat() | events.PcmaFormat() if not dialect.telephony:
                raise dialect.unsupported(f"{what} {wanted.type}")
            case _:
                return


def checked(model: type[ModelT], changes: Mapping[str, object]) -> ModelT:
    """The changes as an object of the wire.

    Raises:
        ConfigurationError: a name or value that no session has; every problem is named.
    """
    try:
        return model(**changes)
    except ValidationError as error:
        raise ConfigurationError("; ".join(problems(error))) from error


def problems(error: ValidationError) -> list[str]:
    """What is wrong, one line for each setting."""
    return [_problem(one) for one in error.errors()]


def _problem(problem: ErrorDetails) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting of a session"
    return f"{name}: {problem['msg']}"
