from __future__ import annotations

import anyio
import pytest

from rtagent.audio import MonotonicClock, Pacer
from rtagent.testing._clock import FakeClock


async def test_real_time_passes_and_never_too_little() -> None:
    clock = MonotonicClock()
    begin = clock.now()
    for wait_s in (0.0, 0.001, 0.003):
        when = clock.now() + wait_s
        await clock.sleep_until(when)
        assert clock.now() >= when
    assert clock.now() > begin


async def test_a_time_that_has_passed_is_still_a_checkpoint() -> None:
    clock = MonotonicClock()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await clock.sleep_until(clock.now() - 1)
    assert scope.cancelled_caught


async def test_a_timer_that_fires_early_is_waited_for_again() -> None:
    readings = [0.999_999_8, 0.999_999_9, 0.999_999_9, 1.0]

    class ScriptedClock(MonotonicClock):
        def now(self) -> float:
            return readings.pop(0)

    await ScriptedClock().sleep_until(1.0)
    assert readings == []


class LateClock(FakeClock):
    """Sleeps of this clock end at once; the test says how late the reader comes back."""

    async def sleep_until(self, when: float) -> None:
        await self.advance(max(0.0, when - self.now()))


async def deadlines(lateness_s: list[float], look_ahead_s: float = 0.5) -> tuple[list[float], int]:
    clock = LateClock(100.0)
    pacer = Pacer(clock, 0.02, look_ahead_s=look_ahead_s)
    scheduled: list[float] = []
    for late_s in lateness_s:
        scheduled.append(round(await pacer.next() - 100.0, 6))
        await clock.advance(late_s)
    return scheduled, pacer.reanchored


@pytest.mark.parametrize(
    ("lateness_s", "expected"),
    [
        ([0, 0, 0, 0], [0, 0.02, 0.04, 0.06]),
        ([0.015, 0.015, 0.015, 0.015], [0, 0.02, 0.04, 0.06]),  # late every time: the delays do not add up
        ([0, 0.4, 0, 0], [0, 0.02, 0.04, 0.06]),  # once very late: what is due comes at once
    ],
)
async def test_the_schedule_is_absolute(lateness_s: list[float], expected: list[float]) -> None:
    assert await deadlines(lateness_s) == (expected, 0)


async def test_a_gap_beyond_the_look_ahead_begins_a_new_schedule() -> None:
    assert await deadlines([0, 0.9, 0, 0.53, 0]) == ([0, 0.02, 0.92, 0.94, 1.47], 2)
    assert await deadlines([0, 0.9, 0], look_ahead_s=2) == ([0, 0.02, 0.04], 0)


async def test_a_deadline_is_waited_for() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, 0.5)
    seen: list[tuple[float, float]] = []

    async def follow() -> None:
        while True:
            seen.append((await pacer.next(), clock.now()))

    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        await clock.advance(1.25)
        group.cancel_scope.cancel()
    assert seen == [(0, 0), (0.5, 0.5), (1.0, 1.0)]
