"""Running calls as tasks: published, answered, and cancelled only when their tool says so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import anyio.abc

from rtagent.events.lifecycle import LifecycleEvent, ToolFinished, ToolStarted
from rtagent.protocol import Call
from rtagent.session import Session
from rtagent.session._tools import ToolRunner
from rtagent.testing import FakeClock
from rtagent.tools import Tool, ToolContext, ToolRegistry, tool
from rtagent.transport import memory_pair


class Bench:
    """A runner with two tools that wait, and all that it told."""

    def __init__(self, group: anyio.abc.TaskGroup) -> None:
        self.clock = FakeClock(100.0)
        self.published: list[LifecycleEvent] = []
        self.finished: list[tuple[str, str, bool]] = []
        self.gate = anyio.Event()
        self.session = Session(memory_pair()[0])
        self.contexts: list[ToolContext] = []
        self._group = group
        self.runner = ToolRunner(
            ToolRegistry([self._tool("cancel"), self._tool("keep"), double]),
            self.session,
            self.clock,
            publish=self.published.append,
            finished=lambda call_id, output, follow_up: self.finished.append((call_id, output, follow_up)),
        )

    def _tool(self, on_interrupt: Literal["cancel", "keep"]) -> Tool[..., Any]:
        async def wait(context: ToolContext) -> str:
            """Wait."""
            self.contexts.append(context)
            await self.gate.wait()
            return on_interrupt

        wait.__name__ = on_interrupt
        return tool(on_interrupt=on_interrupt)(wait)

    async def start(self, name: str, call_id: str, arguments: str = "{}") -> None:
        self.runner.start(Call(call_id, name, arguments, "r1", f"item_{call_id}"), self._group)
        await self.clock.advance(0)


@tool
async def double(value: int) -> int:
    """Double a number."""
    return 2 * value


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    async with anyio.create_task_group() as group:
        yield Bench(group)
        group.cancel_scope.cancel()


async def test_a_call_is_published_run_and_answered() -> None:
    async with running() as bench:
        assert bench.runner.idle
        await bench.start("keep", "c1")
        assert not bench.runner.idle
        assert bench.published == [ToolStarted(at=100.0, call_id="c1", name="keep", arguments="{}")]
        assert (bench.contexts[0].session, bench.contexts[0].call_id) == (bench.session, "c1")
        await bench.clock.advance(0.25)
        bench.gate.set()
        await bench.clock.advance(0)
        assert bench.runner.idle
        assert bench.finished == [("c1", "keep", True)]
        assert bench.published[1:] == [
            ToolFinished(at=100.25, call_id="c1", name="keep", output="keep", ok=True, took_ms=250.0)
        ]


async def test_calls_run_side_by_side() -> None:
    async with running() as bench:
        await bench.start("keep", "slow")
        await bench.start("double", "quick", '{"value": 21}')
        assert bench.finished == [("quick", "42", True)]
        bench.gate.set()
        await bench.clock.advance(0)
        assert [call_id for call_id, _, _ in bench.finished] == ["quick", "slow"]


async def test_an_interruption_cancels_what_wants_it_and_keeps_the_rest() -> None:
    async with running() as bench:
        await bench.start("cancel", "c1")
        await bench.start("keep", "c2")
        await bench.start("cancel", "c3")
        bench.runner.interrupt(["c1", "c2", "nobody"])
        await bench.clock.advance(0)
        ((call_id, output, follow_up),) = bench.finished
        assert (call_id, follow_up) == ("c1", False)
        assert json.loads(output)["error"]["kind"] == "cancelled"
        ended = bench.published[-1]
        assert isinstance(ended, ToolFinished)
        assert (ended.call_id, ended.ok, ended.output) == ("c1", False, output)
        bench.gate.set()
        await bench.clock.advance(0)
        assert bench.finished[1:] == [("c2", "keep", True), ("c3", "cancel", True)]


async def test_an_interruption_before_the_tool_has_begun_counts() -> None:
    async with running() as bench:
        bench.runner.start(Call("c1", "cancel", "{}", "r1", "i1"), bench._group)
        bench.runner.interrupt(["c1"])
        await bench.clock.advance(0)
        assert [(call_id, follow_up) for call_id, _, follow_up in bench.finished] == [("c1", False)]


async def test_an_interruption_after_the_end_changes_nothing() -> None:
    async with running() as bench:
        await bench.start("double", "c1", '{"value": 1}')
        bench.runner.interrupt(["c1"])
        await bench.clock.advance(0)
        assert bench.finished == [("c1", "2", True)]


async def test_whatever_cannot_run_is_answered_all_the_same() -> None:
    async with running() as bench:
        await bench.start("nothing", "c1")
        await bench.start("double", "c2", '{"value": "many"}')
        await bench.start("double", "c3", "{")
        kinds = [json.loads(output)["error"]["kind"] for _, output, _ in bench.finished]
        assert kinds == ["unknown_tool", "bad_arguments", "bad_json"]
        assert all(follow_up for _, _, follow_up in bench.finished)
        bench.runner.interrupt(["c1"])


async def test_the_end_of_the_group_ends_the_calls_without_an_answer() -> None:
    async with running() as bench:
        await bench.start("keep", "c1")
    assert bench.finished == []
