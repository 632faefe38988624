"""The scripted server fails on what it does not expect."""

from __future__ import annotations

import json

import pytest

from rtagent import events
from rtagent.errors import ConnectionLost, EndOfStream
from rtagent.testing import ScriptedServer, UnexpectedFrame, default_session
from rtagent.transport import MemoryTransport


async def sends(client: MemoryTransport, *sent: events.ClientEvent) -> None:
    for event in sent:
        await client.send(events.encode(event))


CLEAR = events.InputAudioBufferClear(event_id="e1")
COMMIT = events.InputAudioBufferCommit(event_id="e2")
AUDIO = events.InputAudioBufferAppend(audio="AAAA")


async def test_it_greets_with_a_session() -> None:
    async with ScriptedServer() as server:
        greeting = events.decode(await server.transport.receive())
        assert isinstance(greeting, events.SessionCreated)
        assert greeting.session == default_session()


async def test_it_greets_with_the_session_that_it_is_given_or_not_at_all() -> None:
    session = events.RealtimeSession(model="mine")
    async with ScriptedServer(session) as server:
        greeting = events.decode(await server.transport.receive())
        assert isinstance(greeting, events.SessionCreated)
        assert greeting.session == session
    async with ScriptedServer(greet=False) as server:
        assert server.transport.waiting() == ()


async def test_it_sends_events_objects_and_frames_as_they_are() -> None:
    async with ScriptedServer(greet=False) as server:
        await server.send(events.InputAudioBufferCleared(), {"type": "brand.new", "x": 1}, "{broken")
        received = [await server.transport.receive() for _ in range(3)]
        assert json.loads(received[0])["type"] == "input_audio_buffer.cleared"
        assert json.loads(received[1]) == {"type": "brand.new", "x": 1}
        assert received[2] == "{broken"


async def test_what_is_expected_is_handed_over_and_audio_is_put_aside() -> None:
    async with ScriptedServer() as server:
        await sends(server.transport, AUDIO, CLEAR, AUDIO, COMMIT, AUDIO)
        assert await server.expect(events.InputAudioBufferClear) == CLEAR
        assert await server.expect(events.InputAudioBufferCommit) == COMMIT
        assert (await server.expect(events.InputAudioBufferAppend)).pcm == bytes(3)
        assert bytes(server.appended) == bytes(9)


async def test_another_event_than_the_expected_fails() -> None:
    async with ScriptedServer() as server:
        await sends(server.transport, COMMIT)
        with pytest.raises(
            UnexpectedFrame, match="expected InputAudioBufferClear, got InputAudioBufferCommit"
        ):
            await server.expect(events.InputAudioBufferClear)


async def test_an_event_that_does_not_come_fails_in_time() -> None:
    async with ScriptedServer() as server:
        with pytest.raises(TimeoutError):
            await server.expect(events.InputAudioBufferClear, timeout=0.0)


async def test_leaving_the_block_fails_on_what_nobody_expected_except_audio() -> None:
    with pytest.raises(UnexpectedFrame, match="expected nothing, got InputAudioBufferClear"):
        async with ScriptedServer() as server:
            await sends(server.transport, AUDIO, CLEAR)
    async with ScriptedServer() as server:
        await sends(server.transport, AUDIO)


async def test_the_blocks_own_failure_comes_first() -> None:
    server = ScriptedServer()

    async def fail() -> None:
        async with server:
            await sends(server.transport, CLEAR)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_it_answers_an_update_with_what_was_asked_for() -> None:
    async with ScriptedServer(greet=False) as server:
        session = events.RealtimeSession(instructions="Be brief.")
        await sends(server.transport, events.SessionUpdate(session=session))
        assert (await server.configure()).session == session
        updated = events.decode(await server.transport.receive())
        assert isinstance(updated, events.SessionUpdated)
        assert isinstance(updated.session, events.RealtimeSession)
        assert updated.session.instructions == "Be brief."


async def test_it_ends_the_connection_with_a_code() -> None:
    async with ScriptedServer(greet=False) as server:
        await server.close(1011, "oops")
        with pytest.raises(ConnectionLost, match="oops"):
            await server.transport.receive()
    async with ScriptedServer(greet=False) as server:
        transport = server.transport
    with pytest.raises(EndOfStream):
        await transport.receive()
