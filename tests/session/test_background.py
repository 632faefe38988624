"""A thread with a loop: what is called there comes back, and nothing is left behind."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from rtagent.errors import LocalProtocolError, SessionClosed
from rtagent.session._background import Background


def test_functions_run_on_its_loop_and_their_results_come_back() -> None:
    async def double(number: int, *, plus: int = 0) -> int:
        await anyio.lowlevel.checkpoint()
        return 2 * number + plus

    with Background() as background:
        assert background.call(double, 4, plus=1) == 9
        assert background.call(threading.current_thread) is not threading.current_thread()
        with pytest.raises(ZeroDivisionError):
            background.call(lambda: 1 // 0)
    assert [thread.name for thread in threading.enumerate() if thread.name == "rtagent session"] == []


def test_after_its_end_it_says_so() -> None:
    @asynccontextmanager
    async def block() -> AsyncIterator[int]:
        yield 1

    with Background() as background:
        pass
    with pytest.raises(SessionClosed):
        background.call(print)
    with pytest.raises(SessionClosed):
        background.enter(block())


def test_who_waits_at_its_end_is_told() -> None:
    background = Background()
    background.__enter__()
    waiting, told = threading.Event(), list[bool]()

    async def for_ever() -> None:
        waiting.set()
        await anyio.sleep_forever()

    def wait() -> None:
        with pytest.raises(SessionClosed):
            background.call(for_ever)
        told.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(5)
    background.__exit__(None, None, None)
    thread.join(5)
    assert told == [True]


def test_called_from_itself_it_would_wait_for_itself() -> None:
    with Background() as background:
        with pytest.raises(LocalProtocolError, match="own event loop"):
            background.call(lambda: background.call(print))


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_ctrl_c_cancels_what_was_called() -> None:
    cancelled = threading.Event()

    async def interrupted() -> None:
        caller = threading.main_thread().ident or 0
        try:
            while "wait" not in [
                frame.name for frame in traceback.extract_stack(sys._current_frames()[caller])
            ]:
                await anyio.lowlevel.checkpoint()
            signal.pthread_kill(caller, signal.SIGINT)
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    with Background() as background:
        with pytest.raises(KeyboardInterrupt):
            background.call(interrupted)
        assert cancelled.wait(5)
        assert background.call(lambda: "still here") == "still here"


def test_a_block_is_entered_and_left_in_one_task() -> None:
    tasks: list[anyio.TaskInfo] = []

    @asynccontextmanager
    async def block() -> AsyncIterator[str]:
        async with anyio.create_task_group():
            tasks.append(anyio.get_current_task())
            yield "inside"
            tasks.append(anyio.get_current_task())

    with Background() as background:
        value, leave = background.enter(block())
        assert value == "inside"
        leave(None, None, None)
    assert tasks[0] == tasks[1]
