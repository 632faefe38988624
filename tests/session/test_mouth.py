"""The mouth of a session, on a clock that the tests move."""

from __future__ import annotations

import numpy as np
import pytest

from rtagent.audio import AudioFormat, NullSink, PlaybackItem, g711
from rtagent.errors import ConfigurationError
from rtagent.events import lifecycle
from rtagent.session import _mouth as module
from rtagent.session._mouth import Mouth
from rtagent.testing import FakeClock
from tests.session.attached import (
    A1,
    A2,
    PCM_24K,
    SECOND,
    Bench,
    PlainSink,
    SlowSink,
    loudness,
    running,
    talking,
)


async def test_a_voice_is_heard_from_its_first_sample_to_its_last() -> None:
    bench, _ = talking()
    async with running(bench):
        await bench.handle.wait_open()
        await bench.clock.advance(0.1)
        bench.handle.play(A1, SECOND)
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        await bench.clock.advance(1.5)
        ((item_id, at),) = bench.first
        assert item_id == "a1"
        assert at == pytest.approx(0.1, abs=0.02)
        assert bench.drained == []
        await bench.clock.advance(1.0)
        assert bench.drained == [{"a1": 2000.0}]


async def test_every_response_begins_once_even_when_they_take_turns() -> None:
    bench, _ = talking()
    async with running(bench):
        for item in (A1, A2, A1, PlaybackItem("a3", 0, "r1"), A2):
            bench.handle.play(item, SECOND[:9600])
        await bench.clock.advance(3.0)
        assert [item_id for item_id, _ in bench.first] == ["a1", "a2"]


async def test_an_answer_queued_behind_another_is_announced_after_it() -> None:
    bench, _ = talking()
    async with running(bench):
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        bench.handle.play(A2, SECOND)
        bench.handle.drain()
        await bench.clock.advance(3.0)
        (_, one), (_, two) = bench.first
        assert two - one == pytest.approx(1.0, abs=0.03)
        assert bench.drained == [{"a1": 1000.0, "a2": 1000.0}]


async def test_responses_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_RESPONSES", 2)
    bench, _ = talking()
    async with running(bench):
        for number in (1, 2, 3, 1):
            bench.handle.play(PlaybackItem(f"a{number}", 0, f"r{number}"), SECOND[:9600])
            await bench.clock.advance(0.5)
        assert [item_id for item_id, _ in bench.first] == ["a1", "a2", "a3", "a1"]


async def test_what_is_stopped_is_neither_begun_nor_drained() -> None:
    bench, sink = talking()
    async with running(bench):
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        assert bench.handle.stop() is not None
        await bench.clock.advance(0.5)
        bench.handle.play(A2, SECOND)
        bench.handle.drain()
        await bench.clock.advance(0.5)
        heard = bench.handle.stop()
        assert heard is not None
        assert heard.silent_at is not None
        await bench.clock.advance(2.0)
        assert [item_id for item_id, _ in bench.first] == ["a2"]
        assert bench.drained == []
        assert sink.heard().of("a2") < 1000.0


async def test_the_drain_of_a_stopped_answer_is_not_taken_for_the_next_ones() -> None:
    bench, _ = talking()
    async with running(bench):
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        await bench.clock.advance(0.1)
        bench.handle.stop()
        bench.handle.play(A2, SECOND[:9600])  # the next answer has begun and is not complete
        await bench.clock.advance(1.0)
        assert bench.drained == []
        bench.handle.drain()
        await bench.clock.advance(0.1)
        assert [heard["a2"] for heard in bench.drained] == [200.0]


async def test_the_voice_of_a_telephone_line_is_decoded_and_brought_to_the_sinks_rate() -> None:
    bench, sink = talking(wire=AudioFormat.pcmu(), rate=48_000)
    heard = bytearray()
    sink.tap = lambda block: heard.extend(block.pcm)
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype("<i2").tobytes()
    async with running(bench):
        bench.handle.play(A1, g711.encode_ulaw(tone))
        bench.handle.drain()
        await bench.clock.advance(2.0)
        assert bench.drained == [{"a1": 1000.0}]
        assert loudness(bytes(heard)[20_000:90_000]) == pytest.approx(8000 * 2 / np.pi, rel=0.05)
        bench.handle.stop()
        heard.clear()
        bench.handle.play(A2, g711.ULAW_SILENCE * 800)
        await bench.clock.advance(1.0)
        assert loudness(bytes(heard)) == 0.0  # nothing of the answer before is left in the filter


async def test_a_rate_that_fits_needs_no_filter_to_reset() -> None:
    bench, _ = talking(wire=AudioFormat.pcmu(), rate=8_000)
    async with running(bench):
        bench.handle.play(A1, bytes(800))
        assert bench.handle.stop() is not None


async def test_without_a_sink_nothing_is_played_or_stopped() -> None:
    async with running(Bench()) as bench:
        bench.handle.play(A1, SECOND)
        assert bench.handle.stop() is None
        await bench.handle.wait_source_ended()


async def test_a_sink_that_needs_no_opening_and_has_no_finish() -> None:
    sink = PlainSink()
    async with running(Bench(sink=sink)) as bench:
        bench.handle.play(A1, b"xx")
        bench.handle.drain()
        await bench.clock.advance(0.1)
        assert sink.played == [("a1", b"xx")]


