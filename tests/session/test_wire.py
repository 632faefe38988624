"""The outgoing queue: control events keep their order, audio gives way when it is old."""

from __future__ import annotations

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConnectionLost, LocalProtocolError, SessionClosed
from rtagent.session import _wire as module
from rtagent.session._wire import Wire, WireStatistics
from rtagent.transport import MemoryTransport, memory_pair


def connected() -> Wire:
    wire = Wire()
    wire.connect()
    return wire


async def written(wire: Wire, near: MemoryTransport, far: MemoryTransport) -> list[str]:
    """Let the wire write until it rests; what arrived."""
    async with anyio.create_task_group() as group:
        group.start_soon(wire.run, near)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    return list(far.waiting())


async def test_everything_leaves_in_the_order_in_which_it_was_put() -> None:
    near, far = memory_pair()
    wire = connected()
    wire.put("a")
    assert wire.put_audio("b", 20.0) == 0.0
    wire.put("c")
    assert wire.statistics() == WireStatistics(0, 3, 20.0, 0.0)
    assert not wire.idle
    assert await written(wire, near, far) == ["a", "b", "c"]
    assert wire.statistics() == WireStatistics(3, 0, 0.0, 0.0)
    assert wire.idle


async def test_a_source_that_can_wait_waits_until_there_is_room() -> None:
    near, far = memory_pair()
    wire = connected()
    await wire.wait_room()
    for _ in range(20):
        wire.put_audio("x", 100.0)
    passed = False

    async def wait() -> None:
        nonlocal passed
        await wire.wait_room()
        passed = True

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        assert not passed
        group.start_soon(wire.run, near)
        await anyio.wait_all_tasks_blocked()
        assert passed
        group.cancel_scope.cancel()
    assert len(list(far.waiting())) == 20


async def test_the_writer_waits_for_more() -> None:
    near, far = memory_pair()
    wire = connected()
    async with anyio.create_task_group() as group:
        group.start_soon(wire.run, near)
        for frame in "ab":
            await anyio.wait_all_tasks_blocked()
            wire.put(frame)
            assert await far.receive() == frame
            wire.put_audio("sound", 20.0)
            assert await far.receive() == "sound"
        group.cancel_scope.cancel()


async def test_a_frame_that_the_network_has_not_taken_is_under_way() -> None:
    near, far = memory_pair(capacity=1)
    wire = connected()
    wire.put("a")
    wire.put("b")
    async with anyio.create_task_group() as group:
        group.start_soon(wire.run, near)
        await anyio.wait_all_tasks_blocked()
        assert wire.statistics() == WireStatistics(1, 0, 0.0, 0.0)
        assert not wire.idle
        assert await far.receive() == "a"
        await anyio.wait_all_tasks_blocked()
        assert wire.idle
        group.cancel_scope.cancel()


async def test_the_oldest_audio_gives_way_and_is_counted_and_control_never_does() -> None:
    near, far = memory_pair()
    wire = connected()
    wire.put("first")
    dropped = [wire.put_audio(f"audio {number}", 1000.0) for number in range(5)]
    wire.put("middle")
    dropped += [wire.put_audio(f"audio {number}", 1000.0) for number in range(5, 8)]
    wire.put("last")
    assert dropped == [0.0] * 5 + [1000.0] * 3
    assert wire.statistics() == WireStatistics(0, 8, 5000.0, 3000.0)
    assert await written(wire, near, far) == [
        "first",
        "audio 3",
        "audio 4",
        "middle",
        "audio 5",
        "audio 6",
        "audio 7",
        "last",
    ]


async def test_a_large_piece_drops_as_many_small_ones_as_it_needs() -> None:
    near, far = memory_pair()
    wire = connected()
    for number in range(4):
        wire.put_audio(str(number), 1000.0)
    assert wire.put_audio("large", 3000.0) == 2000.0
    assert wire.put_audio("longer than all", 9000.0) == 5000.0
    assert await written(wire, near, far) == ["longer than all"]


async def test_rounding_leaves_no_audio_that_is_not_there() -> None:
    near, far = memory_pair()
    wire = connected()
    for ms in (0.1, 0.2, 0.3):
        wire.put_audio("x", ms)
    await written(wire, near, far)
    assert 0.0 < wire.statistics().audio_waiting_ms < 1e-9  # what the sum of such figures leaves
    assert wire.put_audio("y", 6000.0) == 0.0
    assert wire.statistics().audio_waiting_ms == 6000.0


async def test_empty_audio_is_no_control_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTROL_CAPACITY", 1)
    near, far = memory_pair()
    wire = connected()
    wire.put_audio("empty", 0.0)
    assert await written(wire, near, far) == ["empty"]
    wire.put("a")
    with pytest.raises(LocalProtocolError):
        wire.put("b")


