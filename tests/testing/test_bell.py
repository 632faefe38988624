"""Waking those who wait."""

from __future__ import annotations

import anyio
import pytest

from rtagent.testing._bell import Bell


async def test_everybody_who_waits_is_woken_once() -> None:
    bell, woken = Bell(), []

    async def wait(name: str) -> None:
        await bell.wait()
        woken.append(name)

    async with anyio.create_task_group() as group:
        group.start_soon(wait, "a")
        group.start_soon(wait, "b")
        await anyio.wait_all_tasks_blocked()
        bell.ring()
    assert sorted(woken) == ["a", "b"]


async def test_a_ring_of_the_past_wakes_nobody() -> None:
    bell = Bell()
    bell.ring()
    with pytest.raises(TimeoutError), anyio.fail_after(0.001):
        await bell.wait()
