"""Counting in which ways a server is not what its dialect says; each way is shown once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from .. import events

__all__ = ("Departures",)

KEPT_KINDS = 256
"""Kinds of departures told apart; what comes after is counted together."""
OTHERS = "(others)"
_REPORTS = (events.MalformedFrame, events.UnknownEvent)


class Departures:
    """Owns the counts. A departure is told apart by the event's type and by what is different."""

    def __init__(self, dialect: events.Dialect) -> None:
        self._dialect = dialect
        self._counts: dict[str, int] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each departure was seen, by its words."""
        return MappingProxyType(self._counts)

    def note(self, event: events.ServerEvent) -> Sequence[str]:
        """Count what is different about an event; returns what was never seen before."""
        if not event.departures and not isinstance(event, _REPORTS):
            return ()
        return [words for words in self._words(event) if self._count(words)]

    def _words(self, event: events.ServerEvent) -> list[str]:
        match event:
            case events.MalformedFrame():
                return [f"a frame that is no event: {event.reason}"]
            case events.UnknownEvent():
                known = (
                    event.type in self._dialect.extra_events or event.type == self._dialect.farewell_answer
                )
                return [] if known else [f"{event.type}: a type that is not known"]
            case _:
                return [f"{event.type}: {what}" for what in event.departures]

    def _count(self, words: str) -> bool:
        if words not in self._counts and len(self._counts) >= KEPT_KINDS:
            words = OTHERS
        self._counts[words] = self._counts.get(words, 0) + 1
        return self._counts[words] == 1
