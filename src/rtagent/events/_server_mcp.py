"""Server events about MCP servers that the provider calls."""

from __future__ import annotations

from typing import Literal

from ._server import ServerEvent

__all__ = (
    "McpListToolsCompleted",
    "McpListToolsFailed",
    "McpListToolsInProgress",
    "ResponseMcpCallArgumentsDelta",
    "ResponseMcpCallArgumentsDone",
    "ResponseMcpCallCompleted",
    "ResponseMcpCallFailed",
    "ResponseMcpCallInProgress",
)


class _Listing(ServerEvent, frozen=True):
    item_id: str | None = None


class McpListToolsInProgress(_Listing, frozen=True):
    """An MCP server is asked for its tools."""

    type: Literal["mcp_list_tools.in_progress"] = "mcp_list_tools.in_progress"


class McpListToolsCompleted(_Listing, frozen=True):
    """An MCP server said which tools it has."""

    type: Literal["mcp_list_tools.completed"] = "mcp_list_tools.completed"


class McpListToolsFailed(_Listing, frozen=True):
    """An MCP server could not be asked for its tools."""

    type: Literal["mcp_list_tools.failed"] = "mcp_list_tools.failed"


class _Call(ServerEvent, frozen=True):
    item_id: str | None = None
    output_index: int = 0


class ResponseMcpCallInProgress(_Call, frozen=True):
    """An MCP tool runs."""

    type: Literal["response.mcp_call.in_progress"] = "response.mcp_call.in_progress"


class ResponseMcpCallCompleted(_Call, frozen=True):
    """An MCP tool returned."""

    type: Literal["response.mcp_call.completed"] = "response.mcp_call.completed"


class ResponseMcpCallFailed(_Call, frozen=True):
    """An MCP tool failed."""

    type: Literal["response.mcp_call.failed"] = "response.mcp_call.failed"


class ResponseMcpCallArgumentsDelta(_Call, frozen=True):
    """More of the JSON text of an MCP call's arguments."""

    type: Literal["response.mcp_call_arguments.delta"] = "response.mcp_call_arguments.delta"
    response_id: str | None = None
    delta: str = ""
    obfuscation: str | None = None


class ResponseMcpCallArgumentsDone(_Call, frozen=True):
    """The whole arguments of an MCP call."""

    type: Literal["response.mcp_call_arguments.done"] = "response.mcp_call_arguments.done"
    response_id: str | None = None
    arguments: str = ""
