"""From a device's thread to the event loop: a bounded ring of blocks, and a bell."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import anyio

from ._format import AudioBlock

__all__ = ("DeviceRing", "LoopBell")


class LoopBell:
    """Wakes one task of the event loop from another thread, at most once until that task has woken."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = False
        self._event = anyio.Event()

    def ring(self) -> None:
        """From any thread; never blocks."""
        if not self._rung:
            self._rung = True
            with suppress(RuntimeError):  # the loop has ended, so nobody waits any more
                self._loop.call_soon_threadsafe(self._wake)

    async def wait(self, timeout_s: float) -> bool:
        """True when it was rung since the last wait, False when that took too long."""
        with anyio.move_on_after(timeout_s):
            await self._event.wait()
        rung = self._event.is_set()
        if rung:
            self._event = anyio.Event()
            self._rung = False
        return rung

    def _wake(self) -> None:
        self._event.set()


class DeviceRing:
    """Blocks on their way from a device's thread to the loop; when it is full the oldest are dropped.

    Neither side waits: each counter has one writer, and the deque's ends are atomic.

    Args:
        capacity_bytes: the most that is kept.
        wake_bytes: how much must have come since the last ring of the bell.
        ring: called on the device's thread.
    """

    def __init__(self, *, capacity_bytes: int, wake_bytes: int, ring: Callable[[], None]) -> None:
        self._blocks: deque[AudioBlock] = deque()
        self._capacity = capacity_bytes
        self._wake = wake_bytes
        self._ring = ring
        self._put_bytes = 0
        self._taken_bytes = 0
        self._rung_at = 0
        self.dropped_bytes = 0

    def put(self, block: AudioBlock) -> None:
        """On the device's thread."""
        if not block.pcm:  # the bound is in bytes
            return
        self._blocks.append(block)
        self._put_bytes += len(block.pcm)
        while self._put_bytes - self._taken_bytes - self.dropped_bytes > self._capacity:
            try:
                self.dropped_bytes += len(self._blocks.popleft().pcm)
            except IndexError:  # the loop took it first
                break
        if self._put_bytes - self._rung_at >= self._wake:
            self._rung_at = self._put_bytes
            self._ring()

    def take(self) -> AudioBlock | None:
        """On the event loop: the oldest block, or None."""
        try:
            block = self._blocks.popleft()
        except IndexError:
            return None
        self._taken_bytes += len(block.pcm)
        return block
