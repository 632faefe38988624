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

__all__ = ("AnswerLedger", "has_answer")

KEPT_EXPECTATIONS = 1_024
"""Unanswered sends remembered; the oldest is forgotten first (some servers never answer some kinds)."""

_Key = tuple[str, ...]
_SILENT = (events.InputAudioBufferAppend,)
_FAREWELL = ("farewell",)


def has_answer(event: events.ClientEvent, dialect: events.Dialect = events.GA) -> bool:
    """Whether a server answers this kind of event at all when it succeeds."""
    if event.type == dialect.farewell and _is_last(event):
        return dialect.farewell_answer is not None
    return not isinstance(event, _SILENT) and dialect.answers(event.type)


@dataclass(frozen=True, slots=True)
class _Expectation:
    event_id: str
    key: _Key


class AnswerLedger:
    """Owns the sends that wait for their answers."""

    def __init__(self, dialect: events.Dialect = events.GA) -> None:
        self._dialect = dialect
        self._waiting: OrderedDict[str, _Expectation] = OrderedDict()

    def expect(self, event_id: str, event: events.ClientEvent) -> bool:
        """An event is sent whose answer somebody wants to know; False where this server gives none."""
        if not has_answer(event, self._dialect):
            return False
        last = event.type == self._dialect.farewell and _is_last(event)
        key = _FAREWELL if last else _key_of_client_event(event)
        self._waiting[event_id] = _Expectation(event_id, key)
        while len(self._waiting) > KEPT_EXPECTATIONS:
            self._waiting.popitem(last=False)
        return True

    def forget(self, event_id: str) -> None:
        """Nobody waits for this one any more."""
        self._waiting.pop(event_id, None)

    def answered(self, event: events.ServerEvent) -> str | None:
        """The ``event_id`` of the send that this server event answers, if any waits for it."""
        key = _key_of_server_event(event)
        if event.type == self._dialect.farewell_answer:
            key = _FAREWELL
        if key is None:
            return None
        for expectation in self._waiting.values():
            if expectation.key == key:
                del self._waiting[expectation.event_id]
                return expectation.event_id
        return None

    def answered_by_id(self, event_id: str) -> bool:
        """Take the send with this id, if it waits."""
        return self._waiting.pop(event_id, None) is not None

    def __contains__(self, event_id: object) -> bool:
        return event_id in self._waiting


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
