"""What a program wants, said in the events of a translation session, as far as those can say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NoReturn, cast

from .. import events
from ..events import translation
from ._phrases import checked

__all__ = ("TranslationPhrases",)

_CHANGEABLE: Mapping[str, Any] = {
    "audio": {"input": {"transcription": None, "noise_reduction": None}, "output": {"language": None}}
}
"""What an update may name; None: what is below it is checked by its class."""


class TranslationPhrases:
    """Makes and checks the client events of a translation dialect. Holds no state but the dialect."""

    def __init__(self, dialect: events.Dialect) -> None:
        self.dialect = dialect

    def opening(self, wanted: events.WireModel | None) -> events.ClientEvent | None:
        """The ``session.update`` that asks for this; the model is part of the address and not asked for.

        Raises:
            Unsupported: a configuration of another kind of session.
        """
        if wanted is None:
            return None
        if not isinstance(wanted, translation.TranslationSession):
            feature = f"a session configured by {type(wanted).__qualname__}"
            self.refuse(feature, "TranslationSession is its own")
        if wanted.audio is None:
            return None
        return translation.SessionUpdate(session=translation.TranslationSession(audio=wanted.audio))

    def change(self, changes: Mapping[str, object]) -> events.ClientEvent:
        """The ``session.update`` with these fields: language, transcription and noise reduction.

        Raises:
            ConfigurationError: a value that cannot be.
            Unsupported: whatever else a session may have.
        """
        self._check_names(changes, _CHANGEABLE, "")
        return translation.SessionUpdate(session=checked(translation.TranslationSession, changes))

    def words(self, text: str, role: Literal["user", "system", "assistant"]) -> events.ClientEvent:
        """No text is taken.

        Raises:
            Unsupported: always.
        """
        hint = "a translation session only hears speech and speaks it in another language"
        self.refuse("text turns", hint)

    def farewell(self) -> events.ClientEvent | None:
        """``session.close``: what was heard is translated to its end, then ``session.closed`` comes."""
        return translation.SessionClose()

    def mute(self, muted: bool) -> events.ClientEvent | None:
        """Nobody is told: silence keeps flowing instead, or later speech would seem to follow at once (L4)."""
        return None

    def check(self, event: events.ClientEvent) -> None:
        """Raise for an event of another vocabulary, also where its wire type is the same.

        Raises:
            Unsupported: with the dialect's name and what it does not take.
        """
        known = translation.CLIENT_EVENTS.get(event.type)
        if known is None or not isinstance(event, known):
            feature = f"{event.type} as {type(event).__module__}.{type(event).__qualname__}"
            self.refuse(feature, "its events are in rtagent.events.translation")

    def refuse(self, feature: str, hint: str) -> NoReturn:
        """Raise what says that a translation session has no such thing."""
        raise self.dialect.unsupported(feature, hint=hint)

    def _check_names(self, changes: Mapping[str, object], allowed: Mapping[str, Any], path: str) -> None:
        for name, value in changes.items():
            if name not in allowed:
                hint = "language, transcription and noise reduction can be changed"
                self.refuse(f"a change of {path}{name}", hint)
            fields = value.model_dump(exclude_unset=True) if isinstance(value, events.WireModel) else value
            if allowed[name] is not None and isinstance(fields, dict):
                self._check_names(cast("dict[str, object]", fields), allowed[name], f"{path}{name}.")
