"""How calls of a tool are run: the options of ``@tool``, and what can be wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from ._context import ToolContext
from ._reference import reference_problem

__all__ = (
    "DEFAULT_SPEAK_AFTER_S",
    "DEFAULT_TIMEOUT_S",
    "ApprovalTest",
    "CallOptions",
    "InterruptPolicy",
    "ToolOptions",
    "place_problems",
    "repeating_problems",
    "telling_problems",
    "timing_problems",
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


def telling_problems(name: str, description: str) -> Iterator[str]:
    """What is wrong with what the model is told."""
    if not _NAME.fullmatch(name):
        yield f"the name {name!r} is not 1 to 64 letters, digits, underscores or hyphens (give name=...)"
    size = len(description)
    if size > _DESCRIPTION_CHARS:
        yield f"its description has {size} of {_DESCRIPTION_CHARS} allowed characters (give description=...)"


def timing_problems(timeout: float | None, speak_after: float, on_interrupt: str) -> Iterator[str]:
    """What is wrong with when a call ends, and when it is heard of."""
    if timeout is not None and not 0 < timeout < math.inf:
        yield f"a timeout of {timeout} s is no time to wait: give seconds above 0, or None for no limit"
    if on_interrupt not in {"cancel", "keep"}:
        yield f'on_interrupt is "cancel" or "keep", not {on_interrupt!r}'
    if not 0 <= speak_after < math.inf:
        yield f"speak_after is in seconds from 0, not {speak_after}"


def repeating_problems(max_running: int | None, retries: int, retry_on: tuple[object, ...]) -> Iterator[str]:
    """What is wrong with how often a tool may run."""
    if max_running is not None and max_running < 1:
        yield f"max_running is 1 or more, or None for no limit, not {max_running}"
    if retries < 0:
        yield f"retries is 0 or more, not {retries}"
    if not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in retry_on):
        yield "retry_on is a tuple of exception classes"


def place_problems(
    run_in: str | None, fn: Callable[..., Any], *, returns_once: bool, takes_context: bool
) -> Iterator[str]:
    """What keeps a function from running where it should.

    Args:
        run_in: where.
        fn: the function.
        returns_once: whether it is neither asynchronous nor a generator.
        takes_context: whether it wants a `ToolContext`.
    """
    if run_in is None:
        return
    if run_in != "process":
        yield f'run_in is "process" or None, not {run_in!r}'
        return
    if not returns_once:
        yield 'run_in="process" is for functions made with def that return once'
    if takes_context:
        yield 'run_in="process" cannot take a ToolContext: the session is in this process'
    problem = reference_problem(fn)
    if problem is not None:
        yield f'run_in="process" cannot send it to a process: {problem}'
