from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from rtagent import events
from rtagent.cli._live import LiveLog, printable, spoken_call, wants_colour
from rtagent.events import lifecycle
from rtagent.session import Session
from rtagent.testing import ScriptedServer

START = 100.0


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@asynccontextmanager
async def following(
    out: io.StringIO, *, live: bool = False, colour: bool = False, partials: bool = False
) -> AsyncIterator[tuple[ScriptedServer, Session, LiveLog]]:
    log = LiveLog(
        out, colour=colour, clock_start=START, live=live, partials=partials, now=lambda: START + 3.42
    )
    async with (
        anyio.create_task_group() as group,
        ScriptedServer() as server,
        Session(server.transport) as session,
    ):
        await group.start(log.follow, session)
        yield server, session, log
        await settled()


async def settled() -> None:
    """Let the session and its followers come to rest."""
    await anyio.wait_all_tasks_blocked()


def completed(text: str) -> events.ServerEvent:
    return events.ConversationItemInputAudioTranscriptionCompleted(
        item_id="u1", content_index=0, transcript=text
    )


def delta(text: str, item_id: str = "u1") -> events.ServerEvent:
    return events.ConversationItemInputAudioTranscriptionDelta(item_id=item_id, content_index=0, delta=text)


def done(status: str, **details: object) -> events.ServerEvent:
    told = events.ResponseStatusDetails.model_validate(details) if details else None
    return events.ResponseDone(response=events.RealtimeResponse(id="r1", status=status, status_details=told))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (completed(" turn on the light "), "you       turn on the light"),
        (completed(""), "you       (nothing that was understood)"),
        (delta("turn"), None),
        (events.ResponseOutputAudioTranscriptDone(transcript="It is on."), "assistant It is on."),
        (events.ResponseOutputTextDone(text="It is\non."), "assistant It is on."),
        (
            events.ConversationItemInputAudioTranscriptionFailed(item_id="u1", content_index=0),
            "you       (could not be written down)",
        ),
        (
            events.Error(error=events.ErrorDetail(message="no", type="invalid_request_error")),
            "error     invalid_request_error: no",
        ),
        (done("completed"), None),
        (done("cancelled"), None),
        (done("failed"), "error     the response is failed"),
        (done("failed", error={"message": "too much"}), "error     the response is failed: too much"),
        (
            done("incomplete", reason="max_output_tokens"),
            "error     the response is incomplete: max_output_tokens",
        ),
        (events.ResponseCreated(response=events.RealtimeResponse(id="r9")), "state     thinking"),
    ],
)
async def test_a_line_for_what_the_server_says(event: events.ServerEvent, line: str | None):
    out = io.StringIO()
    async with following(out) as (server, _, _):
        await server.send(event)
    lines = out.getvalue().splitlines()
    assert lines[0] == "   3.42 s  state     listening"
    said = [text.split(" s  ", 1)[1] for text in lines[1:]]
    assert said[:1] == ([] if line is None else [line])


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            lifecycle.Interrupted(at=104, item_id="a", heard_ms=1240.4),
            "   4.00 s  interrupted after 1240 ms of the answer",
        ),
        (
            lifecycle.PlaybackPaused(at=104, item_id="a", heard_ms=300, reason="speech"),
            "   4.00 s  state     somebody speaks: the voice waits",
        ),
        (
            lifecycle.PlaybackResumed(at=104, item_id="a", heard_ms=300, reason="speech", paused_ms=2_300),
            "   4.00 s  state     it was no interruption: the voice goes on after 2.3 s",
        ),
        (
            lifecycle.TurnMeasured(
                at=105,
                turn=2,
                response_id="r",
                end_of_speech_to_first_heard_ms=612.0,
                interrupt_to_silence_ms=11.6,
            ),
            "   5.00 s  turn 2    612 ms from the end of speech to the first sample heard; "
            "12 ms from the interruption to silence",
        ),
        (
            lifecycle.AudioDropped(at=104, ms=120, reason="the network is too slow"),
            "   4.00 s  error     120 ms of audio dropped: the network is too slow",
        ),
        (
            lifecycle.Reconnecting(at=104, attempt=1, delay_s=0.5, reason="gone"),
            "   4.00 s  error     connection lost (gone); dialling again",
        ),
        (
            lifecycle.Reconnecting(at=104, attempt=2, delay_s=0.5, reason="refused"),
            "   4.00 s  error     no connection yet (refused); attempt 2",
        ),
        (
            lifecycle.Reconnected(at=104, restored=3, lost=1),
            "   4.00 s  state     reconnected: 3 items restored, 1 lost",
        ),
        (
            lifecycle.Renewed(at=104, restored=3),
            "   4.00 s  state     moved to a fresh connection: 3 items restored",
        ),
        (
            lifecycle.CallbackFailed(at=104, callback="f", error=ValueError("x")),
            "   4.00 s  error     f failed: ValueError('x')",
        ),
        (lifecycle.PlaybackStarted(at=104, item_id="a"), None),
    ],
)
async def test_a_line_for_what_happens_to_the_session(event: lifecycle.LifecycleEvent, line: str | None):
    out = io.StringIO()
    async with following(out) as (_, session, _):
        session._pump.publish(event)
    assert out.getvalue().splitlines()[1:] == ([] if line is None else [line])


