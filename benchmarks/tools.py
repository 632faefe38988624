"""What a tool costs: making it from a function, and calling it with the text that a model wrote.

Run ``python benchmarks/tools.py``. It is CPU time of the whole process, so that worker threads count. The
rows of a table take turns in every round. Shown are the median over rounds, and the median of the ratios to
the first row with the range of nine in ten. The last row is the first one against itself: the noise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from collections.abc import Awaitable, Callable, Mapping
from time import process_time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from rtagent.tools import Tool, ToolRegistry, tool


class Place(BaseModel):
    room: str
    floor: int = 0


async def one(room: str) -> str:
    """Light a room.

    Args:
        room: its name.
    """
    return room


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


async def twelve(
    a: str,
    b: str,
    c: str,
    d: int,
    e: int,
    f: int,
    g: float,
    h: float,
    i: bool,
    j: bool,
    k: str = "",
    m: int = 0,
) -> str:
    """Do a lot."""
    return a


async def nested(places: list[Place], at: Annotated[Place | None, Field(description="where")] = None) -> str:
    """Light many rooms."""
    return places[0].room


def six_sync(
    room: str,
    level: int,
    warmth: float,
    on: bool = True,
    groups: list[str] = [],  # noqa: B006
    mode: Literal["day", "night"] = "day",
) -> str:
    """Light a room."""
    return room


SIX = json.dumps({"room": "k", "level": 3, "warmth": 0.5, "on": False, "groups": ["a"], "mode": "night"})
WRONG = json.dumps({"room": 3, "level": "bright", "warmth": 0.5, "colour": "red"})

Work = Callable[[int], Awaitable[None]]


async def compare(title: str, contenders: Mapping[str, Work], rounds: int, calls: int) -> None:
    first = next(iter(contenders))
    rows = {**contenders, f"{first} (again)": contenders[first]}
    micros: dict[str, list[float]] = {name: [] for name in rows}
    order = list(rows)
    for turn in range(rounds + 1):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            begin = process_time()
            await rows[name](calls)
            micros[name].append((process_time() - begin) / calls * 1e6)
    print(f"\n{title}")
    for name, taken in micros.items():
        warm = taken[1:]
        ratios = sorted(mine / base for mine, base in zip(warm, micros[first][1:], strict=True))
        middle = statistics.median(ratios)
        low, high = ratios[len(ratios) // 20], ratios[-1 - len(ratios) // 20]
        print(f"  {name:38} {statistics.median(warm):9.2f} µs   {middle:6.2f}x [{low:.2f}..{high:.2f}]")


def building(fn: Callable[..., Any]) -> dict[str, Work]:
    adapter_of: Any = TypeAdapter

    async def adapter(calls: int) -> None:
        for _ in range(calls):
            adapter_of(fn).json_schema()

    async def ours(calls: int) -> None:
        for _ in range(calls):
            Tool.from_function(fn)

    return {"pydantic TypeAdapter + schema": adapter, "Tool.from_function": ours}


def dispatching() -> dict[str, Work]:
    registry = ToolRegistry(
        [
            six,
            Tool.from_function(six, name="six_no_deadline", timeout=None),
            Tool.from_function(six, name="six_strict", strict=True),
            tool(six_sync),
        ]
    )

    async def bare(calls: int) -> None:
        for _ in range(calls):
            await six(**json.loads(SIX))

    def through(name: str, arguments: str) -> Work:
        async def run(calls: int) -> None:
            for _ in range(calls):
                await registry.call(name, arguments, call_id="call_1")

        return run

    return {
        "json.loads and await": bare,
        "async": through("six", SIX),
        "async, timeout=None": through("six_no_deadline", SIX),
        "async, strict": through("six_strict", SIX),
        "sync, on a thread": through("six_sync", SIX),
        "wrong arguments": through("six", WRONG),
        "unknown tool": through("sicks", SIX),
    }


async def measure(rounds: int) -> None:
    for fn in (one, six, twelve, nested):
        await compare(f"make a tool: {fn.__name__}", building(fn), rounds, 10)
    await compare("call a tool with six arguments", dispatching(), rounds, 500)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    asyncio.run(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
