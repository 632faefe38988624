"""The way of frames from the client."""

from __future__ import annotations

import anyio
import pytest

from rtagent.testing import Delay, Drop, FakeClock, SlowRead
from rtagent.testing._inbound import Inbound
from rtagent.testing._server_link import MemoryLink
from rtagent.transport import memory_pair


@pytest.mark.parametrize("frame", ["abcd", b"abcd"])
async def test_a_slow_reader_takes_so_many_bytes_each_second(frame: str | bytes) -> None:
    ours, theirs = memory_pair()
    clock = FakeClock()
    inbound, taken = Inbound(MemoryLink(theirs), clock), []
    inbound.strike(SlowRead(2))

    async def read() -> None:
        taken.append(await inbound.receive())

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await ours.send(frame)
        await clock.advance(1.9)
        assert taken == []
        await clock.advance(0.1)
        assert taken == ["abcd"]


async def test_without_faults_nothing_waits() -> None:
    ours, theirs = memory_pair()
    inbound = Inbound(MemoryLink(theirs), FakeClock())
    for other in (Drop(), Delay(1)):
        inbound.strike(other)
    await ours.send("a")
    with anyio.fail_after(5):
        assert await inbound.receive() == "a"
        await inbound.held()


async def test_a_delay_of_what_comes_in() -> None:
    clock, passed = FakeClock(), []
    inbound = Inbound(MemoryLink(memory_pair()[1]), clock)

    async def wait() -> None:
        await inbound.held()
        passed.append(clock.now())
        await inbound.held()
        passed.append(clock.now())

    inbound.strike(Delay(3, by="client"))
    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await clock.advance(5)
    assert passed == [3, 3]
