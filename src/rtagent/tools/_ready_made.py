"""Tools that a program can add, so that the model sees what runs and can stop it."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ._context import ToolContext
from ._decorator import tool

__all__ = ("cancel_tool", "running_tools")


@tool
async def running_tools(context: ToolContext) -> list[dict[str, Any]]:
    """List the tool calls that still run: call_id, name, arguments and seconds so far."""
    if context.desk is None:
        return []
    return [
        {
            "call_id": call.call_id,
            "name": call.name,
            "arguments": call.arguments,
            "seconds": round(call.running_s, 1),
        }
        for call in context.desk.running()
        if call.call_id != context.call_id
    ]


@tool
async def cancel_tool(call_id: str, context: ToolContext) -> str:
    """Cancel a tool call that still runs, when the user does not want its result any more.

    Args:
        call_id: of the call, as running_tools lists it.
        context: of this call.
    """
    if context.desk is None or call_id == context.call_id or not context.desk.cancel(call_id):
        message = f"no call {call_id!r} runs"
        raise ToolError(message)
    return "cancelled"
