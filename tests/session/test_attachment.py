"""Ears and mouth of a session, on a clock that the tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import numpy as np
import pytest

from rtagent import events
from rtagent.audio import (
    ArraySource,
    AudioBlock,
    AudioFormat,
    AudioSink,
    AudioSource,
    Heard,
    NullSink,
    PlaybackItem,
    g711,
)
from rtagent.errors import AudioUnavailable, LocalProtocolError
from rtagent.session import Attachment, Session
from rtagent.session import _attachment as module
from rtagent.testing import FakeClock
from rtagent.transport import memory_pair

PCM_24K = AudioFormat.pcm16(24_000)
TWENTY_MS = b"\x05\x00" * 480
SECOND = bytes(48_000)
A1 = PlaybackItem("a1", 0, "r1")
A2 = PlaybackItem("a2", 0, "r2")


class Bench:
    """An attachment that runs, and all that it told."""

    def __init__(
        self,
        source: AudioSource | None = None,
        sink: AudioSink | None = None,
        clock: FakeClock | None = None,
        *,
        wire: AudioFormat = PCM_24K,
    ) -> None:
        self.clock = clock if clock is not None else FakeClock()
        self.appended: list[tuple[bytes, float]] = []
        self.first: list[tuple[str, float]] = []
        self.drained: list[dict[str, float]] = []
        self.handle = Attachment(
            source, sink, self.clock, append=lambda pcm, at: self.appended.append((pcm, at))
        )
        self.handle.set_formats(wire, wire)

    async def run(self) -> None:
        await self.handle.run(
            lambda item, at: self.first.append((item.item_id, round(at, 6))),
            lambda heard: self.drained.append(dict(heard.ms)),
        )

    @property
    def sent(self) -> bytes:
        return b"".join(pcm for pcm, _ in self.appended)


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.clock.advance(0)
        yield bench
        bench.handle.detach()


def talking(*, wire: AudioFormat = PCM_24K, rate: int = 24_000) -> tuple[Bench, NullSink]:
    clock = FakeClock()
    sink = NullSink(clock=clock, format=AudioFormat.pcm16(rate))
    return Bench(sink=sink, clock=clock, wire=wire), sink


def loudness(pcm: bytes) -> float:
    return float(np.abs(np.frombuffer(pcm, "<i2").astype(float)).mean()) if pcm else 0.0


class Broken:
    """A source whose device is pulled out after one block."""

    format = PCM_24K

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        yield AudioBlock(TWENTY_MS, 0.0)
        raise AudioUnavailable("device_busy_or_lost", "Plug it in.")


class PlainSink:
    """A sink that needs no opening and can be told to fail."""

    format = PCM_24K

    def __init__(self) -> None:
        self.played: list[tuple[str, bytes]] = []
        self.failure: Exception | None = None

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.played.append((item.item_id, pcm))

    def stop(self) -> Heard:
        return Heard()

    def heard(self) -> Heard:
        return Heard()

    async def wait_drained(self) -> None:
        await anyio.sleep_forever()


class SlowSink(PlainSink):
    """A sink that opens when the test says so, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = anyio.Event()
        self.refusal: Exception | None = None
        self.finished = 0

    async def __aenter__(self) -> SlowSink:
        await self.may_open.wait()
        if self.refusal is not None:
            raise self.refusal
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.played.append(("closed", b""))

    def finish(self) -> None:
        self.finished += 1


# -- ears ---------------------------------------------------------------------------------------------


async def test_what_the_source_hears_goes_out_with_its_times() -> None:
    clock = FakeClock(10.0)
    async with running(Bench(ArraySource(3 * TWENTY_MS, 24_000, clock=clock), clock=clock)) as bench:
        await clock.advance(0.1)
        await bench.handle.wait_source_ended()
        assert [pcm for pcm, _ in bench.appended] == [TWENTY_MS] * 3
        times = [at for _, at in bench.appended]
        assert [round(later - times[0], 6) for later in times] == [0.0, 0.02, 0.04]
        assert bench.handle.ended  # there is no mouth either


async def test_a_source_that_ends_leaves_the_sink_at_work() -> None:
    bench, _ = talking()
    bench = Bench(
        ArraySource(TWENTY_MS, 24_000, pace=None, clock=bench.clock), bench.handle.sink, bench.clock
    )
    async with running(bench):
        await bench.handle.wait_source_ended()
        assert not bench.handle.ended
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        await bench.clock.advance(1.1)
        assert bench.drained == [{"a1": 1000.0}]


async def test_a_muted_source_sends_silence_of_the_same_length() -> None:
    clock = FakeClock()
    async with running(Bench(ArraySource(4 * TWENTY_MS, 24_000, clock=clock), clock=clock)) as bench:
        await clock.advance(0.03)
        before = len(bench.appended)
        bench.handle.mute()
        assert bench.handle.muted
        await clock.advance(0.02)
        bench.handle.unmute()
        assert not bench.handle.muted
        await clock.advance(0.1)
        expected = [TWENTY_MS] * 4
        expected[before] = bytes(960)
        assert [pcm for pcm, _ in bench.appended] == expected


