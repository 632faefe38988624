"""Audio inside JSON: base64 text and the samples that it stands for (RFC 4648, section 4)."""

from __future__ import annotations

from binascii import Error as _Base64Error
from binascii import a2b_base64, b2a_base64

__all__ = ("from_base64", "to_base64")


def to_base64(pcm: bytes) -> str:
    """Write bytes as base64 text."""
    return b2a_base64(pcm, newline=False).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Read base64 text; None if it is not base64 through and through."""
    try:
        return a2b_base64(text, strict_mode=True)
    except (_Base64Error, ValueError):  # ValueError: characters outside ASCII
        return None
