"""The WebSocket server on loopback, with a client of the same library."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websocket_serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from rtagent.agent import Agent
from rtagent.engine import EngineServer, serve
from rtagent.engine._brain import Decision, PlannedCall
from rtagent.errors import ConfigurationError, ConnectionLost, EndOfStream
from rtagent.transport import WebSocketTransport


async def tell(client: ClientConnection, kind: str, **fields: Any) -> None:
    await client.send(json.dumps({"type": kind, **fields}))


async def say(client: ClientConnection, text: str, modality: str = "text") -> None:
    content = [{"type": "input_text", "text": text}]
    await tell(
        client, "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )
    await tell(client, "response.create", response={"output_modalities": [modality]})


async def until(client: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        event: dict[str, Any] = json.loads(await client.recv())
        if event["type"] == kind:
            return event


async def test_a_text_turn(parts: Any):
    async with (
        serve(port=0, settings=parts.settings()) as server,
        connect(f"{server.url}?model=mine") as client,
    ):
        created = await until(client, "session.created")
        assert created["session"]["model"] == "mine"
        await say(client, "good day")
        done = await until(client, "response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "You said good day."


async def test_a_call_of_the_agents_tool(parts: Any):
    def light() -> str:
        """Switch the light on."""
        return "on"

    parts.brain.script = deque([Decision("", (PlannedCall("light", {}), PlannedCall("light", {})))])
    async with (
        serve(Agent(tools=[light]), port=0, settings=parts.settings()) as server,
        connect(server.url) as client,
    ):
        assert (await until(client, "session.created"))["session"]["tools"][0]["name"] == "light"
        await say(client, "light on")
        output = (await until(client, "response.done"))["response"]["output"]
        assert [item["name"] for item in output] == ["light", "light"]
        for call in output:
            item = {"type": "function_call_output", "call_id": call["call_id"], "output": "on"}
            await tell(client, "conversation.item.create", item=item)
        await tell(client, "response.create")
        assert (await until(client, "response.done"))["response"]["status"] == "completed"


async def test_a_real_agent_gives_the_session_its_first_configuration(parts: Any):
    def set_light(on: bool) -> str:
        """Switch the light."""
        return "on" if on else "off"

    agent = Agent(instructions="Be brief.", tools=[set_light])
    async with serve(agent, port=0, settings=parts.settings()) as server, connect(server.url) as client:
        session = (await until(client, "session.created"))["session"]
    assert session["instructions"] == "Be brief."
    assert [tool["name"] for tool in session["tools"]] == ["set_light"]


async def test_bad_input_does_not_end_the_session(parts: Any):  # S13
    async with serve(port=0, settings=parts.settings()) as server, connect(server.url) as client:
        for frame in ("{", "[]", "{}", '{"type":"no.such"}', b"\x00\xff", '{"type":"response.cancel"}'):
            await client.send(frame)
            assert (await until(client, "error"))["error"]["message"]
        await say(client, "good day")
        await until(client, "response.done")


async def test_several_clients_have_conversations_of_their_own(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server:

        async def talk(word: str) -> None:
            async with connect(server.url) as client:
                await say(client, word)
                done = await until(client, "response.done")
                assert done["response"]["output"][0]["content"][0]["text"] == f"You said {word}."

        async with anyio.create_task_group() as tasks:
            for word in ("one", "two", "three"):
                tasks.start_soon(talk, word)
        statistics = await settled(server)
        assert (statistics.served, statistics.events_received) == (3, 6)
        assert statistics.events_sent >= 3 * 8


async def settled(server: EngineServer) -> Any:
    """The statistics when the last client has gone."""
    with anyio.fail_after(5):
        while server.connections:
            await anyio.lowlevel.checkpoint()
    return server.statistics()


async def test_idle(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server, connect(server.url) as client:
        await say(client, "good day", "audio")
        await until(client, "response.created")
        await server.wait_idle()
        statistics = server.statistics()
        assert (statistics.connections, statistics.busy, statistics.events_received) == (1, False, 2)
        await until(client, "response.done")


async def test_a_full_server_turns_clients_away(parts: Any):
    async with serve(port=0, settings=parts.settings(max_clients=1)) as server, connect(server.url) as first:
        await until(first, "session.created")
        async with connect(server.url) as second:
            with pytest.raises(ConnectionClosed) as closed:
                await second.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        assert server.statistics().turned_away == 1


async def test_a_server_that_leaves_says_so(parts: Any):  # S20
    async with serve(port=0, settings=parts.settings()) as server:
        client = await connect(server.url)
        await until(client, "session.created")
    with pytest.raises(ConnectionClosed) as closed:
        await client.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the server is leaving")


@pytest.mark.parametrize("code", [1000, 1008])
async def test_a_client_that_leaves_is_forgotten(parts: Any, code: int):
    async with serve(port=0, settings=parts.settings()) as server:
        async with connect(server.url) as client:
            await until(client, "session.created")
            await client.close(code)
        assert (await settled(server)).connections == 0


async def test_a_client_that_vanishes_is_forgotten(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server:
        client = await connect(server.url)
        await until(client, "session.created")
        client.transport.abort()
        assert (await settled(server)).connections == 0


async def test_sending_to_a_client_that_has_left_is_a_loss():
    ends: list[EndOfStream | ConnectionLost] = []

    async def handler(connection: ServerConnection) -> None:
        transport = WebSocketTransport(connection)
        for use in (transport.receive(), transport.send("{}")):
            try:
                await use
            except (EndOfStream, ConnectionLost) as end:
                ends.append(end)

    async with websocket_serve(handler, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as client:
            await client.close(1000, "bye")
    assert [type(end) for end in ends] == [EndOfStream, ConnectionLost]
    assert [(end.code, end.reason) for end in ends] == [(1000, "bye")] * 2


async def test_an_oversized_frame_is_1009(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server, connect(server.url) as client:
        await client.send(["x" * 1024 * 1024] * 16 + ["x"])
        with pytest.raises(ConnectionClosed) as closed:
            await until(client, "never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_the_subprotocol_of_browsers(parts: Any):  # S2
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.x")]
    async with serve(port=0, settings=parts.settings()) as server:
        async with connect(server.url, subprotocols=offered) as browser:
            assert browser.subprotocol == "realtime"
        async with connect(server.url) as plain:
            assert plain.subprotocol is None


@pytest.mark.parametrize(
    "path", ["/v1/realtime", "/openai/v1/realtime?api-version=9&deployment=mine", "/realtime/"]
)
async def test_any_path_to_realtime(parts: Any, path: str):  # S1
    async with serve(port=0, settings=parts.settings()) as server:
        async with connect(f"ws://127.0.0.1:{server.port}{path}") as client:
            session = (await until(client, "session.created"))["session"]
        assert session["model"] == ("mine" if "mine" in path else "rtagent-local")


async def test_other_paths_are_not_found(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{server.port}/v1/other")
        assert refused.value.response.status_code == 404
        async with await anyio.connect_tcp("127.0.0.1", server.port) as browser:
            await browser.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join([piece async for piece in browser]).decode()
        assert answer.startswith("HTTP/1.1 404 ")
        assert answer.endswith("\r\n\r\nThe realtime endpoint is /v1/realtime.\n")


@pytest.mark.parametrize(
    ("query", "kind"), [("?intent=transcription", "transcription"), ("?intent=anything", "realtime")]
)
async def test_the_intent_of_the_url(parts: Any, query: str, kind: str):
    async with (
        serve(port=0, settings=parts.settings()) as server,
        connect(f"{server.url}{query}") as client,
    ):
        assert (await until(client, "session.created"))["session"]["type"] == kind


async def test_a_translation_is_refused_with_the_reason(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.url}/translations?model=any")
    assert refused.value.response.status_code == 404
    assert b"cannot translate: it has no language model" in (refused.value.response.body or b"")


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer secret"}, {"api-key": "secret"}], ids=["bearer", "api-key"]
)
async def test_a_key_lets_in(parts: Any, headers: dict[str, str]):  # S1
    async with (
        serve(port=0, settings=parts.settings(api_key="secret")) as server,
        connect(server.url, additional_headers=headers) as client,
    ):
        await until(client, "session.created")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret"}]
)
async def test_without_the_key_nobody_comes_in(parts: Any, headers: dict[str, str]):
    async with serve(port=0, settings=parts.settings(api_key="secret")) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.url, additional_headers=headers)
    assert refused.value.response.status_code == 401


async def test_a_port_in_use(parts: Any):
    async with serve(port=0, settings=parts.settings()) as server:
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1 port {server.port}"):
            async with serve(port=server.port, settings=parts.settings()):
                pass


async def test_an_address_of_version_6(parts: Any):
    server = EngineServer(parts.settings(), None)
    server.host, server.port = "::1", 8765
    assert server.url == "ws://[::1]:8765/v1/realtime"
