from __future__ import annotations

import contextvars
import threading

import anyio
import pytest

from rtagent.errors import ConfigurationError, ToolError
from rtagent.tools._threads import ThreadStatistics, WorkerThreads


@pytest.fixture
def gate():
    """Functions that wait for it end when the test does, whatever happens."""
    gate = threading.Event()
    yield gate
    gate.set()


async def test_a_function_runs_on_another_thread_in_the_callers_context():
    colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour")
    colour.set("red")
    where, what = await WorkerThreads(1).run(lambda: (threading.current_thread(), colour.get()))
    assert where is not threading.current_thread()
    assert what == "red"


async def test_what_it_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        await WorkerThreads(1).run(lambda: 1 // 0)


async def test_an_end_of_an_iterator_is_no_endless_wait():
    with pytest.raises(RuntimeError):
        await WorkerThreads(1).run(lambda: next(iter(())))


async def test_no_more_than_the_limit_run_at_once(gate):
    threads = WorkerThreads(2)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(threads.run, gate.wait)
        await anyio.wait_all_tasks_blocked()
        while threads.statistics().running < 2:
            await anyio.lowlevel.checkpoint()
        assert threads.statistics() == ThreadStatistics(limit=2, running=2, waiting=3)
        gate.set()
    assert threads.statistics() == ThreadStatistics(limit=2, running=0, waiting=0)


async def abandon(threads: WorkerThreads, gate: threading.Event) -> None:
    """Start a function and leave it behind once it runs."""
    running = threads.statistics().running
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(threads.run, gate.wait)
        while threads.statistics().running == running:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


async def test_an_abandoned_function_gives_its_place_back(gate):
    threads = WorkerThreads(1)
    await abandon(threads, gate)
    assert await threads.run(lambda: "free") == "free"
    assert threads.statistics().running == 1


async def test_functions_that_never_end_are_bounded(gate):
    threads = WorkerThreads(1)
    await abandon(threads, gate)
    await abandon(threads, gate)
    with pytest.raises(ToolError, match="2 earlier calls have not ended"):
        await threads.run(lambda: "one too many")
    gate.set()
    while threads.statistics().running:
        await anyio.lowlevel.checkpoint()
    assert await threads.run(lambda: "free again") == "free again"


def test_there_is_at_least_one_thread():
    with pytest.raises(ConfigurationError, match="at least one thread"):
        WorkerThreads(0)
