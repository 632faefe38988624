"""Conversation items (protocol document, section 4)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Tag

from ._model import Many, WireModel, as_object, tag_by_type
from ._parts import Part

__all__ = (
    "AssistantMessage",
    "FunctionCall",
    "FunctionCallOutput",
    "Item",
    "ItemReference",
    "ItemStatus",
    "McpApprovalRequest",
    "McpApprovalResponse",
    "McpCall",
    "McpError",
    "McpListTools",
    "McpToolDescription",
    "SystemMessage",
    "UnknownItem",
    "UserMessage",
)

ItemStatus: TypeAlias = Literal["completed", "incomplete", "in_progress"] | str


class _Item(WireModel, frozen=True):
    """What every item may carry."""

    id: str | None = None
    object: Literal["realtime.item"] | str | None = None
    status: ItemStatus | None = None


class _Message(_Item, frozen=True):
    """Something said or written."""

    always_written: ClassVar[frozenset[str]] = frozenset({"type", "role", "content"})

    type: Literal["message"] = "message"
    content: Many[Part] = ()


class SystemMessage(_Message, frozen=True):
    """Instructions inside the conversation."""

    role: Literal["system"] = "system"


class UserMessage(_Message, frozen=True):
    """What a user said, wrote or showed."""

    role: Literal["user"] = "user"


class AssistantMessage(_Message, frozen=True):
    """What the model said or wrote."""

    role: Literal["assistant"] = "assistant"


class FunctionCall(_Item, frozen=True):
    """The model asks for a function of the program."""

    type: Literal["function_call"] = "function_call"
    name: str
    arguments: str = ""
    """JSON text."""
    call_id: str | None = None


class FunctionCallOutput(_Item, frozen=True):
    """The program's answer to a function call."""

    type: Literal["function_call_output"] = "function_call_output"
    call_id: str
    output: str = ""


class McpToolDescription(WireModel, frozen=True):
    """One tool that an MCP server offers."""

    name: str
    input_schema: Any = None
    description: str | None = None
    annotations: Any = None


class McpListTools(_Item, frozen=True):
    """What an MCP server offers."""

    type: Literal["mcp_list_tools"] = "mcp_list_tools"
    server_label: str
    tools: Many[McpToolDescription] = ()


class McpError(WireModel, frozen=True):
    """Why an MCP call failed."""

    type: Literal["protocol_error", "tool_execution_error", "http_error"] | str | None = None
    code: int | None = None
    message: str | None = None


class McpCall(_Item, frozen=True):
    """A call that the provider made to an MCP server."""

    type: Literal["mcp_call"] = "mcp_call"
    server_label: str
    name: str
    arguments: str = ""
    approval_request_id: str | None = None
    output: str | None = None
    error: McpError | None = None


class McpApprovalRequest(_Item, frozen=True):
    """The model asks whether it may call an MCP tool."""

    type: Literal["mcp_approval_request"] = "mcp_approval_request"
    server_label: str
    name: str
    arguments: str = ""


class McpApprovalResponse(_Item, frozen=True):
    """The program's answer to an approval request."""

    type: Literal["mcp_approval_response"] = "mcp_approval_response"
    approval_request_id: str
    approve: bool
    reason: str | None = None


class ItemReference(WireModel, frozen=True):
    """Stands for an item of the conversation, in the ``input`` of a response only."""

    type: Literal["item_reference"] = "item_reference"
    id: str


class UnknownItem(_Item, frozen=True):
    """An item of a kind that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""


_tag_of_kind = tag_by_type(
    {
        "function_call": "FunctionCall",
        "function_call_output": "FunctionCallOutput",
        "mcp_list_tools": "McpListTools",
        "mcp_call": "McpCall",
        "mcp_approval_request": "McpApprovalRequest",
        "mcp_approval_response": "McpApprovalResponse",
        "item_reference": "ItemReference",
    },
    otherwise="UnknownItem",
)
_MESSAGES = {"system": "SystemMessage", "user": "UserMessage", "assistant": "AssistantMessage"}


def _tag(value: Any) -> str:
    fields = as_object(value)
    if fields is None or fields.get("type") != "message":
        return _tag_of_kind(value)
    role = fields.get("role")
    return _MESSAGES.get(role, "UnknownItem") if isinstance(role, str) else "UnknownItem"


Item: TypeAlias = Annotated[
    Annotated[SystemMessage, Tag("SystemMessage")]
    | Annotated[UserMessage, Tag("UserMessage")]
    | Annotated[AssistantMessage, Tag("AssistantMessage")]
    | Annotated[FunctionCall, Tag("FunctionCall")]
    | Annotated[FunctionCallOutput, Tag("FunctionCallOutput")]
    | Annotated[McpListTools, Tag("McpListTools")]
    | Annotated[McpCall, Tag("McpCall")]
    | Annotated[McpApprovalRequest, Tag("McpApprovalRequest")]
    | Annotated[McpApprovalResponse, Tag("McpApprovalResponse")]
    | Annotated[ItemReference, Tag("ItemReference")]
    | Annotated[UnknownItem, Tag("UnknownItem")],
    Discriminator(_tag),
]
"""One entry of a conversation."""