@pytest.mark.parametrize(
    ("wire", "silence"),
    [(AudioFormat.pcmu(), g711.ULAW_SILENCE), (AudioFormat.pcma(), g711.ALAW_SILENCE)],
    ids=["pcmu", "pcma"],
)
async def test_a_24_khz_source_is_heard_on_a_telephone_line(wire: AudioFormat, silence: bytes) -> None:
    clock = FakeClock()
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(9600) / 24_000)).astype("<i2").tobytes()
    source = ArraySource(tone, 24_000, clock=clock, pace=None)
    async with running(Bench(source, clock=clock, wire=wire)) as bench:
        await bench.handle.wait_source_ended()
        assert {len(pcm) for pcm, _ in bench.appended} == {160}  # 20 ms in, 20 ms out
        decode = {"pcmu": g711.decode_ulaw, "pcma": g711.decode_alaw}[wire.encoding]
        assert loudness(decode(bench.sent)[1600:]) == pytest.approx(8000 * 2 / np.pi, rel=0.05)
    muted = Bench(ArraySource(TWENTY_MS, 24_000, clock=clock, pace=None), clock=clock, wire=wire)
    muted.handle.mute()
    async with running(muted):
        await muted.handle.wait_source_ended()
        assert muted.sent == silence * 160


async def test_a_muted_telephone_sends_the_silence_of_its_code() -> None:
    class Telephone:
        format = AudioFormat.pcmu()

        async def blocks(self) -> AsyncIterator[AudioBlock]:
            yield AudioBlock(b"\x12" * 160, 0.0)
            yield AudioBlock(b"", 0.02)

    bench = Bench(Telephone(), wire=AudioFormat.pcmu())
    bench.handle.mute()
    async with running(bench):
        await bench.handle.wait_source_ended()
    assert [pcm for pcm, _ in bench.appended] == [b"\xff" * 160]


async def test_a_source_that_fails_is_kept_as_the_error_and_closes_the_sink() -> None:
    sink = SlowSink()
    sink.may_open.set()
    bench = Bench(Broken(), sink)
    async with running(bench):
        with pytest.raises(AudioUnavailable, match="Plug it in"):
            await bench.handle.wait_source_ended()
        with pytest.raises(AudioUnavailable, match="Plug it in"):
            await bench.handle.wait_open()
        assert bench.handle.ended
        assert isinstance(bench.handle.error, AudioUnavailable)
        assert sink.played == [("closed", b"")]
    assert bench.sent == TWENTY_MS


# -- mouth --------------------------------------------------------------------------------------------


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


# -- opening and failing ------------------------------------------------------------------------------


async def test_a_sink_that_does_not_open_says_why() -> None:
    sink = SlowSink()
    sink.refusal = AudioUnavailable("no_output_device", "Connect a speaker.")
    bench = Bench(sink=sink)
    async with running(bench), anyio.create_task_group() as group:

        async def wait() -> None:
            with pytest.raises(AudioUnavailable, match="Connect a speaker"):
                await bench.handle.wait_open()

        group.start_soon(wait)
        bench.handle.play(A1, SECOND)
        await anyio.wait_all_tasks_blocked()
        sink.may_open.set()
    assert bench.handle.ended
    bench.handle.play(A1, SECOND)
    assert sink.played == []


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


@pytest.mark.parametrize(
    "failure", [AudioUnavailable("device_busy_or_lost", "Plug it in."), LocalProtocolError("not open")]
)
async def test_a_sink_that_fails_is_taken_away_with_the_reason(failure: Exception) -> None:
    sink = PlainSink()
    bench = Bench(sink=sink)
    async with running(bench):
        sink.failure = failure
        bench.handle.play(A1, b"11")
        bench.handle.play(A1, b"22")
        await bench.clock.advance(0)
        assert bench.handle.ended
        assert bench.handle.error is failure
        sink.failure = None
        bench.handle.play(A1, b"33")
        assert sink.played == []


async def test_detaching_ends_both_directions_and_closes_the_sink() -> None:
    clock = FakeClock()
    sink = SlowSink()
    sink.may_open.set()
    source = ArraySource(TWENTY_MS, 24_000, clock=clock, loop=True)
    async with running(Bench(source, sink, clock)) as bench:
        await clock.advance(0.05)
        bench.handle.detach()
        await bench.handle.wait_source_ended()
        count = len(bench.appended)
        await clock.advance(1.0)
        assert len(bench.appended) == count > 0
        assert bench.handle.ended
        assert bench.handle.error is None
        assert sink.played == [("closed", b"")]


async def test_detaching_while_the_sink_opens_gives_up_the_opening() -> None:
    sink = SlowSink()
    async with running(Bench(sink=sink)) as bench:
        bench.handle.play(A1, b"11")
        bench.handle.detach()
        await bench.handle.wait_open()
        assert bench.handle.ended
        assert sink.played == []


async def test_a_file_that_is_read_at_once_loses_nothing_on_a_slow_network() -> None:
    """Ten seconds are more than may wait to be sent."""
    near, far = memory_pair()
    taken = bytearray()

    async def slow_network() -> None:
        while len(taken) < 480_000:
            event = events.decode_client(await far.receive())
            if isinstance(event, events.InputAudioBufferAppend):
                taken.extend(event.pcm)
            await anyio.lowlevel.checkpoint()

    source = ArraySource(bytes(range(240)) * 2_000, 24_000, pace=None)
    await far.send(events.encode(events.SessionCreated(session=events.RealtimeSession())))
    async with anyio.create_task_group() as group, Session(near) as session:
        group.start_soon(slow_network)
        await session.attach(source).wait_source_ended()
        with anyio.fail_after(10):
            while len(taken) < 480_000:
                await anyio.lowlevel.checkpoint()
        assert session.metrics.audio_dropped_ms == 0.0
    assert bytes(taken) == bytes(range(240)) * 2_000
