"""How calls of a tool are run: the options of ``@tool``, and what can be wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from ._context import ToolContext
from ._reference import reference_problem

if TYPE_CHECKING:
    from ._tool import Tool

__all__ = (
    "DEFAULT_SPEAK_AFTER_S",
    "DEFAULT_TIMEOUT_S",
    "ApprovalTest",
    "CallOptions",
    "InterruptPolicy",
    "ToolOptions",
    "option_problems",
)

DEFAULT_TIMEOUT_S = 30.0
"""How long a call may take unless its tool says otherwise (seconds)."""
DEFAULT_SPEAK_AFTER_S = 0.7
"""How long a call may run in silence before ``speak`` is said (seconds): longer than a pause between speakers."""

InterruptPolicy = Literal["cancel", "keep"]
ApprovalTest: TypeAlias = Callable[[Mapping[str, Any], ToolContext[Any]], bool | Awaitable[bool]]
"""Answers whether a person must agree to this call, given its checked arguments."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DESCRIPTION_CHARS = 1024
"""A longer description makes the server reject the whole configuration of the session."""


class CallOptions(TypedDict, total=False):
    """How calls of a tool are run; the attributes of `Tool` tell what each one means."""

    timeout: float | None
    on_interrupt: InterruptPolicy
    approval: bool | ApprovalTest
    strict: bool
    speak: str | None
    speak_after: float
    background: bool
    run_in: Literal["process"] | None
    max_running: int | None
    retries: int
    retry_on: tuple[type[Exception], ...]


class ToolOptions(CallOptions, total=False):
    """The same, and what the model is told instead of the function's own name and docstring."""

    name: str | None
    description: str | None


def option_problems(tool: Tool[..., Any]) -> Iterator[str]:
    """What is wrong with a tool's options."""
    if not _NAME.fullmatch(tool.name):
        yield f"the name {tool.name!r} is not 1 to 64 letters, digits, underscores or hyphens (give name=...)"
    size = len(tool.description)
    if size > _DESCRIPTION_CHARS:
        yield f"its description has {size} of {_DESCRIPTION_CHARS} allowed characters (give description=...)"
    if tool.timeout is not None and not 0 < tool.timeout < math.inf:
        yield f"a timeout of {tool.timeout} s is no time to wait: give seconds above 0, or None for no limit"
    if tool.on_interrupt not in {"cancel", "keep"}:
        yield f'on_interrupt is "cancel" or "keep", not {tool.on_interrupt!r}'
    if not 0 <= tool.speak_after < math.inf:
        yield f"speak_after is in seconds from 0, not {tool.speak_after}"
    if tool.max_running is not None and tool.max_running < 1:
        yield f"max_running is 1 or more, or None for no limit, not {tool.max_running}"
    if tool.retries < 0:
        yield f"retries is 0 or more, not {tool.retries}"
    if not all(_is_exception(kind) for kind in tool.retry_on):
        yield "retry_on is a tuple of exception classes"
    yield from _process_problems(tool)


def _process_problems(tool: Tool[..., Any]) -> Iterator[str]:
    if tool.run_in is None:
        return
    if tool.run_in != "process":
        yield f'run_in is "process" or None, not {tool.run_in!r}'
        return
    if tool.is_async or tool.streams is not None:
        yield 'run_in="process" is for functions made with def that return once'
    if tool.contexts:
        yield 'run_in="process" cannot take a ToolContext: the session is in this process'
    problem = reference_problem(tool.fn)
    if problem is not None:
        yield f'run_in="process" cannot send it to a process: {problem}'


def _is_exception(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)
