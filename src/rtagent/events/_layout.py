"""The short way from a parsed frame to an event, for classes whose fields are all plain JSON values.

Most frames of a session are flat (voice, words, ids, positions) and hold exactly what the protocol says.
For such a frame it is known beforehand what pydantic would answer: the values as they came. So a layout
only compares the frame with what the class has, names and types of all fields at once, and makes the
instance; whatever is not exactly so is left to validation, which knows about defects and departures.

This takes three fifths of pydantic's time (benchmarks/events_codec.py). That the outcome is the same
in every respect is tested for each class that has a layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from ._server import ServerEvent

__all__ = ("Layout", "layouts")

EventT = TypeVar("EventT", bound=ServerEvent)

_PLAIN = frozenset({str, int, float, bool, NoneType})
# Where a model keeps its state. The slots themselves are half as dear as ``object.__setattr__``.
_set_fields = vars(BaseModel)["__dict__"].__set__
_set_names = vars(BaseModel)["__pydantic_fields_set__"].__set__
_set_extra = vars(BaseModel)["__pydantic_extra__"].__set__
_set_private = vars(BaseModel)["__pydantic_private__"].__set__


class Layout(Generic[EventT]):
    """What a frame of one event class looks like when nothing is missing, added or of another type."""

    __slots__ = ("_cls", "_names", "_set", "_types")

    def __init__(self, cls: type[EventT], types: Mapping[str, frozenset[type]]) -> None:
        self._cls = cls
        self._names = tuple(types)
        self._set = set(types)
        self._types = frozenset(product(*types.values()))

    @classmethod
    def of(cls, event: type[EventT]) -> Layout[EventT] | None:
        """The layout of a class; None if one of its fields has to be validated."""
        types = {name: _json_types(field.annotation) for name, field in event.model_fields.items()}
        types["type"] = frozenset({str})  # settled by the table that the class was found in
        plain = all(types.values()) and not any(field.metadata for field in event.model_fields.values())
        return cls(event, types) if plain and not _has_validators(event) else None

    def read(self, raw: dict[str, Any]) -> EventT | None:
        """The event, which takes the frame over; None if the frame is not exactly of this layout."""
        if tuple(raw) != self._names:
            if raw.keys() != self._set:
                return None
            raw = {name: raw[name] for name in self._names}
        if tuple(map(type, raw.values())) not in self._types:
            return None
        event = self._cls.__new__(self._cls)
        _set_fields(event, raw)
        _set_names(event, self._set.copy())
        _set_extra(event, {})
        _set_private(event, None)
        return event


def layouts(classes: Mapping[str, type[ServerEvent]]) -> dict[str, Layout[ServerEvent]]:
    """The layouts of those classes that have one, by wire type."""
    found = {kind: Layout.of(cls) for kind, cls in classes.items()}
    return {kind: layout for kind, layout in found.items() if layout is not None}


def _json_types(annotation: Any) -> frozenset[type]:
    """The types of the JSON values that pass validation as they are; empty if that depends on the value."""
    if annotation in _PLAIN:
        return frozenset({annotation})
    if get_origin(annotation) not in (Union, UnionType):
        return frozenset()
    members = [member for member in get_args(annotation) if not _is_open(member, annotation)]
    types = [_json_types(member) for member in members]
    return frozenset().union(*types) if all(types) else frozenset()


def _is_open(member: Any, union: Any) -> bool:
    """Whether a ``Literal`` only names usual values of a type that the union takes as a whole."""
    return get_origin(member) is Literal and all(type(value) in get_args(union) for value in get_args(member))


def _has_validators(event: type[ServerEvent]) -> bool:
    """Whether more than the types of its fields decides what an instance is."""
    decorators = event.__pydantic_decorators__
    return bool(
        decorators.field_validators
        or decorators.model_validators
        or decorators.validators
        or decorators.root_validators
        or event.__pydantic_post_init__
        or event.__private_attributes__
    )
