"""The in-memory pair keeps the contract of a transport."""

from __future__ import annotations

import anyio
import pytest

from rtagent.errors import ConnectionLost, EndOfStream, SessionClosed
from rtagent.transport import memory_pair


async def test_frames_arrive_in_order_in_both_directions() -> None:
    left, right = memory_pair()
    for number in range(5):
        await left.send(f"a{number}")
        await right.send(f"b{number}".encode())
    assert right.waiting() == ("a0", "a1", "a2", "a3", "a4")
    assert [await right.receive() for _ in range(5)] == ["a0", "a1", "a2", "a3", "a4"]
    assert [await left.receive() for _ in range(5)] == ["b0", "b1", "b2", "b3", "b4"]
    assert right.waiting() == ()


async def test_a_waiting_receiver_is_woken_by_a_frame() -> None:
    left, right = memory_pair()
    received: list[str | bytes] = []

    async def receive() -> None:
        received.append(await right.receive())

    async with anyio.create_task_group() as group:
        group.start_soon(receive)
        await anyio.wait_all_tasks_blocked()
        await left.send("hello")
    assert received == ["hello"]


async def test_a_full_lane_makes_the_sender_wait() -> None:
    left, right = memory_pair(capacity=2)
    sent: list[int] = []

    async def send() -> None:
        for number in range(4):
            await left.send(str(number))
            sent.append(number)

    async with anyio.create_task_group() as group:
        group.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        assert sent == [0, 1]
        assert await right.receive() == "0"
        await anyio.wait_all_tasks_blocked()
        assert sent == [0, 1, 2]
        assert [await right.receive() for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1000, EndOfStream),
        (1001, EndOfStream),
        (1006, ConnectionLost),
        (1011, ConnectionLost),
        (4000, ConnectionLost),
    ],
)
async def test_what_was_sent_can_still_be_read_and_then_comes_the_end(
    code: int, error: type[Exception]
) -> None:
    left, right = memory_pair()
    await left.send("last words")
    await left.aclose(code, "because")
    assert await right.receive() == "last words"
    with pytest.raises(error) as caught:
        await right.receive()
    assert (caught.value.code, caught.value.reason) == (code, "because")  # type: ignore[attr-defined]
    with pytest.raises(ConnectionLost) as lost:  # for who sends, even a clean end is a loss
        await right.send("too late")
    assert (lost.value.code, lost.value.reason) == (code, "because")


async def test_who_closed_is_told_so() -> None:
    left, _ = memory_pair()
    await left.aclose()
    with pytest.raises(SessionClosed):
        await left.receive()
    with pytest.raises(SessionClosed):
        await left.send("x")


async def test_closing_twice_or_second_changes_nothing() -> None:
    left, right = memory_pair()
    await left.aclose(1001, "first")
    await left.aclose(4000, "second")
    await right.aclose(4001, "third")
    with pytest.raises(EndOfStream, match=r"code 1001\): first"):
        await right.receive()
    with pytest.raises(SessionClosed):
        await left.receive()


async def test_closing_wakes_everybody_who_waits() -> None:
    left, _ = memory_pair(capacity=1)
    woken: list[str] = []

    async def receive_left() -> None:
        with pytest.raises(SessionClosed):
            await left.receive()
        woken.append("our receiver")

    async def send_right() -> None:
        await left.send("0")
        with pytest.raises(ConnectionLost):
            await left.send("1")
        woken.append("our sender")

    async with anyio.create_task_group() as group:
        group.start_soon(receive_left)
        group.start_soon(send_right)
        await anyio.wait_all_tasks_blocked()
        await left.aclose()
    assert sorted(woken) == ["our receiver", "our sender"]


async def test_the_other_sides_end_wakes_both_too() -> None:
    left, right = memory_pair(capacity=1)
    woken: list[str] = []

    async def receive() -> None:
        with pytest.raises(EndOfStream):
            await right.receive()
        woken.append("receiver")

    async def send() -> None:
        await right.send("0")
        with pytest.raises(ConnectionLost):
            await right.send("1")
        woken.append("sender")

    async with anyio.create_task_group() as group:
        group.start_soon(receive)
        group.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        await left.aclose()
    assert sorted(woken) == ["receiver", "sender"]
