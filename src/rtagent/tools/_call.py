"""One call of one tool: arguments in, outcome out, and never an exception.

The order is: read the arguments, show them to the guard, ask for approval where it is needed, wait for a place,
run the function (again, if it may be repeated) under its deadline, show the outcome to the other guard. The time
that a person takes to approve does not count, the wait for a place does. Cancelling the caller's task cancels an
async function, ends the process of one that has its own, and abandons one on a thread.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from ..errors import ToolError
from ._attempts import attempt
from ._context import ToolContext
from ._excuses import MESSAGE_CHARS, place_of, words_of
from ._faults import ArgumentsRefused, shortened
from ._limits import Busy, Places
from ._outcome import ToolOutcome
from ._permission import Approver, CallRefused, Permission
from ._processes import WorkerProcesses
from ._streams import stream_async, stream_in_thread
from ._threads import WorkerThreads
from ._tool import Tool

__all__ = ("Means", "perform")

_log = logging.getLogger("rtagent.tools")


@dataclass(frozen=True, slots=True)
class Means:
    """What the calls of one registry share."""

    threads: WorkerThreads
    processes: WorkerProcesses
    permission: Permission
    places: dict[str, Places] = field(default_factory=dict[str, Places])
    """Of the tools that may not run as often as they are asked for, by name."""


async def perform(
    tool: Tool[..., Any],
    arguments: str,
    context_of: Callable[[], ToolContext[Any]],
    means: Means,
    approver: Approver | None,
) -> ToolOutcome:
    """Call a tool with the text that a model wrote; its context is made only where somebody looks at it."""
    permission = means.permission
    if tool.is_plain and permission.before is None and permission.after is None:
        return await _outcome(tool, arguments, None, means, approver)
    context = context_of()
    outcome = await _outcome(tool, arguments, context, means, approver)
    return await permission.outcome(tool, outcome, context)


async def _outcome(
    tool: Tool[..., Any],
    arguments: str,
    context: ToolContext[Any] | None,
    means: Means,
    approver: Approver | None,
) -> ToolOutcome:
    try:
        keywords = tool.arguments.read(arguments)
        if context is None:
            return await _run_in_time(tool, partial(tool.fn, **keywords))
        keywords = await means.permission.arguments(tool, keywords, context)
        await means.permission.approve(tool, keywords, context, approver)
        for name in tool.contexts:
            keywords[name] = context
        return await _run_in_place(tool, partial(_run, tool, keywords, context, means), means)
    except ArgumentsRefused as refused:
        return ToolOutcome.refused(tool.name, refused)
    except CallRefused as refused:
        return ToolOutcome.failure("denied", tool.name, shortened(str(refused), MESSAGE_CHARS))
    except Busy as busy:
        return ToolOutcome.failure("busy", tool.name, str(busy))
    except ToolError as error:
        return ToolOutcome.failure("failed", tool.name, shortened(str(error), MESSAGE_CHARS), value=error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's code may raise anything; the model is told
        return _failed(tool.name, error)
    except asyncio.CancelledError as error:
        if _is_being_cancelled():
            raise
        return _failed(tool.name, error)  # the tool awaited something that somebody else cancelled


async def _run_in_place(tool: Tool[..., Any], run: Callable[[], Any], means: Means) -> ToolOutcome:
    if tool.retries:
        run = partial(attempt, tool, run)
    if tool.max_running is None:
        return await _run_in_time(tool, run)
    places = means.places.setdefault(tool.name, Places(tool.max_running))
    began = anyio.current_time()
    holder = await places.take(tool.timeout)
    try:
        return await _run_in_time(tool, run, waited_s=anyio.current_time() - began)
    finally:
        places.leave(holder)


async def _run_in_time(tool: Tool[..., Any], run: Callable[[], Any], waited_s: float = 0.0) -> ToolOutcome:
    if tool.timeout is None:
        return ToolOutcome.success(await run())
    with anyio.move_on_after(tool.timeout - waited_s):
        return ToolOutcome.success(await run())
    return ToolOutcome.failure("timeout", tool.name, f"the tool did not finish within {tool.timeout:g} s")


async def _run(
    tool: Tool[..., Any], keywords: Mapping[str, Any], context: ToolContext[Any], means: Means
) -> Any:
    if tool.is_async:
        return await tool.fn(**keywords)
    if tool.streams == "async":
        return await stream_async(tool.fn, keywords, context)
    if tool.streams == "sync":
        return await stream_in_thread(tool.fn, keywords, context, means.threads)
    if tool.run_in == "process":
        return await means.processes.run(tool.fn, keywords)
    answer = await means.threads.run(partial(tool.fn, **keywords))
    return await answer if inspect.isawaitable(answer) else answer


def _failed(tool: str, error: BaseException) -> ToolOutcome:
    said = words_of(error)
    _log.warning("tool %s raised %s at %s", tool, said, place_of(error))
    return ToolOutcome.failure("failed", tool, f"tool failed: {said}", value=error)


def _is_being_cancelled() -> bool:
    """Whether a cancellation was asked of this very task, by asyncio or by a scope of anyio."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
