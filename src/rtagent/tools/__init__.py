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
    from ._options import DEFAULT_SPEAK_AFTER_S, DEFAULT_TIMEOUT_S, ApprovalTest
    from ._outcome import OutcomeKind, ToolOutcome
    from ._permission import AfterCall, Approver, BeforeCall
    from ._processes import ProcessStatistics
    from ._ready_made import cancel_tool, running_tools
    from ._registry import ToolRegistry
    from ._secrets import shown_arguments
    from ._threads import ThreadStatistics
    from ._tool import Tool

__all__ = (
    "DEFAULT_SPEAK_AFTER_S",
    "DEFAULT_TIMEOUT_S",
    "AfterCall",
    "ApprovalTest",
    "Approver",
    "BeforeCall",
    "CallDesk",
    "Image",
    "OutcomeKind",
    "ProcessStatistics",
    "RunningCall",
    "ThreadStatistics",
    "Tool",
    "ToolContext",
    "ToolOutcome",
    "ToolRegistry",
    "ask_aloud",
    "ask_on_terminal",
    "cancel_tool",
    "running_tools",
    "schema",
    "shown_arguments",
    "tool",
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
        "schema": "._arguments",
        "shown_arguments": "._secrets",
        "tool": "._decorator",
    },
)
