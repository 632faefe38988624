"""Which signatures are certain to have a schema, so that it need not be built to find out.

Building a pydantic model takes about a millisecond, resolving the annotations of a function a twentieth of
that. A definition that may fail is built at once, so that its author reads about it at once; one that cannot
fail is built when it is first needed. Types of the standard library, and what is made of them, cannot fail.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from ._signature import ABSENT, Parameter, Signature

__all__ = ("is_plain",)

_SCALARS = (str, int, float, bool, NoneType)
_CLASSES = frozenset(
    {*_SCALARS, bytes, date, datetime, time, timedelta, Decimal, Path, UUID, list, dict, set, frozenset}
)
_CONTAINERS = frozenset({list, set, frozenset, tuple, dict, Union, UnionType})


def is_plain(signature: Signature) -> bool:
    """Whether a schema can be made of a signature for certain."""
    return (signature.extra is ABSENT or _is_plain_type(signature.extra)) and all(
        _is_plain_parameter(parameter) for parameter in signature.parameters
    )


def _is_plain_parameter(parameter: Parameter) -> bool:
    default = parameter.default
    return (
        default is ABSENT
        or type(default) in _SCALARS
        or isinstance(default, Enum)
        or (isinstance(default, tuple | list | dict) and not default)
    ) and _is_plain_type(parameter.annotation)


def _is_plain_type(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is None:
        if annotation is Any or annotation is None:
            return True
        return isinstance(annotation, type) and _is_plain_class(annotation)
    members = get_args(annotation)
    if origin is Literal:
        return all(type(choice) in _SCALARS for choice in members)
    if origin is Annotated:
        return _is_plain_type(members[0]) and all(isinstance(said, str) for said in members[1:])
    if origin is tuple and members[1:] == (...,):
        members = members[:1]
    return origin in _CONTAINERS and all(_is_plain_type(member) for member in members)


def _is_plain_class(annotation: type) -> bool:
    if issubclass(annotation, Enum):
        return len(annotation) > 0 and all(type(member.value) in _SCALARS for member in annotation)
    return annotation in _CLASSES
