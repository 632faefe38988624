"""One connection in use: read and written until it ends, or is left."""

from __future__ import annotations

import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rtagent import events
from rtagent.errors import ConnectionLost, EndOfStream, SessionClosed
from rtagent.session._link import Link, LinkEnd
from rtagent.session._wire import Wire
from rtagent.transport import MemoryTransport, memory_pair


class Bench:
    """A connection in use, and its other end."""

    def __init__(self, capacity: int = 100) -> None:
        near, self.far = memory_pair(capacity)
        self.near: MemoryTransport = near
        self.wire = Wire()
        self.wire.connect()
        self.link = Link(near, events.GA, self.wire)
        self.taken: list[str] = []
        self.wakes = False
        self.end: LinkEnd | None = None
        self.over = False

    def take(self, event: events.ServerEvent) -> bool:
        self.taken.append(event.type)
        return self.wakes

    async def run(self) -> None:
        self.end = await self.link.run(self.take)
        self.over = True

    async def says(self, *kinds: str) -> None:
        for kind in kinds:
            await self.far.send(json.dumps({"type": kind, "event_id": "e"}))


async def test_events_go_both_ways_in_order() -> None:
    bench = Bench()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.says("input_audio_buffer.cleared", "a.new.one")
        bench.wire.put("first")
        bench.wire.put("second")
        await anyio.wait_all_tasks_blocked()
        assert bench.taken == ["input_audio_buffer.cleared", "a.new.one"]
        assert bench.far.waiting() == ("first", "second")
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [(1000, "done", EndOfStream), (1001, "", EndOfStream), (1011, "it failed", ConnectionLost)],
)
async def test_what_was_sent_before_the_end_is_still_read(code: int, reason: str, kind: type) -> None:
    bench = Bench()
    await bench.says("input_audio_buffer.cleared")
    await bench.far.aclose(code, reason)
    await bench.run()
    assert bench.taken == ["input_audio_buffer.cleared"]
    assert type(bench.end) is kind
    assert isinstance(bench.end, ConnectionLost | EndOfStream)
    assert (bench.end.code, bench.end.reason) == (code, reason)


async def test_our_own_closing_ends_it() -> None:
    bench = Bench()
    await bench.near.aclose()
    await bench.run()
    assert isinstance(bench.end, SessionClosed)


async def test_a_writer_that_finds_the_end_leaves_it_to_the_reader_to_say_how() -> None:
    bench = Bench()
    bench.wire.put("lost")
    await bench.says("input_audio_buffer.cleared")
    await bench.far.aclose(1012, "restart")
    await bench.run()
    assert bench.taken == ["input_audio_buffer.cleared"]
    assert str(bench.end) == str(ConnectionLost(1012, "restart"))


async def test_a_blocked_writer_ends_with_the_reader() -> None:
    bench = Bench(capacity=1)
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        for frame in "abc":
            bench.wire.put(frame)
        await anyio.wait_all_tasks_blocked()
        assert not bench.over
        await bench.far.aclose(1011)
        with anyio.fail_after(1):
            while not bench.over:
                await anyio.lowlevel.checkpoint()


async def test_one_who_waited_goes_on_before_the_next_event_is_read() -> None:
    bench = Bench()
    bench.wakes = True
    await bench.says("input_audio_buffer.cleared", "input_audio_buffer.cleared")
    await bench.far.aclose()
    order: list[str] = []

    async def wait() -> None:
        while not bench.taken:
            await anyio.lowlevel.checkpoint()
        order.append(f"after {len(bench.taken)}")

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        group.start_soon(bench.run)
    assert order == ["after 1"]


async def test_a_connection_that_is_left_stays_open() -> None:
    bench = Bench()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        bench.wire.put("before")
        await anyio.wait_all_tasks_blocked()
        bench.link.leave()
        bench.wire.put("after")
        await anyio.wait_all_tasks_blocked()
    assert bench.over
    assert bench.end is None
    assert bench.far.waiting() == ("before",)
    await bench.near.send("it is open")
    await bench.says("input_audio_buffer.cleared")
    assert bench.far.waiting() == ("before", "it is open")
    assert bench.taken == []


async def test_cancelling_from_outside_is_no_end() -> None:
    bench = Bench()
    with anyio.move_on_after(0.01) as scope:
        await bench.run()
    assert scope.cancelled_caught
    assert not bench.over


async def test_what_the_taker_raises_ends_it_as_it_is() -> None:
    bench = Bench()
    await bench.says("input_audio_buffer.cleared")

    def fail(_: Any) -> bool:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        await bench.link.run(fail)


def test_it_needs_no_event_loop_before_it_is_used() -> None:
    near, _ = memory_pair()
    Link(near, events.GA, Wire()).leave()
