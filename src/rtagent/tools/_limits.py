"""How many calls of one tool may run at once, and how many may wait for that."""

from __future__ import annotations

import anyio

from ..errors import ToolError

__all__ = ("MAX_WAITING", "Busy", "Places")

MAX_WAITING = 16
"""Calls of one tool that may wait for their turn; a model that asks for more than that is told at once."""


class Busy(ToolError):
    """Too many calls of this tool run or wait already."""

    def __init__(self, running: int) -> None:
        calls = "1 call of this tool runs" if running == 1 else f"{running} calls of this tool run"
        super().__init__(f"busy: {calls} already, try again later")


class Places:
    """The places of one tool; who comes first gets the next one that is free."""

    def __init__(self, limit: int) -> None:
        self._limiter = anyio.CapacityLimiter(limit)

    async def take(self, within_s: float | None) -> object:
        """Wait for a place; what is returned must be given to ``leave``.

        Raises:
            Busy: too many wait already, or none was free in time.
        """
        if self._limiter.statistics().tasks_waiting >= MAX_WAITING:
            raise Busy(self._limiter.borrowed_tokens)
        holder = object()
        with anyio.move_on_after(within_s):
            await self._limiter.acquire_on_behalf_of(holder)
            return holder
        raise Busy(self._limiter.borrowed_tokens)

    def leave(self, holder: object) -> None:
        """Give the place to the next one."""
        self._limiter.release_on_behalf_of(holder)
