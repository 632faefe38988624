"""Writing a vendor's server events: its names, its omissions, its strangers in between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Protocol, cast

import anyio

from ._vendor_session import Refusal
from ._vendor_traits import Vendor

__all__ = ("FrameSink", "VendorWire", "read_event")

_SHARED = ("response_id", "item_id", "output_index", "content_index")


class FrameSink(Protocol):
    """Where the frames go: a transport, or what stands before one."""

    async def send(self, frame: str | bytes) -> None:
        """Send one frame."""
        ...


class VendorWire:
    """The only writer of one connection.

    Args:
        vendor: whose words they are.
        transport: where the frames go.
        numbers: what ids are made of; connections that share it never repeat each other's.
    """

    def __init__(self, vendor: Vendor, transport: FrameSink, numbers: Iterator[int] | None = None) -> None:
        self._vendor = vendor
        self._transport = transport
        self._writing = anyio.Lock()
        self._numbers = count(1) if numbers is None else numbers

    def new_id(self, prefix: str) -> str:
        """An id that is unique in this connection."""
        return f"{prefix}_{next(self._numbers):06d}"

    async def send(self, kind: str, **fields: Any) -> None:
        """Send the event that GA calls ``kind`` as this vendor sends it, and what follows it there."""
        for event in self.written(kind, **fields):
            await self.send_raw(event)

    def written(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """That event, and what follows it there, as objects."""
        vendor = self._vendor
        if kind in vendor.never_sends:
            return []
        missing = vendor.leaves_out.get("*", frozenset[str]()) | vendor.leaves_out.get(kind, frozenset[str]())
        event = {"event_id": self.new_id("event"), "type": vendor.names.get(kind, kind), **fields}
        if vendor.omits_null_predecessor and event.get("previous_item_id", "") is None:
            del event["previous_item_id"]
        first = {name: value for name, value in event.items() if name not in missing}
        return [first, *({**_shared(event), **other} for other in vendor.strangers.get(kind, ()))]

    async def send_raw(self, frame: Mapping[str, Any] | str) -> None:
        """Send an object or a text as it is."""
        async with self._writing:
            await self._transport.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def refuse(self, refusal: Refusal, event_id: object) -> None:
        """Answer ``error``, in the vendor's shape."""
        for event in self.refused(refusal, event_id):
            await self.send_raw(event)

    def refused(self, refusal: Refusal, event_id: object) -> list[dict[str, Any]]:
        """That answer, as objects."""
        if self._vendor.shape == "model_only":
            return [{"type": "error", "error": refusal.message, "code": refusal.code}]
        error: dict[str, Any] = {
            "type": refusal.code if self._vendor.code_is_type else "invalid_request_error",
            "message": refusal.message,
        }
        if not self._vendor.code_is_type:
            error |= {"code": refusal.code, "param": refusal.param, "event_id": event_id}
        return self.written("error", error=error)


def read_event(frame: str | bytes) -> dict[str, Any]:
    """A client's frame as an event.

    Raises:
        Refusal: it is none.
    """
    if isinstance(frame, bytes):
        raise Refusal("binary frames are not taken", "invalid_frame")
    try:
        event: Any = json.loads(frame)
    except ValueError as problem:
        raise Refusal("Invalid JSON", "invalid_json") from problem
    if not isinstance(event, dict) or not isinstance(cast("dict[str, Any]", event).get("type"), str):
        raise Refusal("Missing required parameter: 'type'.", "missing_required_parameter", "type")
    return cast("dict[str, Any]", event)


def _shared(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in _SHARED if name in event}
