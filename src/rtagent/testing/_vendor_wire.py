"""Writing a vendor's server events: its names, its omissions, its strangers in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

import anyio

from ..transport import Transport
from ._vendor_session import Refusal
from ._vendor_traits import Vendor

__all__ = ("VendorWire",)

_SHARED = ("response_id", "item_id", "output_index", "content_index")


class VendorWire:
    """The only writer of one connection."""

    def __init__(self, vendor: Vendor, transport: Transport) -> None:
        self._vendor = vendor
        self._transport = transport
        self._writing = anyio.Lock()
        self._numbers = count(1)

    def new_id(self, prefix: str) -> str:
        """An id that is unique in this connection."""
        return f"{prefix}_{next(self._numbers):06d}"

    async def send(self, kind: str, **fields: Any) -> None:
        """Send the event that GA calls ``kind`` as this vendor sends it, and what follows it there."""
        vendor = self._vendor
        if kind in vendor.never_sends:
            return
        missing = vendor.leaves_out.get("*", frozenset[str]()) | vendor.leaves_out.get(kind, frozenset[str]())
        event = {"event_id": self.new_id("event"), "type": vendor.names.get(kind, kind), **fields}
        if vendor.omits_null_predecessor and event.get("previous_item_id", "") is None:
            del event["previous_item_id"]
        await self.send_raw({name: value for name, value in event.items() if name not in missing})
        for stranger in vendor.strangers.get(kind, ()):
            await self.send_raw({**_shared(event), **stranger})

    async def send_raw(self, frame: Mapping[str, Any] | str) -> None:
        """Send an object or a text as it is."""
        async with self._writing:
            await self._transport.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def refuse(self, refusal: Refusal, event_id: object) -> None:
        """Answer ``error``, in the vendor's shape."""
        if self._vendor.shape == "model_only":
            await self.send_raw({"type": "error", "error": refusal.message, "code": refusal.code})
            return
        error: dict[str, Any] = {
            "type": refusal.code if self._vendor.code_is_type else "invalid_request_error",
            "message": refusal.message,
        }
        if not self._vendor.code_is_type:
            error |= {"code": refusal.code, "param": refusal.param, "event_id": event_id}
        await self.send("error", error=error)


def _shared(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in _SHARED if name in event}
