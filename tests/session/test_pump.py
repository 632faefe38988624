"""The shell around the core: what it reads, carries out, times and tells."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rtagent import events
from rtagent.audio import NullSink, PlaybackItem
from rtagent.errors import (
    AudioUnavailable,
    ConnectionLost,
    LocalProtocolError,
    ServerError,
    SessionClosed,
    Timeout,
)
from rtagent.events import lifecycle
from rtagent.protocol import Conversation, Opened, Resumable
from rtagent.session import Attachment, Session
from rtagent.session import _wire as wire_module
from rtagent.session._approach import Target
from rtagent.session._lifeline import Lifeline
from rtagent.session._pump import Pump
from rtagent.session._refusal import refusal
from rtagent.session._tools import ToolRunner
from rtagent.testing import FakeClock, ScriptedServer
from rtagent.tools import ToolRegistry, tool
from rtagent.transport import memory_pair

SECOND = bytes(48_000)
CALL = events.FunctionCall(id="f1", call_id="c1", name="patient", arguments="{}", status="completed")
QUICK_CALL = events.FunctionCall(id="f2", call_id="c2", name="quick", arguments="{}", status="completed")


class Told:
    """Everything that a pump publishes of its own, from the beginning."""

    def __init__(self, pump: Pump) -> None:
        self._stream = pump.fanout.subscribe(lifecycle.LifecycleEvent)
        pump.fanout.add(self._stream)

    def take(self, *kinds: type) -> list[Any]:
        taken = list(self._stream._events)
        self._stream._events.clear()
        return [event for event in taken if not kinds or isinstance(event, kinds)]


class Bench:
    """A pump, its server and its clock."""

    def __init__(self, server: ScriptedServer, *, answer_within_s: float = 10.0) -> None:
        self.server = server
        self.clock = FakeClock(50.0)
        numbers = count(1)
        core = Conversation(
            new_id=lambda prefix: f"{prefix}_{next(numbers)}", answer_within_s=answer_within_s
        )
        self.pump = Pump(core, self.clock)
        self.told = Told(self.pump)
        self.tools = ToolRunner(
            ToolRegistry([patient, quick]),
            Session(memory_pair()[0]),
            self.pump,
        )
        self.group: anyio.abc.TaskGroup | None = None

    @property
    def state(self) -> str:
        return self.pump.state

    async def says(self, *sent: events.ServerEvent | dict[str, Any]) -> None:
        """The server says it, and everybody has done what follows from it."""
        await self.server.send(*sent)
        await self.rest()

    async def rest(self) -> None:
        await self.clock.advance(0)

    async def begins(self, response_id: str = "r1") -> None:
        await self.says(events.ResponseCreated(response=events.RealtimeResponse(id=response_id)))

    async def speaks(self, item_id: str = "a1", response_id: str = "r1", pcm: bytes = SECOND) -> None:
        await self.says(
            events.ResponseOutputAudioDelta.of(
                pcm=pcm, response_id=response_id, item_id=item_id, output_index=0, content_index=0
            )
        )

    async def is_done(self, response_id: str = "r1", *output: events.Item) -> None:
        response = events.RealtimeResponse(id=response_id, status="completed", output=list(output))
        await self.says(events.ResponseDone(response=response))

    async def attach(self, sink: Any) -> Attachment:
        attachment = Attachment(None, sink, self.clock, append=self.pump.input.append)
        self.pump.deeds.attachment = attachment
        assert self.group is not None
        self.group.start_soon(self.pump.carry_audio, attachment)
        await self.rest()
        return attachment


@tool(on_interrupt="cancel")
async def patient() -> str:
    """Wait."""
    await anyio.sleep_forever()
    return "never"


@tool
async def quick() -> int:
    """Answer."""
    return 42


class FailingSink(NullSink):
    """Its device is pulled out at the first sound."""

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        raise AudioUnavailable("device_busy_or_lost", "Plug it in.")


@asynccontextmanager
async def pumping(**options: Any) -> AsyncIterator[Bench]:
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        bench = Bench(server, **options)
        bench.group = group
        bench.pump.start(group, bench.tools)
        lifeline = Lifeline(bench.pump, server.transport, Target())
        await lifeline.open()
        group.start_soon(lifeline.run)
        await bench.rest()
        bench.pump.set_state("listening")
        yield bench
        bench.pump.end(None, 1000, "closed by us")
        group.cancel_scope.cancel()


# -- sending and waiting ------------------------------------------------------------------------------


async def test_a_posted_event_is_sent_and_its_answer_found() -> None:
    async with pumping() as bench:
        first = bench.pump.post(events.InputAudioBufferClear(), awaited=True)
        second = bench.pump.post(events.InputAudioBufferClear())
        sent = [await bench.server.expect(events.InputAudioBufferClear) for _ in range(2)]
        assert [event.event_id for event in sent] == [first, second]
        cleared = events.InputAudioBufferCleared()
        await bench.says(cleared)
        assert await bench.pump.waiters.wait(first, 1.0, "it") == cleared


async def test_what_nobody_waits_for_any_more_is_given_up() -> None:
    async with pumping() as bench:
        event_id = bench.pump.post(events.InputAudioBufferClear(), awaited=True)
        bench.pump.core.give_up(event_id)
        await bench.server.expect(events.InputAudioBufferClear)
        await bench.says(events.InputAudioBufferCleared())
        with pytest.raises(Timeout):
            await bench.pump.waiters.wait(event_id, 0.0, "it")


async def test_a_create_that_is_not_answered_fails_its_caller() -> None:
    async with pumping(answer_within_s=0.0) as bench:
        with pytest.raises(Timeout, match="an answer to evt_1 did not come within 10 s"):
            await bench.pump.respond(events.ResponseParams(), None)
        create = await bench.server.expect(events.ResponseCreate)
        assert create.response is not None
        late = events.RealtimeResponse(id="late", metadata=create.response.metadata)
        await bench.says(events.ResponseCreated(response=late))
        cancel = await bench.server.expect(events.ResponseCancel)
        assert cancel.response_id == "late"


async def test_a_refused_create_fails_its_caller() -> None:
    async with pumping() as bench, anyio.create_task_group() as group:

        async def respond() -> None:
            with pytest.raises(ServerError, match="bad: no"):
                await bench.pump.respond(events.ResponseParams(), None)

        group.start_soon(respond)
        create = await bench.server.expect(events.ResponseCreate)
        error = events.ErrorDetail(type="x", message="no", code="bad", event_id=create.event_id)
        await bench.says(events.Error(error=error))


async def test_respond_returns_what_is_said_after_the_tools() -> None:
    async with pumping() as bench, anyio.create_task_group() as group:
        texts: list[str] = []

        async def respond() -> None:
            texts.append((await bench.pump.respond(events.ResponseParams(), None)).text)

        group.start_soon(respond)
        for response_id, output in (("r1", QUICK_CALL), ("r2", events.assistant_message("Done.", id="a1"))):
            create = await bench.server.expect(events.ResponseCreate)
            assert create.response is not None
            begun = events.RealtimeResponse(id=response_id, metadata=create.response.metadata)
            await bench.says(events.ResponseCreated(response=begun))
            await bench.is_done(response_id, output)
            assert texts == ([] if response_id == "r1" else ["Done."])
            if response_id == "r1":
                await bench.server.expect(events.ConversationItemCreate)


async def test_a_cancelled_respond_is_not_asked_for_later() -> None:
    async with pumping() as bench:
        await bench.begins("vad")
        with anyio.move_on_after(0):
            await bench.pump.respond(events.ResponseParams(), None)
        await bench.is_done("vad")
        await bench.server.expect_nothing()


def test_an_error_of_the_server_becomes_an_exception_with_its_data() -> None:
    detail = events.ErrorDetail(type="invalid_request_error", message="", code="c", param="p")
    error = refusal(detail, "evt_9")
    assert isinstance(error, ServerError)
    assert (error.code, error.param, error.kind, error.event_id) == (
        "c",
        "p",
        "invalid_request_error",
        "evt_9",
    )
    assert "the server refused the event" in str(error)


# -- input audio --------------------------------------------------------------------------------------


async def test_audio_goes_out_and_nothing_is_sent_for_nothing() -> None:
    async with pumping() as bench:
        assert bench.pump.input.append(b"", 1.0) == 0.0
        assert bench.pump.input.append(b"\1\0" * 480, 1.0) == 0.0
        await bench.rest()
        assert bench.pump.statistics().frames_sent == 1
        append = await bench.server.expect(events.InputAudioBufferAppend)
        assert append.pcm == b"\1\0" * 480


async def test_audio_that_cannot_leave_is_dropped_told_and_counted() -> None:
    async with ScriptedServer() as server:
        bench = Bench(server)
        bench.pump.connect(Opened())
        assert [bench.pump.input.append(SECOND, 0.0) for _ in range(6)] == [0.0] * 5 + [1000.0]
        (dropped,) = bench.told.take(lifecycle.AudioDropped)
        assert (dropped.at, dropped.ms, dropped.reason) == (50.0, 1000.0, "the network is too slow")
        assert bench.pump.metrics().audio_dropped_ms == 1000.0
        statistics = bench.pump.statistics()
        assert (statistics.audio_waiting_ms, statistics.at_rest) == (5000.0, False)


# -- the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1001, "60 minutes"), (1011, "oops")])
async def test_the_servers_end_is_the_end_of_the_session(code: int, reason: str) -> None:
    async with pumping() as bench:
        await bench.server.close(code, reason)
        await bench.pump.ended.wait()
        changed, closed = bench.told.take()[-2:]
        assert (changed.previous, changed.state) == ("listening", "closed")
        assert (closed.code, closed.reason) == (code, reason)
        assert isinstance(closed.error, ConnectionLost)
        with pytest.raises(ConnectionLost, match=reason):
            bench.pump.post(events.InputAudioBufferClear())
        with pytest.raises(ConnectionLost):
            await bench.pump.respond(events.ResponseParams(), None)
        assert bench.pump.input.append(SECOND, 0.0) == 0.0
        bench.pump.tool_finished("c1", "late", True)


async def test_our_own_end_is_no_error_and_comes_once() -> None:
    async with pumping() as bench:
        bench.pump.post(events.InputAudioBufferClear())
        await bench.server.transport.aclose()
        await bench.pump.ended.wait()
        bench.pump.end(ConnectionLost(1006), 1006, "again")
        (closed,) = bench.told.take(lifecycle.Closed)
        assert (closed.code, closed.reason, closed.error) == (1000, "closed by us", None)
        with pytest.raises(SessionClosed):
            bench.pump.interrupt()


async def test_a_writer_that_finds_the_line_dead_leaves_the_report_to_the_reader(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "rtagent.session")
    async with pumping() as bench:
        bench.pump.post(events.InputAudioBufferClear())
        await bench.server.close(1011, "oops")
        await bench.rest()
        assert bench.pump.closed is not None
        assert bench.pump.closed.code == 1011
    assert "writing ended: the connection was lost (code 1011): oops" in caplog.text


async def test_a_server_that_reads_nothing_ends_the_session_with_a_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_module, "CONTROL_CAPACITY", 2)
    async with ScriptedServer() as server:
        bench = Bench(server)
        bench.pump.post(events.InputAudioBufferClear())
        bench.pump.post(events.InputAudioBufferClear())
        event_id = bench.pump.post(events.InputAudioBufferClear(), awaited=True)
        with pytest.raises(LocalProtocolError, match="the other side does not read"):
            await bench.pump.waiters.wait(event_id, None, "it")
        (closed,) = bench.told.take(lifecycle.Closed)
        assert isinstance(closed.error, LocalProtocolError)
        with pytest.raises(LocalProtocolError):
            bench.pump.check_open()


# -- states -------------------------------------------------------------------------------------------


async def test_states_are_told_when_they_change() -> None:
    async with pumping() as bench:
        bench.told.take()
        await bench.begins()
        await bench.speaks()
        await bench.is_done()
        moves = [(event.previous, event.state) for event in bench.told.take(lifecycle.StateChanged)]
        # without a mouth the voice is over as soon as it has come
        assert moves == [("listening", "thinking"), ("thinking", "speaking"), ("speaking", "listening")]


async def test_a_session_that_is_not_open_yet_stays_connecting() -> None:
    async with ScriptedServer() as server:
        bench = Bench(server)
        bench.pump.core.receive(events.ResponseCreated(response=events.RealtimeResponse(id="r1")), 0.0)
        bench.pump.post(events.InputAudioBufferClear())
        assert bench.state == "connecting"


# -- the voice ----------------------------------------------------------------------------------------


async def test_a_turn_is_measured_on_the_audio() -> None:
    async with pumping() as bench:
        await bench.attach(NullSink(clock=bench.clock))
        bench.pump.input.append(SECOND, 49.0)
        await bench.says(
            events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0),
            events.InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=1000),
        )
        await bench.begins()
        await bench.speaks()
        await bench.is_done()
        await bench.clock.advance(2.0)
        (started,) = bench.told.take(lifecycle.PlaybackStarted) or [None]
        assert started is not None
        assert started.item_id == "a1"
        (turn,) = bench.pump.metrics().turns
        assert turn.response_id == "r1"
        # the server's default window of silence is half a second, so the last word ended at 49.5
        assert turn.end_of_speech_to_first_heard_ms == pytest.approx((started.at - 49.5) * 1000)
        assert bench.state == "listening"


async def test_a_voice_heard_to_its_end_is_told_with_its_length() -> None:
    async with pumping() as bench:
        await bench.attach(NullSink(clock=bench.clock))
        await bench.begins()
        await bench.speaks("a1")
        await bench.speaks("a2", pcm=SECOND[:24_000])
        await bench.is_done()
        await bench.clock.advance(1.0)
        assert bench.state == "speaking"
        assert bench.told.take(lifecycle.PlaybackFinished) == []
        await bench.clock.advance(1.0)
        (finished,) = bench.told.take(lifecycle.PlaybackFinished)
        assert (finished.item_id, finished.heard_ms) == ("a2", 500.0)
        assert bench.state == "listening"


async def test_nothing_heard_is_no_finished_playback() -> None:
    async with pumping() as bench:
        attachment = await bench.attach(NullSink(clock=bench.clock))
        attachment.drain()
        await bench.clock.advance(0.1)
        assert bench.told.take(lifecycle.PlaybackFinished) == []


async def test_speech_cuts_the_voice_and_measures_the_silence() -> None:
    async with pumping() as bench:
        await bench.attach(NullSink(clock=bench.clock))
        await bench.begins()
        await bench.speaks()
        await bench.clock.advance(0.5)
        bench.told.take()
        await bench.says(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0))
        truncate = await bench.server.expect(events.ConversationItemTruncate)
        (interrupted,) = bench.told.take(lifecycle.Interrupted)
        assert (interrupted.item_id, interrupted.response_id) == ("a1", "r1")
        assert int(interrupted.heard_ms) == truncate.audio_end_ms
        await bench.is_done()
        await bench.begins("r2")
        await bench.speaks("a2", "r2")
        await bench.clock.advance(0.5)
        (turn,) = bench.pump.metrics().turns
        assert turn.interrupt_to_silence_ms is not None
        assert turn.interrupt_to_silence_ms == pytest.approx(25.0)  # the block under way and the ramp of 5 ms
        assert bench.told.take(lifecycle.PlaybackFinished) == []


async def test_the_program_interrupts_without_a_mouth() -> None:
    async with pumping() as bench:
        await bench.begins()
        await bench.speaks()
        bench.pump.interrupt()
        await bench.server.expect(events.ResponseCancel)
        await bench.speaks()
        assert bench.pump.metrics().late_audio_dropped_ms == 1000.0


async def test_the_history_knows_what_was_heard_until_now() -> None:
    async with pumping() as bench:
        await bench.attach(NullSink(clock=bench.clock))
        await bench.begins()
        item = events.AssistantMessage(id="a1", content=[])
        await bench.says(events.ResponseOutputItemAdded(response_id="r1", output_index=0, item=item))
        await bench.speaks()
        await bench.clock.advance(0.5)
        (entry,) = bench.pump.history()
        assert entry.heard_ms is not None
        assert 0.0 < entry.heard_ms < 1000.0


@pytest.mark.parametrize("done", [True, False])
async def test_detaching_ends_the_voice_whether_all_of_it_had_come_or_not(done: bool) -> None:
    async with pumping() as bench:
        attachment = await bench.attach(NullSink(clock=bench.clock))
        await bench.begins()
        await bench.speaks()
        if done:
            await bench.is_done()
        await bench.clock.advance(0.2)
        assert bench.state == "speaking"
        attachment.detach()
        await bench.rest()
        if not done:
            await bench.speaks()
            await bench.is_done()
        assert bench.state == "listening"
        await bench.server.expect_nothing()


async def test_a_mouth_that_fails_is_reported_and_the_session_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with pumping() as bench:
        attachment = await bench.attach(FailingSink(clock=bench.clock))
        await bench.begins()
        await bench.speaks()
        await bench.is_done()
        assert isinstance(attachment.error, AudioUnavailable)
        assert bench.state == "listening"
        assert bench.pump.closed is None
    assert "ears and mouth were taken away: device busy or lost. Plug it in." in caplog.text


async def test_a_session_without_ears_and_mouth_has_its_history_too() -> None:
    async with pumping() as bench:
        item = events.user_message("Hi.", id="u1")
        await bench.says(events.ConversationItemAdded(item=item, previous_item_id=None))
        assert [entry.text for entry in bench.pump.history()] == ["Hi."]


async def test_ears_alone_leave_the_voice_alone() -> None:
    async with pumping() as bench:
        await bench.attach(None)
        await bench.begins()
        await bench.speaks()
        await bench.is_done()
        assert bench.state == "listening"


async def test_the_end_silences_the_mouth() -> None:
    async with pumping() as bench:
        sink = NullSink(clock=bench.clock)
        await bench.attach(sink)
        await bench.begins()
        await bench.speaks()
        await bench.clock.advance(0.2)
        bench.pump.end(None, 1000, "closed by us")
        await bench.clock.advance(2.0)
        assert sink.heard().of("a1") < 300.0


# -- tools --------------------------------------------------------------------------------------------


async def test_a_call_runs_and_an_interruption_reaches_it() -> None:
    async with pumping() as bench:
        await bench.begins()
        await bench.says(events.ResponseOutputItemDone(response_id="r1", output_index=0, item=CALL))
        assert bench.state == "tool_running"
        assert not bench.pump.statistics().at_rest
        await bench.says(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0))
        output = await bench.server.expect(events.ConversationItemCreate)
        assert isinstance(output.item, events.FunctionCallOutput)
        assert "cancelled" in output.item.output
        assert bench.pump.statistics().at_rest


async def test_a_pump_that_was_not_started_runs_nothing() -> None:
    async with ScriptedServer() as server:
        bench = Bench(server)
        core = bench.pump.core
        core.receive(events.ResponseCreated(response=events.RealtimeResponse(id="r1")), 0.0)
        core.receive(events.ResponseOutputItemDone(response_id="r1", output_index=0, item=CALL), 0.0)
        bench.pump.interrupt()
        assert bench.told.take(lifecycle.ToolStarted) == []


# -- order --------------------------------------------------------------------------------------------


async def test_who_gets_an_answer_goes_on_before_the_next_event_is_read() -> None:
    async with pumping() as bench, anyio.create_task_group() as group:
        seen: list[int] = []

        async def wait() -> None:
            event_id = bench.pump.post(events.InputAudioBufferClear(), awaited=True)
            await bench.pump.waiters.wait(event_id, None, "it")
            seen.append(bench.pump.statistics().events_received)

        group.start_soon(wait)
        await bench.server.expect(events.InputAudioBufferClear)
        before = bench.pump.statistics().events_received
        await bench.says(events.InputAudioBufferCleared(), events.RateLimitsUpdated(rate_limits=[]))
        assert seen == [before + 1]


# -- connections come and go --------------------------------------------------------------------------


def resumption_of(bench: Bench) -> Resumable:
    resumption = bench.pump.core.resumption
    assert resumption is not None
    return resumption


async def test_what_opens_a_connection_is_counted_and_told_to_the_observer_alone() -> None:
    async with pumping() as bench:
        before = bench.pump.statistics().frames_sent
        bench.pump.traffic.say(events.ResponseCancel())
        assert bench.pump.statistics().frames_sent == before + 1
        assert bench.told.take() == [
            lifecycle.StateChanged(at=50.0, state="listening", previous="connecting")
        ]


async def test_while_there_is_no_connection_what_is_wanted_waits() -> None:
    async with pumping() as bench:
        bench.told.take()
        resumption = resumption_of(bench)
        resumption.keep_speech(1_000.0, 0.0)
        bench.pump.disconnect(resumption, ConnectionLost(1012, "restart"))
        assert bench.state == "reconnecting"
        clear = bench.pump.post(events.ConversationItemDelete(item_id="a"), awaited=True)
        for _ in range(5):
            bench.pump.input.append(SECOND, bench.clock.now())
        await bench.server.expect_nothing()
        bench.pump.reconnect(resumption, Opened())
        assert bench.state == "listening"
        assert (await bench.server.expect(events.ConversationItemDelete)).event_id == clear
        states = [event.state for event in bench.told.take(lifecycle.StateChanged)]
        assert states == ["reconnecting", "listening"]
        assert bench.pump.deeds.loss is not None
        assert bench.pump.deeds.loss.code == 1012


async def test_what_was_said_without_a_connection_and_is_too_old_is_told() -> None:
    async with pumping() as bench:
        resumption = resumption_of(bench)
        resumption.keep_speech(1_000.0, 0.0)
        bench.pump.disconnect(resumption, ConnectionLost())
        for _ in range(5):
            bench.pump.input.append(SECOND, bench.clock.now())
        bench.pump.reconnect(resumption, Opened())
        (dropped,) = bench.told.take(lifecycle.AudioDropped)
        assert dropped.ms == 5_000.0
        assert dropped.reason == "there was no connection"


async def test_nobody_notices_a_connection_that_takes_over_from_one_that_is_well() -> None:
    async with pumping() as bench:
        bench.told.take()
        resumption = resumption_of(bench)
        resumption.keep_speech(30_000.0, 0.0)
        bench.pump.input.append(SECOND, bench.clock.now())
        bench.pump.disconnect(resumption)
        bench.pump.reconnect(resumption, Opened(), seamless=True)
        assert bench.told.take() == []
        assert bench.pump.deeds.loss is None
        await bench.server.expect(events.InputAudioBufferAppend)
        await bench.rest()
        assert bench.pump.statistics().at_rest


async def test_who_waits_for_a_state_of_the_conversation_goes_on_when_it_is_there() -> None:
    async with pumping() as bench:
        await bench.pump.wait_until(lambda: True)
        over: list[str] = []

        async def wait() -> None:
            await bench.pump.wait_until(lambda: bench.state == "thinking")
            over.append(bench.state)

        assert bench.group is not None
        bench.group.start_soon(wait)
        await bench.rest()
        assert over == []
        await bench.begins()
        assert over == ["thinking"]
        await bench.is_done()


async def test_several_may_wait_for_a_state_of_the_conversation() -> None:
    async with pumping() as bench:
        over: list[str] = []

        async def wait(state: str) -> None:
            await bench.pump.wait_until(lambda: bench.state == state)
            over.append(state)

        assert bench.group is not None
        for state in ("thinking", "thinking", "speaking"):
            bench.group.start_soon(wait, state)
        await bench.rest()
        await bench.begins()
        assert over == ["thinking", "thinking"]
        await bench.attach(NullSink(clock=bench.clock))
        await bench.speaks()
        assert over == ["thinking", "thinking", "speaking"]


async def test_a_response_that_is_not_wanted_any_more_is_cancelled() -> None:
    async with pumping() as bench:
        request_id = bench.pump.post(
            events.ResponseCreate(response=events.ResponseParams(conversation="none"))
        )
        created = await bench.server.expect(events.ResponseCreate)
        assert created.response is not None
        response = events.RealtimeResponse(id="b1", metadata=created.response.metadata)
        await bench.says(events.ResponseCreated(response=response))
        bench.pump.drop_response(request_id)
        assert (await bench.server.expect(events.ResponseCancel)).response_id == "b1"
        bench.pump.end(None, 1000, "closed by us")
        bench.pump.drop_response(request_id)
