"""Ears and mouth of a session, on a clock that the tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import numpy as np
import pytest

from rtagent import events
from rtagent.audio import ArraySource, AudioBlock, AudioFormat, NullSink, g711
from rtagent.errors import AudioUnavailable, ConfigurationError, LocalProtocolError
from rtagent.events import lifecycle
from rtagent.session import BargeIn, Session
from rtagent.testing import FakeClock
from rtagent.transport import memory_pair
from tests.session.attached import (
    A1,
    SECOND,
    TWENTY_MS,
    Bench,
    Broken,
    PlainSink,
    SlowSink,
    loudness,
    running,
    talking,
)

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


# -- hold ---------------------------------------------------------------------------------------------


async def test_on_hold_nobody_is_heard_and_what_was_said_meanwhile_is_heard_afterwards() -> None:
    clock = FakeClock()
    sink = NullSink(clock=clock)
    source = ArraySource(TWENTY_MS, 24_000, clock=clock, loop=True)
    async with running(Bench(source, sink, clock)) as bench:
        bench.handle.play(A1, SECOND)
        await clock.advance(0.3)
        bench.handle.hold()
        bench.handle.hold()
        assert bench.handle.held
        assert not bench.handle.muted
        (paused,) = bench.told
        assert isinstance(paused, lifecycle.PlaybackPaused)
        assert (paused.item_id, paused.reason) == ("a1", "hold")
        count = len(bench.appended)
        bench.handle.play(A1, SECOND)
        bench.handle.drain()
        await clock.advance(1.0)
        assert not any(b"".join(pcm for pcm, _ in bench.appended[count + 1 :]))
        assert sink.heard().of("a1") == pytest.approx(paused.heard_ms, abs=25)
        bench.handle.resume()
        assert not bench.handle.held
        resumed = bench.told[-1]
        assert isinstance(resumed, lifecycle.PlaybackResumed)
        assert resumed.paused_ms == pytest.approx(1_000, abs=1)
        await clock.advance(2.0)
        assert bench.drained == [{"a1": 2000.0}]
        assert bench.muted == [True, False]
        bench.handle.resume()
        assert len(bench.told) == 2


async def test_who_is_muted_stays_so_after_a_hold_in_silence() -> None:
    clock = FakeClock()
    source = ArraySource(TWENTY_MS, 24_000, clock=clock, loop=True)
    async with running(Bench(source, NullSink(clock=clock), clock)) as bench:
        bench.handle.mute()
        bench.handle.hold()
        bench.handle.resume()
        assert bench.handle.muted
        bench.handle.hold()
        bench.handle.unmute()
        assert bench.muted == [True]
        bench.handle.resume()
        assert bench.muted == [True, False]
        assert bench.told == [], "no voice was there to pause"


async def test_only_a_sink_that_can_pause_can_be_put_on_hold() -> None:
    async with running(Bench(sink=PlainSink())) as bench:
        with pytest.raises(ConfigurationError, match="PlainSink cannot pause"):
            bench.handle.hold()
        assert not bench.handle.held
    ears_only = Bench(ArraySource(TWENTY_MS, 24_000, loop=True))
    ears_only.handle.hold()
    assert ears_only.muted == [True]
    ears_only.handle.resume()


# -- ears that hear turns -----------------------------------------------------------------------------


class TheirFloor:
    """A server that hears turns itself."""

    is_ours = False

    def interrupt(self, since: float) -> None:
        raise AssertionError("that is the server's")

    def end_turn(self) -> None:
        raise AssertionError("that is the server's")

    take_back = end_turn

    def publish(self, event: lifecycle.LifecycleEvent) -> None:
        self.told = event


async def test_all_that_is_heard_goes_out_and_is_listened_to() -> None:
    clock = FakeClock()
    tone = (9_000 * np.sin(2 * np.pi * 300 * np.arange(24_000) / 24_000)).astype("<i2").tobytes()
    sink = NullSink(clock=clock)
    bench = Bench(ArraySource(bytes(9_600) + tone, 24_000, clock=clock), sink, clock)
    floor = TheirFloor()
    bench.handle.hear_turns(BargeIn(), floor)
    async with running(bench):
        bench.handle.play(A1, SECOND)
        await clock.advance(0.5)
        assert isinstance(floor.told, lifecycle.PlaybackPaused)
        await clock.advance(1.0)
        assert bench.sent == bytes(9_600) + tone
        assert bench.handle.stop() is not None


async def test_what_cannot_be_heard_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="where a source is attached"):
        Bench(sink=NullSink(clock=FakeClock())).handle.hear_turns(BargeIn(), TheirFloor())
    with pytest.raises(ConfigurationError, match="PlainSink cannot pause"):
        Bench(ArraySource(TWENTY_MS, 24_000), PlainSink()).handle.hear_turns(BargeIn(), TheirFloor())
    Bench(ArraySource(TWENTY_MS, 24_000)).handle.hear_turns(BargeIn(), TheirFloor())  # a mouth is not needed
