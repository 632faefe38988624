"""The server as a whole: connections side by side, real sockets, real sessions, what ends its block."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import rtagent
from rtagent import Agent, tool
from rtagent.errors import ConfigurationError, ConnectionFailed, ConnectionLost, SessionClosed, Timeout
from rtagent.session import Session
from rtagent.testing import (
    Drop,
    Expect,
    HalfOpen,
    Malformed,
    RealtimeServer,
    Refuse,
    Send,
    UnexpectedFrame,
)
from rtagent.testing._vendor_tables import VENDORS
from rtagent.transport import MemoryTransport


@tool
def light() -> str:
    """Switch the light."""
    return "it burns"


async def read_all(transport: MemoryTransport) -> None:
    """Read until the connection ends, which raises."""
    while True:
        await transport.receive()


def ids(frames: list[str]) -> list[str]:
    """Every id of events, sessions, responses, items and calls in them."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(value[name] for name in ("event_id",) if name in value)
            if value.get("object") in ("realtime.session", "realtime.response", "realtime.item"):
                found.append(value["id"])
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    for frame in frames:
        look(json.loads(frame))
    return found


async def test_a_session_over_a_socket() -> None:
    async with RealtimeServer(transcripts=["the tool please"], arguments={}) as server:
        async with rtagent.connect(Agent(tools=[light]), endpoint=server.endpoint) as session:
            await session.say("hello")
            response = await session.respond(timeout=5)
            assert response.text == "You said hello"
        connection = server.connections[0]
    assert connection.ended == (1000, "")
    assert connection.path.startswith("/v1/realtime?model=")
    assert connection.headers["authorization"] == "Bearer test-key"
    assert server.refusals == []
    assert [event["type"] for event in server.sent()] == [event["type"] for event in connection.sent()]


async def test_a_session_in_memory() -> None:
    async with RealtimeServer(over="memory") as server:
        async with Session(await server.dial(), Agent(tools=[light])) as session:
            response = await session.respond(timeout=5)
            assert response.status == "completed"
    assert server.connections[0].ended == (1000, "")
    assert len(server.sent("response.create")) == 1


@pytest.mark.parametrize("profile", VENDORS)
async def test_every_vendor_is_served_over_a_socket(profile: str) -> None:
    async with RealtimeServer(profile) as server:
        async with connect(server.url) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"
        assert server.endpoint.dialect.name == profile
        assert await server.connections[0].wait_ended() == (1000, "")


async def test_two_connections_at_the_same_time_have_nothing_in_common() -> None:
    async with RealtimeServer(over="memory", transcripts=["one", "two"]) as server:
        first, second = await server.dial(), await server.dial()
        for transport in (first, second):
            await transport.send('{"type": "response.create"}')
        frames: list[list[str]] = [[], []]
        for transport, got in zip((first, second), frames, strict=True):
            while "response.done" not in (got or [""])[-1]:
                got.append(str(await transport.receive()))
        assert [connection.number for connection in server.connections] == [1, 2]
        assert server.current.number == 2
        await second.aclose()
        await server.connections[1].wait_ended()
        assert server.current.number == 1
        assert [len(connection.items) for connection in server.connections] == [1, 1]
        assert len(server.log) == 2
    assert set(ids(frames[0])).isdisjoint(ids(frames[1]))
    assert server.connections[0].ended == (1001, "the server is going away")


async def test_two_sockets_at_the_same_time() -> None:
    async with RealtimeServer() as server:
        async with rtagent.connect(endpoint=server.endpoint) as old:
            await old.say("a story")

            async def talk() -> None:
                assert (await old.respond(timeout=5)).text == "You said a story"

            async with anyio.create_task_group() as group:
                group.start_soon(talk)
                await server.connections[0].wait_for("response.create")
                async with rtagent.connect(endpoint=server.endpoint) as new:
                    assert (await new.respond(timeout=5)).status == "completed"
                    assert [connection.ended for connection in server.connections] == [None, None]
                server.connections[0].release()
        assert [connection.ended for connection in server.connections] == [(1000, ""), (1000, "")]


