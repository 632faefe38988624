"""The core is woken when its deadline is due, not before, and not for one that went away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from rtagent.session._timer import Timer
from rtagent.testing import FakeClock


class Bench:
    """A timer, and somebody who has deadlines."""

    def __init__(self) -> None:
        self.clock = FakeClock(10.0)
        self.deadline: float | None = None
        self.woken: list[float] = []
        self.timer = Timer(self.clock, lambda: self.deadline, self._due)

    def _due(self) -> None:
        self.woken.append(self.clock.now())
        if self.deadline is not None and self.deadline <= self.clock.now():
            self.deadline = None

    def set(self, deadline: float | None) -> None:
        self.deadline = deadline
        self.timer.look()


@asynccontextmanager
async def timing(deadline: float | None = None) -> AsyncIterator[Bench]:
    bench = Bench()
    bench.deadline = deadline
    async with anyio.create_task_group() as group:
        group.start_soon(bench.timer.run)
        await bench.clock.advance(0.0)
        yield bench
        group.cancel_scope.cancel()


async def test_a_deadline_is_kept() -> None:
    async with timing(12.0) as bench:
        await bench.clock.advance(1.9)
        assert bench.woken == []
        await bench.clock.advance(1.0)
        assert bench.woken == [12.0]
        assert bench.clock.sleepers == 0


async def test_a_deadline_that_comes_later_is_noticed_when_it_is_looked_at() -> None:
    async with timing() as bench:
        assert bench.clock.sleepers == 0
        bench.timer.look()
        await bench.clock.advance(5.0)
        bench.set(16.0)
        await bench.clock.advance(2.0)
        assert bench.woken == [16.0]


async def test_one_that_comes_nearer_goes_first() -> None:
    async with timing(20.0) as bench:
        bench.set(12.0)
        await bench.clock.advance(5.0)
        assert bench.woken == [12.0]
        bench.set(18.0)
        await bench.clock.advance(5.0)
        assert bench.woken == [12.0, 18.0]


async def test_one_that_moves_away_is_noticed_in_its_time() -> None:
    async with timing(12.0) as bench:
        bench.set(15.0)
        assert bench.clock.sleepers == 1
        await bench.clock.advance(3.0)
        assert bench.woken == [12.0]  # the owner finds nothing due, and is asked again
        await bench.clock.advance(3.0)
        assert bench.woken == [12.0, 15.0]


async def test_a_deadline_that_has_passed_is_due_at_once() -> None:
    async with timing() as bench:
        bench.set(3.0)
        await bench.clock.advance(0.0)
        assert bench.woken == [10.0]


async def test_nobody_runs_it_yet() -> None:
    bench = Bench()
    bench.set(12.0)
    async with anyio.create_task_group() as group:
        group.start_soon(bench.timer.run)
        await bench.clock.advance(3.0)
        assert bench.woken == [12.0]
        group.cancel_scope.cancel()