async def test_too_many_control_events_are_refused_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CONTROL_CAPACITY", 2)
    near, far = memory_pair()
    wire = connected()
    wire.put("a")
    wire.put_audio("sound", 20.0)
    wire.put("b")
    with pytest.raises(LocalProtocolError, match="2 events wait to be sent: the other side does not read"):
        wire.put("c")
    assert wire.put_audio("more sound", 20.0) == 0.0
    assert await written(wire, near, far) == ["a", "sound", "b", "more sound"]
    wire.put("d")


@pytest.mark.parametrize(("ours", "error"), [(True, SessionClosed), (False, ConnectionLost)])
async def test_the_end_of_the_transport_ends_the_writer(ours: bool, error: type[Exception]) -> None:
    near, far = memory_pair()
    wire = connected()
    wire.put("a")
    await (near if ours else far).aclose(1011)
    with pytest.raises(error):
        await wire.run(near)


# -- connections come and go --------------------------------------------------------------------------


def event(number: int) -> events.ClientEvent:
    return events.ResponseCancel(event_id=f"evt_{number}")


async def test_what_was_not_written_comes_back_in_its_order_without_the_audio() -> None:
    wire = connected()
    wire.put("1", event(1))
    wire.put_audio("sound", 20.0)
    wire.put("2", event(2))
    wire.put("audio said again")
    wire.put("3", event(3))
    assert [unsent.event_id for unsent in wire.disconnect()] == ["evt_1", "evt_2", "evt_3"]
    assert wire.statistics() == WireStatistics(0, 0, 0.0, 0.0)
    assert wire.idle
    assert wire.disconnect() == []


async def test_without_a_connection_no_audio_is_queued() -> None:
    near, far = memory_pair()
    wire = connected()
    wire.disconnect()
    assert wire.put_audio("lost", 9_000.0) == 0.0
    assert wire.statistics() == WireStatistics(0, 0, 0.0, 0.0)
    wire.connect()
    assert wire.put_audio("heard", 20.0) == 0.0
    assert await written(wire, near, far) == ["heard"]


async def test_what_is_written_next_goes_to_the_next_connection() -> None:
    (first, first_far), (second, second_far) = memory_pair(), memory_pair()
    wire = connected()
    wire.put("a")
    assert await written(wire, first, first_far) == ["a"]
    wire.put("b", event(1))
    assert len(wire.disconnect()) == 1
    wire.connect()
    wire.put("c")
    assert await written(wire, second, second_far) == ["c"]
    assert list(first_far.waiting()) == ["a"]
    assert wire.statistics().frames_sent == 2


async def test_a_frame_that_was_under_way_when_the_connection_ended_is_not_under_way_any_more() -> None:
    near, far = memory_pair(capacity=1)
    wire = connected()
    wire.put("a")
    wire.put("b")
    await written(wire, near, far)
    assert not wire.idle
    wire.disconnect()
    assert wire.idle


async def test_room_is_where_there_is_a_connection() -> None:
    near, _ = memory_pair()
    wire = connected()
    for _ in range(20):
        wire.put_audio("x", 100.0)
    passed = False

    async def wait() -> None:
        nonlocal passed
        await wire.wait_room()
        passed = True

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        wire.disconnect()
        await anyio.wait_all_tasks_blocked()
        assert not passed
        wire.connect()
        await anyio.wait_all_tasks_blocked()
        assert passed
    await near.aclose()


async def test_room_can_mean_less() -> None:
    near, far = memory_pair(capacity=1)
    wire = connected()
    for _ in range(3):
        wire.put_audio("x", 200.0)
    passed: list[float] = []

    async def wait(room_ms: float) -> None:
        await wire.wait_room(room_ms)
        passed.append(room_ms)

    async with anyio.create_task_group() as group:
        group.start_soon(wait, 500.0)
        group.start_soon(wait, 100.0)
        await anyio.wait_all_tasks_blocked()
        assert passed == []
        group.start_soon(wire.run, near)
        await anyio.wait_all_tasks_blocked()
        assert passed == [500.0]
        await far.receive()
        await anyio.wait_all_tasks_blocked()
        assert passed == [500.0, 100.0]
        group.cancel_scope.cancel()


async def test_audio_that_is_said_again_is_never_dropped() -> None:
    near, far = memory_pair()
    wire = connected()
    for number in range(100):
        wire.put(f"again {number}")
    assert wire.statistics().audio_waiting_ms == 0.0
    dropped = sum(wire.put_audio(f"live {number}", 1_000.0) for number in range(7))
    assert dropped == 2_000.0
    arrived = await written(wire, near, far)
    assert arrived == [f"again {number}" for number in range(100)] + [
        f"live {number}" for number in range(2, 7)
    ]