async def test_what_was_restored_can_be_read() -> None:
    agent = Agent(tools=[light])
    async with RealtimeServer() as server:
        async with rtagent.connect(agent, endpoint=server.endpoint) as session:
            for text in ("use the tool", "hello"):
                await session.say(text)
                await session.respond(timeout=5)
            earlier = session.history.snapshot()
        async with rtagent.connect(agent, endpoint=server.endpoint, history=earlier):
            before, after = server.connections
            assert [item["id"] for item in after.items] == [item["id"] for item in before.items]
            assert len(after.items) == 6
    assert server.refusals == []


async def test_connections_are_given_out_once_each() -> None:
    async with RealtimeServer(over="memory") as server:
        await server.dial()
        await server.dial()
        assert [(await server.next_connection()).number for _ in range(2)] == [1, 2]
        with pytest.raises(Timeout, match="connection 3"):
            await server.next_connection(timeout=0.001)

        async with anyio.create_task_group() as group:
            numbers = []

            async def wait() -> None:
                numbers.append((await server.next_connection()).number)

            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            await server.dial()
        assert numbers == [3]


async def test_handshakes_that_are_refused_over_a_socket() -> None:
    async with RealtimeServer(faults=[Refuse(503, times=2)]) as server:
        for _ in range(2):
            with pytest.raises(ConnectionFailed) as caught:
                async with rtagent.connect(endpoint=server.endpoint):
                    pass
            assert (caught.value.status, caught.value.retryable) == (503, True)
        assert server.refused == 2
        assert server.undone == []
        async with rtagent.connect(endpoint=server.endpoint):
            assert len(server.connections) == 1


async def test_handshakes_that_are_refused_in_memory() -> None:
    async with RealtimeServer(over="memory", faults=[Refuse(401, connection=2)]) as server:
        await server.dial()
        with pytest.raises(ConnectionFailed) as caught:
            await server.dial()
        assert (caught.value.status, caught.value.retryable) == (401, False)
        await server.dial()
        server.inject(Refuse())
        with pytest.raises(ConnectionFailed):
            await server.dial()
    assert len(server.connections) == 2


async def test_faults_belong_to_connections() -> None:
    second, every, third = Drop(connection=2), Malformed(connection=None), Drop(connection=3)
    async with RealtimeServer(over="memory", faults=[second, every]) as server:
        first = await server.dial()
        assert "bro" in str(await first.receive())
        server.inject(third)
        assert server.undone == [second, third]
        for _ in range(2):
            lost = await server.dial()
            with pytest.raises(ConnectionLost):
                await read_all(lost)
        with pytest.raises(SessionClosed):
            server.inject(third)
        server.inject(Drop(connection=None))
        with pytest.raises(ConnectionLost):
            await read_all(first)
    assert server.undone == []


async def test_a_socket_that_is_dropped() -> None:
    async with RealtimeServer(faults=[Drop(on="response.output_audio.delta", nth=2)]) as server:
        with pytest.raises(ConnectionLost):
            async with rtagent.connect(endpoint=server.endpoint, reconnect=None) as session:
                await session.respond(timeout=5)
        assert await server.connections[0].wait_ended() == (1006, "")
        async with rtagent.connect(endpoint=server.endpoint) as session:
            assert (await session.respond(timeout=5)).status == "completed"


async def test_a_socket_that_is_half_open_answers_no_ping() -> None:
    async with RealtimeServer() as server:
        async with connect(server.url, close_timeout=0.05, ping_interval=None) as socket:
            await socket.recv()
            server.inject(HalfOpen())
            await anyio.wait_all_tasks_blocked()
            await socket.send('{"type": "response.create"}')
            with pytest.raises(TimeoutError), anyio.fail_after(0.05):
                await (await socket.ping())
            assert server.log == []
            assert server.connections[0].ended is None
    assert server.connections[0].ended == (1006, "")


async def test_a_server_that_goes_away_says_so() -> None:
    async with RealtimeServer() as server:
        socket = await connect(server.url)
        await socket.recv()
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert (socket.close_code, socket.close_reason) == (1001, "the server is going away")


async def test_where_it_is_before_and_after_its_block() -> None:
    server = RealtimeServer()
    with pytest.raises(ConfigurationError, match="async with it first"):
        server.url  # noqa: B018
    with pytest.raises(SessionClosed):
        await server.dial()
    async with RealtimeServer(over="memory") as server:
        with pytest.raises(ConfigurationError, match="dial"):
            server.endpoint  # noqa: B018
        with pytest.raises(SessionClosed, match="no connection"):
            server.current  # noqa: B018
    with pytest.raises(SessionClosed):
        await server.dial()
    with pytest.raises(ConfigurationError, match="no server of 'nobody' is known"):
        RealtimeServer("nobody")


