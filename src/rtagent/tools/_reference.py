"""How a function is named to another process, which imports it anew.

A decorated function cannot be pickled as it is: its name leads to the `Tool`. So the name is sent, and the
other side takes the function out of what it finds there. Everything else (bound methods, partials, callable
objects) is pickled.
"""

from __future__ import annotations

import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from typing import Any

__all__ = ("Reference", "reference_problem", "reference_to")


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of a function."""

    module: str
    qualname: str

    def resolve(self) -> Callable[..., Any]:
        """The function; a tool of that name gives the function that it was made of."""
        found: Any = reduce(getattr, self.qualname.split("."), _module(self.module))
        function: Callable[..., Any] = getattr(found, "fn", found)
        return function


def reference_to(fn: Callable[..., Any]) -> Reference | Callable[..., Any]:
    """What to pickle for a function.

    Raises:
        LookupError: its name leads to something else.
    """
    if not inspect.isfunction(fn):
        return fn
    reference = Reference(fn.__module__, fn.__qualname__)
    try:
        found = reference.resolve()
    except (AttributeError, ImportError):
        found = None
    if found is not fn:
        message = f"{reference.module}.{reference.qualname} is not this function"
        raise LookupError(message)
    return reference


def reference_problem(fn: Callable[..., Any]) -> str | None:
    """Why a function cannot be sent, as far as that shows before its module is complete."""
    if inspect.isfunction(fn):
        if "<" in fn.__qualname__:
            return "it has no name that can be imported; define it at the top of a module"
        return None
    try:
        pickle.dumps(fn)
    except Exception as error:  # noqa: BLE001 - pickling runs code of the object; what it raises is reported
        return f"{type(error).__name__}: {error}"
    return None


def _module(name: str) -> Any:
    known = sys.modules.get(name)
    return known if known is not None else import_module(name)
