"""A thread with an event loop, for programs that have none."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar, overload

import anyio
from anyio.from_thread import BlockingPortal

from ..errors import LocalProtocolError, SessionClosed

__all__ = ("Background",)

ResultT = TypeVar("ResultT")


class Background:
    """Owns one thread and its event loop: ``with`` it, and call into it from any other thread.

    The thread is a daemon: a program that forgets to close it can still end.
    """

    def __init__(self) -> None:
        self._started = threading.Event()
        self._portal: BlockingPortal | None = None
        self._thread = threading.Thread(target=self._run, name="rtagent session", daemon=True)

    def __enter__(self) -> Background:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *exc_info: object) -> None:
        portal, self._portal = self._portal, None
        if portal is not None:
            portal.start_task_soon(portal.stop, True)  # True: cancel what still runs
            self._thread.join()

    @overload
    def call(self, function: Callable[..., Awaitable[ResultT]], *args: Any, **options: Any) -> ResultT: ...
    @overload
    def call(self, function: Callable[..., ResultT], *args: Any, **options: Any) -> ResultT: ...
    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run a function, sync or async, on the loop, and return what it returns.

        An interrupt of the caller (Ctrl-C) cancels what was called.

        Raises:
            SessionClosed: the loop has ended.
            LocalProtocolError: called from the loop itself, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            message = "a blocking session cannot be used from its own event loop"
            raise LocalProtocolError(message)
        portal = self._portal
        if portal is None:
            raise SessionClosed
        future = portal.start_task_soon(partial(function, *args, **options))
        try:
            return future.result()
        except CancelledError:
            raise SessionClosed from None
        finally:
            future.cancel()  # nothing, once it is done

    def enter(
        self, manager: AbstractAsyncContextManager[ResultT]
    ) -> tuple[ResultT, Callable[..., bool | None]]:
        """Enter an async block in a task of its own; what it gave, and the function that leaves it."""
        if self._portal is None:
            raise SessionClosed
        block = self._portal.wrap_async_context_manager(manager)
        return block.__enter__(), block.__exit__

    def _run(self) -> None:
        anyio.run(self._serve, backend="asyncio")

    async def _serve(self) -> None:
        async with BlockingPortal() as portal:
            self._portal = portal
            self._started.set()
            await portal.sleep_until_stopped()
