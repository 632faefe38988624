"""Which server event answers which client event of GPT-Live.

A server event names the client event that caused it (``client_event_id``); where it names none, the first
send that waits for its type is meant. An ``error`` that names a send refuses that one and no other. An
``info`` answers nothing. When commentary or a thought is appended, the server may leave out what it would
have acknowledged (protocol document, section 7): nobody waits for those any longer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from .. import events
from ..events import live
from ._happenings import Answered, Refused, Undelivered
from ._outbox import Outbox

__all__ = ("LiveAnswers", "has_answer")

KEPT_EXPECTATIONS = 1_024
"""Unanswered sends remembered; the oldest is given up first, and its waiter is told."""

_ACKNOWLEDGEMENTS: Mapping[str, str] = {
    "session.input_audio.mute": "session.input_audio.muted",
    "session.input_audio.unmute": "session.input_audio.unmuted",
    "session.instructions.append": "session.instructions.appended",
    "session.thinking.append": "session.thinking.appended",
    "session.commentary.append": "session.commentary.appended",
}
_ANSWERS: Mapping[str, str] = {
    **_ACKNOWLEDGEMENTS,
    "session.start": "session.started",
    "session.update": "session.updated",
    "session.close": "session.closed",
    "session.output_audio.fixture.play": "session.output_audio.fixture.playing",
    "decision.item.create": "decision.item.created",
    "decision.item.delete": "decision.item.deleted",
    "transport.dtmf.send": "transport.dtmf.send",
}
"""Client events and the server events that answer them; the others lead to something or to nothing."""


def has_answer(event: events.ClientEvent, dialect: events.Dialect = events.LIVE) -> bool:
    """Whether the server answers this kind of event at all when it succeeds."""
    return event.type in _ANSWERS and dialect.answers(event.type)


class LiveAnswers:
    """Owns the sends that wait for their answers, and tells what became of each of them, once."""

    def __init__(self, outbox: Outbox, dialect: events.Dialect) -> None:
        self._outbox = outbox
        self._dialect = dialect
        self._waiting: OrderedDict[str, str] = OrderedDict()

    def expect(self, event_id: str, event: events.ClientEvent) -> None:
        """An event is sent whose answer somebody wants to know; one that has none is answered at once."""
        if not has_answer(event, self._dialect):
            self._outbox.tell(Answered(event_id, None))
            return
        self._waiting[event_id] = event.type
        if len(self._waiting) > KEPT_EXPECTATIONS:
            oldest_id, _ = self._waiting.popitem(last=False)
            self._outbox.tell(Refused(oldest_id, None))

    def forget(self, event_id: str) -> None:
        """Nobody waits for this one any more."""
        self._waiting.pop(event_id, None)

    def hear(self, event: events.ServerEvent) -> None:
        """A server event came: what it answers is answered, what it refuses is refused."""
        if isinstance(event, live.Error):
            event_id = event.error.event_id
            if event_id is not None and self._take(event_id):
                self._outbox.tell(Refused(event_id, event.error))
            return
        if isinstance(event, live.Info):
            return
        named: str | None = getattr(event, "client_event_id", None)
        event_id = named if named is not None else self._first_waiting_for(event.type)
        if event_id is not None and self._take(event_id):
            self._outbox.tell(Answered(event_id, event))

    def cancel_acknowledgements(self) -> None:
        """What only acknowledges may not come any more."""
        for event_id, kind in list(self._waiting.items()):
            if kind in _ACKNOWLEDGEMENTS:
                del self._waiting[event_id]
                self._outbox.tell(Answered(event_id, None))

    def lost(self) -> None:
        """The connection is gone, and with it every answer."""
        for event_id, kind in self._waiting.items():
            self._outbox.tell(Undelivered(event_id, kind))
        self._waiting.clear()

    def end(self, error: events.ErrorDetail) -> None:
        """No answer will come to anything any more."""
        for event_id in self._waiting:
            self._outbox.tell(Refused(event_id, error))
        self._waiting.clear()

    def _first_waiting_for(self, server_type: str) -> str | None:
        waiting = self._waiting.items()
        return next((event_id for event_id, kind in waiting if _ANSWERS[kind] == server_type), None)

    def _take(self, event_id: str) -> bool:
        return self._waiting.pop(event_id, None) is not None
