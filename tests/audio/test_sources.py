from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from rtagent.audio import (
    ArraySource,
    AudioBlock,
    AudioFormat,
    AudioSource,
    FileSource,
    Silence,
    WavSource,
    write_wav,
)
from rtagent.errors import AudioFileError, ConfigurationError, LocalProtocolError
from rtagent.testing._clock import FakeClock, LockstepClock

RAMP = np.arange(1000, dtype=np.int16)


async def all_blocks(source: AudioSource) -> list[AudioBlock]:
    return [block async for block in source.blocks()]


async def read(source: AudioSource, count: int) -> list[AudioBlock]:
    blocks = source.blocks()
    return [await anext(blocks) for _ in range(count)]


def pcm(samples: Any) -> bytes:
    return np.asarray(samples).astype("<i2").tobytes()


async def test_blocks_follow_the_clock_like_those_of_a_microphone() -> None:
    delivered: list[tuple[float, float]] = []
    async with LockstepClock(start=100.0) as clock:
        source = ArraySource(pcm(RAMP), 8_000, clock=clock)
        async for block in source.blocks():
            delivered.append((round(block.at, 6), round(clock.now(), 6)))
            assert len(block.pcm) == 320
    assert delivered[:3] == [(100.0, 100.02), (100.02, 100.04), (100.04, 100.06)]
    assert len(delivered) == math.ceil(1000 / 160)


async def test_the_last_block_is_filled_up_with_silence() -> None:
    blocks = await all_blocks(ArraySource(pcm(RAMP), 8_000, pace=None))
    assert b"".join(block.pcm for block in blocks) == pcm(RAMP) + bytes(2 * 120)


@pytest.mark.parametrize(("pace", "block_s"), [(1.0, 0.01), (2.0, 0.005), (0.5, 0.02)])
async def test_pace(pace: float, block_s: float) -> None:
    async with LockstepClock() as clock:
        source = ArraySource(pcm(RAMP), 8_000, pace=pace, block_ms=10, clock=clock)
        ats = [block.at async for block in source.blocks()]
        assert clock.now() == pytest.approx(13 * block_s)
    assert ats == pytest.approx([number * block_s for number in range(13)])


async def test_a_late_reader_gets_what_is_due_with_its_own_times() -> None:
    clock = FakeClock()
    source = ArraySource(pcm(RAMP), 8_000, clock=clock)
    taken: list[AudioBlock] = []

    async def reader() -> None:
        async for block in source.blocks():
            taken.append(block)
            await clock.sleep_until(0.075)

    async with anyio.create_task_group() as group:
        group.start_soon(reader)
        await clock.advance(0.02)
        assert len(taken) == 1
        await clock.advance(0.055)
        group.cancel_scope.cancel()
    assert [block.at for block in taken] == pytest.approx([0, 0.02, 0.04])


async def test_as_fast_as_it_is_read() -> None:
    clock = FakeClock(5.0)
    blocks = await all_blocks(ArraySource(pcm(RAMP), 8_000, pace=None, clock=clock))
    assert clock.now() == 5.0
    assert [block.at for block in blocks] == pytest.approx([5 + 0.02 * number for number in range(7)])
    with anyio.CancelScope() as scope:
        scope.cancel()
        await read(Silence(pace=None), 1)
    assert scope.cancelled_caught  # an endless unpaced source still lets others run


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (struct.pack("<2h", 1, -2), [1, -2]),
        (np.array([1, -2], np.int16), [1, -2]),
        (np.array([1, -2], ">i2"), [1, -2]),
        (np.array([0.5, -2.0]), [16384, -32768]),
        (np.array([0.5, 1.0], np.float32), [16384, 32767]),
        (np.array([[100, 300], [-5, -5]], np.int16), [200, -5]),
        (np.array([[0.5, 0.0, 0.25]] * 3), [8192] * 3),
    ],
)
async def test_kinds_of_samples(samples: Any, expected: list[int]) -> None:
    source = ArraySource(samples, 8_000, pace=None, block_ms=0.125 * len(expected))
    assert [block.pcm for block in await all_blocks(source)] == [pcm(expected)]


@pytest.mark.parametrize(
    "samples", [b"abc", np.zeros(4, np.int64), np.zeros(4, bool), np.zeros((1, 2, 3)), np.array("text")]
)
def test_samples_that_are_not_understood(samples: Any) -> None:
    with pytest.raises(ConfigurationError):
        ArraySource(samples, 8_000)


async def test_a_loop_has_no_gap() -> None:
    source = ArraySource(pcm(RAMP[:100]), 8_000, pace=None, loop=True, block_ms=30)
    blocks = await read(source, 3)
    expected = np.tile(RAMP[:100], 8)[: 3 * 240]
    assert b"".join(block.pcm for block in blocks) == pcm(expected)
    assert await all_blocks(ArraySource(b"", 8_000, pace=None, loop=True)) == []


