"""Clocks that a test moves: by hand, or by itself as soon as everything is at rest.

Both implement the ``Clock`` port and never look at real time. A sleeper is an event with a
deadline in a heap; time moves only in ``_wake_earliest``, which jumps to the earliest deadline
and sets the events that are due there, so no sleeper ever sees a time beyond its own deadline
before it has run.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from types import TracebackType

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

__all__ = ("FakeClock", "LockstepClock")

_TURNS = 50
"""Turns of the event loop in which woken tasks come to rest: far more than any chain of hand-overs takes."""


async def _let_others_run(turns: int = _TURNS) -> None:
    for _ in range(turns):
        await checkpoint()


class _VirtualClock:
    """Time that stands still until its owner moves it."""

    def __init__(self, start: float) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._arrivals = 0
        self._somebody_sleeps = anyio.Event()

    def now(self) -> float:
        """Virtual seconds."""
        return self._now

    @property
    def sleepers(self) -> int:
        """How many tasks wait for this clock."""
        return len(self._sleepers)

    async def sleep_until(self, when: float) -> None:
        """Return when ``now() >= when``; at once, but after a checkpoint, if that has passed."""
        if when <= self._now:
            await checkpoint()
            return
        self._arrivals += 1
        sleeper = (when, self._arrivals, anyio.Event())
        heapq.heappush(self._sleepers, sleeper)
        self._somebody_sleeps.set()
        try:
            await sleeper[2].wait()
        finally:
            if sleeper in self._sleepers:  # cancelled: its deadline must not hold or move the time
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    def _wake_earliest(self) -> None:
        self._now = self._sleepers[0][0]
        while self._sleepers and self._sleepers[0][0] <= self._now:
            heapq.heappop(self._sleepers)[2].set()


class FakeClock(_VirtualClock):
    """A clock that only ``advance`` moves.

    Example::

        clock = FakeClock()
        ...                             # something sleeps until 0.02, 0.04, ...
        await clock.advance(0.05)       # it has run at 0.02 and at 0.04; now() == 0.05
    """

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)

    async def advance(self, seconds: float) -> None:
        """Move on by so much; sleepers wake in the order of their deadlines and run in between."""
        if seconds < 0:
            message = f"time does not go back: advance({seconds:g})"
            raise ValueError(message)
        target = self._now + seconds
        await _let_others_run()
        while self._sleepers and self._sleepers[0][0] <= target:
            self._wake_earliest()
            await _let_others_run()
        self._now = target


class LockstepClock(_VirtualClock):
    """Virtual time for whole conversations: whenever all is at rest it jumps to the next deadline.

    A conversation of a minute then takes as long as its computing takes, and it runs the same
    way on a slow machine as on a fast one. ``settled`` is the caller's proof of rest: it returns
    when nothing is under way that is not a sleep on this clock (no frame in a socket, no job in a
    worker thread). Without it, tasks of this event loop alone are waited for.

    Args:
        settled: returns when all is at rest.
        start: the first second.
        turns: of the event loop, which are given to whoever was woken before ``settled`` is asked. One is enough
            where that proves that every task waits.

    Leave the block after everything that sleeps on the clock has ended.

    Example::

        async with LockstepClock(settled=network.wait_quiet) as clock:
            source = WavSource("caller.wav", clock=clock)
    """

    def __init__(
        self,
        settled: Callable[[], Awaitable[None]] | None = None,
        *,
        start: float = 0.0,
        turns: int = _TURNS,
    ) -> None:
        super().__init__(start)
        self._settled = settled
        self._turns = turns
        self._group: TaskGroup | None = None

    async def __aenter__(self) -> LockstepClock:
        self._group = await anyio.create_task_group().__aenter__()
        self._group.start_soon(self._run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        assert self._group is not None  # set by __aenter__  # noqa: S101
        self._group.cancel_scope.cancel()
        if isinstance(error, Exception):  # the block's own error leaves as it is, not in a group
            await self._group.__aexit__(None, None, None)
            return None
        return await self._group.__aexit__(kind, error, traceback)

    async def _run(self) -> None:
        while True:
            await self._somebody_sleeps.wait()
            await _let_others_run(self._turns)  # who was woken last has to begin before rest can be proven
            if self._settled is not None:
                await self._settled()
            if self._sleepers:  # none is left when they were cancelled meanwhile
                self._wake_earliest()
            if not self._sleepers:
                self._somebody_sleeps = anyio.Event()
