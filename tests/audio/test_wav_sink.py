from __future__ import annotations

import threading
from pathlib import Path

import pytest
from anyio import Event, create_task_group, to_thread

from rtagent.audio import (
    AudioBlock,
    AudioFormat,
    AudioSink,
    NullSink,
    PlaybackItem,
    WavSink,
    WavWriter,
    read_wav,
)
from rtagent.audio import _wav_sink as module
from rtagent.errors import AudioFileError, ConfigurationError, LocalProtocolError
from rtagent.testing._clock import FakeClock, LockstepClock

A = PlaybackItem("a")
B = PlaybackItem("b")
FORMAT = AudioFormat.pcm16(1_000)  # one frame is one millisecond


def tone(ms: int) -> bytes:
    return b"\xe8\x03" * ms


def written(path: Path) -> bytes:
    return read_wav(path).mono_pcm16()


async def wait_drained(sink: NullSink, drained: Event) -> None:
    await sink.wait_drained()
    drained.set()


def test_sinks_are_sinks(tmp_path: Path) -> None:
    assert isinstance(NullSink(), AudioSink)
    assert isinstance(WavSink(tmp_path / "out.wav"), AudioSink)


@pytest.mark.parametrize("pace", [0, -1])
def test_a_sink_has_to_move(pace: float) -> None:
    with pytest.raises(ConfigurationError, match="pace"):
        NullSink(pace=pace)


