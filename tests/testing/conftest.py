"""A client for the vendors' servers that knows nothing: it sends and reads objects."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import anyio
import pytest

from rtagent.testing import RealtimeServer, ServerConnection, VendorServer
from rtagent.testing._vendor_tables import VENDORS
from rtagent.transport import MemoryTransport, memory_pair


class Client:
    def __init__(self, transport: MemoryTransport, profile: str) -> None:
        self.transport = transport
        self._vendor = VENDORS[profile]

    async def send(self, kind: str, **fields: Any) -> None:
        await self.transport.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict[str, Any]:
        with anyio.fail_after(5):
            event: dict[str, Any] = json.loads(await self.transport.receive())
        return event

    async def until(self, *kinds: str) -> list[dict[str, Any]]:
        """Everything up to the first event of one of those types."""
        events = [await self.next()]
        while events[-1]["type"] not in kinds:
            events.append(await self.next())
        return events

    async def update(self, **session: Any) -> dict[str, Any]:
        await self.send("session.update", session=session)
        return (await self.until("session.updated", "error"))[-1]

    async def configure(self, **more: Any) -> dict[str, Any]:
        """Ask for server VAD and more, in the vendor's own shape."""
        detection: dict[str, Any] = {"turn_detection": {"type": "server_vad"}}
        if self._vendor.shape == "nested":
            detection = {"audio": {"input": detection}}
        typed = {} if self._vendor.shape == "flat" else {"type": "realtime"}
        return await self.update(**typed, **detection, **more)

    async def say(self, text: str) -> None:
        part = {"type": "input_text", "text": text}
        item = {"type": "message", "role": "user", "content": [part]}
        await self.send("conversation.item.create", item=item)

    async def hear(self, samples: int, value: int = 5) -> None:
        audio = b64encode(value.to_bytes(2, "little") * samples).decode()
        await self.send("input_audio_buffer.append", audio=audio)


class Talking(Protocol):
    def __call__(
        self, profile: str, **options: Any
    ) -> AbstractAsyncContextManager[tuple[VendorServer, Client]]: ...


@asynccontextmanager
async def _talking(profile: str, **options: Any) -> AsyncIterator[tuple[VendorServer, Client]]:
    server = VendorServer(profile, **options)
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, theirs)
        client = Client(ours, profile)
        for _ in server._vendor.greeting:
            await client.next()
        yield server, client
        await ours.aclose()


@pytest.fixture
def talking() -> Talking:
    """Opens a connection to a vendor's server, whose greeting has been read."""
    return _talking


class Dialling(Protocol):
    def __call__(
        self, profile: str = ..., **options: Any
    ) -> AbstractAsyncContextManager[tuple[RealtimeServer, ServerConnection, Client]]: ...


@asynccontextmanager
async def _dialling(
    profile: str = "openai", **options: Any
) -> AsyncIterator[tuple[RealtimeServer, ServerConnection, Client]]:
    async with RealtimeServer(profile, over="memory", **options) as server:
        client = Client(await server.dial(), profile)
        yield server, await server.next_connection(), client
        await client.transport.aclose()


@pytest.fixture
def dialling() -> Dialling:
    """Opens a connection in memory to a ``RealtimeServer``; nothing was read yet."""
    return _dialling
