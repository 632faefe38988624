"""Pictures that a tool returns. A call's output is text; the pictures are shown to the model beside it."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from ..errors import ToolError

__all__ = ("Image", "media_type_of")

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
)
"""How files of a kind begin (each format's own specification)."""
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
_SHOWABLE = {"image/jpeg", "image/png"}
"""What a Realtime session takes as ``input_image``."""


class Image:
    """A picture for the model to look at, returned by a tool alone or in a list with text.

    Args:
        data: the bytes of a PNG or JPEG file, the same in base64, or a ``data:`` URI of it.
        media_type: ``image/png`` or ``image/jpeg``; found out when it is not given.

    Raises:
        ToolError: it is something else.
    """

    __slots__ = ("data", "media_type")

    def __init__(self, data: bytes | str, media_type: str | None = None) -> None:
        self.data = data if isinstance(data, bytes) else _decoded(data)
        """The bytes of the file."""
        found = media_type_of(self.data)
        if found not in _SHOWABLE:
            message = f"a picture is PNG or JPEG, but these {len(self.data)} bytes are {found}"
            raise ToolError(message)
        if media_type not in {None, found}:
            message = f"the picture is {found}, not {media_type}"
            raise ToolError(message)
        self.media_type = found
        """``image/png`` or ``image/jpeg``."""

    def __repr__(self) -> str:
        return f"Image({self.media_type}, {len(self.data)} bytes)"

    @property
    def uri(self) -> str:
        """The picture as a ``data:`` URI (RFC 2397)."""
        return f"data:{self.media_type};base64,{b64encode(self.data).decode()}"


def media_type_of(data: bytes) -> str:
    """The media type that the first bytes tell; ``application/octet-stream`` when they tell nothing."""
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12], "application/octet-stream")
    return next((kind for head, kind in _SIGNATURES if data.startswith(head)), "application/octet-stream")


def _decoded(text: str) -> bytes:
    """The bytes behind base64, alone or at the end of a ``data:`` URI."""
    head, comma, rest = text.partition(",")
    encoded = rest if comma and head.startswith("data:") else text
    try:
        return b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        message = "a picture given as text is base64 or a data: URI, and this text is neither"
        raise ToolError(message) from error