async def test_the_file_holds_what_was_heard_silence_included(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "out.wav"
    async with WavSink(path, format=FORMAT, clock=clock) as sink:
        await clock.advance(0.050)  # steps at 0, 20 and 40 ms
        sink.play(A, tone(60))
        sink.finish()
        await clock.advance(0.080)  # steps at 60, 80, 100 and 120 ms
        assert sink.heard().ms == {"a": 60.0}
    assert written(path) == bytes(2 * 60) + tone(60) + bytes(2 * 20)
    assert read_wav(path).rate == 1_000


async def test_a_block_that_has_left_is_heard(clock: FakeClock) -> None:
    async with NullSink(format=FORMAT, clock=clock, block_ms=10) as sink:
        sink.play(A, tone(100))
        await clock.advance(0.025)
        assert sink.heard().of("a") == 30.0
        assert sink.received_ms("a") == 100.0
        assert sink.statistics().frames_out == 30


async def test_pace_is_a_multiple_of_real_time(clock: FakeClock) -> None:
    async with NullSink(format=FORMAT, clock=clock, pace=4) as sink:
        sink.play(A, tone(1_000))
        await clock.advance(0.0999)
        assert sink.heard().of("a") == 400.0


async def test_stop_tells_what_was_heard_and_when_silence_begins(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "out.wav"
    async with WavSink(path, format=FORMAT, clock=clock) as sink:
        sink.play(A, tone(200))
        sink.play(B, tone(200))
        await clock.advance(0.050)
        heard = sink.stop()
        assert heard.ms == {"a": 60.0}
        assert heard.silent_at == pytest.approx(clock.now() + 0.010 + 0.005)
        await clock.advance(0.050)
        assert sink.heard().ms == {"a": 65.0}
        assert sink.statistics().dropped_ms == 335.0
        assert sink.stop().silent_at == pytest.approx(100.065), "it has been silent since then"
    assert written(path)[: 2 * 60] == tone(60)
    assert not any(written(path)[2 * 64 :])


async def test_stop_before_anything_sounded_is_silent_now(clock: FakeClock) -> None:
    sink = NullSink(format=FORMAT, clock=clock)
    sink.play(A, tone(200))
    stopped = sink.stop()
    assert stopped.ms == {}
    assert stopped.silent_at == clock.now()


async def test_a_pause_is_silence_until_it_goes_on(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "out.wav"
    drained = Event()
    async with WavSink(path, format=FORMAT, clock=clock) as sink, create_task_group() as tasks:
        sink.play(A, tone(100))
        sink.finish()
        await clock.advance(0.050)
        assert sink.pause().silent_at == pytest.approx(clock.now() + 0.010 + 0.005)
        tasks.start_soon(wait_drained, sink, drained)
        await clock.advance(0.100)
        assert sink.paused
        assert sink.pause().ms == {"a": 65.0}
        assert not drained.is_set()
        sink.resume()
        assert not sink.paused
        await clock.advance(0.050)
        assert sink.heard().ms == {"a": 100.0}
        assert drained.is_set()
    pcm = written(path)
    assert pcm[: 2 * 60] == tone(60)
    assert pcm[2 * 64 : 2 * 160] == bytes(2 * 96)
    assert pcm[2 * 164 : 2 * 195] == tone(31)


async def test_a_stop_ends_a_pause(clock: FakeClock) -> None:
    async with NullSink(format=FORMAT, clock=clock) as sink:
        sink.play(A, tone(200))
        await clock.advance(0.050)
        sink.pause()
        await clock.advance(0.100)
        assert sink.stop().silent_at == pytest.approx(100.065)
        assert not sink.paused
        sink.play(B, tone(40))
        await clock.advance(0.050)
        assert sink.heard().ms == {"a": 65.0, "b": 40.0}


async def test_a_short_reply_starts_at_once_when_it_is_finished(clock: FakeClock) -> None:
    async with NullSink(format=FORMAT, clock=clock) as sink:
        sink.play(A, tone(10))
        sink.finish()
        await clock.advance(0.0)
        assert sink.heard().of("a") == 10.0


async def test_wait_drained_returns_when_the_last_sample_has_left() -> None:
    async with LockstepClock(start=5.0) as clock, NullSink(format=FORMAT, clock=clock) as sink:
        await sink.wait_drained()
        assert clock.now() == 5.0, "at once when nothing is queued"
        sink.play(A, tone(130))
        await sink.wait_drained()
        assert sink.heard().of("a") == 130.0
        assert clock.now() == pytest.approx(5.0 + 6 * 0.020), "the seventh step"


async def test_wait_drained_returns_after_a_stop(clock: FakeClock) -> None:
    drained = Event()
    async with NullSink(format=FORMAT, clock=clock) as sink, create_task_group() as tasks:
        sink.play(A, tone(10_000))
        tasks.start_soon(wait_drained, sink, drained)
        await clock.advance(0.1)
        assert not drained.is_set()
        sink.stop()
        await clock.advance(0.1)
        assert drained.is_set()


async def test_wait_drained_returns_when_the_sink_is_closed(clock: FakeClock) -> None:
    drained = Event()
    async with create_task_group() as tasks:
        async with NullSink(format=FORMAT, clock=clock) as sink:
            sink.play(A, tone(10_000))
            tasks.start_soon(wait_drained, sink, drained)
            await clock.advance(0.1)
            assert not drained.is_set()
        await drained.wait()
    await sink.wait_drained()


async def test_waiting_on_a_sink_that_is_not_open_is_an_error(clock: FakeClock) -> None:
    sink = NullSink(clock=clock)
    sink.play(A, tone(10))
    with pytest.raises(LocalProtocolError, match="async with"):
        await sink.wait_drained()


async def test_the_tap_gets_every_block_with_its_scheduled_time(clock: FakeClock) -> None:
    blocks: list[AudioBlock] = []
    async with NullSink(format=FORMAT, clock=clock) as sink:
        sink.tap = blocks.append
        await clock.advance(0.030)
        sink.play(A, tone(40))
        sink.finish()
        await clock.advance(0.030)
    assert [block.at for block in blocks] == pytest.approx([100.0, 100.020, 100.040, 100.060])
    assert b"".join(block.pcm for block in blocks) == bytes(2 * 40) + tone(40)


async def test_the_bodys_error_comes_out_as_it_is(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "out.wav"

    async def break_off() -> None:
        async with WavSink(path, clock=clock):
            await clock.advance(0.1)
            raise KeyError

    with pytest.raises(KeyError):
        await break_off()
    assert read_wav(path).rate == 24_000


async def test_a_file_that_cannot_be_written_is_told_on_entering(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="missing"):
        async with WavSink(tmp_path / "missing" / "out.wav"):
            pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_disk_that_fills_up_is_told_on_leaving() -> None:
    with pytest.raises(AudioFileError, match="full"):
        async with WavSink("/dev/full"):
            pass


@pytest.mark.parametrize("when", ["written", "closed"])
async def test_a_disk_that_fills_up_later_does_not_stop_the_voice(
    when: str, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(WavWriter):
        def write(self, pcm: bytes) -> None:
            if when == "written":
                raise AudioFileError(tmp_path, "no space left")
            super().write(pcm)

        def close(self) -> None:
            super().close()
            if when == "closed":
                raise AudioFileError(tmp_path, "no space left")

    monkeypatch.setattr(module, "WavWriter", FullDisk)
    sink = WavSink(tmp_path / "out.wav", format=FORMAT, clock=clock)

    async def play() -> None:
        async with sink:
            sink.play(A, tone(100))
            await clock.advance(0.2)

    with pytest.raises(AudioFileError, match="no space left"):
        await play()
    assert sink.heard().of("a") == 100.0


async def test_a_disk_that_hangs_holds_up_the_pace_in_the_end(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()

    class SlowDisk(WavWriter):
        def write(self, pcm: bytes) -> None:
            free.wait(10)
            super().write(pcm)

    monkeypatch.setattr(module, "WavWriter", SlowDisk)
    monkeypatch.setattr(module, "_UNWRITTEN_LIMIT_S", 0.1)
    async with WavSink(tmp_path / "out.wav", format=FORMAT, clock=clock) as sink:
        sink.play(A, tone(5_000))
        await clock.advance(1.0)
        held = sink.statistics().frames_out
        assert 100 < held <= 200, "a block is with the disk, a tenth of a second waits"
        free.set()
        while sink.statistics().frames_out == held:
            await to_thread.run_sync(lambda: None)
            await clock.advance(0.020)
    pcm = written(tmp_path / "out.wav")
    assert len(pcm) == 2 * sink.statistics().frames_out
    assert pcm == tone(5_000)[: len(pcm)]
