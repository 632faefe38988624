"""Waking the core when one of its deadlines is due."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from ..audio import Clock

__all__ = ("Timer",)


class Timer:
    """Owns the sleep until the next deadline.

    Args:
        clock: the session's.
        deadline: asks for the next deadline, in seconds of that clock; None for none.
        due: is called when it has come.
    """

    def __init__(self, clock: Clock, deadline: Callable[[], float | None], due: Callable[[], None]) -> None:
        self._clock = clock
        self._deadline = deadline
        self._due = due
        self._asleep_until: float | None = None
        self._sleep: anyio.CancelScope | None = None
        self._moved = anyio.Event()

    def look(self) -> None:
        """A deadline may have come nearer. One that went away is noticed when its time has come."""
        deadline = self._deadline()
        if deadline is None or (self._asleep_until is not None and deadline >= self._asleep_until):
            return
        self._moved.set()
        if self._sleep is not None:
            self._sleep.cancel()

    async def run(self) -> None:
        """Keep time until cancelled."""
        while True:
            deadline = self._deadline()
            if deadline is None:
                self._moved = anyio.Event()
                await self._moved.wait()
                continue
            self._asleep_until = deadline
            with anyio.CancelScope() as self._sleep:
                await self._clock.sleep_until(deadline)
            self._asleep_until, woken, self._sleep = None, self._sleep.cancelled_caught, None
            if not woken:
                self._due()
