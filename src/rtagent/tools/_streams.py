"""Tools that are generators: what they yield is their progress, and in the end their result."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from threading import Event
from typing import Any

from anyio import from_thread

from ..errors import ToolError
from ._context import ToolContext
from ._faults import shortened
from ._threads import WorkerThreads

__all__ = ("MAX_YIELDED", "stream_async", "stream_in_thread")

MAX_YIELDED = 10_000
"""Values of one call: a generator without an end is none of the tools."""
_PROGRESS_CHARS = 500


class _Yielded:
    """What came so far."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._last: Any = None
        self._count = 0

    def take(self, value: Any) -> str:
        """One more value; its text."""
        self._count += 1
        if self._count > MAX_YIELDED:
            message = f"it yielded more than {MAX_YIELDED} values"
            raise ToolError(message)
        self._last = value
        if isinstance(value, str):
            self._texts.append(value)
        return shortened(str(value), _PROGRESS_CHARS)

    @property
    def result(self) -> Any:
        """All of it, one line for each, if all of it was text; otherwise what came last."""
        return "\n".join(self._texts) if len(self._texts) == self._count > 0 else self._last


async def stream_async(
    fn: Callable[..., AsyncGenerator[Any, None]], keywords: Mapping[str, Any], context: ToolContext[Any]
) -> Any:
    """Run an asynchronous generator to its end."""
    yielded = _Yielded()
    async with aclosing(fn(**keywords)) as values:
        async for value in values:
            await context.progress(yielded.take(value))
    return yielded.result


async def stream_in_thread(
    fn: Callable[..., Generator[Any, None, Any]],
    keywords: Mapping[str, Any],
    context: ToolContext[Any],
    threads: WorkerThreads,
) -> Any:
    """Run a generator to its end on a worker thread; one that is abandoned ends where it yields next."""
    abandoned = Event()

    def run() -> Any:
        yielded = _Yielded()
        with closing(fn(**keywords)) as values:
            for value in values:
                if abandoned.is_set():
                    break
                from_thread.run(context.progress, yielded.take(value))
        return yielded.result

    try:
        return await threads.run(run)
    finally:
        abandoned.set()
