"""The tools that a session or a response offers to the model (section 5.3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from ._model import Many, WireModel, tag_by_type

__all__ = (
    "FunctionTool",
    "McpApprovalFilter",
    "McpServerTool",
    "McpToolFilter",
    "ToolChoice",
    "ToolChoiceFunction",
    "ToolChoiceMcp",
    "ToolConfig",
    "UnknownTool",
)


class FunctionTool(WireModel, frozen=True):
    """A function of the program."""

    type: Literal["function"] = "function"
    name: str | None = None
    description: str | None = None
    """At most 1024 characters, or the server rejects the whole update."""
    parameters: Any = None
    """A JSON Schema."""


class McpToolFilter(WireModel, frozen=True):
    """Some of the tools of an MCP server."""

    tool_names: Many[str] | None = None
    read_only: bool | None = None


class McpApprovalFilter(WireModel, frozen=True):
    """Which tools of an MCP server need an approval."""

    always: McpToolFilter | None = None
    never: McpToolFilter | None = None


class McpServerTool(WireModel, frozen=True):
    """An MCP server that the provider calls."""

    type: Literal["mcp"] = "mcp"
    server_label: str
    server_url: str | None = None
    connector_id: str | None = None
    tunnel_id: str | None = None
    server_description: str | None = None
    authorization: str | None = None
    headers: dict[str, str] | None = None
    allowed_tools: Many[str] | McpToolFilter | None = None
    allowed_callers: Many[Literal["direct", "programmatic"] | str] | None = None
    require_approval: Literal["always", "never"] | str | McpApprovalFilter | None = None
    defer_loading: bool | None = None


class UnknownTool(WireModel, frozen=True):
    """A tool of a kind that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""


ToolConfig: TypeAlias = Annotated[
    Annotated[FunctionTool, Tag("FunctionTool")]
    | Annotated[McpServerTool, Tag("McpServerTool")]
    | Annotated[UnknownTool, Tag("UnknownTool")],
    Discriminator(tag_by_type({"function": "FunctionTool", "mcp": "McpServerTool"}, otherwise="UnknownTool")),
]
"""One tool that the model may use."""


class ToolChoiceFunction(WireModel, frozen=True):
    """The model must call this function."""

    type: Literal["function"] = "function"
    name: str


class ToolChoiceMcp(WireModel, frozen=True):
    """The model must use this MCP server, or this tool of it."""

    type: Literal["mcp"] = "mcp"
    server_label: str
    name: str | None = None


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | str | ToolChoiceFunction | ToolChoiceMcp
"""Whether and what the model must call."""
