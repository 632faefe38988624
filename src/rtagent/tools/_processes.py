"""The worker processes of tools that run apart from the program: made when first used, bounded, reused.

A call that is cancelled or past its deadline takes its process with it, and the next one gets a fresh process:
what hangs there is ended, unlike in a thread. Everything that waits for a process waits in a worker thread.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from ..errors import ConfigurationError, ToolError
from ._process_worker import serve
from ._reference import reference_to

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ("ProcessStatistics", "WorkerProcesses")


@dataclass(frozen=True, slots=True)
class ProcessStatistics:
    """How busy the worker processes of a registry are."""

    limit: int
    """Calls that may run at once."""
    running: int
    idle: int
    """Processes that wait for a call."""
    waiting: int
    """Calls that wait for a process."""


class WorkerProcesses:
    """Runs functions in processes, a bounded number of them at once; the rest wait."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            message = f"tools in processes need at least one of them, not {limit}"
            raise ConfigurationError(message)
        self._limit = limit
        self._places = anyio.CapacityLimiter(limit)
        self._threads = anyio.CapacityLimiter(2 * limit)  # as many again may still be burying what was killed
        self._idle: list[_Worker] = []
        self._users = 0

    def hold(self) -> None:
        """Somebody will use them: idle processes are kept from now on, until as many have called ``release``."""
        self._users += 1

    async def release(self) -> None:
        """Somebody will not use them any more; with the last one the processes end."""
        self._users -= 1
        if self._users <= 0:
            await self.aclose()

    async def run(self, fn: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
        """Call a function in a process.

        Cancelling ends the process.

        Raises:
            ToolError: the arguments or the result cannot be sent, or the process died.
        """
        work = _packed(fn, keywords)
        async with self._places:
            worker = self._idle.pop() if self._idle else _Worker()
            try:
                answer = await to_thread.run_sync(
                    worker.call, work, abandon_on_cancel=True, limiter=self._threads
                )
            except BaseException:
                worker.kill()
                raise
            self._idle.append(worker)
        returned, value = _unpacked(answer)
        if not returned:
            raise value
        return value

    async def aclose(self) -> None:
        """End the idle processes; what runs in others goes on."""
        idle, self._idle = self._idle, []
        with anyio.CancelScope(shield=True):
            for worker in idle:
                worker.kill()
                await to_thread.run_sync(worker.bury, limiter=self._threads)

    def statistics(self) -> ProcessStatistics:
        """What the processes do now."""
        return ProcessStatistics(
            limit=self._limit,
            running=self._places.borrowed_tokens,
            idle=len(self._idle),
            waiting=self._places.statistics().tasks_waiting,
        )


class _Worker:
    """One process and the pipe to it. ``call`` and ``bury`` block; ``kill`` may come meanwhile from the loop."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Any = None  # a connection, whose class is another one on Windows
        self._unwanted = False

    def call(self, work: bytes) -> bytes:
        """Send one call, and wait for its answer; the first one makes the process."""
        process, pipe = self._begun()
        try:
            pipe.send_bytes(work)
            answer: bytes = pipe.recv_bytes()
        except (EOFError, OSError) as error:
            self.bury()
            message = f"its process ended with code {process.exitcode}"
            raise ToolError(message) from error
        return answer

    def kill(self) -> None:
        """End the process, whatever it does; who waits for it is told."""
        self._unwanted = True
        if self._process is not None:
            self._process.kill()

    def bury(self) -> None:
        """Wait until the process is gone, and let go of what belonged to it."""
        if self._process is not None:
            self._process.join()
            self._pipe.close()

    def _begun(self) -> tuple[SpawnProcess, Any]:
        if self._process is not None:
            return self._process, self._pipe
        from multiprocessing import get_context  # only a program that has such tools loads it

        context = get_context("spawn")
        pipe, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs,), name="rtagent tool", daemon=True)
        process.start()
        theirs.close()
        self._process, self._pipe = process, pipe
        if self._unwanted:  # since before it had begun
            process.kill()
        return process, pipe


def _packed(fn: Callable[..., Any], keywords: Mapping[str, Any]) -> bytes:
    try:
        return pickle.dumps((reference_to(fn), dict(keywords)))
    except Exception as error:
        message = f"the call cannot be sent to a process: {error}"
        raise ToolError(message) from error


def _unpacked(answer: bytes) -> tuple[bool, Any]:
    try:
        returned, value = pickle.loads(answer)  # noqa: S301 - from our own child, over a pipe of our own
    except Exception as error:
        message = f"its result cannot be read here: {error}"
        raise ToolError(message) from error
    return returned, value
