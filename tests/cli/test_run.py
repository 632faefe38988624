from __future__ import annotations

import signal
import threading

import anyio
import pytest

from rtagent.cli._run import Terminated, run
from rtagent.errors import ConfigurationError, ConnectionLost


def test_the_result_is_returned():
    async def program() -> int:
        await anyio.lowlevel.checkpoint()
        return 7

    assert run(program) == 7


def test_of_several_failures_the_telling_one_is_raised():
    async def program() -> None:
        raise ExceptionGroup("several", [ValueError("a"), ConnectionLost()])

    with pytest.raises(ConnectionLost):
        run(program)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_cleans_up_first_and_leaves_the_handler_as_it_was(number, raised):
    before = signal.getsignal(number)
    steps: list[str] = []

    async def program() -> None:
        try:
            signal.raise_signal(number)
            await anyio.sleep_forever()
        finally:
            steps.append("cleaned up")

    with pytest.raises(KeyboardInterrupt) as caught:
        run(program)
    assert (caught.type, steps) == (raised, ["cleaned up"])
    assert signal.getsignal(number) is before


def test_an_interrupt_that_the_program_takes_for_its_own_end_is_one_all_the_same():
    async def program() -> None:
        with anyio.CancelScope():
            try:
                signal.raise_signal(signal.SIGINT)
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class():
                return

    with pytest.raises(KeyboardInterrupt):
        run(program)


def test_beside_the_main_thread_signals_are_left_alone():
    results: list[int] = []

    async def program() -> int:
        await anyio.lowlevel.checkpoint()
        return 7

    thread = threading.Thread(target=lambda: results.append(run(program)))
    thread.start()
    thread.join()
    assert results == [7]


async def test_inside_an_event_loop_it_cannot_run():
    with pytest.raises(ConfigurationError, match="an event loop is running here already"):
        run(anyio.lowlevel.checkpoint)
