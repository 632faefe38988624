"""Calls tools the way a peer does. Runs in the peers' environment, driven through pipes.

Each line of standard input is a piece of work: ``call 500``, ``call-with-deadline 500`` or ``register 100``;
each line of standard output answers with CPU seconds. The first line of output tells the versions.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from time import process_time
from typing import Any, Literal

from agents import function_tool
from agents.tool import invoke_function_tool
from agents.tool_context import ToolContext

SIX = json.dumps({"room": "k", "level": 3, "warmth": 0.5, "on": False, "groups": ["a"], "mode": "night"})


async def six(
    room: str,
    level: int,
    warmth: float,
    on: bool = True,
    groups: list[str] = [],  # noqa: B006
    mode: Literal["day", "night"] = "day",
) -> str:
    """Light a room.

    Args:
        room: its name.
        level: brightness in percent.
        warmth: from 0, cold, to 1, warm.
        on: true to switch it on.
        groups: which lamps of it.
        mode: for which time of the day.
    """
    return room


TOOLS = {"call": function_tool(six), "call-with-deadline": function_tool(timeout=30)(six)}


async def call(name: str, count: int) -> None:
    """As ``RealtimeSession`` calls a tool, without what it does around that."""
    tool = TOOLS[name]
    for _ in range(count):
        context = ToolContext(context=None, tool_name="six", tool_call_id="call_1", tool_arguments=SIX)
        assert await invoke_function_tool(function_tool=tool, context=context, arguments=SIX) == "k"


async def register(_name: str, count: int) -> None:
    for _ in range(count):
        function_tool(six)


WORK: dict[str, Callable[[str, int], Awaitable[None]]] = {
    "call": call,
    "call-with-deadline": call,
    "register": register,
}


def answers(orders: Iterator[str]) -> Iterator[dict[str, Any]]:
    yield {name: version(name) for name in ("openai-agents", "pydantic")}
    with asyncio.Runner() as runner:
        for order in orders:
            name, count = order.split()
            start = process_time()
            runner.run(_awaited(WORK[name](name, int(count))))
            yield {"seconds": process_time() - start, "audio_bytes": 0}


async def _awaited(work: Awaitable[None]) -> None:
    await work


def main() -> None:
    for answer in answers(sys.stdin):
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
