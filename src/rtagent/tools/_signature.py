"""A function as a tool sees it: its name, its description, the parameters that a model may fill.

Nothing here raises: whatever keeps a function from being a tool is collected in the `Signature`, so that its
author reads everything at once.
"""

from __future__ import annotations

import builtins
import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, get_type_hints

from ._context import asks_for_context
from ._docstring import parse_docstring

__all__ = ("ABSENT", "Parameter", "Signature", "read_signature", "routine_of", "without_partial")

ABSENT: Any = inspect.Parameter.empty
"""Stands for a default or an annotation that is not there; None is a value of both."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that the model fills."""

    name: str
    annotation: Any
    default: Any = ABSENT
    description: str | None = None
    """From the docstring; what the annotation itself says goes first."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What the signature, the annotations and the docstring of a function say together."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    extra: Any = ABSENT
    """The type of the values of ``**kwargs``; absent when the function takes none."""
    contexts: tuple[str, ...] = ()
    """The parameters that receive the `ToolContext`."""
    bound: frozenset[str] = frozenset()
    """The keywords that a ``functools.partial`` has already filled, which are no business of the model."""
    problems: tuple[str, ...] = ()
    """What keeps it from being called with arguments by name."""
    undescribed: tuple[str, ...] = ()
    """What keeps its arguments from being described; it could still be called."""


def routine_of(fn: Any) -> Any:
    """What runs when a callable is called.

    That is the function of a partial, or of a ``staticmethod`` that its class does not hold yet, and the
    ``__call__`` of an object.
    """
    whole = without_partial(fn)
    if inspect.isroutine(whole) or inspect.isclass(whole):
        return whole
    return getattr(whole, "__call__", None)  # noqa: B004 - the bound method is wanted, not the answer


def read_signature(fn: Any) -> Signature:
    """Read a function, with everything that keeps it from being a tool."""
    routine = routine_of(fn)
    name = _name_of(fn)
    problem = _kind_problem(routine, fn)
    if problem is not None:
        return Signature(name, problems=(problem,))
    try:
        declared = inspect.signature(fn).parameters
    except (TypeError, ValueError, NameError) as error:
        return Signature(name, problems=(f"its signature cannot be read: {error}",))
    documented = parse_docstring(_documentation_of(fn, routine))
    reading = _Reading(getattr(inspect.unwrap(routine), "__globals__", {}), documented.parameters)
    bound = frozenset(_keywords_of(fn))
    for parameter in declared.values():
        if parameter.name not in bound:
            reading.take(parameter)
    return Signature(
        name=name,
        description=documented.description,
        parameters=tuple(reading.parameters),
        extra=reading.extra,
        contexts=tuple(reading.contexts),
        bound=bound,
        problems=tuple(reading.problems),
        undescribed=tuple(reading.undescribed),
    )


class _Reading:
    """Sorts the parameters of one function into those for the model, those for us, and problems."""

    def __init__(self, namespace: dict[str, Any], texts: Mapping[str, str]) -> None:
        self._namespace = namespace
        self._texts = texts
        self.parameters: list[Parameter] = []
        self.extra: Any = ABSENT
        self.contexts: list[str] = []
        self.problems: list[str] = []
        self.undescribed: list[str] = []

    def take(self, parameter: inspect.Parameter) -> None:
        name = parameter.name
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                self.undescribed.append(f"*{name}: arguments come by name, so unnamed ones have no source")
            case inspect.Parameter.POSITIONAL_ONLY:
                self.problems.append(f"parameter {name!r} is positional-only, but arguments come by name")
            case inspect.Parameter.VAR_KEYWORD:
                self.extra = Any if parameter.annotation is ABSENT else self._resolved(parameter)
            case _:
                self._take_named(parameter)

    def _take_named(self, parameter: inspect.Parameter) -> None:
        name = parameter.name
        annotation = self._resolved(parameter)
        if asks_for_context(annotation):
            self.contexts.append(name)
        else:
            self.parameters.append(
                Parameter(name, annotation, parameter.default, self._texts.get(name) or None)
            )

    def _resolved(self, parameter: inspect.Parameter) -> Any:
        annotation = parameter.annotation
        if annotation is ABSENT:
            self.undescribed.append(_unannotated(parameter.name))
            return ABSENT
        if isinstance(annotation, str):  # mostly the name of a class, and looking it up is far quicker
            annotation = self._namespace.get(annotation, getattr(builtins, annotation, None))
        if type(annotation) is type:
            return annotation
        holder = SimpleNamespace(__annotations__={"it": parameter.annotation})
        try:
            return get_type_hints(holder, self._namespace, include_extras=True)["it"]
        except Exception as error:  # noqa: BLE001 - an annotation is its author's code; what it raises is reported
            self.undescribed.append(
                f"the annotation {parameter.annotation!r} of parameter {parameter.name!r} cannot be resolved "
                f"({error}); define or import it at the top of its module, also at run time"
            )
            return ABSENT


def _unannotated(name: str) -> str:
    if name in {"self", "cls"}:
        return f'parameter {name!r} is not bound: use Tool.from_method(obj, "method")'
    return f"parameter {name!r} has no type annotation"


def _kind_problem(routine: Any, fn: Any) -> str | None:
    if isinstance(fn, classmethod):
        return "a class method has no class before its class is made: pass Class.method, or decorate below it"
    if not callable(fn):
        return f"{type(fn).__name__} is not callable"
    if inspect.isclass(routine):
        return "a class is no tool: pass a function, or Tool.from_method(obj, name)"
    return None


def _keywords_of(fn: Any) -> dict[str, Any]:
    return fn.keywords if isinstance(fn, functools.partial) else {}


def _name_of(fn: Any) -> str:
    whole = without_partial(fn)
    return str(getattr(whole, "__name__", type(whole).__name__))


def _documentation_of(fn: Any, routine: Any) -> str | None:
    """The docstring of what runs; an object that has none on its ``__call__`` is described by its class."""
    whole = without_partial(fn)
    own: str | None = routine.__doc__
    return own if own or routine is whole else type(whole).__doc__


def without_partial(fn: Any) -> Any:
    while isinstance(fn, functools.partial | staticmethod):
        fn = fn.func if isinstance(fn, functools.partial) else fn.__func__
    return fn
