"""A server that speaks in plain objects, for vocabularies that ``ScriptedServer`` does not read."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from rtagent.errors import EndOfStream, SessionClosed
from rtagent.transport import MemoryTransport, memory_pair

LIMIT_S = 5.0


class RawServer:
    """The other side of ``transport``: sends objects as they are, reads objects as they come."""

    def __init__(self) -> None:
        self.transport: MemoryTransport
        self.transport, self._theirs = memory_pair()
        self.appended = bytearray()
        """The input audio that came in so far."""
        self._inbox: deque[dict[str, Any]] | None = None
        self._arrived = anyio.Event()

    async def keep_up(self) -> None:
        """Read from now on as things come, and answer by itself each update that changes nothing."""
        self._inbox = deque()
        while True:
            try:
                wire: dict[str, Any] = json.loads(await self._theirs.receive())
            except (EndOfStream, SessionClosed):
                return
            if wire["type"] == "session.update" and wire["session"] == {"type": "transcription"}:
                await self.send({"type": "session.updated", "event_id": "e", "session": wire["session"]})
            else:
                self._inbox.append(wire)
                self._arrived.set()

    async def _next(self) -> dict[str, Any]:
        if self._inbox is None:
            wire: dict[str, Any] = json.loads(await self._theirs.receive())
            return wire
        while not self._inbox:
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return self._inbox.popleft()

    async def send(self, *wire: dict[str, Any]) -> None:
        for one in wire:
            await self._theirs.send(json.dumps(one))

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next event of the client, input audio aside."""
        with anyio.fail_after(LIMIT_S):
            while True:
                wire = await self._next()
                if wire["type"].endswith("audio_buffer.append"):
                    self.appended += base64.b64decode(wire["audio"])
                    if kind == wire["type"]:
                        return wire
                    continue
                assert wire["type"] == kind, f"expected {kind}, got {wire}"
                return wire

    async def silent(self) -> bool:
        """Whether the client has said nothing more but audio, once every task has come to rest."""
        await anyio.wait_all_tasks_blocked()
        unread = [json.loads(frame) for frame in self._theirs.waiting()]
        kinds = [wire["type"] for wire in (*(self._inbox or ()), *unread)]
        return all(kind.endswith("audio_buffer.append") for kind in kinds)

    async def close(self, code: int = 1000) -> None:
        await self._theirs.aclose(code)


@pytest.fixture
async def raw_server() -> AsyncIterator[RawServer]:
    server = RawServer()
    yield server
    await server.close()
