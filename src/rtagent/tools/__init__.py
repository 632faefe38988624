"""Tools: functions that a model may call, as schemas, validated calls and precise answers.

Usable on its own: `schema` describes any annotated function, `ToolRegistry` calls it for any model API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._arguments import schema
    from ._call import Approver
    from ._context import ToolContext
    from ._decorator import tool
    from ._mcp import McpTools
    from ._mcp_restarts import McpRestarts
    from ._mcp_result import McpResult
    from ._outcome import OutcomeKind, ToolOutcome
    from ._registry import ToolRegistry
    from ._threads import ThreadStatistics
    from ._tool import DEFAULT_TIMEOUT_S, Tool

__all__ = (
    "DEFAULT_TIMEOUT_S",
    "Approver",
    "McpRestarts",
    "McpResult",
    "McpTools",
    "OutcomeKind",
    "ThreadStatistics",
    "Tool",
    "ToolContext",
    "ToolOutcome",
    "ToolRegistry",
    "schema",
    "tool",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "DEFAULT_TIMEOUT_S": "._tool",
        "Approver": "._call",
        "McpRestarts": "._mcp_restarts",
        "McpResult": "._mcp_result",
        "McpTools": "._mcp",
        "OutcomeKind": "._outcome",
        "ThreadStatistics": "._threads",
        "Tool": "._tool",
        "ToolContext": "._context",
        "ToolOutcome": "._outcome",
        "ToolRegistry": "._registry",
        "schema": "._arguments",
        "tool": "._decorator",
    },
)
