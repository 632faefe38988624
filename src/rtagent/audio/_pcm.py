"""The one question that is asked of everything that is said to be audio: is it bytes?"""

from __future__ import annotations

from typing import cast

__all__ = ("pcm_bytes",)


def pcm_bytes(pcm: object) -> bytes:
    """The same bytes, copied where the caller could still change them.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(pcm, bytes):
        return pcm
    if isinstance(pcm, bytearray | memoryview):
        return bytes(cast("bytearray", pcm))
    hint = ": use .astype('<i2').tobytes()" if hasattr(pcm, "tobytes") else ""
    message = f"audio is bytes, not {type(pcm).__name__}{hint}"
    raise TypeError(message)
