"""A bell: whoever waits is woken by the next ring."""

from __future__ import annotations

import anyio

__all__ = ("Bell",)


class Bell:
    """Look whether what you wait for is there, then ``wait``, without an ``await`` in between."""

    def __init__(self) -> None:
        self._rung = anyio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self._rung.set()
        self._rung = anyio.Event()

    async def wait(self) -> None:
        """Return at the next ring."""
        await self._rung.wait()
