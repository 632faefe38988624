from __future__ import annotations

import signal

import anyio
import pytest
from anyio import to_thread

from rtagent.cli._run import run
from rtagent.cli._scribe_stop import first_interrupt


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_the_first_ctrl_c_stops_and_nothing_is_cancelled():
    async def listen() -> str:
        stopped = anyio.Event()
        with first_interrupt(stopped.set):
            interrupt()
            await stopped.wait()
        return "all of it"

    assert run(listen) == "all of it"


def test_the_second_ctrl_c_interrupts():
    stops: list[str] = []

    async def listen() -> None:
        with first_interrupt(lambda: stops.append("stop")):
            interrupt()
            await anyio.lowlevel.checkpoint()
            interrupt()
            await anyio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        run(listen)
    assert stops == ["stop"]


def test_behind_the_block_ctrl_c_interrupts():
    async def listen() -> None:
        with first_interrupt(lambda: None):
            pass
        interrupt()
        await anyio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        run(listen)


async def test_a_thread_that_gets_no_signals_changes_nothing():
    before = signal.getsignal(signal.SIGINT)

    def enter() -> object:
        with first_interrupt(lambda: None):
            return signal.getsignal(signal.SIGINT)

    assert await to_thread.run_sync(enter) is before