async def test_voice_that_comes_before_the_sink_is_open_is_played_then() -> None:
    sink = SlowSink()
    async with running(Bench(sink=sink)) as bench:
        bench.handle.play(A1, b"11")
        bench.handle.play(A1, b"22")
        bench.handle.drain()
        assert (sink.played, sink.finished) == ([], 0)
        sink.may_open.set()
        await bench.handle.wait_open()
        assert (sink.played, sink.finished) == ([("a1", b"11"), ("a1", b"22")], 1)


async def test_voice_that_was_stopped_before_the_sink_is_open_is_not_played() -> None:
    sink = SlowSink()
    async with running(Bench(sink=sink)) as bench:
        bench.handle.play(A1, b"11")
        bench.handle.drain()
        bench.handle.stop()
        bench.handle.play(A2, b"22")
        sink.may_open.set()
        await bench.handle.wait_open()
        assert (sink.played, sink.finished) == ([("a2", b"22")], 0)


async def test_no_more_waits_for_the_sink_than_a_sink_would_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EARLY_BYTES", 4)
    sink = SlowSink()
    async with running(Bench(sink=sink)) as bench:
        for pcm in (b"11", b"22", b"33"):
            bench.handle.play(A1, pcm)
        sink.may_open.set()
        await bench.handle.wait_open()
        assert [pcm for _, pcm in sink.played] == [b"11", b"22"]
        (dropped,) = bench.told
        assert isinstance(dropped, lifecycle.AudioDropped)
        assert dropped.ms == pytest.approx(2 / 48)


# -- pausing ------------------------------------------------------------------------------------------


def mouth() -> tuple[Mouth, NullSink, FakeClock]:
    clock = FakeClock(10.0)
    sink = NullSink(clock=clock)
    voice = Mouth(sink, clock)
    voice.set_format(PCM_24K)
    return voice, sink, clock


async def test_a_voice_that_pauses_goes_on_when_nothing_keeps_it_any_more() -> None:
    voice, sink, clock = mouth()
    async with sink:
        voice.begin()
        voice.play(A1, SECOND)
        await clock.advance(0.3)
        heard = voice.pause("speech")
        assert heard is not None
        assert heard.of("a1") > 200
        assert voice.pause("speech") is None
        await clock.advance(0.1)
        still = sink.heard().of("a1")
        assert voice.pause("hold") is None, "it was silent already"
        assert voice.resume("speech") == pytest.approx(0.1)
        await clock.advance(0.5)
        assert sink.heard().of("a1") == still
        assert voice.resume("hold") == pytest.approx(0.5)
        assert voice.resume("hold") is None
        await clock.advance(0.2)
        assert sink.heard().of("a1") > still


async def test_a_voice_that_is_stopped_while_it_pauses_has_been_silent_since_then() -> None:
    voice, sink, clock = mouth()
    async with sink:
        voice.begin()
        voice.play(A1, SECOND)
        await clock.advance(0.3)
        heard = voice.pause("speech")
        assert heard is not None
        assert voice.paused_since("speech") == pytest.approx(10.3)
        await clock.advance(0.4)
        assert voice.stop().silent_at == heard.silent_at
        assert voice.paused_since("speech") is None
        voice.play(A2, SECOND)
        await clock.advance(0.3)
        assert sink.heard().of("a2") > 200
        now = voice.stop().silent_at
        assert now is not None
        assert now >= 10.9


async def test_on_hold_the_next_answer_waits_too() -> None:
    voice, sink, clock = mouth()
    async with sink:
        voice.begin()
        voice.play(A1, SECOND)
        await clock.advance(0.3)
        voice.pause("hold")
        voice.stop()
        voice.play(A2, SECOND)
        await clock.advance(0.5)
        assert sink.heard().of("a2") == 0.0
        voice.resume("hold")
        await clock.advance(0.3)
        assert sink.heard().of("a2") > 200


async def test_a_pause_may_begin_before_the_sink_is_open() -> None:
    voice, sink, clock = mouth()
    assert voice.pause("hold") is None
    voice.play(A1, SECOND)
    async with sink:
        voice.begin()
        await clock.advance(0.5)
        assert sink.heard().of("a1") == 0.0
        voice.resume("hold")
        await clock.advance(0.3)
        assert sink.heard().of("a1") > 200
    unopened, _, _ = mouth()
    unopened.pause("hold")
    assert unopened.resume("hold") == 0.0


def test_a_sink_that_cannot_pause_is_named() -> None:
    plain = Mouth(PlainSink(), FakeClock())
    with pytest.raises(ConfigurationError, match="PlainSink cannot pause"):
        plain.check_pauses()


async def test_a_voice_sounds_until_it_is_heard_stopped_or_taken_away() -> None:
    bench, _ = talking()
    voice = bench.handle._mouth
    assert voice is not None
    async with running(bench):
        assert not voice.sounding
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        assert voice.sounding
        await bench.clock.advance(1.2)
        assert not voice.sounding
        bench.handle.play(A2, SECOND)
        bench.handle.stop()
        assert not voice.sounding
        bench.handle.play(A2, SECOND)
        assert voice.sounding
    await bench.clock.advance(0)
    assert not voice.sounding
