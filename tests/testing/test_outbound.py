"""The way of frames to the client."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from rtagent.errors import ConnectionLost
from rtagent.testing import Close, Delay, Drop, Duplicate, FakeClock, Fault, HalfOpen, SlowWrite
from rtagent.testing._fault_lane import Leave
from rtagent.testing._fault_watch import FaultWatch
from rtagent.testing._outbound import CAPACITY, Outbound


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.frozen = False
        self.frames: list[str] = []
        self.lost = False

    async def send(self, frame: str) -> None:
        if self.lost:
            raise ConnectionLost
        self.frames.append(frame)

    async def receive(self) -> str | bytes:
        raise NotImplementedError

    async def leave(self, code: int | None, reason: str) -> None:
        raise NotImplementedError

    def freeze(self) -> None:
        self.frozen = True


class Bench:
    def __init__(self, *faults: Fault) -> None:
        self.wire, self.clock, self.watch = Wire(), FakeClock(), FaultWatch(faults)
        self.outbound = Outbound(
            self.wire,
            self.clock,
            self.watch,
            strike=self.strike,
            expired=lambda reason: [reason],
            aliases={"old.name": "new.name"},
        )
        self.left: list[Leave] = []

    def strike(self, fault: Fault) -> None:
        self.outbound.strike(fault)

    async def run(self) -> None:
        self.left.append(await self.outbound.run())

    async def send(self, *kinds: str) -> None:
        for kind in kinds:
            await self.outbound.send(json.dumps({"type": kind}))

    @property
    def written(self) -> list[Any]:
        return [json.loads(frame)["type"] for frame in self.wire.frames]


async def test_frames_are_written_in_order_until_the_server_leaves() -> None:
    bench = Bench()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("a", "b")
        await bench.outbound.send(b'{"type": "c"}')
        bench.outbound.leave(1001, "bye")
        assert bench.outbound.over
        await bench.send("d")
    assert bench.written == ["a", "b", "c"]
    assert bench.left == [Leave(1001, "bye")]


async def test_faults_strike_at_the_event_that_they_name() -> None:
    bench = Bench(Duplicate(on="b"), Close(1011, on="d"))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("a", "b", "c", "d", "e")
    assert bench.written == ["a", "b", "b", "c"]
    assert bench.left == [Leave(1011)]


async def test_an_event_is_known_by_both_of_its_names() -> None:
    bench = Bench(Duplicate(on="old.name"), Duplicate(on="new.name", nth=2))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("old.name", "old.name")
        bench.outbound.leave(None, "")
    assert len(bench.written) == 4


@pytest.mark.parametrize("frame", ["{", "[]", '"text"'])
async def test_what_is_no_event_passes(frame: str) -> None:
    bench = Bench()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.outbound.send(frame)
        bench.outbound.leave(None, "")
    assert bench.wire.frames == [frame]


async def test_a_delay_holds_the_event_and_all_behind_it() -> None:
    bench = Bench(Delay(2, on="b"), Delay(2, on="c"))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("a", "b")
        await bench.clock.advance(1)
        await bench.send("c")
        assert bench.written == ["a"]
        await bench.clock.advance(1)
        assert bench.written == ["a", "b"]
        await bench.clock.advance(0.9)
        assert bench.written == ["a", "b"]
        await bench.clock.advance(0.1)  # the second delay ran beside the first
        assert bench.written == ["a", "b", "c"]
        bench.outbound.leave(None, "")


async def test_a_slow_wire_writes_so_many_bytes_each_second() -> None:
    bench = Bench()
    bench.outbound.strike(SlowWrite(13))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("a", "b")  # 13 bytes each
        await bench.clock.advance(0.9)
        assert bench.written == []
        await bench.clock.advance(0.1)
        assert bench.written == ["a"]
        await bench.clock.advance(1)
        assert bench.written == ["a", "b"]
        bench.outbound.leave(None, "")


async def test_what_waits_can_be_thrown_away() -> None:
    bench = Bench(Delay(60, on="a"))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("a", "b")
        bench.outbound.forget()
        bench.outbound.strike(Drop())
    assert bench.written == []
    assert bench.left == [Leave()]


async def test_a_half_open_connection_writes_nothing_and_can_be_left() -> None:
    bench = Bench(HalfOpen(on="b"))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.send("a", "b", "c")
        await anyio.wait_all_tasks_blocked()
        assert bench.wire.frozen
        bench.outbound.leave(1001, "")
    assert bench.written == ["a"]


async def test_too_much_that_waits_holds_the_server() -> None:
    bench = Bench(Delay(1, on="0"))
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        group.start_soon(bench.send, *map(str, range(CAPACITY + 5)))
        await anyio.wait_all_tasks_blocked()
        assert len(bench.outbound._acts) == CAPACITY + 1
        await bench.clock.advance(1)
        await anyio.wait_all_tasks_blocked()
        assert len(bench.written) == CAPACITY + 5
        bench.outbound.leave(None, "")


async def test_a_client_that_vanished_ends_the_writing() -> None:
    bench = Bench()
    bench.wire.lost = True
    await bench.send("a")
    with pytest.raises(ConnectionLost):
        await bench.outbound.run()
