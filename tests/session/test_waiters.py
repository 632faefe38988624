"""Waiting for answers by id: every wait ends, once, with what it was told first."""

from __future__ import annotations

from typing import Any

import anyio

from rtagent.errors import ConnectionLost, ServerError, SessionClosed, Timeout
from rtagent.session._waiters import Waiters


async def outcome(waiters: Waiters, key: str, timeout: float | None = None) -> Any:
    try:
        return await waiters.wait(key, timeout, "the answer")
    except (ServerError, SessionClosed, Timeout, ConnectionLost) as error:
        return error


async def test_an_answer_that_came_before_the_wait() -> None:
    waiters = Waiters()
    waiters.open("a")
    assert waiters.resolve("a", 42)
    assert await outcome(waiters, "a") == 42


async def test_answers_reach_the_one_who_waits_for_them() -> None:
    waiters = Waiters()
    results: dict[str, Any] = {}

    async def wait(key: str) -> None:
        results[key] = await outcome(waiters, key)

    async with anyio.create_task_group() as group:
        for key in "abc":
            waiters.open(key)
            group.start_soon(wait, key)
        await anyio.wait_all_tasks_blocked()
        refusal = ServerError("no")
        assert waiters.resolve("c", None)
        assert waiters.fail("b", refusal)
        await anyio.wait_all_tasks_blocked()
        assert results == {"c": None, "b": refusal}
        assert waiters.resolve("a", 1)
    assert results["a"] == 1


async def test_only_the_first_answer_counts() -> None:
    waiters = Waiters()
    waiters.open("a")
    assert waiters.resolve("a", 1)
    assert not waiters.resolve("a", 2)
    assert not waiters.fail("a", ServerError("late"))
    assert await outcome(waiters, "a") == 1
    assert not waiters.resolve("a", 3)


def test_nobody_waits_for_an_unknown_answer() -> None:
    assert not Waiters().resolve("a", 1)
    assert not Waiters().fail("a", ServerError("x"))


async def test_an_answer_that_does_not_come_in_time() -> None:
    waiters = Waiters()
    waiters.open("a")
    late = await outcome(waiters, "a", 0.0)
    assert isinstance(late, Timeout)
    assert str(late) == "the answer did not come within 0 s"
    assert not waiters.resolve("a", 1)


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    waiters = Waiters()
    waiters.open("a")
    with anyio.move_on_after(0):
        await waiters.wait("a", None, "the answer")
    assert not waiters.resolve("a", 1)


async def test_closing_fails_those_who_wait_and_those_who_come_later() -> None:
    waiters = Waiters()
    results: list[Any] = []
    waiters.open("answered")
    waiters.open("waiting")
    waiters.resolve("answered", 1)

    async def wait(key: str) -> None:
        results.append(await outcome(waiters, key))

    async with anyio.create_task_group() as group:
        group.start_soon(wait, "waiting")
        group.start_soon(wait, "answered")
        await anyio.wait_all_tasks_blocked()
        waiters.open("pending")
        waiters.close(ConnectionLost(1006))
    assert [str(result) for result in results] == ["1", "the connection was lost (code 1006)"]
    assert isinstance(await outcome(waiters, "pending"), ConnectionLost)
    waiters.open("late")
    assert isinstance(await outcome(waiters, "late"), ConnectionLost)
