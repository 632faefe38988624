from __future__ import annotations

from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import read_wav
from rtagent.audio._resample import resample
from rtagent.engine._turns import SpeechStarted, SpeechStopped, TurnDetector
from rtagent.errors import ConfigurationError

RATE = 24_000
CALLER = Path(str(files("rtagent.cli") / "caller"))
RECORDINGS = sorted(path.name for path in CALLER.glob("*.wav"))


def quiet(ms: float, rate: int = RATE) -> bytes:
    return bytes(2 * int(ms * rate / 1000))


def loud(ms: float, rate: int = RATE, seed: int = 0) -> bytes:
    """Noise at -20 dBFS, its level rising and falling as syllables do."""
    count = int(ms * rate / 1000)
    swell = 0.6 + 0.4 * np.cos(2 * np.pi * 5 * np.arange(count) / rate)
    noise = np.random.default_rng(seed).normal(0, 3277, count) * swell
    return np.clip(np.rint(noise), -32768, 32767).astype("<i2").tobytes()


def with_noise(pcm: bytes, dbfs: float, seed: int = 1) -> bytes:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    noise = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), len(samples))
    return np.clip(np.rint(samples + noise), -32768, 32767).astype("<i2").tobytes()


def voice(name: str) -> bytes:
    """A recording, cut where its first and last sound are louder than -40 dBFS."""
    samples = np.frombuffer(resample(read_wav(CALLER / name).mono_pcm16(), 16_000, RATE), "<i2")
    heard = np.flatnonzero(np.abs(samples.astype(int)) > 328)
    return samples[heard[0] : heard[-1] + 1].tobytes()


def ms_of(pcm: bytes, rate: int = RATE) -> float:
    return len(pcm) / 2 / rate * 1000


TABLE = {
    "silence": (quiet(3000), []),
    "one turn, in whole frames": (
        quiet(1000) + loud(600) + quiet(1000),
        [SpeechStarted(700), SpeechStopped(2100)],
    ),
    "never before the first sample": (
        quiet(100) + loud(600) + quiet(600),
        [SpeechStarted(0), SpeechStopped(1200)],
    ),
    "never before the end of the turn before": (
        loud(600) + quiet(600) + loud(600) + quiet(600),
        [SpeechStarted(0), SpeechStopped(1100), SpeechStarted(1100), SpeechStopped(2300)],
    ),
    "a pause of 300 ms is part of the turn": (
        loud(600) + quiet(300) + loud(600) + quiet(600),
        [SpeechStarted(0), SpeechStopped(2000)],
    ),
    "800 ms apart are two turns": (
        loud(600) + quiet(800) + loud(600) + quiet(600),
        [SpeechStarted(0), SpeechStopped(1100), SpeechStarted(1100), SpeechStopped(2500)],
    ),
    "80 ms are no turn": (quiet(500) + loud(80) + quiet(1000), []),
    "100 ms are": (quiet(500) + loud(100) + quiet(600), [SpeechStarted(200), SpeechStopped(1100)]),
    "clicks 100 ms apart never add up": ((loud(40) + quiet(100)) * 20, []),
    "an onset may hold short gaps": (
        quiet(500) + (loud(40) + quiet(40)) * 3 + quiet(1000),
        [SpeechStarted(200), SpeechStopped(1200)],  # 500: the third burst is the proof that counts
    ),
    "a click does not lengthen the silence": (
        loud(600) + quiet(300) + loud(20) + quiet(600),
        [SpeechStarted(0), SpeechStopped(1100)],
    ),
    "a turn that goes on is not ended by the end of the audio": (loud(3000), [SpeechStarted(0)]),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case: str):
    pcm, expected = TABLE[case]

    assert TurnDetector().feed(pcm) == expected


