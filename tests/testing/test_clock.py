from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint

from rtagent.testing._clock import FakeClock, LockstepClock

Log = list[tuple[float, str]]
CLOCKS: list[Callable[[], FakeClock | LockstepClock]] = [FakeClock, LockstepClock]


async def tick(clock: FakeClock | LockstepClock, name: str, log: Log, *whens: float) -> None:
    for when in whens:
        await clock.sleep_until(when)
        log.append((clock.now(), name))


async def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    clock, log = FakeClock(start=10.0), Log()
    async with anyio.create_task_group() as group:
        group.start_soon(tick, clock, "a", log, 10.3, 10.5)
        group.start_soon(tick, clock, "b", log, 10.1, 10.4, 11.5)
        await clock.advance(1)
        assert log == [(10.1, "b"), (10.3, "a"), (10.4, "b"), (10.5, "a")]
        assert (clock.now(), clock.sleepers) == (11.0, 1)
        await clock.advance(0.5)
    assert log[-1] == (11.5, "b")


async def test_nothing_moves_by_itself() -> None:
    clock, log = FakeClock(), Log()
    async with anyio.create_task_group() as group:
        group.start_soon(tick, clock, "a", log, 0.1)
        await clock.advance(0.0)
        await clock.advance(0.099)
        assert log == []
        await clock.advance(0.001)
        assert log == [(0.1, "a")]


async def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match=r"advance\(-1\)"):
        await FakeClock().advance(-1)


@pytest.mark.parametrize("make", CLOCKS)
async def test_a_time_that_has_passed_is_still_a_checkpoint(
    make: Callable[[], FakeClock | LockstepClock],
) -> None:
    clock = make()
    await clock.sleep_until(-1.0)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await clock.sleep_until(0.0)
    assert scope.cancelled_caught


async def test_a_cancelled_sleeper_holds_nothing_up() -> None:
    clock, log = FakeClock(), Log()
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(tick, clock, "later", log, 0.2)
            await checkpoint()
            scope.cancel()
            await clock.sleep_until(0.1)
        assert clock.sleepers == 1
        await clock.advance(0.3)
    assert log == [(0.2, "later")]


async def test_lockstep_jumps_whenever_all_are_asleep() -> None:
    log = Log()
    async with LockstepClock() as clock, anyio.create_task_group() as group:
        group.start_soon(tick, clock, "a", log, 60.0, 3600.0)
        group.start_soon(tick, clock, "b", log, 60.0, 61.0)
    assert log == [(60.0, "a"), (60.0, "b"), (61.0, "b"), (3600.0, "a")]


async def test_lockstep_waits_for_the_proof_of_rest() -> None:
    log, jobs = Log(), 0

    async def settled() -> None:
        while jobs:
            await checkpoint()

    async def slow_answer(clock: LockstepClock) -> None:
        nonlocal jobs
        jobs += 1
        for _ in range(500):  # work elsewhere, of which the clock knows nothing
            await checkpoint()
        jobs -= 1
        await tick(clock, "answer", log, clock.now() + 1)

    async with LockstepClock(settled, start=5.0) as clock, anyio.create_task_group() as group:
        group.start_soon(tick, clock, "timeout", log, 10.0)
        group.start_soon(slow_answer, clock)
    assert log == [(6.0, "answer"), (10.0, "timeout")]


async def test_lockstep_survives_that_all_sleepers_are_cancelled() -> None:
    log, proofs = Log(), 0
    nap = anyio.CancelScope()

    async def settled() -> None:
        nonlocal proofs
        proofs += 1
        nap.cancel()
        await checkpoint()
        await checkpoint()
        await checkpoint()

    async with LockstepClock(settled) as clock:
        with nap:
            await clock.sleep_until(1.0)
        for _ in range(100):
            await checkpoint()
        assert clock.now() == 0.0
        await tick(clock, "next", log, 2.0)
    assert log == [(2.0, "next")]
    assert proofs == 2


async def test_errors_of_the_proof_end_the_block() -> None:
    async def settled() -> None:
        message = "the server died"
        raise RuntimeError(message)

    with pytest.raises(ExceptionGroup) as caught:
        async with LockstepClock(settled) as clock:
            await clock.sleep_until(1.0)
    assert caught.group_contains(RuntimeError, match="the server died")


async def test_errors_of_the_block_pass_through() -> None:
    with pytest.raises(ValueError, match=r"advance\(-1\)"):
        async with LockstepClock():
            await FakeClock().advance(-1)
