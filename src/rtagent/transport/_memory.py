"""Two transports that are each other's other side, in one process."""

from __future__ import annotations

from collections import deque

import anyio
import anyio.lowlevel

from ..errors import ConnectionLost, EndOfStream, SessionClosed

__all__ = ("MemoryTransport", "memory_pair")

CAPACITY_FRAMES = 1_024
CLEAN_CODES = frozenset({1000, 1001})


class _Lane:
    """One direction: at most ``capacity`` unread frames, then the sender waits."""

    def __init__(self, capacity: int) -> None:
        self.end: tuple[int, str] | None = None
        """Set by whoever closes: what was sent before can still be read."""
        self._capacity = capacity
        self._frames: deque[str] = deque()
        self._changed = anyio.Event()

    async def put(self, frame: str) -> None:
        while len(self._frames) >= self._capacity and self.end is None:
            await self._next_change()
        if self.end is not None:
            raise ConnectionLost(*self.end)
        self._frames.append(frame)
        self._notify()

    async def take(self) -> str | None:
        """The next frame; None after the last one."""
        while not self._frames:
            if self.end is not None:
                return None
            await self._next_change()
        frame = self._frames.popleft()
        self._notify()
        return frame

    def waiting(self) -> tuple[str, ...]:
        return tuple(self._frames)

    def close(self, code: int, reason: str) -> None:
        if self.end is None:
            self.end = (code, reason)
            self._notify()

    def _notify(self) -> None:
        self._changed.set()

    async def _next_change(self) -> None:
        self._changed = anyio.Event()
        await self._changed.wait()


class MemoryTransport:
    """One side of a pair; made by ``memory_pair``."""

    def __init__(self, inbound: _Lane, outbound: _Lane) -> None:
        self._inbound = inbound
        self._outbound = outbound
        self._closed_by_us = False

    async def send(self, frame: str | bytes) -> None:
        """Send one text frame; see ``Transport.send``."""
        if self._closed_by_us:
            raise SessionClosed
        await self._outbound.put(frame if isinstance(frame, str) else frame.decode())
        await anyio.lowlevel.checkpoint()

    async def receive(self) -> str | bytes:
        """The next frame; see ``Transport.receive``."""
        frame = None if self._closed_by_us else await self._inbound.take()
        if frame is not None:
            return frame
        if self._closed_by_us or self._inbound.end is None:
            raise SessionClosed
        code, reason = self._inbound.end
        raise EndOfStream(code, reason) if code in CLEAN_CODES else ConnectionLost(code, reason)

    def waiting(self) -> tuple[str, ...]:
        """The frames that have arrived and were not received yet."""
        return self._inbound.waiting()

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """Close both directions; what was sent before can still be read on the other side."""
        self._closed_by_us = self._closed_by_us or self._inbound.end is None
        self._outbound.close(code, reason)
        self._inbound.close(code, reason)
        await anyio.lowlevel.checkpoint()


def memory_pair(capacity: int = CAPACITY_FRAMES) -> tuple[MemoryTransport, MemoryTransport]:
    """Both sides of a connection that never leaves the process.

    Args:
        capacity: how many frames may wait in each direction before the sender does.
    """
    there, back = _Lane(capacity), _Lane(capacity)
    return MemoryTransport(back, there), MemoryTransport(there, back)
