"""What a tool costs: making it from a function, and calling it with the text that a model wrote.

    python benchmarks/tools.py                          # the goals, each with its interval
    python benchmarks/tools.py --peers /tmp/peers       # beside openai-agents in an environment of its own

It is CPU time of the whole process, so that worker threads count. All subjects run in every round and only
figures of the same round are compared; a goal is met if the upper bound of the 95 % interval meets it.
"bare / bare again" should be 1: it shows what the machine's noise is worth. Bare is the least that a checked
call can be: a pydantic model written by hand reads the text, and the function is awaited with its fields.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from types import FunctionType
from typing import Any, Literal

from _paired import Goal, Rounds, Subject, run_rounds, timed
from _peers import ENVIRONMENT, HERE, Peers
from pydantic import BaseModel

from rtagent.tools import Tool, ToolRegistry

REGISTERED = 1_000
AGENTS = "openai-agents"
AGENTS_DEADLINE = "openai-agents, 30 s deadline"


class Place(BaseModel):
    room: str
    floor: int = 0


class Six(BaseModel):
    room: str
    level: int
    warmth: float
    on: bool = True
    groups: list[str] = []
    mode: Literal["day", "night"] = "day"


async def three(room: str, level: int = 50, on: bool = True) -> str:
    """Light a room.

    Args:
        room: its name.
        level: brightness in percent.
        on: true to switch it on.
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


async def nested(places: list[Place], at: Place | None = None) -> str:
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
GOALS = (
    Goal("read and call", "bare", 1.3),
    Goal("ToolRegistry.call, no deadline", AGENTS, 0.4),
    Goal("ToolRegistry.call", AGENTS_DEADLINE, 0.4),
)


def calling(runner: asyncio.Runner, calls: int) -> dict[str, Subject]:
    registry = ToolRegistry(
        [
            six,
            Tool.from_function(six, name="no_deadline", timeout=None),
            Tool.from_function(six, name="strict", strict=True),
            six_sync,
        ]
    )
    arguments = Tool.from_function(six).arguments

    async def bare() -> None:
        for _ in range(calls):
            await six(**Six.model_validate_json(SIX).__dict__)

    async def read_and_call() -> None:
        for _ in range(calls):
            await six(**arguments.read(SIX))

    async def through(name: str, text: str) -> None:
        for _ in range(calls):
            await registry.call(name, text, call_id="call_1")

    works: dict[str, Callable[[], Awaitable[None]]] = {
        "bare": bare,
        "bare again": bare,
        "read and call": read_and_call,
        "ToolRegistry.call": partial(through, "six", SIX),
        "ToolRegistry.call, no deadline": partial(through, "no_deadline", SIX),
        "ToolRegistry.call, strict": partial(through, "strict", SIX),
        "ToolRegistry.call, on a thread": partial(through, "six_sync", SIX),
        "wrong arguments": partial(through, "six", WRONG),
        "unknown tool": partial(through, "sicks", SIX),
    }
    return {name: timed(partial(_run, runner, work)) for name, work in works.items()}


def _run(runner: asyncio.Runner, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    runner.run(work())


def registering() -> dict[str, Subject]:
    """Each function gets a name of its own; its code and annotations are shared."""

    def copies(fn: Any) -> list[FunctionType]:
        return [_named(fn, f"{fn.__name__}_{at}") for at in range(REGISTERED)]

    def register(functions: list[FunctionType]) -> ToolRegistry:
        registry = ToolRegistry(functions)
        assert len(registry) == REGISTERED
        return registry

    three_each, six_each, nested_each = copies(three), copies(six), copies(nested)
    return {
        "three parameters": timed(partial(register, three_each)),
        "six parameters": timed(partial(register, six_each)),
        "pydantic models": timed(partial(register, nested_each)),
        "three parameters, and their schemas": timed(lambda: register(three_each).definitions()),
    }


def _named(fn: Any, name: str) -> FunctionType:
    made = FunctionType(fn.__code__, fn.__globals__, name, fn.__defaults__)
    made.__doc__, made.__annotations__ = fn.__doc__, fn.__annotations__
    return made


@contextmanager
def calling_peers(environment: Path) -> Iterator[Peers | None]:
    """The peers' program in its environment; None if there is no such environment."""
    python = environment / "bin" / "python"
    if not python.exists():
        yield None
        return
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [python, HERE / "peers" / "calls.py"]
    with subprocess.Popen(command, **pipes, text=True, env={**os.environ, "OPENAI_API_KEY": "-"}) as program:  # noqa: S603
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            yield Peers(program.stdin, program.stdout)
        finally:
            program.stdin.close()


def show(title: str, rounds: Rounds, each: int, unit: float) -> None:
    print(f"\n{title}")
    for name, seconds in rounds.seconds.items():
        print(f"  {name:40} {median(seconds) / each * unit:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--peers", type=Path, default=ENVIRONMENT)
    options = parser.parse_args()
    with asyncio.Runner() as runner, calling_peers(options.peers) as peers:
        theirs: Mapping[str, Subject] = {}
        if peers is not None:
            print(" ".join(f"{name} {number}" for name, number in peers.versions.items()))
            theirs = {
                AGENTS: peers.subject(f"call {options.calls}"),
                AGENTS_DEADLINE: peers.subject(f"call-with-deadline {options.calls}"),
            }
        called = run_rounds({**calling(runner, options.calls), **theirs}, options.rounds)
        show("one call with six arguments, µs", called, options.calls, 1e6)
        print()
        for goal in (Goal("bare again", "bare", 1.05), *GOALS):
            print(called.verdict(goal))
        subjects = registering()
        if peers is not None:
            subjects["openai-agents, six parameters"] = peers.subject(f"register {REGISTERED}")
        registered = run_rounds(subjects, max(options.rounds // 5, 3))
        show(f"{REGISTERED} tools registered, ms", registered, 1, 1e3)


if __name__ == "__main__":
    main()
