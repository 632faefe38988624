"""The life of a connection: what goes wrong on it, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from rtagent.errors import ConnectionLost, EndOfStream
from rtagent.testing import (
    Close,
    Delay,
    Drop,
    Duplicate,
    Expire,
    FakeClock,
    HalfOpen,
    LateTranscripts,
    Malformed,
    Reorder,
    SilentTruncate,
    SlowRead,
    SlowWrite,
    TooBig,
)


@pytest.mark.parametrize(
    ("fault", "error", "ended"),
    [
        (Drop(on="response.done"), ConnectionLost, (1006, "")),
        (Close(1011, "no", on="response.done"), ConnectionLost, (1011, "no")),
        (Close(1000, "ok", on="response.done"), EndOfStream, (1000, "ok")),
        (TooBig(on="response.create", by="client"), ConnectionLost, (1009, "message too big")),
        (Drop(on="response.create", by="client"), ConnectionLost, (1006, "")),
    ],
)
async def test_ways_to_end(dialling, fault, error, ended) -> None:
    async with dialling(faults=[fault]) as (_, connection, client):
        await client.next()
        await client.send("response.create")
        with pytest.raises(error):
            await client.until("response.done")
        assert await connection.wait_ended() == ended
    assert connection.faults_done == [fault]
    assert connection.sent("response.create") != []


async def test_after_a_drop_the_server_takes_nothing_any_more(dialling) -> None:
    fault = Drop(on="conversation.item.create", by="client")
    async with dialling(faults=[fault]) as (_, connection, client):
        await client.next()
        await client.say("hello")
        await connection.wait_ended()
        assert len(connection.sent("conversation.item.create")) == 1
        assert connection.items == []


async def test_the_end_of_a_sessions_time(dialling) -> None:
    async with dialling(faults=[Expire(on="response.created")]) as (_, _, client):
        await client.next()
        await client.send("response.create")
        error = await client.next()
        assert (error["type"], error["error"]["code"]) == ("error", "session_expired")
        with pytest.raises(EndOfStream, match="1001"):
            await client.next()


async def test_without_an_event_a_fault_is_due_when_the_connection_opens(dialling) -> None:
    async with dialling(faults=[Drop()]) as (_, connection, client):
        with pytest.raises(ConnectionLost):
            await client.next()
    assert connection.ended == (1006, "")


async def test_a_drop_by_hand_does_not_wait_for_what_is_late(dialling) -> None:
    async with dialling(clock=FakeClock(), faults=[Delay(60)]) as (_, connection, client):
        connection.inject(Drop())
        with pytest.raises(ConnectionLost):
            await client.next()
        assert await connection.wait_ended() == (1006, "")


async def test_a_half_open_connection_is_silent_in_both_directions(dialling) -> None:
    async with dialling() as (_, connection, client):
        await client.next()
        connection.inject(HalfOpen())
        await client.send("response.create")
        await anyio.wait_all_tasks_blocked()
        assert client.transport.waiting() == ()
        assert connection.log == []
        assert connection.ended is None
    assert connection.ended == (1006, "")


async def test_delays_in_both_directions(dialling) -> None:
    clock = FakeClock()
    faults = [Delay(2, on="response.create", by="client"), Delay(3, on="response.created")]
    async with dialling(clock=clock, faults=faults) as (_, connection, client):
        await client.next()
        await client.send("response.create")
        await client.send("input_audio_buffer.clear")
        await clock.advance(1.9)
        assert connection.log == []
        await clock.advance(0.1)
        assert len(connection.log) == 2
        assert (await client.next())["type"] == "input_audio_buffer.cleared"
        await clock.advance(2.9)
        assert client.transport.waiting() == ()
        await clock.advance(0.1)
        assert (await client.next())["type"] == "response.created"


async def test_slow_reading_and_slow_writing(dialling) -> None:
    clock = FakeClock()
    async with dialling(clock=clock, faults=[SlowRead(1), SlowWrite(1)]) as (_, connection, client):
        await client.transport.send('{"type":"x"}')
        await clock.advance(11.9)
        assert connection.log == []
        await clock.advance(0.1)
        assert connection.log != []
        assert client.transport.waiting() == ()
        await clock.advance(10_000)
        assert [json.loads(frame)["type"] for frame in client.transport.waiting()] == [
            "session.created",
            "error",
        ]


async def answered(client: Any) -> list[str]:
    await client.send("response.create", response={"output_modalities": ["text"]})
    got: list[str] = []
    while "response.done" not in got:
        try:
            got.append((await client.next())["type"])
        except json.JSONDecodeError:
            got.append("broken")
    return got


async def test_events_that_come_twice_in_another_order_or_broken(dialling) -> None:
    faults = [
        Duplicate(on="response.output_text.delta"),
        Reorder(on="response.content_part.added"),
        Malformed(on="response.output_text.done"),
        Malformed(on="response.create", by="client"),
    ]
    async with dialling(faults=faults) as (server, _, client):
        await client.next()
        got = await answered(client)
    assert got[:2] == ["broken", "response.created"]
    delta = "response.output_text.delta"
    assert got[4:7] == [delta, delta, "response.content_part.added"]
    assert got[got.index("response.output_text.done") - 1] == "broken"
    assert server.undone == []


async def test_truncates_that_nobody_answers(dialling) -> None:
    async with dialling(faults=[SilentTruncate()]) as (_, connection, client):
        await client.say("hello")
        await client.send("response.create")
        done = (await client.until("response.done"))[-1]
        item_id = done["response"]["output"][0]["id"]
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
        await client.send("input_audio_buffer.clear")
        assert (await client.next())["type"] == "input_audio_buffer.cleared"
        assert connection.items[-1]["content"] == [{"type": "output_audio"}]  # nobody knows what was heard
    assert connection.refusals == []


async def test_transcripts_that_come_after_the_answer(dialling) -> None:
    async with dialling(faults=[LateTranscripts()], transcripts=["one", "two"]) as (_, _, client):
        ears = {"transcription": {"model": "x"}, "turn_detection": None}
        await client.update(type="realtime", audio={"input": ears})
        for _ in range(2):
            await client.hear(4_800)
            await client.send("input_audio_buffer.commit")
        await client.send("response.create")
        before = await client.until("response.done")
        assert not [event for event in before if "transcription" in event["type"]]
        after = [await client.next() for _ in range(4)]
        assert [event["transcript"] for event in after if "transcript" in event] == ["two", "one"]


async def test_who_sends_to_a_client_that_leaves_does_not_wait_for_ever(dialling) -> None:
    async with dialling(clock=FakeClock(), faults=[Delay(60)]) as (_, connection, client):

        async def flood() -> None:
            while connection.ended is None:
                await connection.send({"type": "x"})

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(flood)
                await anyio.wait_all_tasks_blocked()
                await client.transport.aclose()


async def test_a_client_that_vanishes(dialling) -> None:
    async with dialling() as (_, connection, client):
        await client.next()
        await client.transport.aclose(1006)
        assert await connection.wait_ended() == (1006, "")
