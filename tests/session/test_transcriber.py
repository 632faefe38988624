"""A transcription session, from the program's side, against servers of several kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from rtagent import events
from rtagent.audio import ArraySource
from rtagent.errors import (
    ConnectionLost,
    LocalProtocolError,
    ServerError,
    SessionClosed,
    Timeout,
    Unsupported,
)
from rtagent.events import GA, PROFILES
from rtagent.protocol._transcripts import Transcript
from rtagent.session import ReconnectPolicy, Session
from rtagent.session._modes import transcription_config
from rtagent.session._transcriber import Transcriber
from rtagent.testing import Delay, Drop, FakeClock, Fault, RealtimeServer

if TYPE_CHECKING:
    from .conftest import RawServer

SECOND = bytes(48_000)
VLLM = PROFILES["vllm"]
SNAPSHOT: dict[str, Any] = {"id": "sess_1", "type": "transcription", "audio": {"input": {}}}
Play = Callable[["RawServer"], Coroutine[Any, Any, None]]


def about(kind: str, item_id: str, **more: Any) -> dict[str, Any]:
    words = "conversation.item.input_audio_transcription." if kind in _WORDS else "input_audio_buffer."
    return {"type": words + kind, "event_id": "e", "item_id": item_id, **more}


_WORDS = {"delta", "completed", "failed", "segment", "updated"}


@asynccontextmanager
async def transcribing(
    server: RawServer, play: Play | None = None, dialect: events.Dialect = GA
) -> AsyncIterator[Transcriber]:
    """An open transcriber at an OpenAI-like server, whose part is played beside the block."""
    await server.send({"type": "session.created", "event_id": "e", "session": SNAPSHOT})
    async with anyio.create_task_group() as group:
        opening = Session(server.transport, dialect=dialect)
        async with opening as session, Transcriber(session, dialect) as transcriber:
            group.start_soon(server.keep_up)
            if play is not None:
                group.start_soon(play, server)
            yield transcriber
        group.cancel_scope.cancel()


async def all_of(transcriber: Transcriber) -> list[Transcript]:
    return [transcript async for transcript in transcriber]


def shown(transcripts: list[Transcript]) -> list[tuple[str, str, bool]]:
    return [(one.item_id, one.text, one.final) for one in transcripts]


async def test_what_is_said_is_written_down(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        await server.expect("input_audio_buffer.commit")
        await server.send(
            about("committed", "a"), about("delta", "a", delta="Hel"), about("delta", "a", delta="lo")
        )
        await server.send(about("completed", "a", transcript="Hello."))

    async with transcribing(raw_server, play) as transcriber:
        assert transcriber.append_audio(SECOND) == 0.0
        await transcriber.finish()
        assert shown(await all_of(transcriber)) == [
            ("a", "Hel", False),
            ("a", "Hello", False),
            ("a", "Hello.", True),
        ]
        assert (transcriber.text, transcriber.dropped) == ("Hello.", 0)
        assert isinstance(transcriber.config, events.TranscriptionSession)
    assert raw_server.appended == SECOND


async def test_turns_of_the_program_end_where_it_says_so(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        for name in "ab":
            await server.expect("input_audio_buffer.commit")
            await server.send(about("committed", name))
        await server.send(
            about("completed", "b", transcript="Two."), about("completed", "a", transcript="One.")
        )

    async with transcribing(raw_server, play) as transcriber:
        names = []
        for _ in range(2):
            transcriber.append_audio(SECOND)
            names.append(await transcriber.commit())
        assert names == ["a", "b"]
        assert await transcriber.commit() is None  # nothing was said since
        await transcriber.finish()
        assert transcriber.text == "One. Two."
    assert await raw_server.silent()


async def test_less_than_a_tenth_of_a_second_is_not_committed(raw_server: RawServer) -> None:
    async with transcribing(raw_server) as transcriber:
        transcriber.append_audio(bytes(4_700))
        assert await transcriber.commit() is None
        await transcriber.finish()
        assert await all_of(transcriber) == []
    assert await raw_server.silent()


async def test_speech_that_the_server_took_already_leaves_nothing_to_commit(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        commit = await server.expect("input_audio_buffer.commit")
        await server.send(
            about("speech_started", "a", audio_start_ms=100),
            about("speech_stopped", "a", audio_end_ms=800),
            about("committed", "v"),
        )
        error = {
            "type": "invalid_request_error",
            "code": "input_audio_buffer_commit_empty",
            "message": "nothing",
            "event_id": commit["event_id"],
        }
        await server.send({"type": "error", "event_id": "e", "error": error})
        await server.send(about("committed", "a"), about("completed", "a", transcript="Yes."))
        await server.send(about("completed", "v", transcript=""))

    async with transcribing(raw_server, play) as transcriber:
        transcriber.append_audio(SECOND)
        await transcriber.finish()
        final = [one for one in await all_of(transcriber) if one.text]
        assert final == [Transcript("a", "Yes.", final=True, start_ms=100, end_ms=800)]


async def test_an_empty_commit_is_benign_and_its_answer_is_waited_for(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        commit = await server.expect("input_audio_buffer.commit")
        error = {"code": "input_audio_buffer_commit_empty", "message": "-", "event_id": commit["event_id"]}
        await server.send(about("committed", "a") | {"type": "input_audio_buffer.speech_started"})
        await server.send({"type": "error", "event_id": "e", "error": error})
        await server.send(about("completed", "a", transcript="Yes."))

    async with transcribing(raw_server, play) as transcriber:
        transcriber.append_audio(SECOND)
        await transcriber.finish()
        assert transcriber.text == "Yes."


async def test_what_the_server_is_about_to_commit_is_left_to_it(raw_server: RawServer) -> None:
    async with transcribing(raw_server) as transcriber:
        transcriber.append_audio(SECOND)
        await raw_server.send(about("speech_started", "a"), about("speech_stopped", "a"))
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as group:
            group.start_soon(transcriber.finish)
            await anyio.wait_all_tasks_blocked()
            await raw_server.send(about("committed", "a"), about("completed", "a", transcript="Yes."))
        assert transcriber.text == "Yes."
    assert await raw_server.silent()


async def test_another_refusal_of_a_commit_is_raised(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        commit = await server.expect("input_audio_buffer.commit")
        error = {"code": "server_error", "message": "broken", "event_id": commit["event_id"]}
        await server.send({"type": "error", "event_id": "e", "error": error})

    async with transcribing(raw_server, play) as transcriber:
        transcriber.append_audio(SECOND)
        with pytest.raises(ServerError, match="broken"):
            await transcriber.finish()
        assert await all_of(transcriber) == []


async def test_an_utterance_that_fails_does_not_keep_anybody_waiting(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        await server.expect("input_audio_buffer.commit")
        await server.send(about("committed", "a"), about("failed", "a", error={"message": "unintelligible"}))

    async with transcribing(raw_server, play) as transcriber:
        transcriber.append_audio(SECOND)
        await transcriber.finish()
        (failed,) = await all_of(transcriber)
        assert failed.final
        assert failed.error is not None
        assert failed.error.message == "unintelligible"
        assert transcriber.text == ""


@pytest.mark.parametrize(
    ("names", "what"), [(("a",), "the transcript of 1 utterance"), (("a", "b"), "of 2 utterances")]
)
async def test_an_utterance_that_is_never_written_down_is_reported(
    raw_server: RawServer, names: tuple[str, ...], what: str
) -> None:
    async with transcribing(raw_server) as transcriber:
        await raw_server.send(*(about("committed", name) for name in names))
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Timeout, match=f"{what} did not come"):
            await transcriber.finish(timeout=0.01)
        assert await all_of(transcriber) == []


async def test_a_lost_session_ends_the_wait_and_the_iteration(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        await server.expect("input_audio_buffer.commit")
        await server.send(about("committed", "a"), about("delta", "a", delta="Hel"))
        await server.close(1011)

    async with transcribing(raw_server, play) as transcriber:
        transcriber.append_audio(SECOND)
        with pytest.raises(ConnectionLost):
            await transcriber.finish()
        assert shown([await anext(transcriber)]) == [("a", "Hel", False)]
        with pytest.raises(ConnectionLost):
            await anext(transcriber)


async def test_a_session_that_we_closed_ends_the_iteration_quietly(raw_server: RawServer) -> None:
    async with transcribing(raw_server) as transcriber:
        await raw_server.send(about("committed", "a"))
        await anyio.wait_all_tasks_blocked()
        await raw_server.transport.aclose()
        assert await all_of(transcriber) == []
        with pytest.raises(SessionClosed):
            await transcriber.finish()


async def test_ears_are_carried_and_taken_away_at_the_end(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        await server.expect("input_audio_buffer.commit")
        await server.send(about("committed", "a"), about("completed", "a", transcript="Hello."))

    async with transcribing(raw_server, play) as transcriber:
        attachment = transcriber.attach(ArraySource(SECOND, rate=24_000, pace=None))
        await attachment.wait_source_ended()
        await transcriber.finish()
        await anyio.wait_all_tasks_blocked()
        assert attachment.ended
        assert transcriber.text == "Hello."
        with pytest.raises(LocalProtocolError, match="finish"):
            transcriber.append_audio(SECOND)
        with pytest.raises(LocalProtocolError, match="finish"):
            transcriber.attach(ArraySource(SECOND, rate=24_000))
    assert raw_server.appended == SECOND


async def test_the_iteration_runs_beside_the_speech(raw_server: RawServer) -> None:
    seen: list[Transcript] = []

    async with transcribing(raw_server) as transcriber:

        async def read() -> None:
            seen.extend(await all_of(transcriber))

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await raw_server.send(about("committed", "a"), about("completed", "a", transcript="One."))
            await anyio.wait_all_tasks_blocked()
            await transcriber.finish()
    assert shown(seen) == [("a", "One.", True)]


async def test_leaving_the_block_ends_the_iteration(raw_server: RawServer) -> None:
    async with transcribing(raw_server) as transcriber:
        pass
    assert await all_of(transcriber) == []


async def test_a_server_that_answers_no_commit_is_waited_for_all_the_same(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        await server.expect("input_audio_buffer.commit")
        await server.send(about("completed", "a", transcript="Hello."))

    quiet = GA.model_copy(update={"unanswered_events": frozenset({"input_audio_buffer.commit"})})
    async with transcribing(raw_server, play, quiet) as transcriber:
        transcriber.append_audio(SECOND)
        await transcriber.finish()
        assert transcriber.text == "Hello."


async def test_a_server_that_takes_no_commit_is_not_sent_one(raw_server: RawServer) -> None:
    deaf = GA.model_copy(update={"refused_events": frozenset({"input_audio_buffer.commit"})})
    async with transcribing(raw_server, dialect=deaf) as transcriber:
        transcriber.append_audio(SECOND)
        await transcriber.finish()
    assert await raw_server.silent()


async def test_what_was_heard_while_the_end_was_on_its_way_is_waited_for(raw_server: RawServer) -> None:
    """A file comes faster than it is heard: what is said about its end comes after its end was sent."""

    async def play(server: RawServer) -> None:
        update = await server.expect("session.update")
        await server.send(about("speech_started", "a"), about("speech_stopped", "a"))
        await server.send({"type": "session.updated", "event_id": "e", "session": update["session"]})
        await server.send(about("committed", "a"), about("completed", "a", transcript="Late."))

    await raw_server.send({"type": "session.created", "event_id": "e", "session": SNAPSHOT})
    async with (
        anyio.create_task_group() as group,
        Session(raw_server.transport) as session,
        Transcriber(session, GA) as transcriber,
    ):
        group.start_soon(play, raw_server)
        transcriber.append_audio(SECOND)
        await transcriber.finish()
        assert transcriber.text == "Late."
    assert await raw_server.silent()


async def test_a_refused_update_tells_as_much_as_an_answered_one(raw_server: RawServer) -> None:
    async def play(server: RawServer) -> None:
        update = await server.expect("session.update")
        error = {"type": "invalid_request_error", "message": "no", "event_id": update["event_id"]}
        await server.send({"type": "error", "event_id": "e", "error": error})
        await server.expect("input_audio_buffer.commit")
        await server.send(about("committed", "a"), about("completed", "a", transcript="Yes."))

    await raw_server.send({"type": "session.created", "event_id": "e", "session": SNAPSHOT})
    async with (
        anyio.create_task_group() as group,
        Session(raw_server.transport) as session,
        Transcriber(session, GA) as transcriber,
    ):
        group.start_soon(play, raw_server)
        transcriber.append_audio(SECOND)
        await transcriber.finish()
        assert transcriber.text == "Yes."


# -- one endless stream ------------------------------------------------------------------------------


@asynccontextmanager
async def streaming(server: RawServer) -> AsyncIterator[Transcriber]:
    """An open transcriber at a vLLM server: no items, no turns, a first commit begins the hearing."""
    await server.send({"type": "session.created", "id": "sess_1", "created": 1})
    config = transcription_config(model="voxtral", dialect=VLLM)
    async with Session(server.transport, config=config, dialect=VLLM) as session:
        async with Transcriber(session, VLLM) as transcriber:
            update = await server.expect("session.update")
            assert update["model"] == "voxtral"
            await server.expect("input_audio_buffer.commit")
            yield transcriber


async def test_a_stream_is_finished_as_a_whole(raw_server: RawServer) -> None:
    async with streaming(raw_server) as transcriber:
        transcriber.append_audio(bytes(32_000))
        with pytest.raises(Unsupported, match=r"vLLM.*finish"):
            await transcriber.commit()
        async with anyio.create_task_group() as group:
            group.start_soon(transcriber.finish)
            last = await raw_server.expect("input_audio_buffer.commit")
            assert last["final"] is True
            await raw_server.send(
                {"type": "transcription.delta", "delta": "Hel"},
                {"type": "transcription.done", "text": "Hello.", "usage": {}},
            )
        assert shown(await all_of(transcriber)) == [("", "Hel", False), ("", "Hello.", True)]
        assert transcriber.text == "Hello."


async def test_a_stream_that_fails_ends_the_wait(raw_server: RawServer) -> None:
    async with streaming(raw_server) as transcriber:
        transcriber.append_audio(bytes(32_000))
        async with anyio.create_task_group() as group:
            group.start_soon(transcriber.finish)
            await raw_server.expect("input_audio_buffer.commit")
            await raw_server.send({"type": "error", "error": "out of memory", "code": "processing_error"})
        (failed,) = await all_of(transcriber)
        assert failed.error is not None
        assert failed.error.message == "out of memory"


async def test_a_stream_in_which_nothing_was_said_has_no_transcript(raw_server: RawServer) -> None:
    async with streaming(raw_server) as transcriber:
        await transcriber.finish()
        assert await all_of(transcriber) == []
        await raw_server.close()


# -- from one connection to the next ------------------------------------------------------------------


@asynccontextmanager
async def dictating(
    *faults: Fault, **options: Any
) -> AsyncIterator[tuple[RealtimeServer, FakeClock, Transcriber]]:
    """A transcriber whose connections come and go."""
    clock = FakeClock()
    policy = ReconnectPolicy(jitter=0.0, first_delay_s=0.5, renew_before_s=60.0)
    async with RealtimeServer(over="memory", clock=clock, faults=faults, **options) as server:
        session = Session(
            await server.dial(),
            config=transcription_config("en", None, None, dialect=GA),
            dial=server.dial,
            reconnect=policy,
            clock=clock,
        )
        async with session, Transcriber(session, GA) as transcriber:
            yield server, clock, transcriber


HUSH_S = 0.24
"""Ends a turn of this server, and is too short to be taken for another one."""


async def speak(transcriber: Transcriber, clock: FakeClock, seconds: float, sound: bytes = b"\1\0") -> bytes:
    said = b""
    for _ in range(round(seconds / 0.02)):
        await clock.advance(0.02)
        transcriber.append_audio(sound * 480)
        said += sound * 480
    return said


async def test_an_utterance_that_goes_on_across_a_loss_is_written_down_once() -> None:
    async with dictating(transcripts=["one", "two"]) as (server, clock, transcriber):
        await speak(transcriber, clock, 0.5)
        await speak(transcriber, clock, 0.5, b"\0\0")
        said = await speak(transcriber, clock, 0.5, b"\2\0")
        server.current.inject(Drop())
        said += await speak(transcriber, clock, 2.0, b"\2\0")
        await speak(transcriber, clock, HUSH_S, b"\0\0")
        await finish_on(transcriber, clock)
        assert transcriber.text == "one two"
        finals = [one for one in await all_of(transcriber) if one.final]
        assert [one.text for one in finals] == ["one", "two"]
        assert [one.error for one in finals] == [None, None]
        assert said in server.connections[1].audio


async def finish_on(transcriber: Transcriber, clock: FakeClock) -> None:
    """Finish, while time goes on."""
    async with anyio.create_task_group() as group:
        group.start_soon(transcriber.finish)
        await clock.advance(5.0)


async def test_an_utterance_that_was_handed_over_to_a_lost_connection_ends_with_an_error() -> None:
    fault = Drop(on="conversation.item.input_audio_transcription.completed")
    async with dictating(fault, transcripts=["one", "two"]) as (server, clock, transcriber):
        await speak(transcriber, clock, 0.5)
        await speak(transcriber, clock, 2.0, b"\0\0")
        assert len(server.connections) == 2
        await speak(transcriber, clock, 0.5)
        await speak(transcriber, clock, HUSH_S, b"\0\0")
        await finish_on(transcriber, clock)
        first, second = [one for one in await all_of(transcriber) if one.final]
        assert first.error is not None
        assert first.error.type == "connection_lost"
        assert (second.text, second.error) == ("two", None)
        assert transcriber.text == "two"
    assert server.undone == []


async def test_finishing_goes_on_across_a_loss() -> None:
    fault = Drop(on="input_audio_buffer.commit", by="client")
    async with dictating(fault, transcripts=["one"]) as (server, clock, transcriber):
        await speak(transcriber, clock, 0.5)
        await finish_on(transcriber, clock)
        assert transcriber.text == "one"
        assert len(server.connections) == 2
    assert server.undone == []


async def test_a_renewal_waits_for_what_is_still_to_be_written_down() -> None:
    fault = Delay(on="conversation.item.input_audio_transcription.completed", seconds=20.0)
    async with dictating(fault, transcripts=["one"], session_seconds=600.0) as (server, clock, transcriber):
        await clock.advance(538.0)
        await speak(transcriber, clock, 0.5)
        await speak(transcriber, clock, 0.5, b"\0\0")
        await clock.advance(10.0)
        assert len(server.connections) == 2
        assert server.connections[0].ended is None
        await clock.advance(20.0)
        assert server.connections[0].ended == (1000, "")
        assert transcriber.text == "one"
        await finish_on(transcriber, clock)
    assert server.undone == []


async def test_a_session_in_which_nothing_was_said_is_renewed() -> None:
    async with dictating(session_seconds=600.0) as (server, clock, transcriber):
        await clock.advance(545.0)
        assert server.connections[0].ended == (1000, "")
        assert transcriber.text == ""
