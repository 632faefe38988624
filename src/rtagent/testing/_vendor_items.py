"""The items of a vendor's conversation: checked, kept in order, announced."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ._vendor_reply import Reply
from ._vendor_session import Refusal
from ._vendor_traits import Vendor
from ._vendor_wire import VendorWire

__all__ = ("VendorItems",)

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PARTS = {
    "system": frozenset({"input_text"}),
    "user": frozenset({"input_text", "input_audio", "input_image"}),
}


class VendorItems:
    """Owns the items of one connection; an answer is kept as the ``Reply`` that makes it."""

    def __init__(self, vendor: Vendor, wire: VendorWire) -> None:
        self._vendor = vendor
        self._wire = wire
        self._items: dict[str, dict[str, Any] | Reply] = {}
        self._answered: set[str] = set()

    @property
    def last_id(self) -> str | None:
        """The last item that was announced; None before the first."""
        return next((item_id for item_id in reversed(self._items) if self._is_known(item_id)), None)

    @property
    def held(self) -> list[dict[str, Any]]:
        """The items in their order, each with its own status."""
        return [
            entry.item(entry.status) if isinstance(entry, Reply) else dict(entry)
            for item_id, entry in self._items.items()
            if self._is_known(item_id)
        ]

    @property
    def listed(self) -> list[dict[str, Any]]:
        """What the model would read."""
        return [
            entry.item("completed") if isinstance(entry, Reply) else entry for entry in self._items.values()
        ]

    def hold(self, reply: Reply) -> None:
        """Keep the item of a response."""
        self._items[reply.item_id] = reply

    async def add_speech(self, item_id: str, said: str) -> None:
        """The user's spoken turn becomes an item."""
        part = {"type": "input_audio", "transcript": said}
        item = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed"}
        await self._announce(
            {**item, "role": "user", "content": [part]}, shown_part={**part, "transcript": None}
        )

    # -- client events -------------------------------------------------------------------------------

    async def create(self, event: dict[str, Any]) -> None:
        """``conversation.item.create``."""
        item = cast("dict[str, Any]", event["item"])
        self.check(item)
        item_id: str = item.get("id") or self._wire.new_id("item")
        if item_id in self._items:
            raise Refusal(f"the item {item_id} exists", "item_create_duplicate_item_id", "item.id")
        before = event.get("previous_item_id")
        if before not in (None, "root") and before not in self._items:
            raise Refusal(f"no item {before}", "invalid_value", "previous_item_id")
        if item["type"] == "function_call_output":
            self._check_output(item)
        await self._announce(
            {"object": "realtime.item", "status": "completed", **item, "id": item_id}, after=before
        )

    async def retrieve(self, event: dict[str, Any]) -> None:
        """``conversation.item.retrieve``."""
        entry = self._find(event["item_id"])
        item = entry.item("completed") if isinstance(entry, Reply) else entry
        await self._wire.send("conversation.item.retrieved", item=item)

    async def delete(self, event: dict[str, Any]) -> None:
        """``conversation.item.delete``."""
        self._find(event["item_id"])
        del self._items[event["item_id"]]
        await self._wire.send("conversation.item.deleted", item_id=event["item_id"])

    async def truncate(self, event: dict[str, Any]) -> None:
        """``conversation.item.truncate``: the answer's sound, up to what was sent of it."""
        entry = self._find(event["item_id"])
        if not isinstance(entry, Reply) or not entry.audio:
            raise Refusal("Only model output audio messages can be truncated", "unsupported_content_type")
        at_ms = event["audio_end_ms"]
        if not isinstance(at_ms, int) or at_ms < 0:
            raise Refusal("audio_end_ms is no whole number", "integer_below_min_value", "audio_end_ms")
        held_ms = entry.held_ms
        if at_ms > held_ms:
            raise Refusal(f"Audio content of {held_ms}ms is already shorter than {at_ms}ms", "invalid_value")
        entry.truncate(at_ms)
        if "conversation.item.truncate" not in self._vendor.swallows:
            place = {"item_id": event["item_id"], "content_index": event["content_index"]}
            await self._wire.send("conversation.item.truncated", **place, audio_end_ms=at_ms)

    # -- checks --------------------------------------------------------------------------------------

    def check(self, item: Any) -> None:
        """Whether the vendor takes that item.

        Raises:
            Refusal: it does not.
        """
        if not isinstance(item, dict):
            raise Refusal("item is not an object", "invalid_type", "item")
        given = cast("dict[str, Any]", item)
        kind = given.get("type")
        if kind not in {"message", "function_call", "function_call_output", "item_reference"}:
            raise Refusal(f"item.type cannot be {kind!r}", "invalid_value", "item.type")
        if "id" in given and not _ID.fullmatch(str(given["id"])):
            raise Refusal("item.id is too long or of other characters", "string_above_max_length", "item.id")
        if kind == "message":
            allowed = _PARTS.get(str(given.get("role")), frozenset({self._vendor.assistant_parts[0]}))
            for part in cast("Sequence[dict[str, Any]]", given.get("content", ())):
                if part.get("type") not in allowed:
                    message = f"item.content: {part.get('type')!r} is not for the role {given.get('role')}"
                    raise Refusal(message, "invalid_value", "item.content")

    def last_words(self, context: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        """The kind of the last item, and what the user said last; an output since then goes before both."""
        kind = str(context[-1]["type"]) if context else ""
        for item in reversed(context):
            if item["type"] == "function_call_output":
                kind = "function_call_output"
            if item.get("role") == "user":
                parts = cast("Sequence[Mapping[str, Any]]", item.get("content", ()))
                return kind, " ".join(str(part.get("text") or part.get("transcript") or "") for part in parts)
        return kind, ""

    def _check_output(self, item: Mapping[str, Any]) -> None:
        call_id = str(item.get("call_id"))
        calls = {
            entry.call_id
            for entry in self._items.values()
            if isinstance(entry, Reply) and entry.plan.call is not None
        } | {str(entry.get("call_id")) for entry in self._plain() if entry["type"] == "function_call"}
        if call_id not in calls:
            raise Refusal(f"no tool call {call_id}", "invalid_tool_call_id", "item.call_id")
        if call_id in self._answered:
            raise Refusal(f"the call {call_id} has its output", "invalid_tool_call_id", "item.call_id")
        self._answered.add(call_id)

    def _plain(self) -> list[dict[str, Any]]:
        return [entry for entry in self._items.values() if not isinstance(entry, Reply)]

    def _find(self, item_id: object) -> dict[str, Any] | Reply:
        entry = self._items.get(str(item_id))
        if entry is None:
            raise Refusal(f"Item with item_id not found: {item_id}", "item_not_found", "item_id")
        return entry

    def _is_known(self, item_id: str) -> bool:
        entry = self._items[item_id]
        return not isinstance(entry, Reply) or entry.opened

    def _put(self, item: dict[str, Any], after: str | None) -> str | None:
        """Put an item behind another one, or at the end; returns the one before it."""
        previous = self.last_id if after is None else None if after == "root" else after
        entries = list(self._items.items())
        names = [name for name, _ in entries]
        place = len(entries) if after is None else 0 if previous is None else names.index(previous) + 1
        entries.insert(place, (item["id"], item))
        self._items = dict(entries)
        return previous

    async def _announce(
        self, item: dict[str, Any], shown_part: dict[str, Any] | None = None, after: str | None = None
    ) -> None:
        previous = self._put(item, after)
        shown = item if shown_part is None else {**item, "content": [shown_part]}
        kinds = ("added", "done") if self._vendor.announces == "added_done" else ("created",)
        for kind in kinds:
            await self._wire.send(f"conversation.item.{kind}", previous_item_id=previous, item=shown)
