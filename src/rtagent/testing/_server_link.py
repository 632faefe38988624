"""The server's end of a connection: in memory, or a WebSocket."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import anyio
from websockets.asyncio.server import ServerConnection as Socket

from ..errors import ConnectionLost, EndOfStream, SessionClosed
from ..transport import MemoryTransport, WebSocketTransport

__all__ = ("Link", "MemoryLink", "SocketLink")

ABNORMAL = 1006


class Link(Protocol):
    """What a connection of the server needs of the network."""

    frozen: bool
    """Whether nothing passes any more: then it can only be dropped."""

    async def send(self, frame: str) -> None:
        """As ``Transport.send``."""
        ...

    async def receive(self) -> str | bytes:
        """As ``Transport.receive``."""
        ...

    async def leave(self, code: int | None, reason: str) -> None:
        """Close, bounded in time; without a code drop the connection."""
        ...

    def freeze(self) -> None:
        """Take and answer nothing any more, not even pings."""
        ...


class MemoryLink:
    """One side of a ``memory_pair``."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self.frozen = False

    async def send(self, frame: str) -> None:
        await self._transport.send(frame)

    async def receive(self) -> str | bytes:
        return await self._transport.receive()

    async def leave(self, code: int | None, reason: str) -> None:
        await self._transport.aclose(ABNORMAL if code is None else code, reason)

    def freeze(self) -> None:
        self.frozen = True


class SocketLink:
    """A WebSocket."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._transport = WebSocketTransport(socket)
        self.frozen = False

    async def send(self, frame: str) -> None:
        await self._transport.send(frame)

    async def receive(self) -> str | bytes:
        return await self._transport.receive()

    async def leave(self, code: int | None, reason: str) -> None:
        if code is None:
            self._socket.transport.abort()
            await self._socket.wait_closed()
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._drain)
            await self._transport.aclose(code, reason)
            group.cancel_scope.cancel()

    def freeze(self) -> None:
        self.frozen = True
        self._socket.transport.pause_reading()

    async def _drain(self) -> None:
        """The client's close frame stands behind what else it has sent."""
        with suppress(ConnectionLost, EndOfStream, SessionClosed):
            while True:
                await self._transport.receive()
