"""The server's end of a connection, in memory and as a socket."""

from __future__ import annotations

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from rtagent.errors import ConnectionLost, EndOfStream
from rtagent.testing._server_link import MemoryLink, SocketLink
from rtagent.transport import memory_pair


async def test_memory_passes_frames_both_ways_and_closes() -> None:
    ours, theirs = memory_pair()
    link = MemoryLink(theirs)
    await link.send("a")
    assert await ours.receive() == "a"
    await ours.send("b")
    assert await link.receive() == "b"
    await link.leave(1001, "bye")
    with pytest.raises(EndOfStream, match="1001"):
        await ours.receive()


async def test_memory_that_is_dropped_is_lost() -> None:
    ours, theirs = memory_pair()
    link = MemoryLink(theirs)
    link.freeze()
    assert link.frozen
    await link.leave(None, "")
    with pytest.raises(ConnectionLost, match="1006"):
        await ours.receive()


@pytest.fixture
async def pair():
    """A client's socket, and the link at its other end."""
    links: list[SocketLink] = []
    over = anyio.Event()

    async def connected(socket: ServerConnection) -> None:
        links.append(SocketLink(socket))
        await over.wait()

    async with serve(connected, "127.0.0.1", 0, ping_interval=None, close_timeout=6) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", ping_interval=None, close_timeout=6) as client:
            while not links:
                await anyio.lowlevel.checkpoint()
            yield client, links[0]
            over.set()


async def test_a_socket_passes_frames_both_ways(pair) -> None:
    client, link = pair
    await link.send("a")
    assert await client.recv() == "a"
    await client.send("b")
    assert await link.receive() == "b"


async def test_a_socket_closes_although_frames_wait_to_be_read(pair) -> None:
    client, link = pair
    for _ in range(100):
        await client.send("x" * 1_000)
    await link.leave(4000, "bye")
    assert link._socket.protocol.close_rcvd is not None  # it was answered, not given up
    with pytest.raises(ConnectionClosed):
        await client.recv()
    assert (client.close_code, client.close_reason) == (4000, "bye")


async def test_a_socket_that_is_dropped_says_nothing(pair) -> None:
    client, link = pair
    await link.leave(None, "")
    with pytest.raises(ConnectionClosed) as caught:
        await client.recv()
    assert caught.value.rcvd is None


async def test_a_frozen_socket_answers_no_ping(pair) -> None:
    client, link = pair
    await (await client.ping())
    link.freeze()
    with pytest.raises(TimeoutError), anyio.fail_after(0.05):
        await (await client.ping())
    assert link.frozen
    await link.leave(None, "")
