"""The worker threads of synchronous tools.

A call that is abandoned (cancelled, or past its deadline) gives its place back at once, but a thread cannot
be stopped: it runs on until its function returns. Such threads are counted, and a call that would be the
``2 * limit + 1``-th inside a function is refused: a tool that hangs costs that many threads, never more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio
from anyio import to_thread

from ..errors import ConfigurationError, ToolError

__all__ = ("ThreadStatistics", "WorkerThreads")

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class ThreadStatistics:
    """How busy the worker threads of a registry are."""

    limit: int
    """Synchronous calls that may run at once."""
    running: int
    """Threads inside a function now, those left behind included."""
    waiting: int
    """Calls that wait for a place."""


class WorkerThreads:
    """Runs synchronous functions off the event loop, a bounded number of them at once; the rest wait."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            message = f"synchronous tools need at least one thread, not {limit}"
            raise ConfigurationError(message)
        self._limit = limit
        self._places = anyio.CapacityLimiter(limit)
        self._running = 0
        self._counting = threading.Lock()

    async def run(self, fn: Callable[[], ResultT]) -> ResultT:
        """Call a function on a worker thread, in a copy of the caller's context.

        Cancelling stops the wait, not the function.

        Raises:
            ToolError: too many abandoned functions are still running.
        """

        def work() -> ResultT:
            with self._counted():
                return fn()

        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._places)

    def statistics(self) -> ThreadStatistics:
        """What the threads do now."""
        waiting = self._places.statistics().tasks_waiting
        return ThreadStatistics(limit=self._limit, running=self._running, waiting=waiting)

    @contextmanager
    def _counted(self) -> Generator[None]:
        with self._counting:
            if self._running >= 2 * self._limit:
                message = f"{self._running} earlier calls have not ended yet, try again later"
                raise ToolError(message)
            self._running += 1
        try:
            yield
        finally:
            with self._counting:
                self._running -= 1
