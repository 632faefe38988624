"""A function that a model may call, with what the runtime needs to know about the call."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, ParamSpec, TypedDict, TypeVar, cast, get_args

from typing import Unpack

from ..errors import ToolDefinitionError
from ._arguments import Arguments, FunctionArguments
from ._raw import SchemaArguments, mismatches
from ._signature import Signature, read_loosely, read_signature, routine_of

__all__ = ("DEFAULT_TIMEOUT_S", "CallOptions", "InterruptPolicy", "Tool", "ToolOptions")

P = ParamSpec("P")
R = TypeVar("R", covariant=True)

DEFAULT_TIMEOUT_S = 30.0
"""How long a call may take unless the tool says otherwise: longer silence ends most conversations."""

InterruptPolicy = Literal["cancel", "keep"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DESCRIPTION_CHARS = 1024
"""A longer description makes the server reject the whole session configuration."""


class CallOptions(TypedDict, total=False):
    """How a call is run; the defaults are those of `Tool`."""

    timeout: float | None
    on_interrupt: InterruptPolicy
    approval: bool
    strict: bool
    speak: str | None


class ToolOptions(CallOptions, total=False):
    """The same, and what the model is told instead of the function's own name and docstring."""

    name: str | None
    description: str | None


@dataclass(frozen=True, eq=False)
class Tool(Generic[P, R]):
    """A function that a model may call. Calling it calls the function, as if it had not been decorated.

    Made by `tool`, `from_function`, `from_method` or `from_schema`, which check everything.
    """

    name: str
    description: str
    fn: Callable[P, R]
    arguments: Arguments = field(repr=False)
    contexts: tuple[str, ...] = field(default=(), repr=False)
    """The parameters that receive the `ToolContext`."""
    timeout: float | None = DEFAULT_TIMEOUT_S
    """Seconds that a call may take, waiting for a thread included; None is no limit."""
    on_interrupt: InterruptPolicy = "cancel"
    """What becomes of a running call when the user interrupts the response that asked for it."""
    approval: bool = False
    """Whether a person must agree to each call; without anybody to ask, it is denied."""
    strict: bool = False
    """Whether the schema is in strict form: closed objects, everything required, null for a default."""
    speak: str | None = None
    """What the assistant says while the call runs."""
    is_async: bool = field(init=False, repr=False)
    """Whether the function is awaited in the caller's task; if not, it runs on a worker thread."""

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise ToolDefinitionError(self.name, problems)
        routine = routine_of(self.fn)
        mine: dict[str, Any] = {"is_async": inspect.iscoroutinefunction(routine), "__wrapped__": self.fn}
        for attribute in functools.WRAPPER_ASSIGNMENTS:
            if attribute in {"__name__", "__qualname__", "__doc__", "__module__"} and hasattr(routine, attribute):
                mine[attribute] = getattr(routine, attribute)
        for attribute, value in mine.items():
            object.__setattr__(self, attribute, value)  # frozen for everybody else

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.fn(*args, **kwargs)
