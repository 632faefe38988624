"""Ctrl-C as the way to say "that was all", for commands that listen until they are told to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ("first_interrupt",)


@contextmanager
def first_interrupt(stop: Callable[[], object]) -> Generator[None]:
    """Within the block the first Ctrl-C calls ``stop`` on the event loop; the next one interrupts as ever.

    Outside of the main thread, where no signal arrives, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    usual = signal.getsignal(signal.SIGINT)

    def take_as_stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, usual)
        loop.call_soon_threadsafe(stop)  # it also wakes a loop that waits for nothing but the network

    signal.signal(signal.SIGINT, take_as_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
