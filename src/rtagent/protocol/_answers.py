"""Which server event answers which client event.

A success does not name the event that it answers (rule C2), so each kind is matched by what both
sides carry: an item by its id, a truncation by item and part, updates, commits and clears by their
order, a response by its metadata (the gate does that). An ``error`` that names an event fails that
event and no other (rule C1); one that names none fails none.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from .. import events

__all__ = ("AnswerLedger", "Unanswered", "has_answer")

KEPT_EXPECTATIONS = 1_024
"""Unanswered sends remembered; the oldest is forgotten first (some servers never answer some kinds)."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A send whose fate is not known."""

    event_id: str
    event: events.ClientEvent
    awaited: bool
    """Whether somebody waits for the answer."""


_Key = tuple[str, ...]
_SILENT = (events.InputAudioBufferAppend,)
_FAREWELL = ("farewell",)


def has_answer(event: events.ClientEvent, dialect: events.Dialect = events.GA) -> bool:
    """Whether a server answers this kind of event at all when it succeeds."""
    if event.type == dialect.farewell and _is_last(event):
        return dialect.farewell_answer is not None
    return not isinstance(event, _SILENT) and dialect.answers(event.type)


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: events.ClientEvent
    key: _Key
    awaited: bool


class AnswerLedger:
    """Owns the sends that have no answer yet."""

    def __init__(self, dialect: events.Dialect = events.GA) -> None:
        self._dialect = dialect
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._by_key: dict[_Key, list[str]] = {}

    def expect(self, event_id: str, event: events.ClientEvent, *, awaited: bool = True) -> bool:
        """An event is sent; False where this server does not answer it.

        Args:
            event_id: the id that it is sent with.
            event: the event.
            awaited: whether somebody wants to know the answer.
        """
        if not has_answer(event, self._dialect):
            return False
        last = event.type == self._dialect.farewell and _is_last(event)
        key = _FAREWELL if last else _key_of_client_event(event)
        self._waiting[event_id] = _Waiting(event, key, awaited)
        self._by_key.setdefault(key, []).append(event_id)
        while len(self._waiting) > KEPT_EXPECTATIONS:
            self._take(next(iter(self._waiting)))
        return True

    def forget(self, event_id: str) -> None:
        """Nobody waits for this one any more."""
        self._take(event_id)

    def answered(self, event: events.ServerEvent) -> str | None:
        """The ``event_id`` of the send that this server event answers, if somebody waits for that."""
        key = _key_of_server_event(event)
        if event.type == self._dialect.farewell_answer:
            key = _FAREWELL
        waiting = self._by_key.get(key) if key is not None else None
        if not waiting:
            return None
        event_id = waiting[0]
        taken = self._take(event_id)
        return event_id if taken is not None and taken.awaited else None

    def answered_by_id(self, event_id: str) -> bool:
        """The send with this id has its answer; True if somebody waits for that."""
        taken = self._take(event_id)
        return taken is not None and taken.awaited

    def take_all(self) -> list[Unanswered]:
        """Everything that has no answer yet, in the order of sending; the ledger is then empty."""
        taken = [Unanswered(event_id, one.event, one.awaited) for event_id, one in self._waiting.items()]
        self._waiting.clear()
        self._by_key.clear()
        return taken

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._waiting

    def _take(self, event_id: str) -> _Waiting | None:
        waiting = self._waiting.pop(event_id, None)
        if waiting is not None:
            ids = self._by_key[waiting.key]
            ids.remove(event_id)
            if not ids:
                del self._by_key[waiting.key]
        return waiting


def _is_last(event: events.ClientEvent) -> bool:
    """A commit says goodbye only when it says so."""
    return not isinstance(event, events.InputAudioBufferCommit) or event.final is True


def _key_of_client_event(event: events.ClientEvent) -> _Key:
    match event:
        case events.SessionUpdate():
            return ("session.updated",)
        case events.InputAudioBufferCommit():
            return ("input_audio_buffer.committed",)
        case events.InputAudioBufferClear():
            return ("input_audio_buffer.cleared",)
        case events.OutputAudioBufferClear():
            return ("output_audio_buffer.cleared",)
        case events.ConversationItemCreate(item=item):
            return ("conversation.item.added", item.id or "")
        case events.ConversationItemRetrieve(item_id=item_id):
            return ("conversation.item.retrieved", item_id)
        case events.ConversationItemDelete(item_id=item_id):
            return ("conversation.item.deleted", item_id)
        case events.ConversationItemTruncate(item_id=item_id, content_index=index):
            return ("conversation.item.truncated", item_id, str(index))
        case events.ResponseCancel():
            return ("response.done",)
        case _:
            return (event.type,)  # response.create: the gate finds its answer


def _key_of_server_event(event: events.ServerEvent) -> _Key | None:
    match event:
        case events.ConversationItemAdded() | events.ConversationItemCreated():
            return ("conversation.item.added", event.item.id or "")
        case events.ConversationItemRetrieved():
            return ("conversation.item.retrieved", event.item.id or "")
        case events.ConversationItemDeleted(item_id=item_id):
            return ("conversation.item.deleted", item_id)
        case events.ConversationItemTruncated(item_id=item_id, content_index=index):
            return ("conversation.item.truncated", item_id, str(index))
        case (
            events.SessionUpdated()
            | events.InputAudioBufferCommitted()
            | events.InputAudioBufferCleared()
            | events.OutputAudioBufferCleared()
            | events.ResponseDone()
        ):
            return (event.type,)
        case _:
            return None