@given(st.lists(st.integers(0, 60_000), max_size=12))
def test_any_chunking_gives_the_same_turns(cuts: list[int]):
    pcm = (quiet(200) + loud(330) + quiet(630) + loud(155) + quiet(700))[:-1]
    borders = sorted({0, len(pcm), *(min(cut, len(pcm)) for cut in cuts)})
    detector = TurnDetector()

    turns = [turn for start, end in pairwise(borders) for turn in detector.feed(pcm[start:end])]

    assert turns == TurnDetector().feed(pcm)
    assert len(turns) == 4
    assert detector.position_ms == int(ms_of(pcm))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_times_are_milliseconds_at_every_rate(rate: int):
    detector = TurnDetector(rate)

    turns = detector.feed(quiet(1000, rate) + loud(600, rate) + quiet(1000, rate))

    assert [type(turn) for turn in turns] == [SpeechStarted, SpeechStopped]
    started, stopped = turns
    assert isinstance(started, SpeechStarted)
    assert started.audio_start_ms == pytest.approx(700, abs=20)
    assert isinstance(stopped, SpeechStopped)
    assert stopped.audio_end_ms == pytest.approx(2100, abs=40)


@pytest.mark.parametrize(
    ("prefix_ms", "silence_ms", "expected"),
    [
        (0, 200, [SpeechStarted(1000), SpeechStopped(1800)]),
        (100, 210, [SpeechStarted(900), SpeechStopped(1820)]),  # up to the end of the frame
        (2000, 0, [SpeechStarted(0), SpeechStopped(1620)]),
    ],
)
def test_padding_and_silence_are_configured(
    prefix_ms: int, silence_ms: int, expected: list[SpeechStarted | SpeechStopped]
):
    detector = TurnDetector(prefix_padding_ms=prefix_ms, silence_duration_ms=silence_ms)

    assert detector.feed(quiet(1000) + loud(600) + quiet(900)) == expected


def test_shortest_speech_is_configured():
    knock = quiet(500) + loud(20) + quiet(600)

    assert len(TurnDetector(min_speech_ms=0).feed(knock)) == 2
    assert TurnDetector(min_speech_ms=400).feed(quiet(500) + loud(380) + quiet(600)) == []


def test_threshold_decides_how_loud_speech_is():
    faint = with_noise(quiet(300), -48)

    assert len(TurnDetector(threshold=0.1).feed(quiet(200) + faint)) == 1
    assert TurnDetector(threshold=0.5).feed(quiet(200) + faint) == []


def test_speaking_and_position_follow_the_audio():
    detector = TurnDetector()
    assert not detector.speaking
    assert detector.position_ms == 0

    detector.feed(loud(600))
    assert detector.speaking
    detector.feed(quiet(480))
    assert detector.speaking
    detector.feed(quiet(20))
    assert not detector.speaking
    detector.feed(quiet(5.5))
    assert detector.position_ms == 1105


def test_reset_forgets_the_turn_and_keeps_the_count():
    detector = TurnDetector()
    detector.feed(loud(605) + b"\x00")

    detector.reset()

    assert not detector.speaking
    assert detector.position_ms == 605
    assert detector.feed(b"\x00" + quiet(100 - 1 / 24) + loud(600) + quiet(600)) == [
        SpeechStarted(605),  # what was cleared is in no turn
        SpeechStopped(605 + 100 + 600 + 500),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"prefix_padding_ms": -1}, {"silence_duration_ms": -1}, {"min_speech_ms": -1}, {"threshold": 1.5}],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float]):
    with pytest.raises(ConfigurationError):
        TurnDetector(RATE, **wrong)  # type: ignore[arg-type]  # one of several keywords


@pytest.mark.parametrize("seed", range(5))
def test_noise_at_minus_50_dbfs_is_nobody(seed: int):
    assert TurnDetector().feed(with_noise(quiet(20_000), -50, seed)) == []


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("noise_dbfs", [None, -60, -50])
def test_two_spoken_sentences_are_two_turns(name: str, noise_dbfs: float | None):
    sentence = voice(name)
    pcm = quiet(1000) + sentence + quiet(800) + sentence + quiet(1000)
    if noise_dbfs is not None:
        pcm = with_noise(pcm, noise_dbfs)

    turns = TurnDetector().feed(pcm)

    assert [type(turn) for turn in turns] == [SpeechStarted, SpeechStopped] * 2
    first, stopped, _, last = turns
    length_ms = ms_of(sentence)
    assert isinstance(first, SpeechStarted)
    assert abs(first.audio_start_ms + 300 - 1000) <= 60
    assert isinstance(stopped, SpeechStopped)
    assert -150 <= stopped.audio_end_ms - (1000 + length_ms + 500) <= 40
    assert isinstance(last, SpeechStopped)
    assert -150 <= last.audio_end_ms - (1800 + 2 * length_ms + 500) <= 40
