"""Audio inside JSON: base64 text and the samples that it stands for (RFC 4648, section 4)."""

from __future__ import annotations

from binascii import b2a_base64

from pydantic import ConfigDict, TypeAdapter, ValidationError

__all__ = ("from_base64", "to_base64")

# Pydantic's own decoder takes a fifth of the time that ``binascii`` takes for 100 ms of audio, and audio is
# nearly all of what a session reads (benchmarks/events_codec.py).
_BASE64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64"))


def to_base64(pcm: bytes) -> str:
    """Write bytes as base64 text."""
    return b2a_base64(pcm, newline=False).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Read base64 text, also in the URL-safe alphabet or without padding; None if it is anything else."""
    try:
        return _BASE64.validate_strings(text)
    except ValidationError:
        return None
