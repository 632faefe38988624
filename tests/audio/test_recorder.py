from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import AudioBlock, AudioFormat, Recorder, g711, read_wav
from rtagent.errors import AudioFileError, ConfigurationError

RATE = 8_000
BLOCK = 160
"""Frames of 20 ms."""

Samples = NDArray[np.int16]
Record = Callable[[AudioBlock], None]


def constant(value: int, frames: int = BLOCK) -> bytes:
    return np.full(frames, value, "<i2").tobytes()


def sides(path: Path) -> tuple[Samples, Samples]:
    samples = np.rint(read_wav(path).samples * 32768).astype(np.int16)
    return samples[:, 0], samples[:, 1]


def runs(samples: Samples) -> list[tuple[int, int]]:
    """Value and length of each constant stretch."""
    edges = [0, *(np.flatnonzero(np.diff(samples)) + 1).tolist(), len(samples)]
    return [(int(samples[a]), b - a) for a, b in pairwise(edges) if b > a]


def stream(record: Record, value: int, begin: float, blocks: int) -> None:
    for number in range(blocks):
        record(AudioBlock(constant(value), begin + number * 0.02))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversation.wav"


def test_both_sides_stand_where_they_were_heard(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        for number in range(100):  # the caller speaks from 0 to 2 s, the assistant from 0.5 to 1 s
            recorder.near(AudioBlock(constant(100), 50 + number * 0.02))
            if 25 <= number < 50:
                recorder.far(AudioBlock(constant(200), 50 + number * 0.02))
    near, far = sides(path)
    assert read_wav(path).rate == RATE
    assert runs(near) == [(100, 16_000)]
    assert runs(far) == [(0, 4_000), (200, 4_000), (0, 8_000)]
    assert recorder.dropped_ms == 0


def test_the_first_block_of_either_side_is_time_zero_exactly(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        stream(recorder.far, 2, 10.0, 2)
        stream(recorder.near, 1, 10.0125, 2)
    near, far = sides(path)
    assert runs(far) == [(2, 320), (0, 100)]
    assert runs(near) == [(0, 100), (1, 320)]


def test_times_that_wobble_cut_and_insert_nothing(path: Path) -> None:
    wobble = np.random.default_rng(5).uniform(-0.009, 0.009, 300)
    with Recorder(path, RATE) as recorder:
        for number, off in enumerate(wobble):
            block = np.arange(number * BLOCK, (number + 1) * BLOCK).astype("<i2").tobytes()
            recorder.near(AudioBlock(block, number * 0.02 + (float(off) if number else 0)))
    near, _ = sides(path)
    assert near.tolist() == np.arange(300 * BLOCK).astype("<i2").tolist()


def test_gaps_are_kept_and_overlaps_are_cut(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        stream(recorder.near, 1, 0.0, 5)
        stream(recorder.near, 2, 0.1 + 0.03, 5)  # 30 ms later than contiguous
        stream(recorder.near, 3, 0.23 - 0.05, 5)  # 50 ms too early
    near, _ = sides(path)
    assert runs(near) == [(1, 800), (0, 240), (2, 800), (3, 400)]
    assert recorder.dropped_ms == 50


def test_a_silent_side_holds_nothing_back_and_its_late_audio_is_counted(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        stream(recorder.near, 1, 0.0, 500)
        assert recorder.buffered_ms < 2_500
        stream(recorder.far, 2, 9.0, 50)
        stream(recorder.far, 3, 1.0, 50)
    near, far = sides(path)
    assert runs(near) == [(1, 80_000)]
    assert runs(far) == [(0, 72_000), (2, 8_000)]
    assert recorder.dropped_ms == 1_000


def test_minutes_on_hold_take_no_memory(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        stream(recorder.near, 1, 0.0, 5)
        stream(recorder.far, 2, 300.0, 5)
        assert recorder.buffered_ms < 2_500
        stream(recorder.near, 3, 300.1, 5)
    near, far = sides(path)
    assert runs(near) == [(1, 800), (0, 300 * RATE), (3, 800)]
    assert runs(far) == [(0, 300 * RATE), (2, 800), (0, 800)]


@pytest.mark.parametrize("rate", [48_000, 24_000, 16_000])
def test_another_rate_is_brought_to_the_files_without_delay(path: Path, rate: int) -> None:
    times = np.arange(rate) / rate
    sound = (8_000 * np.sin(2 * np.pi * 300 * times)).astype("<i2").tobytes()
    size = 2 * rate // 50
    with Recorder(path, RATE) as recorder:
        stream(recorder.far, 0, 0.0, 100)
        for number in range(50):
            pcm = sound[number * size : (number + 1) * size]
            recorder.near(AudioBlock(pcm, 0.5 + number * 0.02), AudioFormat.pcm16(rate))
        stream(recorder.far, 0, 2.0, 50)
    near, _ = sides(path)
    expected = np.zeros(24_000)
    expected[4_000:12_000] = 8_000 * np.sin(2 * np.pi * 300 * np.arange(8_000) / 8_000)
    assert np.abs(near - expected)[4_100:11_900].max() <= 8
    assert not near[:4_000].any()
    assert not near[12_000:].any()
    assert recorder.dropped_ms == 0


def test_a_piece_shorter_than_the_filter_is_kept(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        recorder.near(AudioBlock(constant(5_000, 30), 0.0), AudioFormat.pcm16(24_000))
        stream(recorder.far, 1, 0.0, 1)
    near, far = sides(path)
    assert len(near) == len(far) == BLOCK
    assert 4_000 < near[:10].mean() < 6_000
    assert not near[10:].any()


def test_the_end_of_a_run_is_written_before_the_other_side_passes_it(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        recorder.near(AudioBlock(constant(5_000, 24_000), 0.0), AudioFormat.pcm16(24_000))
        stream(recorder.far, 1, 0.0, 400)
        recorder.near(AudioBlock(constant(6_000, 24_000), 7.0), AudioFormat.pcm16(24_000))
    near, _ = sides(path)
    assert abs(int(near[7_990]) - 5_000) < 600  # the filter's own edge
    assert np.abs(near[56_100:63_900] - 6_000).max() < 5
    assert recorder.dropped_ms == 0


def test_a_rate_may_change_in_mid_stream(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        stream(recorder.near, 1_000, 0.0, 5)
        recorder.near(AudioBlock(constant(1_000, 2_400), 0.105), AudioFormat.pcm16(24_000))
    near, _ = sides(path)
    assert len(near) == 1_600
    assert runs(near)[0] == (1_000, 800)
    assert np.abs(near - 1_000)[850:-50].max() < 2


def test_telephone_codecs(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        recorder.near(AudioBlock(g711.encode_ulaw(constant(1_000)), 0.0), AudioFormat.pcmu())
        recorder.far(AudioBlock(g711.encode_alaw(constant(-1_000)), 0.0), AudioFormat.pcma())
    near, far = sides(path)
    assert (len(runs(near)), len(runs(far))) == (1, 1)
    assert abs(int(near[0]) - 1_000) < 32
    assert abs(int(far[0]) + 1_000) < 32


def test_a_block_without_a_time_is_counted_and_left_out(path: Path) -> None:
    with Recorder(path, RATE) as recorder:
        stream(recorder.near, 1, float("nan"), 2)
        stream(recorder.near, 2, 0.0, 2)
        stream(recorder.far, 3, 2e9, 2)
    near, far = sides(path)
    assert (runs(near), runs(far)) == ([(2, 320)], [(0, 320)])
    assert recorder.dropped_ms == 80


def test_stereo_sides_are_refused(path: Path) -> None:
    with Recorder(path, RATE) as recorder, pytest.raises(ConfigurationError, match="mono, not 2"):
        recorder.near(AudioBlock(bytes(4), 0.0), AudioFormat("pcm16", RATE, 2))


async def test_in_an_event_loop_even_a_cancelled_one_the_file_is_complete(path: Path) -> None:
    with anyio.CancelScope() as scope:
        async with Recorder(path, RATE) as recorder:
            stream(recorder.near, 1, 0.0, 100)
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert len(sides(path)[0]) == 100 * BLOCK
    await recorder.aclose()
    stream(recorder.near, 1, 9.0, 1)  # after the end: ignored
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rtagent-recorder")]


def test_an_empty_conversation_is_an_empty_file(path: Path) -> None:
    Recorder(path, RATE).close()
    assert path.stat().st_size == 44


def test_a_file_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file or directory"):
        Recorder(tmp_path / "missing" / "x.wav")


@pytest.fixture
def stuck_pipe(tmp_path: Path) -> tuple[Path, int]:
    """A "disk" that takes 64 KiB and then nothing; closing the descriptor breaks it."""
    pipe = tmp_path / "stuck"
    os.mkfifo(pipe)
    return pipe, os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)


def test_a_disk_that_is_too_slow_ends_the_recording_and_not_the_conversation(
    stuck_pipe: tuple[Path, int],
) -> None:
    pipe, reader = stuck_pipe
    recorder = Recorder(pipe, 24_000)
    for second in range(40):
        for record in (recorder.near, recorder.far):
            record(AudioBlock(bytes(48_000), float(second)))
    assert recorder.buffered_ms < 40_000
    os.close(reader)
    with pytest.raises(AudioFileError, match="too slow"):
        recorder.close()


def test_a_disk_that_breaks_is_told_at_the_end(stuck_pipe: tuple[Path, int]) -> None:
    pipe, reader = stuck_pipe
    recorder = Recorder(pipe, RATE)
    os.close(reader)
    assert recorder.failure is None
    second = 0
    while recorder.failure is None:
        stream(recorder.near, 1, float(second), 50)
        second += 1
        recorder._thread.submit(int).result()  # the disk has had its turn: this is not about slow ones
    stream(recorder.near, 1, float(second), 500)
    assert recorder.buffered_ms < 2_500
    with pytest.raises(AudioFileError, match=os.strerror(32)):
        recorder.close()
    recorder.close()


CHILD = """
import sys, time
from rtagent.audio import AudioBlock, Recorder
recorder = Recorder(sys.argv[1], 24_000)
for number in range(1_000):
    for record in (recorder.near, recorder.far)[: int(sys.argv[2])]:
        record(AudioBlock(bytes([1, 1]) * 480, number * 0.02))
    recorder._thread.submit(int).result()  # at ten times the pace of life the disk may have its turn
    print(number + 1, flush=True)
    time.sleep(0.002)
"""


@pytest.mark.parametrize(("speaking", "short_s"), [(2, 1.0), (1, 3.0)])
@pytest.mark.parametrize("killed_at", [3, 149, 187])
def test_a_process_that_is_killed_leaves_a_file_that_can_be_read(
    path: Path, speaking: int, short_s: float, killed_at: int
) -> None:
    """A side that never speaks holds the other back for two seconds more."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(speaking)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        told = next(int(line) for line in child.stdout if int(line) == killed_at)
        child.kill()
        fed = max([told, *map(int, child.stdout.read().split())])
    assert child.returncode == -signal.SIGKILL
    if fed * 0.02 < short_s and path.stat().st_size == 44:
        return
    clip = read_wav(path)
    assert fed * 0.02 - clip.duration_s <= short_s
    assert np.all(clip.samples[:, 0] == np.float32(257 / 32768))


def clicks(rate: int, crystal: float, minutes: int) -> Samples:
    """One every five seconds, as a device takes them that has so many samples in a second."""
    samples = np.zeros(int(60 * minutes * crystal), "<i2")
    for number in range(1, 12 * minutes):
        begin = round(5 * number * crystal)
        samples[begin : begin + rate // 200] = 8_000
    return samples


def onsets(side: Samples) -> NDArray[np.intp]:
    loud = np.flatnonzero(np.abs(side) > 4_000)
    begins: NDArray[np.intp] = loud[np.concatenate(([True], np.diff(loud) > RATE))]
    return begins


@pytest.mark.parametrize(("drift_ppm", "jitter_s"), [(100, 0.004), (-100, 0.009)])
def test_ten_minutes_stay_aligned(path: Path, drift_ppm: float, jitter_s: float) -> None:
    random = np.random.default_rng(7)
    crystal = 24_000 * (1 + drift_ppm * 1e-6)
    near, far = clicks(RATE, RATE, 10), clicks(24_000, crystal, 10)
    wideband = AudioFormat.pcm16(24_000)
    with Recorder(path, RATE) as recorder:
        wobble = random.uniform(-jitter_s, jitter_s, (6_000, 2))
        for number in range(6_000):  # blocks of 100 ms
            at = 1_000 + number * np.array([0.1, 2_400 / crystal]) + wobble[number]
            recorder.near(AudioBlock(near[number * 800 :][:800].tobytes(), float(at[0])))
            recorder.far(AudioBlock(far[number * 2_400 :][:2_400].tobytes(), float(at[1])), wideband)
            if number % 100 == 0:
                recorder._thread.submit(
                    int
                ).result()  # the disk keeps up when minutes do not pass in a second
    spoken, heard = map(onsets, sides(path))
    due = 5 * RATE * np.arange(1, 120)
    assert len(spoken) == len(heard) == len(due)
    assert np.abs(spoken - due).max() <= 0.02 * RATE
    assert np.abs(heard - due).max() <= 0.02 * RATE
    assert recorder.dropped_ms <= 100 + 2_000 * jitter_s