async def test_a_tool_call_is_one_line_with_its_arguments_and_result():
    out = io.StringIO()
    started = lifecycle.ToolStarted(at=104, call_id="c", name="set_light", arguments='{"on": true}')
    finished = lifecycle.ToolFinished(
        at=104.003, call_id="c", name="set_light", output="it is on", ok=True, took_ms=3.2
    )
    async with following(out) as (_, session, _):
        session._pump.publish(started)
        session._pump.publish(finished)
    assert out.getvalue().splitlines()[1:] == ['   4.00 s  tool      set_light(on=true) -> "it is on" (3 ms)']


@pytest.mark.parametrize(
    ("arguments", "output", "ok", "written"),
    [
        ('{"room": "küche", "on": true}', "ok", True, 'f(room="küche", on=true) -> "ok" (3 ms)'),
        ("", "ok", True, 'f() -> "ok" (3 ms)'),
        ("{broken", "no", False, 'f({broken) failed: "no" (3 ms)'),
        ("[1]", "no", False, 'f([1]) failed: "no" (3 ms)'),
        ("{}", "x" * 1000, True, 'f() -> "' + "x" * 298 + "… (3 ms)"),
    ],
)
def test_a_call_is_written_as_a_programmer_would(arguments, output, ok, written):
    finished = lifecycle.ToolFinished(at=0, call_id="c", name="f", output=output, ok=ok, took_ms=3.0)
    assert spoken_call(finished, arguments) == written


def test_text_cannot_command_the_terminal():
    assert printable("a\x1b[2Jb\nc\u202e\x9bd é") == "a [2Jb c  d é"


async def test_colours_stand_around_the_label():
    out = io.StringIO()
    async with following(out, colour=True) as (server, session, _):
        await server.send(completed("hello"))
        await settled()
        session._pump.publish(lifecycle.Interrupted(at=104, item_id="a", heard_ms=5))
    assert "  \x1b[36myou      \x1b[0m hello\n" in out.getvalue()
    assert "\x1b[35mafter 5 ms of the answer\x1b[0m\n" in out.getvalue()


@pytest.mark.parametrize(
    ("out", "environment", "wanted"),
    [
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"NO_COLOR": ""}, True),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(out, environment, wanted, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(out) is wanted


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def test_on_a_terminal_state_and_partial_words_stand_in_the_status_line():
    out = Screen()
    async with following(out, live=True) as (server, session, log), anyio.create_task_group() as group:
        group.start_soon(log.meter, session, lambda: 1.0, lambda: "(hint)")
        await until(lambda: "[############] listening  (hint)" in out.getvalue())
        await server.send(delta("turn "), delta("on"))
        await until(lambda: "[############] listening  you: turn on" in out.getvalue())
        await server.send(completed("turn on the light"))
        await until(lambda: "you       turn on the light\n" in out.getvalue())
        group.cancel_scope.cancel()
    assert "state" not in out.getvalue()


async def test_words_of_another_turn_begin_anew():
    out = Screen()
    async with following(out, live=True) as (server, session, log), anyio.create_task_group() as group:
        group.start_soon(log.meter, session, lambda: 0.0)
        await server.send(delta("first", "u1"), delta("second", "u2"))
        await until(lambda: "you: second" in out.getvalue())
        group.cancel_scope.cancel()


async def test_partial_words_are_lines_of_their_own_where_that_is_wished():
    out = io.StringIO()
    async with following(out, partials=True) as (server, _, _):
        await server.send(delta("turn"), delta(" "), delta("on"), completed("turn on the light"))
    said = [line.split(" s  ", 1)[1] for line in out.getvalue().splitlines()[1:]]
    assert said == ["you       turn …", "you       turn on …", "you       turn on the light"]


async def test_a_log_that_cannot_follow_says_so_and_stops():
    out = io.StringIO()
    async with following(out) as (_, session, _):
        for number in range(3000):
            session._pump.publish(lifecycle.AudioDropped(at=104, ms=number, reason="x"))
        await settled()
    assert out.getvalue().splitlines()[-1].endswith("events behind and was ended; what follows is not shown")


async def test_how_a_session_is_lost_is_for_others_to_tell():
    out = io.StringIO()
    async with following(out) as (server, session, _):
        await server.close(1011, "oops")
        await session.wait_closed()
    assert out.getvalue() == "   3.42 s  state     listening\n"


async def test_the_totals_at_the_end():
    out = io.StringIO()
    usage = events.ResponseUsage(
        total_tokens=10,
        input_tokens=7,
        output_tokens=3,
        input_token_details=events.InputTokenDetails(cached_tokens=2),
    )
    async with following(out) as (server, session, log):
        response = events.RealtimeResponse(id="r1", status="completed", usage=usage)
        await server.send(events.ResponseDone(response=response))  # without an event_id
        session._pump.deeds.meter.speech_ended(1.0)
        session._pump.deeds.meter.first_heard(1.5, "r1", 1.5)
    log.end(session)
    assert out.getvalue().splitlines()[-3:] == [
        "   3.42 s  turns     1, median 500 ms to the first sample heard",
        "   3.42 s  tokens    10: 7 in (2 cached), 3 out",
        "   3.42 s  server    not as its profile says in 1 way; rtagent probe finds one",
    ]


async def test_a_session_without_turns_has_no_totals():
    out = io.StringIO()
    async with following(out) as (_, session, log):
        pass
    before = out.getvalue()
    log.end(session)
    assert out.getvalue() == before


def test_by_default_the_clock_begins_now():
    assert LiveLog(io.StringIO(), now=lambda: 7.0)._line("a", "b", None) == "   0.00 s  a         b"
