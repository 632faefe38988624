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
