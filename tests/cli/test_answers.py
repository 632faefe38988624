from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from rtagent import events
from rtagent.audio import NullSink
from rtagent.cli._answers import Answers, answers_of, failed
from rtagent.errors import ServerError, Timeout
from rtagent.session import Session
from rtagent.testing import ScriptedServer

COMMITTED = events.InputAudioBufferCommitted(item_id="spoken")
CREATED = events.ResponseCreated(response=events.RealtimeResponse(id="r1", status="in_progress"))
DONE = events.ResponseDone(response=events.RealtimeResponse(id="r1", status="completed"))


@asynccontextmanager
async def watching(
    *, within_s: float = 5, settle_s: float = 0.05
) -> AsyncIterator[tuple[ScriptedServer, Session, Answers]]:
    async with (
        ScriptedServer() as server,
        Session(server.transport) as session,
        answers_of(session, within_s=within_s, settle_s=settle_s) as answers,
    ):
        yield server, session, answers


async def test_an_answered_turn_is_complete():
    async with watching() as (server, _, answers):
        await server.send(events.InputAudioBufferSpeechStarted(), COMMITTED, CREATED, DONE)

        await answers.wait_complete()


async def test_nothing_said_is_never_answered():
    async with watching(within_s=0.05) as (_, _, answers):
        with pytest.raises(Timeout, match=r"an answer did not come within 0\.05 s"):
            await answers.wait_complete()


async def test_a_turn_after_the_answer_wants_an_answer_of_its_own():
    async with watching(within_s=0.1) as (server, _, answers):
        await server.send(COMMITTED, CREATED, DONE, COMMITTED)

        with pytest.raises(Timeout):
            await answers.wait_complete()


async def test_a_voice_is_heard_to_its_end():
    async with watching() as (server, session, answers):
        sink = NullSink()
        session.attach(None, sink)
        voice = events.ResponseOutputAudioDelta.of(pcm=bytes(9600), response_id="r1", item_id="i1")
        await server.send(COMMITTED, CREATED, voice, DONE)

        await answers.wait_complete()

        assert sink.heard().of("i1") == pytest.approx(200, abs=1)


async def test_a_failed_response_is_raised():
    error = events.ErrorDetail(code="overloaded", message="too much to do")
    details = events.ResponseStatusDetails(type="failed", error=error)
    response = events.RealtimeResponse(id="r1", status="failed", status_details=details)
    async with watching() as (server, _, answers):
        await server.send(COMMITTED, CREATED, events.ResponseDone(response=response))

        with pytest.raises(ServerError, match="overloaded: the response failed: too much to do"):
            await answers.wait_complete()


async def test_what_lies_before_the_last_turn_may_take_its_time():
    async with watching(within_s=5) as (server, _, answers), anyio.create_task_group() as group:
        group.start_soon(answers.wait_complete)
        await server.send(COMMITTED)
        await anyio.wait_all_tasks_blocked()
        await server.send(CREATED, DONE)


def test_a_failure_without_a_reason_says_so():
    assert str(failed(None)) == "the response failed: no reason was given"
