"""The conversation's items in their order, and the events that tell of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from .. import events
from ..audio import AudioFormat
from ._conversation_entry import Entry, entry_of
from ._conversation_work import Outlet
from ._validation import Refusal, check_item_id

__all__ = ("ItemLedger",)

MAX_ITEMS: Final = 10_000
"""Items of one conversation; a client's further one is refused."""
MAX_CHARACTERS: Final = 64 * 1024 * 1024
"""Text, image data and call arguments of all items together; a client's item beyond it is refused."""
KEPT_AUDIO_BYTES: Final = 64 * 1024 * 1024
"""Sound kept for ``conversation.item.retrieve``, in decoded bytes; beyond that the oldest goes."""


class ItemLedger:
    """Owns the items of the conversation and tells the client of every change."""

    def __init__(self, out: Outlet) -> None:
        self._out = out
        self._order: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._sizes: dict[str, int] = {}
        """The characters of each item as it came; what a response adds later is little."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The items in conversation order."""
        return tuple(self._order)

    @property
    def last_id(self) -> str | None:
        """The id of the last item; None while there is none."""
        return self._order[-1].id if self._order else None

    def find(self, item_id: str) -> Entry | None:
        """The item of that id."""
        return self._by_id.get(item_id)

    def create(self, item: events.Item, previous_item_id: str | None, layout: AudioFormat) -> Entry:
        """Put a client's item into its place: at the end, behind another item, or in front (``root``).

        Raises:
            Refusal: id, content or predecessor cannot be.
        """
        item_id = self._fresh_id(item)
        place = self._place_behind(previous_item_id)
        entry = entry_of(item, item_id, layout)
        if len(self._order) >= MAX_ITEMS or sum(self._sizes.values()) + entry.characters > MAX_CHARACTERS:
            message = f"the conversation holds {len(self._order)} items and is full: delete some"
            raise Refusal(message, code="conversation_full")
        self.announce(entry, place)
        self.finish(entry)
        return entry

    def announce(self, entry: Entry, place: int | None = None) -> None:
        """Take an item in, at the end unless a place is given, and say that it was added."""
        place = len(self._order) if place is None else place
        previous = self._order[place - 1].id if place else None
        self._order.insert(place, entry)
        self._by_id[entry.id] = entry
        self._sizes[entry.id] = entry.characters
        self._out.send(events.ConversationItemAdded(previous_item_id=previous, item=entry.item))
        self._keep_within_bounds()

    def finish(self, entry: Entry) -> None:
        """Say that an item is complete, unless it was deleted meanwhile."""
        if entry.id in self._by_id:
            place = self._order.index(entry)
            previous = self._order[place - 1].id if place else None
            self._out.send(events.ConversationItemDone(previous_item_id=previous, item=entry.item))

    def retrieve(self, item_id: str) -> None:
        """Answer with the whole item, sound included."""
        self._out.send(events.ConversationItemRetrieved(item=self._known(item_id).with_audio()))

    def delete(self, item_id: str) -> Entry:
        """Take an item out; returns what it was."""
        entry = self._known(item_id)
        self._order.remove(entry)
        del self._by_id[item_id]
        del self._sizes[item_id]
        self._out.send(events.ConversationItemDeleted(item_id=item_id))
        return entry

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut the assistant's voice to what was heard; the transcript goes with the rest (S17).

        Raises:
            Refusal: no such voice, or the time lies outside of it.
        """
        entry = self._known(item_id)
        sound = entry.sounds.get(content_index)
        if sound is None or not isinstance(entry.item, events.AssistantMessage):
            message = "Only model output audio messages can be truncated"
            raise Refusal(message, code="unsupported_content_type", param="item_id")
        if audio_end_ms < 0:
            message = f"audio_end_ms is 0 or more, not {audio_end_ms}"
            raise Refusal(message, code="integer_below_min_value", param="audio_end_ms")
        if audio_end_ms > math.ceil(sound.ms):
            message = f"Audio content of {sound.ms:.0f} ms is already shorter than {audio_end_ms} ms"
            raise Refusal(message, code="invalid_value", param="audio_end_ms")
        sound.truncate(audio_end_ms)
        entry.replace_part(content_index, events.OutputAudio())
        self._out.send(
            events.ConversationItemTruncated(
                item_id=item_id, content_index=content_index, audio_end_ms=audio_end_ms
            )
        )

    def resolved(self, items: Iterable[events.Item], layout: AudioFormat) -> list[Entry]:
        """The context of a response that names its own input; references point into the conversation."""
        return [self._resolved(item, layout) for item in items]

    def _resolved(self, item: events.Item, layout: AudioFormat) -> Entry:
        if isinstance(item, events.ItemReference):
            return self._known(item.id, param="response.input")
        return entry_of(item, self._out.new_id("item"), layout)

    def _fresh_id(self, item: events.Item) -> str:
        item_id = item.id
        if item_id is None:
            return self._out.new_id("item")
        check_item_id(item_id)
        if item_id in self._by_id:
            message = f"the conversation already has an item {item_id!r}"
            raise Refusal(message, code="item_create_duplicate_item_id", param="item.id")
        return item_id

    def _place_behind(self, previous_item_id: str | None) -> int:
        if previous_item_id is None:
            return len(self._order)
        if previous_item_id == "root":
            return 0
        return self._order.index(self._known(previous_item_id, param="previous_item_id")) + 1

    def _known(self, item_id: str, param: str = "item_id") -> Entry:
        entry = self._by_id.get(item_id)
        if entry is None:
            message = f"the conversation has no item {item_id!r}"
            raise Refusal(message, code="item_not_found", param=param)
        return entry

    def _keep_within_bounds(self) -> None:
        """Forget the oldest sound beyond the bound; durations and words stay."""
        kept = 0
        for entry in reversed(self._order):
            for sound in entry.sounds.values():
                kept += len(sound.data)
                if kept > KEPT_AUDIO_BYTES:
                    sound.data.clear()
