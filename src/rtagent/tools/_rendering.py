"""What a function returned, as text for the model and pictures beside it.

Text is sent as it is; everything else is written as JSON, as pydantic does it. Bytes are a picture, text, or
base64 with its media type. A thing without a JSON form is written as its ``str()``.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic_core import to_json

from ._images import Image, media_type_of

__all__ = ("DEFAULT_OUTPUT_CHARS", "Rendering", "capped")

DEFAULT_OUTPUT_CHARS = 32_000
"""The longest output sent to a model: about 8,000 tokens, a quarter of the smallest context window."""
_NOTE_CHARS = 100
"""Kept free for the note that says how much was cut."""
_MOST_IMAGES = 4
_IMAGE_BYTES = 3_000_000
"""The largest picture: 4 MB on the wire, in a message of its own."""
_NOTHING_RETURNED = "done"
_BytesMode = Literal["utf8", "base64"]


@dataclass(slots=True)
class Rendering:
    """One result being written; it collects the pictures that it meets."""

    images: list[str] = field(default_factory=list[str])
    """``data:`` URIs, in the order in which the text speaks of them."""

    def text_of(self, value: Any) -> str:
        """The text of what a function returned."""
        match value:
            case None:
                return _NOTHING_RETURNED
            case str():
                return str.__str__(value)  # of a member of an enum its text, not its name
            case bytes() | bytearray():
                return self._bytes(bytes(value))
            case Image():
                return self._shown(value)
            case list() | tuple() if any(map(_is_picture, value)):  # pyright: ignore[reportUnknownArgumentType]
                return "\n".join(self.text_of(part) for part in value if part is not None)  # pyright: ignore[reportUnknownVariableType]
            case _:
                return self._json(value)

    def _json(self, value: Any) -> str:
        def other(inner: Any) -> str:
            """What pydantic has no JSON for."""
            if inner is value:
                raise ValueError
            return self._shown(inner) if isinstance(inner, Image) else str(inner)

        already = len(self.images)
        modes: tuple[_BytesMode, ...] = ("utf8", "base64")
        for mode in modes:  # the second one where some bytes are no text
            with suppress(ValueError):
                return to_json(value, fallback=other, bytes_mode=mode, inf_nan_mode="strings").decode()
            del self.images[already:]
        return str(value)  # it is, or holds, what has no JSON form at all, such as itself

    def _bytes(self, data: bytes) -> str:
        if _is_picture(data):
            return self._shown(Image(data))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return f"data:{media_type_of(data)};base64,{b64encode(data).decode()}"

    def _shown(self, image: Image) -> str:
        """Keep a picture, and say where it is or why it is not."""
        said = f"{image.media_type}, {len(image.data)} bytes"
        if len(image.data) > _IMAGE_BYTES:
            return f"[a picture is left out: {said}, at most {_IMAGE_BYTES} can be shown]"
        if len(self.images) == _MOST_IMAGES:
            return f"[a picture is left out: {said}, at most {_MOST_IMAGES} can be shown]"
        self.images.append(image.uri)
        return f"[picture {len(self.images)} follows: {said}]"


def capped(text: str, most: int = DEFAULT_OUTPUT_CHARS) -> str:
    """The text as the wire can carry it: valid Unicode, and not longer than so many characters."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8 form
    if len(text) <= most:
        return text
    kept = max(most - _NOTE_CHARS, 0)
    return f"{text[:kept]}\n[cut here: {len(text) - kept} of {len(text)} characters are left out]"


def _is_picture(value: Any) -> bool:
    return isinstance(value, Image) or (
        isinstance(value, bytes) and media_type_of(value) in {"image/jpeg", "image/png"}
    )
