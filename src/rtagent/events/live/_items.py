"""Items of the Responses API: what a backing model and the decision models are given to read.

The API has 33 kinds. Those that a voice runtime writes or reads have classes; every other kind is a
``ResponsesItem``, which keeps whatever fields it has.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Tag

from .._items import ItemReference
from .._model import WireModel, tag_by_type
from ._parts import Content

__all__ = (
    "CustomToolCallItem",
    "CustomToolCallOutputItem",
    "FunctionCallItem",
    "FunctionCallOutputItem",
    "InputMessageItem",
    "Item",
    "ItemStatus",
    "ResponsesItem",
)

ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"] | str


class _Item(WireModel, frozen=True):
    """What every kind may carry."""

    id: str | None = None
    status: ItemStatus | None = None


class InputMessageItem(_Item, frozen=True):
    """Something said or written before, or an instruction of the program."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"] | str
    """An initial item is not of the ``system``."""
    content: Content
    """Of an initial item: a list of text parts."""
    phase: Literal["commentary", "final_answer"] | str | None = None
    """Of an assistant's message."""


class _Call(_Item, frozen=True):
    """A tool is to be run."""

    name: str
    call_id: str
    namespace: str | None = None


class FunctionCallItem(_Call, frozen=True):
    """The backing model asks for a function of the program."""

    type: Literal["function_call"] = "function_call"
    arguments: str = ""
    """JSON text."""


class CustomToolCallItem(_Call, frozen=True):
    """The backing model asks for a tool that takes free text."""

    type: Literal["custom_tool_call"] = "custom_tool_call"
    input: str = ""


class FunctionCallOutputItem(_Item, frozen=True):
    """The program's answer to a function call."""

    type: Literal["function_call_output"] = "function_call_output"
    call_id: str
    output: Content = ""


class CustomToolCallOutputItem(_Item, frozen=True):
    """The program's answer to a custom tool call."""

    type: Literal["custom_tool_call_output"] = "custom_tool_call_output"
    call_id: str
    output: Content = ""


class ResponsesItem(WireModel, frozen=True):
    """An item of any other kind; its fields are in ``model_extra``.

    Make one with ``ResponsesItem.model_validate({"type": …})``, which takes every field.
    """

    type: str = ""
    id: str | None = None


_tag = tag_by_type(
    {
        "": "InputMessageItem",  # the one kind that may leave its type out
        "message": "InputMessageItem",
        "function_call": "FunctionCallItem",
        "function_call_output": "FunctionCallOutputItem",
        "custom_tool_call": "CustomToolCallItem",
        "custom_tool_call_output": "CustomToolCallOutputItem",
        "item_reference": "ItemReference",
    },
    otherwise="ResponsesItem",
)

Item: TypeAlias = Annotated[
    Annotated[InputMessageItem, Tag("InputMessageItem")]
    | Annotated[FunctionCallItem, Tag("FunctionCallItem")]
    | Annotated[FunctionCallOutputItem, Tag("FunctionCallOutputItem")]
    | Annotated[CustomToolCallItem, Tag("CustomToolCallItem")]
    | Annotated[CustomToolCallOutputItem, Tag("CustomToolCallOutputItem")]
    | Annotated[ItemReference, Tag("ItemReference")]
    | Annotated[ResponsesItem, Tag("ResponsesItem")],
    Discriminator(_tag),
]
"""One entry of a backing model's context."""
