"""What a tool may know about the call it serves, and how a parameter asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

__all__ = ("ToolContext", "asks_for_context")


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The call that a tool serves.

    A parameter annotated with this class receives it, wherever it stands, and is hidden from the model.
    """

    session: Any
    """The session that the call came from; None outside of one."""
    call_id: str
    """The wire's id of this call."""
    name: str
    """The tool's name, as the model called it."""
    state: Any = None
    """Whatever the program keeps for this conversation."""


def asks_for_context(annotation: Any) -> bool:
    """Whether an annotation is `ToolContext`, also optional or inside ``Annotated``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return asks_for_context(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        members = [member for member in get_args(annotation) if member is not NoneType]
        return all(asks_for_context(member) for member in members)
    return annotation is ToolContext
