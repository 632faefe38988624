"""Everything in this room that takes samples, against what programs pass by mistake.

Whatever comes in, what comes out is a clear error, or audio no louder than what went in.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtagent.audio import (
    ArraySource,
    AudioBlock,
    AudioFormat,
    EnergyDetector,
    GatedSource,
    Microphone,
    NullSink,
    PlaybackItem,
    PlaybackQueue,
    PushToTalk,
    Recorder,
    Resampler,
    TurnDetector,
    Vad,
    WavSink,
    g711,
    level_dbfs,
    read_wav,
    write_wav,
)
from rtagent.audio._device_reblock import Reblocker
from rtagent.audio._echo_path import EchoPath
from rtagent.audio._vad import peak
from rtagent.errors import ConfigurationError
from rtagent.testing._clock import FakeClock

RATE = 8_000
ITEM = PlaybackItem("a")
TEN_SECONDS = (1_000 * np.sin(np.arange(10 * RATE) * 0.05)).astype("<i2").tobytes()

Way = Callable[[Path, Any], bytes]
"""Audio goes in, PCM16 comes out."""


def resampled(_: Path, pcm: Any) -> bytes:
    down, up = Resampler(RATE, 24_000), Resampler(24_000, RATE)
    return up.process(down.process(pcm) + down.flush()) + up.flush()


def passed_through(_: Path, pcm: Any) -> bytes:
    return Resampler(RATE, RATE).process(pcm)


def ulaw(_: Path, pcm: Any) -> bytes:
    return g711.decode_ulaw(g711.encode_ulaw(pcm))


def alaw(_: Path, pcm: Any) -> bytes:
    return g711.decode_alaw(g711.encode_alaw(pcm))


def queued(_: Path, pcm: Any) -> bytes:
    queue = PlaybackQueue(AudioFormat.pcm16(RATE), prebuffer_ms=0)
    assert queue.push(ITEM, pcm) == 0
    queue.finish()
    return queue.pull(11 * RATE)


def recorded_near(folder: Path, pcm: Any) -> bytes:
    with Recorder(folder / "near.wav", RATE) as recorder:
        recorder.near(AudioBlock(pcm, 5.0))
        recorder.near(AudioBlock(bytes(320), 15.0))
    return (read_wav(folder / "near.wav").samples[:, 0] * 32768).astype("<i2").tobytes()


def recorded_far(folder: Path, pcm: Any) -> bytes:
    with Recorder(folder / "far.wav", 24_000) as recorder:
        recorder.far(AudioBlock(pcm, 5.0), AudioFormat.pcm16(RATE))
        recorder.far(AudioBlock(bytes(320), 15.0))
    return (read_wav(folder / "far.wav").samples[:, 1] * 32768).astype("<i2").tobytes()


def sourced(_: Path, pcm: Any) -> bytes:
    source = ArraySource(pcm, RATE, pace=None)
    return b"".join(source.pcm_from(start) for start in range(0, 11 * 2 * RATE, source.block_bytes))


def written(folder: Path, pcm: Any) -> bytes:
    write_wav(folder / "written.wav", pcm, RATE)
    return read_wav(folder / "written.wav").mono_pcm16()


def watched(_: Path, pcm: Any) -> bytes:
    vad = Vad(RATE)
    vad.is_speech(pcm)
    assert level_dbfs(pcm) <= 0
    return b""


WAYS: list[Way] = [
    resampled, passed_through, ulaw, alaw, queued, recorded_near, recorded_far, sourced, written, watched,
]  # fmt: skip
STREAMS = {resampled, passed_through, queued, recorded_near, recorded_far}
"""An odd byte waits for the other half of its sample."""
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


@every_way
@pytest.mark.parametrize("frames", [1, 2, 159, 10 * RATE])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_amount_in_any_buffer_and_no_louder(
    tmp_path: Path, way: Way, frames: int, kind: Callable[[bytes], Any]
) -> None:
    pcm = TEN_SECONDS[2 * 31 : 2 * (31 + frames)]
    out = way(tmp_path, kind(pcm))
    tolerance = 1 if way not in {ulaw, alaw} else 32  # half a step of these codes there
    # Between two equal samples that stand alone a wave is 4/pi as high as they are, in any resampler.
    ringing = 1.3 if way in {resampled, recorded_far} else 1
    assert peak(out) <= ringing * peak(pcm) + tolerance


@every_way
def test_nothing_gives_nothing(tmp_path: Path, way: Way) -> None:
    if way is written:  # an empty file may be written, and reading it says so
        write_wav(tmp_path / "empty.wav", b"", RATE)
        return
    assert peak(way(tmp_path, b"")) == 0


@every_way
@pytest.mark.parametrize("size", [1, 3, 321])
def test_half_a_sample_waits_or_is_refused(tmp_path: Path, way: Way, size: int) -> None:
    pcm = TEN_SECONDS[:size]
    if way in STREAMS:
        assert peak(way(tmp_path, pcm)) <= 1.15 * peak(pcm[: size - 1]) + 1
    else:
        with pytest.raises((ValueError, ConfigurationError)):
            way(tmp_path, pcm)


@pytest.mark.parametrize("cut", [1, 3, 319])
def test_a_stream_that_is_cut_within_samples_stays_the_same(tmp_path: Path, cut: int) -> None:
    pieces = [TEN_SECONDS[start : start + cut] for start in range(0, 2_000, cut)]
    whole = b"".join(pieces)
    whole = whole[: len(whole) // 2 * 2]
    resampler, queue = Resampler(RATE, 16_000), PlaybackQueue(AudioFormat.pcm16(RATE), prebuffer_ms=0)
    assert b"".join([resampler.process(piece) for piece in pieces]) == Resampler(RATE, 16_000).process(whole)
    for piece in pieces:
        queue.push(ITEM, piece)
    queue.finish()
    assert queue.pull(len(whole) // 2) == whole
    with Recorder(tmp_path / "cut.wav", RATE) as recorder:
        for number, piece in enumerate(pieces):
            recorder.near(AudioBlock(piece, number * cut / (2 * RATE)))
    near = (read_wav(tmp_path / "cut.wav").samples[:, 0] * 32768).astype("<i2").tobytes()
    assert near == whole
    assert recorder.dropped_ms == 0


@every_way
@pytest.mark.parametrize("wrong", ["text", None, 5, 0.5, [1, 2], {1: 2}], ids=repr)
def test_what_is_no_audio_is_an_error_of_its_own_words(tmp_path: Path, way: Way, wrong: object) -> None:
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        way(tmp_path, wrong)
    if way is not watched:
        assert f"not {type(wrong).__name__}" in str(caught.value)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in {sourced, watched}])
def test_an_array_is_not_taken_for_its_bytes(tmp_path: Path, way: Way) -> None:
    with pytest.raises(TypeError, match="tobytes"):
        way(tmp_path, np.zeros(160, np.float32))


def test_a_buffer_that_is_used_again_is_not_heard_twice() -> None:
    queue = PlaybackQueue(AudioFormat.pcm16(RATE), prebuffer_ms=0)
    buffer = bytearray(TEN_SECONDS[:320])
    queue.push(ITEM, buffer)  # type: ignore[arg-type]  # what programs do
    buffer[:] = b"\x00\x7f" * 160  # as loud as it gets
    del buffer[160:]
    queue.finish()
    assert queue.pull(160) == TEN_SECONDS[:320]


def test_a_rate_that_changes_amid_a_recording(tmp_path: Path) -> None:
    formats = [
        AudioFormat.pcm16(RATE),
        AudioFormat.pcm16(24_000),
        AudioFormat.pcmu(),
        AudioFormat.pcm16(44_100),
    ]
    with Recorder(tmp_path / "x.wav", RATE) as recorder:
        for number in range(100):
            told = formats[number // 3 % 4]
            samples = np.full(told.rate // 50, 4_000, "<i2").tobytes()
            pcm = g711.encode_ulaw(samples) if told.encoding == "pcmu" else samples
            recorder.near(AudioBlock(pcm, number * 0.02), told)
    near = read_wav(tmp_path / "x.wav").samples[:, 0] * 32768
    assert abs(len(near) - 2 * RATE) <= RATE // 1_000
    assert np.abs(near).max() <= 1.15 * 4_000
    assert recorder.dropped_ms <= 1


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, 1.7e9, -1.7e9])
def test_times_of_another_clock_do_not_make_a_file_of_years(tmp_path: Path, at: float) -> None:
    path = tmp_path / "x.wav"
    with Recorder(path, RATE) as recorder:
        recorder.near(AudioBlock(TEN_SECONDS[:320], 5.0))
        recorder.far(AudioBlock(TEN_SECONDS[:640], at))
        recorder.near(AudioBlock(TEN_SECONDS[320:640], 5.02))
    assert recorder.failure is None
    assert recorder.dropped_ms == 40
    near = (read_wav(path).samples[:, 0] * 32768).astype("<i2").tobytes()
    assert near == TEN_SECONDS[:640]


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf])
def test_a_first_block_without_a_time_is_counted(tmp_path: Path, at: float) -> None:
    with Recorder(tmp_path / "x.wav", RATE) as recorder:
        recorder.near(AudioBlock(TEN_SECONDS[:320], at))
        recorder.near(AudioBlock(TEN_SECONDS[:320], 3.0))
    assert recorder.dropped_ms == 20
    assert len(read_wav(tmp_path / "x.wav").samples) == 160


def test_a_closed_recorder_takes_nothing_more(tmp_path: Path) -> None:
    with Recorder(tmp_path / "x.wav", RATE) as recorder:
        recorder.near(AudioBlock(TEN_SECONDS[:320], 0.0))
    recorder.near(AudioBlock(TEN_SECONDS[:320], 0.02))
    recorder.far(AudioBlock(TEN_SECONDS[:320], 0.02))
    assert len(read_wav(tmp_path / "x.wav").samples) == 160


@pytest.mark.parametrize("to_file", [False, True])
async def test_a_sink_that_is_closed_while_it_plays(tmp_path: Path, to_file: bool) -> None:
    clock, format_ = FakeClock(), AudioFormat.pcm16(RATE)
    path = tmp_path / "x.wav"
    sink = WavSink(path, format=format_, clock=clock) if to_file else NullSink(format=format_, clock=clock)
    async with sink:
        sink.play(ITEM, TEN_SECONDS)
        await clock.advance(0.1)
    heard = sink.heard().of("a")
    sink.play(ITEM, TEN_SECONDS)
    sink.finish()
    await sink.wait_drained()
    assert sink.statistics().refused_ms == 10_000
    assert sink.stop().of("a") == heard
    assert sink.received_ms("a") == 10_000
    if to_file:
        assert read_wav(path).mono_pcm16() == TEN_SECONDS[: 2 * int(heard * RATE / 1_000)]


@pytest.mark.parametrize(
    "wrong", ["text", None, np.zeros(4, np.int16)], ids=lambda wrong: type(wrong).__name__
)
async def test_a_sink_plays_bytes(tmp_path: Path, wrong: Any) -> None:
    async with WavSink(tmp_path / "x.wav", format=AudioFormat.pcm16(RATE), clock=FakeClock()) as sink:
        with pytest.raises(TypeError, match="audio is bytes"):
            sink.play(ITEM, wrong)


@pytest.mark.parametrize("pace", [math.nan, math.inf, 0])
def test_a_pace_that_is_none(pace: float) -> None:
    with pytest.raises(ConfigurationError, match="pace"):
        NullSink(pace=pace)


def test_a_rate_out_of_a_damaged_header_costs_neither_seconds_nor_memory() -> None:
    with pytest.raises(ConfigurationError, match="767999 Hz and 24000 Hz have too little in common"):
        Resampler(767_999, 24_000)
    for rate in (11_025, 22_255, 44_100, 96_000, 192_000, 352_800, 705_600, 768_000):
        Resampler(rate, 24_000)


def test_full_scale_stays_full_scale() -> None:
    """Arithmetic that turned over would make the loudest noise of the quietest error."""
    square = np.repeat(np.array([32767, -32768] * 40, "<i2"), 100).tobytes()
    for source, target in [(8_000, 24_000), (24_000, 8_000), (44_100, 24_000)]:
        out = np.frombuffer(Resampler(source, target).process(square), "<i2").astype(int)
        middle = out[len(out) // 4 : -len(out) // 4]
        assert np.abs(np.diff(np.sign(middle))).sum() / 2 <= 42
    assert peak(g711.decode_ulaw(g711.encode_ulaw(square))) <= 32_768


# -- what stands behind a microphone


class Far:
    """A loudspeaker that a test lets play."""

    format = AudioFormat.pcm16(RATE)

    def __init__(self) -> None:
        self.tap: Callable[[AudioBlock], None] = lambda _: None

    def add_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        self.tap = tap

    def remove_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        pass

    def deliver_taps(self) -> None:
        pass


SIZES = [0, 1, 159, 160, 10 * RATE]
"""Frames of a block: none, one, about 20 ms, ten seconds."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("loud", [0, 1, 1_000, 32_767])
def test_blocks_of_any_size_pass_the_echo_path_no_louder(size: int, loud: int) -> None:
    far = Far()
    path = EchoPath(far, "half_duplex", RATE, 20)
    path.open()
    near = TEN_SECONDS[: 2 * size]
    for k in range(200):
        far.tap(AudioBlock(np.full(160, loud, "<i2").tobytes(), 5 + 0.02 * k))
    told = [block for k in range(5) for block in path.process(AudioBlock(near, 5 + 0.02 * k))]
    assert len(told) <= 5
    assert all(len(block.pcm) == len(near) and peak(block.pcm) <= peak(near) for block in told)


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf, 1.7e9, -1.7e9])
def test_times_of_another_clock_do_not_stop_the_microphone(at: float) -> None:
    far = Far()
    path = EchoPath(far, "half_duplex", RATE, 20)
    path.open()
    far.tap(AudioBlock(TEN_SECONDS[:3_200], at))
    far.tap(AudioBlock(TEN_SECONDS[:3_200], 5.0))
    for when in (5.0, at, 5.04):
        assert len(path.process(AudioBlock(TEN_SECONDS[:320], when))) <= 1


