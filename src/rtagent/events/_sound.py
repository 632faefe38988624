"""Audio inside JSON: base64 text and the samples that it stands for (RFC 4648, section 4)."""

from __future__ import annotations

from pybase64 import b64decode, b64encode_as_string
from pydantic import ConfigDict, TypeAdapter, ValidationError

__all__ = ("from_base64", "to_base64")

_LENIENT = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64"))


def to_base64(pcm: bytes) -> str:
    """Write bytes as base64 text."""
    return b64encode_as_string(pcm)


def from_base64(text: str) -> bytes | None:
    """Read base64 text, also in the URL-safe alphabet or without padding; None if it is anything else.

    Bits left over before the padding are ignored.
    """
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return _in_another_spelling(text)


def _in_another_spelling(text: str) -> bytes | None:
    try:
        return _LENIENT.validate_strings(text)
    except ValidationError:
        return None
