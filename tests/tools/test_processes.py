from __future__ import annotations

import os
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rtagent.errors import ConfigurationError, ToolError
from rtagent.tools import ProcessStatistics, tool
from rtagent.tools import _processes as module
from rtagent.tools._processes import WorkerProcesses

pytestmark = pytest.mark.timeout(60)


def own_id() -> int:
    return os.getpid()


@tool(run_in="process")
def double(n: int) -> int:
    return 2 * n


def hang(path: str) -> None:
    with open(path, "w") as begun:
        begun.write(str(os.getpid()))
    while True:
        pass


def die() -> None:
    os._exit(3)


def fail() -> None:
    raise KeyError("nothing")


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


class Unreadable:
    def __reduce__(self) -> Any:
        return (int, ("not a number",))


def unreadable() -> Unreadable:
    return Unreadable()


@pytest.fixture
async def processes():
    processes = WorkerProcesses(1)
    processes.hold()
    yield processes
    await processes.release()
    assert processes.statistics().idle == 0


async def test_calls_run_in_one_process_after_the_other(processes):
    assert processes.statistics() == ProcessStatistics(limit=1, running=0, idle=0, waiting=0)
    first = await processes.run(own_id, {})
    assert first != os.getpid()
    assert await processes.run(own_id, {}) == first
    assert await processes.run(double.fn, {"n": 21}) == 42
    with pytest.raises(KeyError):
        await processes.run(fail, {})
    with pytest.raises(ToolError, match="its result cannot be read here"):
        await processes.run(unreadable, {})
    assert processes.statistics() == ProcessStatistics(limit=1, running=0, idle=1, waiting=0)


async def test_a_process_that_dies_is_told_and_replaced(processes):
    with pytest.raises(ToolError, match="its process ended with code 3"):
        await processes.run(die, {})
    assert await processes.run(double.fn, {"n": 1}) == 2


async def test_a_call_that_is_cancelled_ends_its_process(processes, tmp_path):
    begun = tmp_path / "begun"
    async with anyio.create_task_group() as group:
        group.start_soon(processes.run, hang, {"path": str(begun)})
        group.start_soon(processes.run, double.fn, {"n": 1})
        while not (begun.exists() and begun.read_text()):
            await anyio.lowlevel.checkpoint()
        assert processes.statistics() == ProcessStatistics(limit=1, running=1, idle=0, waiting=1)
        group.cancel_scope.cancel()
    hung = int(begun.read_text())
    with anyio.fail_after(10):
        while is_alive(hung):
            await anyio.lowlevel.checkpoint()
    assert await processes.run(double.fn, {"n": 2}) == 4


async def test_what_cannot_be_sent_is_refused(processes):
    with pytest.raises(ToolError, match="the call cannot be sent to a process"):
        await processes.run(double.fn, {"n": lambda: None})
    with pytest.raises(ToolError, match="is not this function"):
        await processes.run(lambda: None, {})
    assert processes.statistics().idle == 0


async def test_idle_processes_are_kept_until_the_last_user_has_gone(processes):
    processes.hold()
    await processes.run(own_id, {})
    await processes.release()
    assert processes.statistics().idle == 1


async def test_a_process_that_is_not_wanted_before_it_has_begun_ends_at_once():
    worker = module._Worker()
    worker.kill()
    with pytest.raises(ToolError, match="its process ended with code -9"):
        await anyio.to_thread.run_sync(worker.call, b"")
    module._Worker().bury()  # there is none


def test_there_is_at_least_one_process():
    with pytest.raises(ConfigurationError, match="at least one of them"):
        WorkerProcesses(0)