async def test_padding_stands_on_both_sides() -> None:
    source = ArraySource(pcm([7] * 80), 8_000, pace=None, pad_ms=10, block_ms=30)
    assert [block.pcm for block in await all_blocks(source)] == [pcm([0] * 80 + [7] * 80 + [0] * 80)]
    assert source.duration_s == 0.03


async def test_a_file_of_any_rate_and_width_becomes_the_wanted_format(tmp_path: Path) -> None:
    times = np.arange(44_100) / 44_100
    left = 20_000 * np.sin(2 * np.pi * 500 * times)
    write_wav(tmp_path / "caller.wav", pcm(np.stack([left, np.zeros(44_100)], axis=1)), 44_100, channels=2)
    source = WavSource(tmp_path / "caller.wav", pace=None)
    assert source.format == AudioFormat.pcm16(24_000)
    assert source.duration_s == 1.0
    heard = np.frombuffer(b"".join(block.pcm for block in await all_blocks(source)), "<i2").astype(float)
    expected = 10_000 * np.sin(2 * np.pi * 500 * np.arange(24_000) / 24_000)
    assert np.abs(heard - expected)[500:-500].max() <= 4

    phone = WavSource(str(tmp_path / "caller.wav"), format=AudioFormat.pcm16(8_000), pace=None, pad_ms=500)
    assert len(await all_blocks(phone)) == 100


async def test_an_array_keeps_its_rate_unless_told_otherwise() -> None:
    assert ArraySource(RAMP, 22_050).format == AudioFormat.pcm16(22_050)
    assert len(await all_blocks(ArraySource(RAMP, 8_000, format=AudioFormat.pcm16(16_000), pace=None))) == 7


def test_a_broken_file_is_found_when_the_source_is_made(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file"):
        WavSource(tmp_path / "nobody.wav")


def test_a_file_source_takes_wav_too_and_a_wav_source_nothing_else(tmp_path: Path) -> None:
    write_wav(tmp_path / "voice.mp3", pcm(RAMP), 8_000)
    assert (
        FileSource(tmp_path / "voice.mp3").duration_s == WavSource(tmp_path / "voice.mp3").duration_s == 0.125
    )
    (tmp_path / "voice.wav").write_bytes(b"fLaC" + bytes(40))
    with pytest.raises(AudioFileError, match="a FLAC file, not a WAV file"):
        WavSource(tmp_path / "voice.wav")
    with pytest.raises(AudioFileError, match=r"FLAC"):
        FileSource(tmp_path / "voice.wav")


def test_what_was_repaired_is_counted() -> None:
    source = ArraySource(np.array([0.5, np.nan, np.inf, 1.5, -1.25]), 8_000)
    assert (source.repaired_samples, source.clipped_samples) == (2, 2)


async def test_silence_of_some_length_and_without_end() -> None:
    blocks = await all_blocks(Silence(0.05, pace=None))
    assert [block.pcm for block in blocks] == [bytes(960)] * 3
    endless = Silence(format=AudioFormat.pcm16(8_000), pace=None)
    assert (await read(endless, 1000))[-1].pcm == bytes(320)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pace": 0}, "at pace 0"),
        ({"pace": -1}, "at pace -1"),
        ({"pace": math.inf}, "at pace inf.*None is as fast"),
        ({"pace": math.nan}, "at pace nan"),
        ({"block_ms": 0}, "0 ms holds no sample"),
        ({"format": AudioFormat.pcmu()}, "not 1 channels of pcmu"),
        ({"format": AudioFormat("pcm16", 8_000, 2)}, "not 2 channels of pcm16"),
        ({"pad_ms": -1}, "silence of -1 ms"),
    ],
)
def test_settings_that_cannot_work(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        ArraySource(RAMP, 8_000, **options)


async def test_one_reader_at_a_time_and_each_from_the_beginning() -> None:
    source = ArraySource(pcm(RAMP), 8_000, pace=None)
    async for block in source.blocks():
        assert block.pcm == pcm(RAMP[:160])
        with pytest.raises(LocalProtocolError, match="being read already"):
            source.blocks()
        break
    assert len(await all_blocks(source)) == 7
    assert len(await all_blocks(source)) == 7


async def test_a_reading_can_be_closed() -> None:
    source = Silence(pace=None)
    reading = source.blocks()
    await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]
    with pytest.raises(StopAsyncIteration):
        await anext(reading)
    await read(source, 1)


def test_sources_are_sources(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", bytes(2), 8_000)
    for source in (Silence(), ArraySource(RAMP, 8_000), WavSource(tmp_path / "x.wav")):
        assert isinstance(source, AudioSource)
