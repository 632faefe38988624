"""Tools: functions that a model may call, as schemas, validated calls and precise answers.

Usable on its own: `schema` describes any annotated function, `ToolRegistry` calls it for any model API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._arguments import schema
    from ._ask import ask_aloud, ask_on_terminal
    from ._context import CallDesk, RunningCall, ToolContext
    from ._decorator import tool
    from ._images import Image
    from ._mcp import McpTools
    from ._mcp_hosted import McpAnswer, McpApproval, McpQuestion, McpServer, answer_question
    from ._mcp_restarts import McpRestarts
    from ._mcp_result import McpResult
    from ._openapi import openapi_tools
    from ._options import DEFAULT_SPEAK_AFTER_S, DEFAULT_TIMEOUT_S, ApprovalTest
    from ._outcome import OutcomeKind, ToolOutcome
    from ._permission import AfterCall, Approver, BeforeCall
    from ._processes import ProcessStatistics
    from ._ready_made import cancel_tool, running_tools
    from ._ready_made_call import end_call, send_dtmf, transfer, wait
    from ._registry import ToolRegistry
    from ._secrets import shown_arguments
    from ._threads import ThreadStatistics
    from ._tool import Tool
    from ._web_address import WebRefused
    from ._web_guard import WebGuard

__all__ = (
    "DEFAULT_SPEAK_AFTER_S",
    "DEFAULT_TIMEOUT_S",
    "AfterCall",
    "ApprovalTest",
    "Approver",
    "BeforeCall",
    "CallDesk",
    "Image",
    "McpAnswer",
    "McpApproval",
    "McpQuestion",
    "McpRestarts",
    "McpResult",
    "McpServer",
    "McpTools",
    "OutcomeKind",
    "ProcessStatistics",
    "RunningCall",
    "ThreadStatistics",
    "Tool",
    "ToolContext",
    "ToolOutcome",
    "ToolRegistry",
    "WebGuard",
    "WebRefused",
    "answer_question",
    "ask_aloud",
    "ask_on_terminal",
    "cancel_tool",
    "end_call",
    "openapi_tools",
    "running_tools",
    "schema",
    "send_dtmf",
    "shown_arguments",
    "tool",
    "transfer",
    "wait",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Image": "._images",
        "DEFAULT_SPEAK_AFTER_S": "._options",
        "DEFAULT_TIMEOUT_S": "._options",
        "AfterCall": "._permission",
        "ApprovalTest": "._options",
        "Approver": "._permission",
        "BeforeCall": "._permission",
        "CallDesk": "._context",
        "McpAnswer": "._mcp_hosted",
        "McpApproval": "._mcp_hosted",
        "McpQuestion": "._mcp_hosted",
        "McpServer": "._mcp_hosted",
        "McpRestarts": "._mcp_restarts",
        "McpResult": "._mcp_result",
        "McpTools": "._mcp",
        "OutcomeKind": "._outcome",
        "ProcessStatistics": "._processes",
        "RunningCall": "._context",
        "ThreadStatistics": "._threads",
        "Tool": "._tool",
        "ToolContext": "._context",
        "ToolOutcome": "._outcome",
        "ToolRegistry": "._registry",
        "ask_aloud": "._ask",
        "ask_on_terminal": "._ask",
        "cancel_tool": "._ready_made",
        "running_tools": "._ready_made",
        "WebGuard": "._web_guard",
        "WebRefused": "._web_address",
        "openapi_tools": "._openapi",
        "end_call": "._ready_made_call",
        "send_dtmf": "._ready_made_call",
        "transfer": "._ready_made_call",
        "wait": "._ready_made_call",
        "answer_question": "._mcp_hosted",
        "schema": "._arguments",
        "shown_arguments": "._secrets",
        "tool": "._decorator",
    },
)
