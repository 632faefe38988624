"""Content parts of messages.

Inside items an assistant's parts are spelled ``output_text`` and ``output_audio``, in the events
``response.content_part.*`` (and in beta items) ``text`` and ``audio``. Both spellings are read into
one class and compare equal; the spelling that was read is the one that is written again.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from ._model import WireModel, tag_by_type

__all__ = (
    "InputAudio",
    "InputImage",
    "InputText",
    "OutputAudio",
    "OutputText",
    "Part",
    "UnknownPart",
)


class InputText(WireModel, frozen=True):
    """Text of the system or of a user."""

    type: Literal["input_text"] = "input_text"
    text: str = ""


class InputAudio(WireModel, frozen=True):
    """Sound of a user."""

    type: Literal["input_audio"] = "input_audio"
    audio: str | None = None
    """Base64, in the session's input format."""
    transcript: str | None = None
    """Kept for reference; the model does not read it."""


class InputImage(WireModel, frozen=True):
    """A picture shown by a user."""

    type: Literal["input_image"] = "input_image"
    image_url: str | None = None
    """A data URI that holds a PNG or JPEG."""
    detail: Literal["auto", "low", "high"] | str | None = None


class _OutputPart(WireModel, frozen=True):
    """Compares without regard to its spelling."""

    def _said(self) -> dict[str, Any]:
        return {name: value for name, value in self if name != "type"}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OutputPart) and type(self) is type(other) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash(
            (type(self), *(getattr(self, name) for name in type(self).model_fields if name != "type"))
        )


class OutputText(_OutputPart, frozen=True):
    """Text of the assistant."""

    type: Literal["output_text", "text"] = "output_text"
    text: str = ""


class OutputAudio(_OutputPart, frozen=True):
    """Voice of the assistant."""

    type: Literal["output_audio", "audio"] = "output_audio"
    audio: str | None = None
    """Base64; only in an item that was retrieved."""
    transcript: str | None = None


class UnknownPart(WireModel, frozen=True):
    """A part of a kind that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""


_tag = tag_by_type(
    {
        "input_text": "InputText",
        "input_audio": "InputAudio",
        "input_image": "InputImage",
        "output_text": "OutputText",
        "text": "OutputText",
        "output_audio": "OutputAudio",
        "audio": "OutputAudio",
    },
    otherwise="UnknownPart",
)

Part: TypeAlias = Annotated[
    Annotated[InputText, Tag("InputText")]
    | Annotated[InputAudio, Tag("InputAudio")]
    | Annotated[InputImage, Tag("InputImage")]
    | Annotated[OutputText, Tag("OutputText")]
    | Annotated[OutputAudio, Tag("OutputAudio")]
    | Annotated[UnknownPart, Tag("UnknownPart")],
    Discriminator(_tag),
]
"""One piece of a message's content."""
