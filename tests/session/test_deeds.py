"""What the core has decided is carried out, and who waits goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import anyio
import anyio.abc
import pytest

from rtagent import events
from rtagent.audio import AudioFormat, NullSink, PlaybackItem, Silence
from rtagent.errors import ConnectionLost, ServerError, Timeout
from rtagent.events import lifecycle
from rtagent.protocol import (
    Answered,
    Call,
    CallDue,
    CallsInterrupted,
    Conversation,
    InputTurn,
    PlayDue,
    Refused,
    Response,
    ResponseFinished,
    StopDue,
    Undelivered,
    VoiceCut,
    VoiceEnded,
)
from rtagent.protocol._formats import Effective
from rtagent.session import Attachment, BargeIn
from rtagent.session._deeds import Deeds
from rtagent.session._fanout import Fanout
from rtagent.testing import FakeClock

SECOND = bytes(48_000)
ITEM = PlaybackItem("a1", response_id="r1")


class Runner:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.told: list[tuple[str, ...]] = []

    @property
    def idle(self) -> bool:
        return not self.running

    def start(self, call: Call, group: anyio.abc.TaskGroup) -> None:
        self.running.append(call.call_id)

    def interrupt(self, call_ids: Iterable[str]) -> None:
        self.told.append(("interrupt", *call_ids))

    def hush(self) -> None:
        self.told.append(("hush",))


class Bench:
    """Deeds, and all that they move."""

    def __init__(self) -> None:
        numbers = count(1)
        self.clock = FakeClock(50.0)
        self.seen: list[Any] = []
        self.core = Conversation(new_id=lambda prefix: f"{prefix}_{next(numbers)}")
        fanout = Fanout(lambda _at, _side, event: self.seen.append(event), self.clock.now)
        self.deeds = Deeds(self.core, self.clock, fanout)
        self.tools = Runner()

    def attach(self, sink: NullSink | None) -> Attachment:
        attachment = Attachment(None, sink, self.clock, append=lambda _pcm, _at: 0.0)
        self.deeds.attachment = attachment
        return attachment


@asynccontextmanager
async def running(bench: Bench, attachment: Attachment) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(attachment.run, lambda _item, _at: None, lambda _heard: None)
        await bench.clock.advance(0.0)
        yield
        group.cancel_scope.cancel()


async def waited(bench: Bench, key: str, happening: Any) -> Any:
    """What somebody gets who waits for that, when this happens."""
    bench.deeds.waiters.open(key)
    assert bench.deeds.do(happening), "somebody waited"
    return await bench.deeds.waiters.wait(key, None, "it")


# -- who waits ----------------------------------------------------------------------------------------


async def test_an_answer_goes_to_the_one_who_waits_for_it() -> None:
    answer = events.InputAudioBufferCleared()
    assert await waited(Bench(), "evt_1", Answered("evt_1", answer)) is answer


@pytest.mark.parametrize("key", ["evt_1", "response:evt_1"])
async def test_a_refusal_fails_it(key: str) -> None:
    error = events.ErrorDetail(type="x", code="bad", message="no")
    with pytest.raises(ServerError, match="no"):
        await waited(Bench(), key, Refused("evt_1", error))
    with pytest.raises(Timeout):
        await waited(Bench(), key, Refused("evt_1", None))


@pytest.mark.parametrize("loss", [None, ConnectionLost(1012, "restart")])
async def test_what_is_not_sent_again_fails_with_the_loss(loss: ConnectionLost | None) -> None:
    bench = Bench()
    bench.deeds.loss = loss
    with pytest.raises(ConnectionLost, match=r"before response\.create was answered") as caught:
        await waited(bench, "response:evt_1", Undelivered("evt_1", "response.create"))
    assert caught.value.code == (None if loss is None else 1012)


async def test_only_the_last_response_of_a_request_answers_it() -> None:
    bench = Bench()
    response = Response(id="r1", status="completed", text="")
    bench.deeds.waiters.open("response:evt_1")
    assert not bench.deeds.do(ResponseFinished(response, ("evt_1",), final=False))
    assert bench.deeds.do(ResponseFinished(response, ("evt_1", "evt_2"), final=True))
    assert await bench.deeds.waiters.wait("response:evt_1", None, "it") is response
    assert not bench.deeds.do(ResponseFinished(response, (), final=True))


@pytest.mark.parametrize(
    "happening", [Answered("evt_1", None), Refused("evt_1", None), Undelivered("evt_1", "x")], ids=str
)
def test_where_nobody_waits_nobody_goes_on(happening: Any) -> None:
    assert not Bench().deeds.do(happening)


# -- the voice ----------------------------------------------------------------------------------------


def test_without_ears_and_mouth_nothing_is_played_and_all_is_over_at_once() -> None:
    bench = Bench()
    bench.deeds.set_formats(Effective())
    for happening in (PlayDue(ITEM, SECOND), StopDue("speech"), StopDue("program"), VoiceEnded("r1")):
        assert not bench.deeds.do(happening)
    assert bench.seen == []


async def test_what_is_to_be_heard_is_played_and_stopped() -> None:
    bench = Bench()
    sink = NullSink(clock=bench.clock)
    attachment = bench.attach(sink)
    bench.deeds.set_formats(Effective())
    async with running(bench, attachment):
        bench.deeds.do(PlayDue(ITEM, SECOND))
        await bench.clock.advance(0.5)
        assert sink.heard().of("a1") == pytest.approx(500.0, abs=30)
        bench.deeds.do(StopDue("speech"))
        await bench.clock.advance(1.0)
        assert sink.heard().of("a1") == pytest.approx(500.0, abs=30)
        bench.deeds.do(PlayDue(ITEM, SECOND))
        bench.deeds.do(VoiceEnded("r1"))
        await bench.clock.advance(2.0)
        bench.deeds.do(StopDue("program"))


async def test_a_mouth_that_is_gone_has_nothing_to_finish() -> None:
    bench = Bench()
    attachment = bench.attach(None)
    bench.deeds.do(VoiceEnded("r1"))
    async with running(bench, attachment):
        pass
    assert attachment.ended
    bench.deeds.do(VoiceEnded("r1"))


def test_a_cut_is_told() -> None:
    bench = Bench()
    bench.deeds.do(VoiceCut("a1", 320.0, "r1"))
    assert bench.seen == [lifecycle.Interrupted(at=50.0, item_id="a1", heard_ms=320.0, response_id="r1")]


@pytest.mark.parametrize("kind", ["started", "stopped"])
def test_the_end_of_speech_is_where_turns_are_measured_from(kind: Any) -> None:
    bench = Bench()
    bench.deeds.do(InputTurn(kind, "u1", 49.0))
    measured = bench.deeds.meter.first_heard(50.0, "r1", 50.0)
    assert (measured is not None and measured.end_of_speech_to_first_heard_ms is not None) is (
        kind == "stopped"
    )


class OurFloor:
    """A server that leaves interrupting to us."""

    is_ours = True

    def __init__(self) -> None:
        self.told: list[Any] = []

    def interrupt(self, since: float) -> None:
        raise AssertionError("the core is told, since it is the core that speaks")

    def end_turn(self) -> None:
        raise AssertionError("turns end at the server")

    take_back = end_turn

    def publish(self, event: lifecycle.LifecycleEvent) -> None:
        self.told.append(event)


async def test_words_of_what_made_the_voice_pause_interrupt_it() -> None:
    bench = Bench()
    floor = OurFloor()
    source, sink = Silence(format=AudioFormat.pcm16(24_000), clock=bench.clock), NullSink(clock=bench.clock)
    attachment = Attachment(source, sink, bench.clock, append=lambda _pcm, _at: 0.0)
    attachment.hear_turns(BargeIn(), floor)
    bench.deeds.attachment = attachment
    bench.core.receive(events.ResponseCreated(response=events.RealtimeResponse(id="r1")), bench.clock.now())
    async with running(bench, attachment):
        bench.deeds.do(PlayDue(ITEM, SECOND))
        await bench.clock.advance(0.3)
        bench.deeds.do(InputTurn("started", "u1"))
        assert [type(event) for event in floor.told] == [lifecycle.PlaybackPaused]
        await bench.clock.advance(0.2)
        for kind, item_id in (("stopped", "u1"), ("words", "u0")):
            bench.deeds.do(InputTurn(kind, item_id))  # type: ignore[arg-type]
        assert bench.core.happenings() == []
        bench.deeds.do(InputTurn("taken", "u1"))
        assert [type(happening) for happening in bench.core.happenings()] == [StopDue]
        bench.deeds.do(StopDue("program"))
        measured = bench.deeds.meter.first_heard(51.0, "r2", 51.0)
        assert measured is not None
        assert measured.interrupt_to_silence_ms is not None
        assert measured.interrupt_to_silence_ms <= 25.01


# -- tools --------------------------------------------------------------------------------------------


async def test_tools_run_once_there_is_a_group_for_them() -> None:
    bench = Bench()
    call = Call("c1", "patient", "{}", "r1", "f1")
    assert bench.deeds.idle
    bench.deeds.do(CallDue(call))
    bench.deeds.do(CallsInterrupted(("c1",)))
    async with anyio.create_task_group() as group:
        bench.deeds.start(group, bench.tools)
        assert bench.deeds.idle
        bench.deeds.do(CallDue(call))
        assert not bench.deeds.idle
        bench.deeds.do(CallsInterrupted(("c1",)))
    assert (bench.tools.running, bench.tools.told) == (["c1"], [("interrupt", "c1")])


async def test_tools_are_hushed_with_the_voice() -> None:
    bench = Bench()
    async with anyio.create_task_group() as group:
        bench.deeds.start(group, bench.tools)
        bench.deeds.do(StopDue("program"))
    assert bench.tools.told == [("hush",)]


async def test_a_mouth_is_a_sink_that_is_there_still() -> None:
    bench = Bench()
    assert not bench.deeds.has_mouth
    bench.attach(None)
    assert not bench.deeds.has_mouth
    attachment = bench.attach(NullSink(clock=bench.clock))
    assert bench.deeds.has_mouth
    attachment.detach()
    async with running(bench, attachment):
        pass
    assert not bench.deeds.has_mouth
