"""The servers as a whole: greeting, frames, what is recorded, real sockets."""

from __future__ import annotations

import json

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK

from rtagent.errors import ConfigurationError, EndOfStream, SessionClosed
from rtagent.testing import VendorServer
from rtagent.testing._vendor_tables import VENDORS
from rtagent.transport import memory_pair

EVERY = tuple(VENDORS)
FLAT = tuple(name for name in EVERY if VENDORS[name].shape == "flat")


@pytest.mark.parametrize("profile", EVERY)
async def test_the_greeting_has_the_vendors_own_shape(profile: str) -> None:
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as group:
        group.start_soon(VendorServer(profile).serve, theirs)
        created = json.loads(await ours.receive())
        await ours.aclose()
    assert created["type"] == "session.created"
    if profile == "vllm":
        assert set(created) == {"type", "id", "created"}
        return
    session = created["session"]
    assert ("event_id" in created) is (profile != "glm")
    assert ("modalities" in session) is (profile in FLAT)
    if profile == "xai":
        assert session["turn_detection"]["type"] == "server_vad"
        assert "turn_detection" not in session["audio"]["input"]
    if profile == "stepfun":
        assert session["turn_detection"] is None
    if profile == "azure-voice-live":
        assert session["voice"]["type"] == "azure-standard"


@pytest.mark.parametrize("profile", ["vllm-omni", "xai", "beta"])
async def test_some_announce_the_conversation_too(profile: str) -> None:
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as group:
        group.start_soon(VendorServer(profile).serve, theirs)
        assert [json.loads(await ours.receive())["type"] for _ in range(2)] == [
            "session.created",
            "conversation.created",
        ]
        await ours.aclose()


async def test_an_older_build_of_xai_opens_with_the_conversation(talking) -> None:
    async with talking("xai", older=True) as (_, client):
        await client.send("response.cancel")
        assert (await client.next())["type"] == "error"


@pytest.mark.parametrize(("profile", "older"), [("nobody", False), ("openai", True)])
def test_a_server_that_nobody_knows(profile: str, older: bool) -> None:
    with pytest.raises(ConfigurationError, match=r"no .*server of"):
        VendorServer(profile, older=older)


@pytest.mark.parametrize("frame", ["{", "[]", "{}", '{"type":1}', '{"type":"no.such.event"}'])
async def test_what_is_no_event_is_an_error_and_not_the_end(talking, frame: str) -> None:
    async with talking("openai") as (server, client):
        await client.transport.send(frame)
        assert (await client.next())["type"] == "error"
        assert (await client.update(type="realtime"))["type"] == "session.updated"
    assert len(server.faults) == 1


@pytest.mark.parametrize(("profile", "faults"), [("vllm", 1), ("openai", 0)])
async def test_a_connection_that_is_dropped(profile: str, faults: int) -> None:
    server = VendorServer(profile)
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, theirs)
        await ours.receive()
        await ours.aclose(1006, "gone")
    assert server.ends == [(1006, "gone")]
    assert len(server.faults) == faults


async def test_a_server_that_is_closed_from_inside() -> None:
    server = VendorServer("openai")
    await server.close()
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, theirs)
        await ours.receive()
        await server.close(1001, "enough")
        with pytest.raises(EndOfStream, match="1001"):
            await ours.receive()
    assert server.ends == [(None, "")]


async def test_a_socket_that_the_server_closes() -> None:
    server = VendorServer("openai")
    async with server.run_websocket() as url:
        async with connect(url, compression=None) as socket:
            await socket.recv()
            await server.close(1001, "enough")
            with pytest.raises(ConnectionClosedOK):
                await socket.recv()
            assert socket.close_code == 1001
    assert server.faults == []


async def test_what_was_heard_and_said_can_be_read(talking) -> None:
    async with talking("openai", transcripts=["a story"]) as (server, client):
        await client.hear(12_000)
        await client.hear(6_000, 0)
        await client.until("response.output_audio.delta")
        server.release()
        await client.until("response.done")
    assert server.heard_ms == 750
    assert [len(turn) for turn in server.turns] == [2 * 18_000]
    assert [len(sound) for sound in server.spoken.values()] == [4 * 120 * 48]
    assert server.races == []


async def test_frames_of_the_tests_own(talking) -> None:
    async with talking("xai") as (server, client):
        await server.send_raw({"type": "input_audio_buffer.dtmf_event_received", "digit": "5"})
        assert (await client.next())["digit"] == "5"
        server.release()
    with pytest.raises(SessionClosed):
        await server.send_raw("{}")
    server.release()


async def test_the_log_says_what_was_sent(talking) -> None:
    async with talking("openai") as (server, client):
        await client.hear(10)
        await client.update(type="realtime")
    assert [event["type"] for event in server.log] == ["input_audio_buffer.append", "session.update"]
    assert server.log[0]["audio"] == 28
    assert [event["type"] for event in server.sent()] == ["session.update"]
    assert server.sent("input_audio_buffer.append") == server.log[:1]


@pytest.mark.parametrize("profile", EVERY)
async def test_each_is_served_over_a_socket(profile: str) -> None:
    server = VendorServer(profile)
    async with server.run_websocket() as url:
        async with connect(url, compression=None) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"
            await socket.send(b"{}")
            messages = [
                json.loads(await socket.recv())["type"] for _ in range(len(VENDORS[profile].greeting))
            ]
            assert messages[-1] == "error"
    assert server.paths == [VENDORS[profile].address]
    assert server.ends == [(1000, "")]
    assert server.faults == ["invalid_frame: binary frames are not taken"]


async def test_a_socket_that_goes_away_under_an_answer() -> None:
    server = VendorServer("openai")
    async with server.run_websocket() as url:
        async with connect(url, compression=None) as socket:
            await socket.recv()
            await socket.send('{"type":"response.create"}')
            await socket.recv()
            socket.transport.abort()
    assert server.ends == [(None, "")]
    assert server.faults == []
