"""Pieces of content, as the Responses API writes them: in initial input, items, questions and tool outputs."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from .._model import Many, WireModel, tag_by_type
from .._parts import InputImage, InputText, OutputText, UnknownPart

__all__ = ("Content", "InputJson", "Part", "Refusal")


class InputJson(WireModel, frozen=True):
    """Structured data for a decision."""

    type: Literal["input_json"] = "input_json"
    data: Any = None
    """An object or an array of objects."""


class Refusal(WireModel, frozen=True):
    """Why the assistant would not answer."""

    type: Literal["refusal"] = "refusal"
    refusal: str = ""


_tag = tag_by_type(
    {
        "": "InputText",  # a part that only has a text needs no type
        "input_text": "InputText",
        "output_text": "OutputText",
        "text": "OutputText",
        "input_image": "InputImage",
        "input_json": "InputJson",
        "refusal": "Refusal",
    },
    otherwise="UnknownPart",
)

Part: TypeAlias = Annotated[
    Annotated[InputText, Tag("InputText")]
    | Annotated[OutputText, Tag("OutputText")]
    | Annotated[InputImage, Tag("InputImage")]
    | Annotated[InputJson, Tag("InputJson")]
    | Annotated[Refusal, Tag("Refusal")]
    | Annotated[UnknownPart, Tag("UnknownPart")],
    Discriminator(_tag),
]
"""One piece of content."""

Content: TypeAlias = str | Many[Part]
"""Text, or pieces of any kind."""
