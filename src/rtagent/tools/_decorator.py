"""``@tool``: the way most tools are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from ._options import ToolOptions
from ._tool import Tool

__all__ = ("tool",)

P = ParamSpec("P")
R = TypeVar("R")


class _Decorator(Protocol):
    def __call__(self, fn: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(fn: Callable[P, R], /) -> Tool[P, R]: ...


@overload
def tool(**options: Unpack[ToolOptions]) -> _Decorator: ...


def tool(fn: Callable[..., object] | None = None, /, **options: Unpack[ToolOptions]) -> Any:
    """Make a function a tool, as ``@tool`` or ``@tool(timeout=5, ...)``.

    The schema of its arguments comes from annotations and docstring. It can still be called as before.

    Args:
        fn: the function.
        options: ``name`` and ``description`` replace the function's own; ``timeout`` (seconds), ``on_interrupt``,
            ``approval``, ``strict``, ``speak``, ``speak_after``, ``background``, ``run_in``, ``max_running``,
            ``retries`` and ``retry_on`` are explained at `Tool`.

    Raises:
        ToolDefinitionError: it cannot be a tool; every reason is listed.
    """

    def decorate(function: Callable[P, R], /) -> Tool[P, R]:
        return Tool.from_function(function, **options)

    return decorate if fn is None else decorate(fn)
