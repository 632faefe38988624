"""Server events that only say what an item is or holds, written into the item ledger."""

from __future__ import annotations

from .. import events
from ._items import ItemLedger

__all__ = ("item_of", "read_into")


def item_of(event: events.ServerEvent) -> str | None:
    """The id of the item that an event puts into the conversation or takes out; None for other kinds."""
    match event:
        case (
            events.ConversationItemAdded() | events.ConversationItemDone() | events.ConversationItemCreated()
        ):
            return event.item.id
        case events.ConversationItemDeleted():
            return event.item_id
        case _:
            return None


def read_into(items: ItemLedger, event: events.ServerEvent) -> None:
    """Write what an event says about items into the ledger; events of other kinds change nothing."""
    match event:
        case (
            events.ConversationItemAdded() | events.ConversationItemDone() | events.ConversationItemCreated()
        ):
            placed = "previous_item_id" in event.model_fields_set
            items.put(event.item, previous_item_id=event.previous_item_id, placed=placed)
        case events.ResponseOutputItemAdded() | events.ResponseOutputItemDone():
            items.put(event.item)
        case events.ConversationItemDeleted():
            items.delete(event.item_id)
        case events.InputAudioBufferCommitted(item_id=str() as item_id):
            items.spoken_to(item_id)
        case events.ConversationItemInputAudioTranscriptionDelta():
            items.text(event.item_id, event.content_index or 0, delta=event.delta or "", role="user")
        case events.ConversationItemInputAudioTranscriptionCompleted():
            items.text(event.item_id, event.content_index or 0, final=event.transcript, role="user")
        case events.ConversationItemInputAudioTranscriptionUpdated(item_id=str() as item_id) if item_id:
            items.text(item_id, event.content_index, so_far=event.transcript, role="user")
        case events.ResponseOutputTextDelta() | events.ResponseOutputAudioTranscriptDelta():
            if event.item_id is not None:
                items.text(event.item_id, event.content_index, delta=event.delta, role="assistant")
        case events.ResponseOutputTextDone():
            if event.item_id is not None:
                items.text(event.item_id, event.content_index, final=event.text, role="assistant")
        case events.ResponseOutputAudioTranscriptDone():
            if event.item_id is not None:
                items.text(event.item_id, event.content_index, final=event.transcript, role="assistant")
        case _:
            return
