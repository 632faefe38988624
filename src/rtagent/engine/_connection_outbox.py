"""What waits for the network, and the bell that wakes whoever waits for a change."""

from __future__ import annotations

from collections import deque
from typing import Final

import anyio

__all__ = ("Bell", "Outbox")

OUTBOX_BYTES: Final = 256 * 1024
"""About four seconds of PCM in base64: enough to be ahead, little enough that a barge-in is soon told."""


class Bell:
    """Wakes everyone who waits, each time something has changed.

    The waiter checks its condition, then waits; nothing can change in between, since there is one thread.
    """

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        """Wake everyone who waits now."""
        self._event.set()
        self._event = anyio.Event()

    async def wait(self) -> None:
        """Return at the next ring."""
        await self._event.wait()


class Outbox:
    """Owns the encoded frames between the conversation and the network.

    Putting never waits, for a step of the conversation is never half done; who wants to cause more frames
    waits for room first, so that the bound is passed by one step at most.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._frames: deque[str] = deque()
        self._bytes = 0
        self._in_flight = False

    @property
    def empty(self) -> bool:
        """Whether the network has taken everything."""
        return not self._frames and not self._in_flight

    def put(self, frame: str) -> None:
        """Put a frame behind the others."""
        self._frames.append(frame)
        self._bytes += len(frame)
        self._bell.ring()

    async def wait_room(self) -> None:
        """Return when fewer than ``OUTBOX_BYTES`` wait."""
        while self._bytes >= OUTBOX_BYTES:
            await self._bell.wait()

    async def wait_empty(self) -> None:
        """Return when the network has taken everything."""
        while not self.empty:
            await self._bell.wait()

    async def take(self) -> str:
        """The next frame; it counts as in flight until ``sent``."""
        while not self._frames:
            await self._bell.wait()
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        self._in_flight = True
        return frame

    def sent(self) -> None:
        """The network has taken the frame in flight."""
        self._in_flight = False
        self._bell.ring()
