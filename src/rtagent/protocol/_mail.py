"""What goes to the server: at once, or, while there is no connection, as soon as there is one again.

An event whose answer had not come when the connection was lost may have been carried out or not; the new
connection knows nothing of it in either case. It is therefore sent again, in its place among the others: once, or,
if it is what a tool has returned, as often as it takes.
What a new connection makes true by itself (nothing runs there that could be cancelled, no voice is there that
could be cut) is answered without being sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import events
from ..errors import LocalProtocolError
from ._answers import AnswerLedger, Unanswered
from ._happenings import Answered, Undelivered
from ._outbox import Outbox

__all__ = ("Mail",)

HELD_EVENTS = 1_024
"""Events that wait for a connection; one more is an error."""
KEPT_REPEATED = 1_024
"""Ids of events remembered that were sent again."""
_MOOT = (events.ConversationItemTruncate, events.ResponseCancel, events.InputAudioBufferClear)
"""On a new connection nothing is left that these could change."""


class Mail:
    """Owns what waits for a connection, and what was sent twice."""

    def __init__(self, outbox: Outbox, answers: AnswerLedger) -> None:
        self.online = True
        self._outbox = outbox
        self._answers = answers
        self._held: list[Unanswered] = []
        self._repeated: dict[str, None] = {}

    def send(self, event: events.ClientEvent, *, awaited: bool = False) -> str:
        """Send an event, now or as soon as there is a connection; returns its id.

        Raises:
            LocalProtocolError: far too many events wait for a connection.
        """
        event_id = event.event_id or self._outbox.new_id("evt")
        if event.event_id is None:
            event = event.model_copy(update={"event_id": event_id})
        if self.online:
            self._outbox.send(event)
            if not self._answers.expect(event_id, event, awaited=awaited) and awaited:
                self._outbox.tell(Answered(event_id, None))
            return event_id
        if len(self._held) >= HELD_EVENTS:
            message = f"{HELD_EVENTS} events wait for the connection, and there is none"
            raise LocalProtocolError(message)
        self._sort(Unanswered(event_id, event, awaited), resend=True)
        return event_id

    def lost(self, unsent: Sequence[events.ClientEvent], *, resend: bool) -> None:
        """The connection is gone.

        Args:
            unsent: what had not been handed to the network yet, in its order.
            resend: whether what was sent and not answered may be sent again as it is.
        """
        self.online = False
        waiting = {event.event_id: event for event in unsent}
        unanswered = self._answers.take_all()
        awaited = {one.event_id for one in unanswered if one.awaited}
        for one in unanswered:
            if one.event_id not in waiting:
                again = one.event_id not in self._repeated or _is_of_a_tool(one.event)
                self._sort(one, resend=resend and again)
                self._note_repeated(one.event_id)
        for event_id, event in waiting.items():
            # The gate keeps the responses that are asked for.
            if event_id is not None and not isinstance(event, events.ResponseCreate):
                self._sort(Unanswered(event_id, event, event_id in awaited), resend=True)

    @property
    def answered_calls(self) -> frozenset[str]:
        """The ids of the calls whose outputs wait for a connection."""
        items = (one.event.item for one in self._held if isinstance(one.event, events.ConversationItemCreate))
        return frozenset(item.call_id for item in items if isinstance(item, events.FunctionCallOutput))

    def take_held(self) -> list[Unanswered]:
        """There is a connection again: what waited for it, to be sent in this order."""
        self.online = True
        held, self._held = self._held, []
        return held

    def forget(self, event_id: str) -> None:
        """Nobody waits for the answer to this one any more; if it was not sent yet, it never is."""
        self._answers.forget(event_id)
        self._held = [one for one in self._held if one.event_id != event_id]

    def _sort(self, one: Unanswered, *, resend: bool) -> None:
        if isinstance(one.event, _MOOT):
            self._outbox.tell(Answered(one.event_id, None))
        elif resend:
            self._held.append(one)
        else:
            self._outbox.tell(Undelivered(one.event_id, one.event.type))

    def _note_repeated(self, event_id: str) -> None:
        self._repeated[event_id] = None
        while len(self._repeated) > KEPT_REPEATED:
            del self._repeated[next(iter(self._repeated))]


def _is_of_a_tool(event: events.ClientEvent) -> bool:
    return isinstance(event, events.ConversationItemCreate) and isinstance(
        event.item, events.FunctionCall | events.FunctionCallOutput
    )
