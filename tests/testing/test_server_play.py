"""What answers on a connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from rtagent.errors import ConnectionLost, EndOfStream
from rtagent.testing import (
    End,
    Expect,
    FakeClock,
    LateCancelError,
    Pause,
    RateLimit,
    Send,
    UnexpectedFrame,
)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_a_session_has_an_id_and_an_end_of_its_own(dialling) -> None:
    async with dialling(session_seconds=60) as (server, _, client):
        first = (await client.next())["session"]
        other = await server.dial()
        second = await other.receive()
        await other.aclose()
    assert first["id"] not in second
    assert abs(first["expires_at"] - datetime.now(UTC).timestamp() - 60) < 5


async def test_a_mind_answers_and_remembers(dialling) -> None:
    async with dialling() as (_, connection, client):
        await client.say("hello")
        await client.send("response.create")
        events = await client.until("response.done")
        assert [(item["role"], item["status"]) for item in connection.items] == [
            ("user", "completed"),
            ("assistant", "completed"),
        ]
    assert connection.items[1]["id"] == events[-1]["response"]["output"][0]["id"]
    assert list(connection.spoken) == [connection.items[1]["id"]]


async def test_an_answer_in_the_middle_is_held_as_such(dialling) -> None:
    async with dialling() as (_, connection, client):
        await client.say("a story")
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        assert connection.items[-1]["status"] == "in_progress"
        connection.release()
        await client.until("response.done")
        assert connection.items[-1]["status"] == "completed"


async def test_the_next_response_fails_for_its_rate_limit(dialling) -> None:
    fault = RateLimit("slower, please")
    async with dialling(faults=[fault]) as (server, connection, client):
        await client.next()
        await client.send("response.create", response={"metadata": {"a": "b"}})
        created, done = await client.until("response.done")
        assert (created["type"], created["response"]["status"]) == ("response.created", "in_progress")
        response = done["response"]
        assert response["id"] == created["response"]["id"]
        assert (response["status"], response["output"]) == ("failed", [])
        assert response["metadata"] == {"a": "b"}
        assert response["status_details"]["error"] == {
            "type": "rate_limit_exceeded",
            "code": "rate_limit_exceeded",
            "message": "slower, please",
        }
        assert connection.items == []
        await client.send("response.create")
        assert (await client.until("response.done"))[-1]["response"]["status"] == "completed"
    assert server.undone == []


async def test_a_writing_server_has_no_responses_that_could_fail(dialling) -> None:
    async with dialling("vllm", faults=[RateLimit()]) as (_, connection, client):
        await client.next()
        assert connection.items == []
        connection.release()


async def test_a_cancel_is_carried_out_and_called_an_error(dialling) -> None:
    async with dialling(faults=[LateCancelError()]) as (_, connection, client):
        await client.send("response.cancel")  # nothing runs: the usual refusal, and the fault still waits
        assert (await client.until("error"))[-1]["error"]["code"] == "response_cancel_not_active"
        for late in (True, False):
            await client.say("a story")
            await client.send("response.create")
            await client.until("response.output_audio.delta")
            await client.send("response.cancel", event_id="my_cancel")
            assert (await client.until("response.done"))[-1]["response"]["status"] == "cancelled"
            await client.send("input_audio_buffer.clear")
            first = await client.next()
            assert (first["type"] == "error") is late
            if late:
                assert first["error"]["code"] == "response_cancel_not_active"
                assert first["error"]["event_id"] == "my_cancel"
    assert len(connection.races) == 1
    assert connection.refusals == []


async def test_a_script_is_followed(dialling) -> None:
    clock = FakeClock()
    script = [
        Expect("session.update"),
        Send(lambda received: {"type": "session.updated", "event_id": received["event_id"]}),
        Expect("response.create", where={"response": {"metadata": {"a": "b"}}}),
        Pause(2),
        Send('{"type": "response.created"}'),
        End(1001, "bye"),
    ]
    async with dialling(script=script, clock=clock) as (_, connection, client):
        assert (await client.next())["type"] == "session.created"
        await client.hear(10)
        await client.send("session.update", event_id="mine")
        assert await client.next() == {"type": "session.updated", "event_id": "mine"}
        await client.send("response.create", response={"metadata": {"a": "b", "c": "d"}})
        await clock.advance(1.9)
        assert client.transport.waiting() == ()
        await clock.advance(0.1)
        assert (await client.next())["type"] == "response.created"
        with pytest.raises(EndOfStream, match="bye"):
            await client.next()
    assert connection.ended == (1001, "bye")
    assert connection.audio == (5).to_bytes(2, "little") * 10


async def test_what_a_script_does_not_expect_ends_the_connection(dialling) -> None:
    with pytest.raises(UnexpectedFrame, match=r"step 1 of 1, Expect\(kind='session.update'") as caught:  # noqa: PT012
        async with dialling(script=[Expect("session.update")]) as (_, _, client):
            await client.next()
            await client.send("response.create")
            with pytest.raises(ConnectionLost, match="1002"):
                await client.next()
    assert "response.create" in str(caught.value)


async def test_a_lenient_script_only_notes_it(dialling) -> None:
    script = [Expect("session.update"), Send({"type": "session.updated"})]
    async with dialling(script=script, strict=False) as (server, connection, client):
        await client.next()
        await client.send("response.create")
        await client.send("session.update")
        assert (await client.next())["type"] == "session.updated"
        await client.send("response.cancel")
        await anyio.wait_all_tasks_blocked()
        assert ["response.create" in server.refusals[0], "response.cancel" in server.refusals[1]] == [
            True,
            True,
        ]
    assert len(connection.refusals) == 2
