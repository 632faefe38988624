"""One connection as a test sees it: what it remembers, and how it is driven by hand."""

from __future__ import annotations

import json

import pytest

from rtagent.errors import ConfigurationError, ConnectionLost, SessionClosed, Timeout
from rtagent.testing import (
    Drop,
)


async def test_what_the_client_sent_is_remembered(dialling) -> None:
    async with dialling() as (server, connection, client):
        await client.hear(240)
        await client.update(type="realtime")
        await client.send("response.cancel")
        await client.send("no.such.event")
        await client.until("error")
        await client.until("error")
    assert [event["type"] for event in connection.log][:2] == ["input_audio_buffer.append", "session.update"]
    assert [event["type"] for event in connection.sent()][:2] == ["session.update", "response.cancel"]
    assert len(connection.sent("session.update")) == 1
    assert (connection.heard_ms, len(connection.audio)) == (10, 480)
    assert connection.refusals == server.refusals == ["unknown_event: Unknown event type: no.such.event"]
    assert len(connection.races) == 1
    assert connection.ended == (1000, "")


@pytest.mark.parametrize("frame", ["{", "[]", "{}"])
async def test_what_is_no_event_is_an_error_and_not_the_end(dialling, frame: str) -> None:
    async with dialling() as (_, connection, client):
        await client.transport.send(frame)
        assert (await client.until("error"))[-1]["error"]["type"] == "invalid_request_error"
        assert connection.ended is None
    assert len(connection.refusals) == 1


async def test_the_server_can_be_driven_by_hand(dialling) -> None:
    async with dialling() as (_, connection, client):
        await client.next()
        await client.send("response.create", event_id="e")
        assert (await connection.wait_for("response.create", {"event_id": "e"}))["type"] == "response.create"
        with pytest.raises(Timeout):
            await connection.wait_for("response.create", timeout=0.001)
        await client.until("response.done")
        await connection.send({"type": "hello"})
        await connection.send("{")
        assert (await client.next())["type"] == "hello"
        with pytest.raises(json.JSONDecodeError):
            await client.next()
        await connection.close(4000, "enough")
        with pytest.raises(ConnectionLost, match="enough"):
            await client.next()
    assert connection.ended == (4000, "enough")
    for use in (connection.send({}), connection.send("")):
        with pytest.raises(SessionClosed, match="connection 1 has ended"):
            await use
    with pytest.raises(SessionClosed):
        connection.inject(Drop())
    with pytest.raises(ConfigurationError):
        await connection.close(1006)


async def test_a_connection_that_does_not_end(dialling) -> None:
    async with dialling() as (_, connection, _client):
        with pytest.raises(Timeout, match="the end of connection 1"):
            await connection.wait_ended(0.001)


async def test_what_it_holds_can_be_read(dialling) -> None:
    async with dialling() as (_, connection, client):
        assert connection.number == 1
        assert connection.path.startswith("/v1/realtime")
        assert connection.headers == {}
        await client.say("a story")
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        connection.release()
        await client.until("response.done")
        assert [item["role"] for item in connection.items] == ["user", "assistant"]
        assert list(connection.spoken) == [connection.items[-1]["id"]]


async def test_a_fault_can_be_injected_whatever_number_it_names(dialling) -> None:
    fault = Drop(connection=7)
    async with dialling() as (_, connection, client):
        await client.next()
        connection.inject(fault)
        assert await connection.wait_ended() == (1006, "")
    assert connection.faults_done == [fault]
