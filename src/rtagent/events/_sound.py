"""Audio inside JSON: base64 text and the samples that it stands for (RFC 4648, section 4)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

from pybase64 import b64decode, b64encode_as_string
from pydantic import ConfigDict, TypeAdapter, ValidationError

__all__ = ("from_base64", "once", "to_base64")

ValueT = TypeVar("ValueT")

_LENIENT = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64"))


def to_base64(pcm: bytes) -> str:
    """Write bytes as base64 text."""
    return b64encode_as_string(pcm)


def from_base64(text: str) -> bytes | None:
    """Read base64 text, also in the URL-safe alphabet or without padding; None if it is anything else.

    Bits left over before the padding are ignored.
    """
    try:
        return b64decode(text, None, True)
    except ValueError:
        return _in_another_spelling(text)


def _in_another_spelling(text: str) -> bytes | None:
    try:
        return _LENIENT.validate_strings(text)
    except ValidationError:
        return None


class once(cached_property[ValueT]):  # noqa: N801 -- a decorator
    """A property that is worked out when it is first asked for, and kept.

    Without the lock that ``cached_property`` takes up to Python 3.11, which costs as much as decoding.
    """

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        """The value; from the second time on the instance has it and nobody asks here."""
        if instance is None:
            return self
        value = self.func(instance)
        instance.__dict__[self.attrname] = value
        return value
