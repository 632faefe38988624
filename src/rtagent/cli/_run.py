"""Running a command's coroutine: Ctrl-C and SIGTERM end it in good order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

import anyio

from ..errors import ConfigurationError
from ._failures import first_failure

__all__ = ("Terminated", "run")

ResultT = TypeVar("ResultT")


class Terminated(KeyboardInterrupt):
    """The program was asked to end with SIGTERM."""


def run(program: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Run a coroutine function to its end; of several failures the telling one is raised.

    Ctrl-C cancels the coroutine, which cleans up; only then is the interrupt raised here.

    Raises:
        KeyboardInterrupt: Ctrl-C; `Terminated` for SIGTERM.
        ConfigurationError: an event loop runs here already.
    """
    _require_no_loop()
    interrupted = threading.Event()

    async def watched() -> ResultT:
        with _noticing(interrupted):
            return await program()

    with _terminable():
        try:
            result = anyio.run(watched)
        except BaseExceptionGroup as group:
            raise first_failure(group) from group
        if interrupted.is_set():
            # A task group that was ending by itself takes the loop's cancellation for its own and returns.
            raise KeyboardInterrupt
        return result


def _require_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    message = "this blocks, and an event loop is running here already"
    raise ConfigurationError(message, hint="inside a coroutine use: async with rtagent.connect(agent)")


@contextmanager
def _noticing(interrupted: threading.Event) -> Generator[None]:
    """Ctrl-C goes on to the event loop's handler and is remembered."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    cancel = signal.getsignal(signal.SIGINT)

    def notice(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        if callable(cancel):
            cancel(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, cancel)


@contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM takes the way of Ctrl-C, which the event loop's runner knows how to go."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    terminated = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal terminated
        terminated = True
        signal.raise_signal(signal.SIGINT)

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if terminated:
            raise Terminated from None
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)
