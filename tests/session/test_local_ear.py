"""Ears that know by themselves when somebody speaks, in a session whose server is played by hand."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import numpy as np
import pytest

from rtagent import events
from rtagent.audio import AudioBlock, AudioFormat, NullSink, Silence
from rtagent.errors import ConfigurationError, Unsupported
from rtagent.events import lifecycle
from rtagent.session import BargeIn, LocalTurns, Session
from rtagent.testing import FakeClock, ScriptedServer
from tests.session.attached import PlainSink

PCM_24K = AudioFormat.pcm16(24_000)
BLOCK_S = 0.02
LOUD = (9_000 * np.sin(2 * np.pi * 300 * np.arange(480) / 24_000)).astype("<i2").tobytes()
VOICE_S = 3.0


class Mic:
    """A microphone beside which somebody speaks when the test says so."""

    format = PCM_24K

    def __init__(self, clock: FakeClock) -> None:
        self.loud = False
        self._clock = clock

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        due = self._clock.now()
        while True:
            due += BLOCK_S
            await self._clock.sleep_until(due)
            yield AudioBlock(LOUD if self.loud else bytes(960), due - BLOCK_S)


def turn_detection(**flags: bool) -> events.RealtimeSession:
    return events.RealtimeSession(
        audio=events.SessionAudio(
            input=events.AudioInput(turn_detection=events.ServerVad(**flags) if flags else None),
        )
    )


class Room:
    """A session with ears and mouth, its server, and what was told."""

    def __init__(self, server: ScriptedServer, session: Session, clock: FakeClock) -> None:
        self.server = server
        self.session = session
        self.clock = clock
        self.mic = Mic(clock)
        self.sink = NullSink(clock=clock)
        self.told: list[Any] = []
        self._answers = 0

    def attach(self, **options: Any) -> None:
        self.session.attach(self.mic, self.sink, **options)

    async def passes(self, seconds: float, *, loud: bool = False) -> None:
        self.mic.loud = loud
        for _ in range(round(seconds / BLOCK_S)):
            await self.clock.advance(BLOCK_S)
        self.mic.loud = False

    async def voice(self, *, done: bool = True) -> None:
        """The assistant says something of three seconds, of which half a second is heard."""
        self._answers += 1
        response, item = f"r{self._answers}", f"a{self._answers}"
        await self.server.send(
            events.ResponseCreated(response=events.RealtimeResponse(id=response)),
            events.ResponseOutputItemAdded(
                response_id=response,
                output_index=0,
                item=events.AssistantMessage(id=item, content=[]),
            ),
            events.ResponseOutputAudioDelta(
                response_id=response,
                item_id=item,
                output_index=0,
                content_index=0,
                delta=b64encode(LOUD * round(VOICE_S / BLOCK_S)).decode(),
            ),
        )
        if done:
            await self.server.send(
                events.ResponseDone(response=events.RealtimeResponse(id=response, status="completed"))
            )
        await self.passes(0.5)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.told]

    def event(self, kind: type[Any]) -> Any:
        (only,) = [event for event in self.told if isinstance(event, kind)]
        return only

    @property
    def heard_ms(self) -> float:
        return self.sink.heard().of(f"a{self._answers}")


PLAYBACK = (
    lifecycle.PlaybackPaused,
    lifecycle.PlaybackResumed,
    lifecycle.PlaybackFinished,
    lifecycle.Interrupted,
)


@asynccontextmanager
async def room(greeting: events.RealtimeSession | None = None) -> AsyncIterator[Room]:
    clock = FakeClock(100.0)
    async with ScriptedServer(greeting) as server, Session(server.transport, clock=clock) as session:
        place = Room(server, session, clock)
        for kind in PLAYBACK:
            session.on(kind, place.told.append)
        yield place


# -- the server hears turns as well ---------------------------------------------------------------------


async def test_the_voice_pauses_at_once_and_is_cut_when_the_server_hears_it_too() -> None:
    async with room() as place:
        place.attach(interrupt_on="local")
        await place.passes(0.2)
        await place.voice()
        assert place.told == []
        await place.passes(0.16, loud=True)
        paused = place.event(lifecycle.PlaybackPaused)
        assert (paused.item_id, paused.reason) == ("a1", "speech")
        still = place.heard_ms
        await place.passes(0.2, loud=True)
        assert place.heard_ms == still, "it is silent before the server has said a word"
        await place.server.send(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=700))
        await place.passes(0.04, loud=True)
        cut = await place.server.expect(events.ConversationItemTruncate)
        assert cut.audio_end_ms == int(still)
        assert place.kinds() == ["PlaybackPaused", "Interrupted"]
        await place.voice()
        assert place.heard_ms > 400, "the next answer is heard"
        (turn,) = place.session.metrics.turns
        assert turn.interrupt_to_silence_ms is not None
        assert turn.interrupt_to_silence_ms <= 25.01, "counted from the moment at which it was heard here"


async def test_a_cough_makes_the_voice_wait_and_nothing_of_it_is_lost() -> None:
    async with room() as place:
        place.attach(interrupt_on="local")
        await place.passes(0.2)
        await place.voice()
        await place.passes(0.2, loud=True)
        still = place.heard_ms
        await place.passes(2.2)
        assert place.heard_ms == still
        await place.passes(0.3)
        resumed = place.event(lifecycle.PlaybackResumed)
        assert (resumed.item_id, resumed.heard_ms, resumed.reason) == ("a1", still, "speech")
        assert resumed.paused_ms == pytest.approx(2_400, abs=60)
        await place.passes(VOICE_S)
        assert place.event(lifecycle.PlaybackFinished).heard_ms == VOICE_S * 1000
        assert place.kinds() == ["PlaybackPaused", "PlaybackResumed", "PlaybackFinished"]
        await place.server.expect_nothing()


async def test_a_noise_that_goes_on_does_not_silence_the_voice_for_good() -> None:
    async with room() as place:
        place.attach(interrupt_on="local")
        await place.passes(0.2)
        await place.voice()
        await place.passes(2.3, loud=True)
        assert place.kinds() == ["PlaybackPaused", "PlaybackResumed"]
        await place.passes(VOICE_S, loud=True)
        assert place.event(lifecycle.PlaybackFinished).heard_ms == VOICE_S * 1000


async def test_speech_while_the_voice_is_silent_changes_nothing() -> None:
    async with room() as place:
        place.attach(interrupt_on=BargeIn())
        await place.passes(0.2)
        await place.passes(0.5, loud=True)
        await place.server.send(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=200))
        await place.voice()
        assert place.heard_ms > 400
        assert place.told == []


# -- the server leaves it to us -------------------------------------------------------------------------

OURS = turn_detection(interrupt_response=False, create_response=False)


async def test_who_speaks_for_long_enough_interrupts() -> None:
    async with room(OURS) as place:
        place.attach(interrupt_on="local")
        await place.passes(0.2)
        await place.voice(done=False)
        await place.passes(0.9, loud=True)
        still = place.heard_ms
        assert place.kinds() == ["PlaybackPaused"]
        await place.passes(0.4, loud=True)
        assert place.kinds() == ["PlaybackPaused", "Interrupted"]
        await place.server.expect(events.ResponseCancel)
        assert (await place.server.expect(events.ConversationItemTruncate)).audio_end_ms == int(still)


@pytest.mark.parametrize("words", ["delta", "completed"])
async def test_words_interrupt(words: str) -> None:
    async with room(OURS) as place:
        place.attach(interrupt_on=BargeIn(sure_after_s=math.inf))
        await place.passes(0.2)
        await place.voice()
        await place.server.send(events.InputAudioBufferSpeechStarted(item_id="u2", audio_start_ms=700))
        await place.passes(0.04)
        assert place.kinds() == ["PlaybackPaused"], "the server may be the first to hear it"
        for item_id, text in (("u1", "of the turn before"), ("u2", " ")):
            await place.server.send(
                events.ConversationItemInputAudioTranscriptionDelta(
                    item_id=item_id, content_index=0, delta=text
                )
            )
        await place.passes(1.5, loud=True)
        assert place.kinds() == ["PlaybackPaused"]
        if words == "delta":
            said: events.ServerEvent = events.ConversationItemInputAudioTranscriptionDelta(
                item_id="u2", content_index=0, delta="Stop"
            )
        else:
            said = events.ConversationItemInputAudioTranscriptionCompleted(
                item_id="u2", content_index=0, transcript="Stop.", usage=None
            )
        await place.server.send(said)
        await place.passes(0.04)
        assert place.kinds() == ["PlaybackPaused", "Interrupted"]
        await place.server.expect(events.ConversationItemTruncate)


async def test_a_turn_that_the_server_will_answer_interrupts() -> None:
    async with room(turn_detection(interrupt_response=False, create_response=True)) as place:
        place.attach(interrupt_on=BargeIn(sure_after_s=math.inf))
        await place.passes(0.2)
        await place.voice()
        await place.server.send(events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=700))
        await place.passes(0.3, loud=True)
        await place.server.send(
            events.InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=1_000),
            events.InputAudioBufferCommitted(item_id="u1", previous_item_id="a1"),
        )
        await place.passes(0.04)
        assert place.kinds() == ["PlaybackPaused", "Interrupted"]
        await place.server.expect(events.ConversationItemTruncate)
        await place.voice()
        assert place.heard_ms > 400


# -- turns that end on this side ------------------------------------------------------------------------

MANUAL = turn_detection()


async def test_only_speech_is_sent_and_each_turn_is_handed_over_and_answered() -> None:
    async with room(MANUAL) as place:
        place.attach(turns="local")
        await place.passes(1.0)
        await place.server.expect_nothing()
        assert place.server.appended == b""
        await place.passes(0.6, loud=True)
        await place.passes(0.4)
        await place.server.expect_nothing()
        await place.passes(0.3)
        await place.server.expect(events.InputAudioBufferCommit)
        await place.server.expect(events.ResponseCreate)
        sent_ms = PCM_24K.ms_of(len(place.server.appended))
        assert 300 + 600 + 500 <= sent_ms <= 300 + 600 + 500 + 100, "from before the first sound"
        assert bytes(place.server.appended).count(LOUD) == 30
        assert place.told == []


async def test_a_short_noise_over_the_voice_is_no_turn() -> None:
    async with room(MANUAL) as place:
        place.attach(turns=LocalTurns(silence_ms=200))
        await place.passes(0.5)
        await place.voice()
        await place.passes(0.16, loud=True)
        await place.passes(0.3)
        assert place.kinds() == ["PlaybackPaused", "PlaybackResumed"]
        await place.server.expect(events.InputAudioBufferClear)
        await place.passes(VOICE_S)
        assert place.event(lifecycle.PlaybackFinished).heard_ms == VOICE_S * 1000
        await place.server.expect_nothing()


async def test_who_talks_over_the_voice_is_answered() -> None:
    async with room(MANUAL) as place:
        place.attach(turns="local")
        await place.passes(0.5)
        await place.voice()
        await place.passes(0.8, loud=True)
        assert place.kinds() == ["PlaybackPaused", "Interrupted"]
        await place.server.expect(events.ConversationItemTruncate)
        await place.passes(0.7)
        await place.server.expect(events.InputAudioBufferCommit)
        await place.server.expect(events.ResponseCreate)


async def test_an_answer_that_is_not_heard_yet_gives_way_to_the_next_turn() -> None:
    async with room(MANUAL) as place:
        place.attach(turns="local")
        await place.passes(0.5)
        for first in (True, False):
            await place.passes(0.5, loud=True)
            await place.passes(0.7)
            if not first:
                await place.server.expect(events.ResponseCancel)
            await place.server.expect(events.InputAudioBufferCommit)
            if first:
                await place.server.expect(events.ResponseCreate)
                await place.server.send(
                    events.ResponseCreated(response=events.RealtimeResponse(id="r1", metadata=None))
                )
        await place.server.send(
            events.ResponseDone(response=events.RealtimeResponse(id="r1", status="cancelled"))
        )
        await place.server.expect(events.ResponseCreate)


class Patience:
    """Thinks that nobody has finished."""

    def __init__(self) -> None:
        self.asked = 0

    async def finished(self, speech: bytes, format: AudioFormat, said: str | None) -> float:  # noqa: A002
        self.asked += 1
        return 0.1


async def test_a_judge_may_wait_for_more() -> None:
    judge = Patience()
    async with room(MANUAL) as place:
        place.attach(turns=LocalTurns(judge=judge, longest_pause_ms=2_000))
        await place.passes(0.5)
        await place.passes(0.5, loud=True)
        await place.passes(1.5)
        await place.server.expect_nothing()
        await place.passes(0.5, loud=True)
        await place.passes(2.0)
        await place.server.expect_nothing()
        await place.passes(0.6)
        await place.server.expect(events.InputAudioBufferCommit)
        await place.server.expect(events.ResponseCreate)
    assert judge.asked >= 4


async def test_turns_end_without_a_mouth_too() -> None:
    async with room(MANUAL) as place:
        place.session.attach(place.mic, turns="local")
        await place.passes(0.5)
        await place.passes(0.5, loud=True)
        await place.passes(0.7)
        await place.server.expect(events.InputAudioBufferCommit)
        await place.server.expect(events.ResponseCreate)


# -- what cannot be -------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["interrupt_on", "turns"])
async def test_without_ears_or_with_a_sink_that_cannot_pause_it_is_refused(
    option: Literal["interrupt_on", "turns"],
) -> None:
    async with room(MANUAL) as place:
        asked: Any = {option: "local"}
        with pytest.raises(ConfigurationError, match="where a source is attached"):
            place.session.attach(None, place.sink, **asked)
        with pytest.raises(ConfigurationError, match="PlainSink cannot pause"):
            place.session.attach(place.mic, PlainSink(), **asked)
        with pytest.raises(ConfigurationError, match="PCM16"):
            place.session.attach(Silence(format=AudioFormat.pcmu()), place.sink, **asked)
        place.attach(**asked)  # nothing was left attached


async def test_two_sides_do_not_detect_turns() -> None:
    async with room() as place:
        with pytest.raises(ConfigurationError, match="detects turns already"):
            place.attach(turns="local")


async def test_a_server_that_takes_no_commit_has_no_turns_of_ours() -> None:
    deaf = events.GA.model_copy(update={"refused_events": frozenset({"input_audio_buffer.commit"})})
    async with ScriptedServer(MANUAL) as server, Session(server.transport, dialect=deaf) as session:
        with pytest.raises(Unsupported):
            session.attach(Silence(format=PCM_24K), turns="local")