# -- scripts -----------------------------------------------------------------------------------------


async def test_each_connection_has_its_script_and_the_others_a_mind() -> None:
    scripts = [[Send({"type": "one"})], [], [Send({"type": "three"})]]
    async with RealtimeServer(over="memory", script=scripts) as server:
        said = []
        for _ in range(4):
            transport = await server.dial()
            await transport.receive()
            await transport.send('{"type": "input_audio_buffer.append", "audio": "AAAA"}')
            await anyio.wait_all_tasks_blocked()
            said.append([json.loads(frame)["type"] for frame in transport.waiting()])
    assert said == [["one"], [], ["three"], []]


async def test_steps_that_are_left_fail_the_block() -> None:
    with pytest.raises(UnexpectedFrame) as caught:
        async with RealtimeServer(over="memory", script=[[Expect("a")], [Expect("b")]]) as server:
            await server.dial()
    assert str(caught.value).splitlines() == [
        "connection 1: step 1 of 1, Expect(kind='a', where=None) was never done",
        "connection 2: step 1 of 1, Expect(kind='b', where=None) was never done",
    ]


async def test_an_unexpected_event_fails_the_block_also_when_it_came_last() -> None:
    with pytest.raises(UnexpectedFrame, match="nothing more was expected"):  # noqa: PT012 - its end is what raises
        async with RealtimeServer(over="memory", script=[Expect("a")]) as server:
            transport = await server.dial()
            await transport.send('{"type": "a"}')
            for _ in range(200):
                await transport.send('{"type": "input_audio_buffer.append", "audio": "AAAA"}')
            await transport.send('{"type": "b"}')
            await transport.aclose()


async def test_an_unexpected_event_that_came_last_over_a_socket() -> None:
    with pytest.raises(UnexpectedFrame, match="nothing more was expected"):  # noqa: PT012 - its end raises
        async with RealtimeServer(script=[Expect("a")]) as server:
            async with connect(server.url) as socket:
                await socket.recv()
                for kind in ("a", *["input_audio_buffer.append"] * 10, "b"):
                    await socket.send(json.dumps({"type": kind}))


async def test_an_unexpected_event_is_told_with_the_failure_that_it_caused() -> None:
    with pytest.raises(UnexpectedFrame, match="'a'") as caught:  # noqa: PT012 - its end is what raises
        async with RealtimeServer(over="memory", script=[Expect("a")]) as server:
            transport = await server.dial()
            await transport.send('{"type": "b"}')
            await read_all(transport)
    assert isinstance(caught.value.__cause__, ConnectionLost)


async def test_a_failure_of_the_block_is_told_what_was_left() -> None:
    with pytest.raises(RuntimeError) as caught:
        async with RealtimeServer(over="memory", script=[Expect("a")]):
            raise RuntimeError
    assert caught.value.__notes__ == [
        "connection 1: step 1 of 1, Expect(kind='a', where=None) was never done"
    ]


async def test_a_lenient_server_only_notes_what_is_left() -> None:
    async with RealtimeServer(over="memory", script=[Expect("a")], strict=False) as server:
        pass
    assert server.refusals == ["connection 1: step 1 of 1, Expect(kind='a', where=None) was never done"]


async def test_a_script_that_fails_by_itself_fails_the_block() -> None:
    def broken(received: dict[str, Any]) -> str:
        raise LookupError

    with pytest.raises(LookupError):  # noqa: PT012 - its end is what raises
        async with RealtimeServer(over="memory", script=[Send(broken)]) as server:
            await server.dial()
            await server.connections[0].wait_ended()
    with pytest.RaisesGroup(LookupError, LookupError):
        async with RealtimeServer(over="memory", script=[[Send(broken)], [Send(broken)]]) as server:
            await server.dial()
            await server.dial()


async def test_a_block_that_is_cancelled_ends_at_once() -> None:
    with anyio.fail_after(5):
        with anyio.CancelScope() as scope:
            async with RealtimeServer(script=[Expect("a")]) as server:
                async with connect(server.url) as socket:
                    await socket.recv()
                    scope.cancel()
                    await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert server.connections[0].ended is not None
