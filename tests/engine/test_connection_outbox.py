"""What waits for the network."""

from __future__ import annotations

import anyio

from rtagent.engine._connection_outbox import OUTBOX_BYTES, Bell, Outbox


async def test_the_outbox_says_when_there_is_room():
    outbox = Outbox(Bell())
    await outbox.wait_room()
    outbox.put("x" * OUTBOX_BYTES)
    with anyio.move_on_after(0) as waited:
        await outbox.wait_room()
    assert waited.cancelled_caught
    assert await outbox.take() == "x" * OUTBOX_BYTES
    await outbox.wait_room()
    assert not outbox.empty
    outbox.sent()
    await outbox.wait_empty()
    assert outbox.empty


async def test_who_waits_is_woken_by_what_he_waits_for():
    outbox = Outbox(Bell())
    seen: list[str] = []

    async def wait_for_room() -> None:
        await outbox.wait_room()
        seen.append("room")

    async def wait_until_empty() -> None:
        await outbox.wait_empty()
        seen.append("empty")

    async def write() -> None:
        for _ in range(2):
            seen.append(await outbox.take())
            outbox.sent()

    full = "x" * OUTBOX_BYTES
    outbox.put(full)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_for_room)
        tasks.start_soon(wait_until_empty)
        await anyio.wait_all_tasks_blocked()
        assert seen == []
        tasks.start_soon(write)
        await anyio.wait_all_tasks_blocked()
        assert sorted(seen) == ["empty", "room", full]
        outbox.put("last")
    assert seen[-1] == "last"
