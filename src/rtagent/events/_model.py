"""What all values of the wire have in common: frozen, strict towards programs, tolerant towards the wire.

A program that builds a value may only use names that the protocol has, at any depth; a slip of the
pen is an error at once. The same class *reads* whatever a server adds: ``model_validate`` and the
codec keep unknown fields and write them back, which is also the way to send a vendor's own field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import GenericAlias
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar, cast, get_args

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from ._sound import once

__all__ = ("Many", "WireModel", "as_object", "tag_by_type")

T = TypeVar("T")


class _AsTuple:
    """Takes any list or tuple and keeps a tuple: what is frozen must not grow."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (element,) = get_args(source)
        return handler.generate_schema(GenericAlias(tuple, (element, ...)))


Many: TypeAlias = Annotated[Sequence[T], _AsTuple()]
"""A JSON array: a program may pass a list, the model holds a tuple."""


class WireModel(BaseModel, frozen=True, extra="allow", ignored_types=(once,)):
    """A frozen value of the wire; fields that nobody set are not written, which is not the same as null."""

    always_written: ClassVar[frozenset[str]] = frozenset({"type"})
    """Fields that a value built by a program writes even where their defaults were not touched."""

    def __init__(self, /, **data: Any) -> None:
        """Build a value from the protocol's own field names.

        Raises:
            pydantic.ValidationError: a name that the protocol does not have, or a value that cannot be.
        """
        self.__pydantic_validator__.validate_python(data, self_instance=self, extra="forbid")
        self.model_fields_set.update(
            name for name in self.always_written if getattr(self, name, None) is not None
        )

    # Marks this as an initialiser that only validates; without it pydantic would call it, and forbid
    # unknown fields, for every object nested in a frame that it reads.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


def as_object(value: Any) -> dict[str, Any] | None:
    """The value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def tag_by_type(known: Mapping[str, str], otherwise: str) -> Callable[[Any], str]:
    """A discriminator: the class name for a JSON object's ``type``, or for a value built already.

    Args:
        known: class name for each ``type``; the key ``""`` is for objects without one.
        otherwise: class name for every other ``type``.
    """

    def tag(value: Any) -> str:
        if isinstance(value, dict):
            kind: Any = cast("dict[str, Any]", value).get("type", "")
            return known.get(kind, otherwise) if isinstance(kind, str) else otherwise
        return type(value).__name__

    return tag
