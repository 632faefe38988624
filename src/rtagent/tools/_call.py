"""One call of one tool: arguments in, outcome out, and never an exception.

The order is: read the arguments, ask for approval where it is needed, run the function under its deadline.
The time that a person takes to approve does not count. Cancelling the caller's task cancels an async function
and abandons a synchronous one.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import anyio

from ..errors import ToolError
from ._context import ToolContext
from ._faults import ArgumentsRefused, shortened
from ._outcome import ToolOutcome
from ._threads import WorkerThreads
from ._tool import Tool

__all__ = ("Approver", "perform")

Approver: TypeAlias = Callable[[Tool[..., Any], Mapping[str, Any], ToolContext], bool | Awaitable[bool]]
"""Answers whether a call may run, given the tool, its checked arguments and the call; only True is a yes."""

_MESSAGE_CHARS = 500
_log = logging.getLogger("rtagent.tools")


async def perform(
    tool: Tool[..., Any],
    arguments: str,
    context: ToolContext,
    *,
    threads: WorkerThreads,
    approver: Approver | None,
) -> ToolOutcome:
    """Call a tool with the text that a model wrote."""
    try:
        keywords = tool.arguments.read(arguments)
        if tool.approval:
            refusal = await _refusal(tool, keywords, context, threads, approver)
            if refusal is not None:
                return ToolOutcome.failure("denied", tool.name, refusal)
        for name in tool.contexts:
            keywords[name] = context
        return await _run_in_time(tool, keywords, threads)
    except ArgumentsRefused as refused:
        return ToolOutcome.refused(tool.name, refused)
    except ToolError as error:
        return ToolOutcome.failure("failed", tool.name, shortened(str(error), _MESSAGE_CHARS), value=error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's code may raise anything; the model is told
        return _failed(tool.name, error)
    except asyncio.CancelledError as error:
        if _is_being_cancelled():
            raise
        return _failed(tool.name, error)  # the tool awaited something that somebody else cancelled


async def _run_in_time(
    tool: Tool[..., Any], keywords: Mapping[str, Any], threads: WorkerThreads
) -> ToolOutcome:
    if tool.timeout is None:
        return ToolOutcome.success(await _run(tool, keywords, threads))
    with anyio.move_on_after(tool.timeout):
        return ToolOutcome.success(await _run(tool, keywords, threads))
    return ToolOutcome.failure("timeout", tool.name, f"the tool did not finish within {tool.timeout:g} s")


async def _run(tool: Tool[..., Any], keywords: Mapping[str, Any], threads: WorkerThreads) -> Any:
    if tool.is_async:
        return await tool.fn(**keywords)
    return await _settled(await threads.run(partial(tool.fn, **keywords)))


async def _refusal(
    tool: Tool[..., Any],
    keywords: Mapping[str, Any],
    context: ToolContext,
    threads: WorkerThreads,
    approver: Approver | None,
) -> str | None:
    """Why the call may not run; None when it was approved."""
    if approver is None:
        return "approval is not given: this tool needs it, and there is nobody to ask"
    ask = partial(approver, tool, dict(keywords), context)
    try:
        # a synchronous approver may block until a person has answered
        answer = ask() if inspect.iscoroutinefunction(approver) else await threads.run(ask)
        approved = await _settled(answer)
    except Exception as error:  # noqa: BLE001 - the program's code: a broken approver has not approved
        _log.warning("the approver of tool %s raised %s at %s", tool.name, _words_of(error), _place_of(error))
        return "approval is not given: asking for it failed"
    return None if approved is True else "approval is not given"


async def _settled(value: Any) -> Any:
    """The value itself, or what it comes to when a synchronous function returned an awaitable."""
    return await value if inspect.isawaitable(value) else value


def _failed(tool: str, error: BaseException) -> ToolOutcome:
    said = _words_of(error)
    _log.warning("tool %s raised %s at %s", tool, said, _place_of(error))
    return ToolOutcome.failure("failed", tool, f"tool failed: {said}", value=error)


def _words_of(error: BaseException) -> str:
    """The type and the message of an exception, bounded."""
    kind = type(error).__name__
    try:
        message = shortened(str(error), _MESSAGE_CHARS)
    except Exception:  # noqa: BLE001 - its own __str__ is broken; the type is reported all the same
        message = ""
    return f"{kind}: {message}" if message else kind


def _place_of(error: BaseException) -> str:
    """Where it was raised; a whole traceback would read source files, and this is the event loop."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{frame.f_code.co_filename}:{line}"


def _is_being_cancelled() -> bool:
    """Whether a cancellation was asked of this very task, by asyncio or by a scope of anyio."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
