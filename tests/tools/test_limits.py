from __future__ import annotations

import anyio
import pytest

from rtagent.tools._limits import MAX_WAITING, Busy, Places


async def test_places_are_given_in_the_order_of_asking():
    places = Places(1)
    first = await places.take(None)
    given: list[str] = []

    async def wait(name: str) -> None:
        holder = await places.take(5.0)
        given.append(name)
        places.leave(holder)

    async with anyio.create_task_group() as group:
        for name in ("one", "two"):
            group.start_soon(wait, name)
            await anyio.wait_all_tasks_blocked()
        assert given == []
        places.leave(first)
    assert given == ["one", "two"]


async def test_who_waits_too_long_is_told_that_it_is_busy():
    places = Places(2)
    await places.take(None)
    await places.take(None)
    with pytest.raises(Busy, match="busy: 2 calls of this tool run already"):
        await places.take(0.01)
    assert str(Busy(1)) == "busy: 1 call of this tool runs already, try again later"


async def test_no_more_than_so_many_may_wait():
    places = Places(1)
    await places.take(None)
    async with anyio.create_task_group() as group:
        for _ in range(MAX_WAITING):
            group.start_soon(places.take, None)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Busy):
            await places.take(None)
        group.cancel_scope.cancel()