@pytest.mark.parametrize("size", SIZES)
async def test_blocks_of_any_size_pass_a_gate(size: int) -> None:
    class Talk:
        format = AudioFormat.pcm16(RATE)

        async def blocks(self) -> AsyncIterator[AudioBlock]:
            for k in range(3):
                yield AudioBlock(TEN_SECONDS[: 2 * size], 0.02 * k)

    turns = TurnDetector(EnergyDetector(RATE), format=AudioFormat.pcm16(RATE))
    talk = GatedSource(Talk(), turns)
    talk.gating = False
    assert sum([len(block.pcm) async for block in talk.blocks()]) == 3 * 2 * size
    press = PushToTalk(Talk())
    press.press()
    assert sum([len(block.pcm) async for block in press.blocks()]) == 3 * 2 * size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("at", [math.nan, math.inf, 5.0])
def test_blocks_of_any_size_are_cut_anew(size: int, at: float) -> None:
    reblocker = Reblocker(AudioFormat.pcm16(RATE), 20)
    for _ in range(3):
        reblocker.put(TEN_SECONDS[: 2 * size], at)
    whole = 0
    while (block := reblocker.take()) is not None:
        assert len(block.pcm) == 320
        whole += 160
    assert whole <= 3 * size


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 0, -20, 1e9])
def test_a_block_length_that_is_none(wrong: float) -> None:
    with pytest.raises(ConfigurationError, match="block"):
        Microphone(block_ms=wrong)
