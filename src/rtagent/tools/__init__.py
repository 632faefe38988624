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
    from ._mcp_hosted import McpAnswer, McpApproval, McpQuestion, McpServer, answer_question
    from ._mcp_restarts import McpRestarts
    from ._mcp_result import McpResult
    from ._openapi import openapi_tools
    from ._outcome import OutcomeKind, ToolOutcome
    from ._ready_made_call import end_call, send_dtmf, transfer, wait
    from ._registry import ToolRegistry
    from ._threads import ThreadStatistics
    from ._tool import DEFAULT_TIMEOUT_S, Tool
    from ._web_address import WebRefused
    from ._web_guard import WebGuard

__all__ = (
    "DEFAULT_TIMEOUT_S",
    "Approver",
    "McpAnswer",
    "McpApproval",
    "McpQuestion",
    "McpRestarts",
    "McpResult",
    "McpServer",
    "McpTools",
    "OutcomeKind",
    "ThreadStatistics",
    "Tool",
    "ToolContext",
    "ToolOutcome",
    "ToolRegistry",
    "WebGuard",
    "WebRefused",
    "answer_question",
    "end_call",
    "openapi_tools",
    "schema",
    "send_dtmf",
    "tool",
    "transfer",
    "wait",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "DEFAULT_TIMEOUT_S": "._tool",
        "Approver": "._call",
        "McpAnswer": "._mcp_hosted",
        "McpApproval": "._mcp_hosted",
        "McpQuestion": "._mcp_hosted",
        "McpServer": "._mcp_hosted",
        "McpRestarts": "._mcp_restarts",
        "McpResult": "._mcp_result",
        "McpTools": "._mcp",
        "OutcomeKind": "._outcome",
        "ThreadStatistics": "._threads",
        "Tool": "._tool",
        "ToolContext": "._context",
        "ToolOutcome": "._outcome",
        "ToolRegistry": "._registry",
        "WebGuard": "._web_guard",
        "WebRefused": "._web_address",
        "openapi_tools": "._openapi",
        "end_call": "._ready_made_call",
        "send_dtmf": "._ready_made_call",
        "transfer": "._ready_made_call",
        "wait": "._ready_made_call",
        "answer_question": "._mcp_hosted",
        "schema": "._arguments",
        "tool": "._decorator",
    },
)
