from __future__ import annotations

from itertools import takewhile

import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import Vad, level_dbfs
from rtagent.audio._vad import SILENCE_DBFS, peak
from rtagent.errors import ConfigurationError

RATE = 24_000
Floats = NDArray[np.float64]


def pcm(samples: Floats) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def noise(dbfs: float, seconds: float) -> Floats:
    return np.random.default_rng(3).normal(0, 32768 * 10 ** (dbfs / 20), round(seconds * RATE))


def voice(dbfs: float, seconds: float) -> Floats:
    """A buzz of 120 Hz in syllables of 200 ms with pauses of 50 ms between them."""
    times = np.arange(round(seconds * RATE)) / RATE
    buzz = np.sign(np.sin(2 * np.pi * 120 * times)) * 32768 * 10 ** (dbfs / 20)
    return np.asarray(np.where(times % 0.25 < 0.2, buzz, buzz * 0.01), np.float64)


def decisions(vad: Vad, samples: Floats, frame_ms: int = 20) -> list[bool]:
    data, size = pcm(samples), 2 * RATE * frame_ms // 1000
    return [vad.is_speech(data[start : start + size]) for start in range(0, len(data), size)]


@pytest.mark.parametrize(
    ("samples", "rms_dbfs", "largest"),
    [
        (np.full(480, 32767.0), 0.0, 32767),
        (np.full(480, -32768.0), 0.0, 32768),
        (32767 * np.sin(2 * np.pi * np.arange(480) / 48), -3.01, 32767),
        (np.full(480, 3276.8), -20.0, 3277),
        (np.zeros(480), SILENCE_DBFS, 0),
        (np.eye(1, 480)[0], SILENCE_DBFS, 1),
        (np.zeros(0), SILENCE_DBFS, 0),
    ],
)
def test_levels(samples: Floats, rms_dbfs: float, largest: int) -> None:
    assert level_dbfs(pcm(samples)) == pytest.approx(rms_dbfs, abs=0.01)
    assert peak(pcm(samples)) == largest


@pytest.mark.parametrize("background", [np.zeros(RATE), noise(-60, 1), noise(-90, 1), noise(-50, 1)])
def test_a_quiet_room_is_no_speech(background: Floats) -> None:
    assert not any(decisions(Vad(), background))


@pytest.mark.parametrize("background_dbfs", [-90, -60])
def test_a_voice_is_speech_from_its_second_frame_on(background_dbfs: float) -> None:
    vad = Vad()
    decisions(vad, noise(background_dbfs, 1))
    assert all(decisions(vad, voice(-30, 0.2))[1:])
    assert vad.level_dbfs == pytest.approx(-30, abs=0.1)
    assert not any(decisions(vad, noise(background_dbfs, 1))[1:])


@pytest.mark.parametrize("level_dbfs", [-30, -20, -10])
def test_a_long_sentence_stays_speech(level_dbfs: float) -> None:
    vad = Vad()
    spoken = decisions(vad, voice(level_dbfs, 20) + noise(-60, 20))
    in_syllables = [speech for index, speech in enumerate(spoken) if index * 0.02 % 0.25 < 0.17]
    assert sum(in_syllables[-200:]) > 195


@pytest.mark.parametrize("level_dbfs", [-40, -30, -20])
def test_a_steady_noise_stops_being_speech_within_seconds(level_dbfs: float) -> None:
    vad = Vad()
    decisions(vad, noise(-65, 2))
    switched_on = decisions(vad, noise(level_dbfs, 6))
    assert switched_on[1]
    assert not any(switched_on[-100:])
    assert sum(1 for _ in takewhile(bool, switched_on)) * 0.02 < 4
    assert vad.floor_dbfs > level_dbfs - 10
    assert any(decisions(vad, voice(level_dbfs + 15, 1)))  # a voice above it still is


def test_a_higher_threshold_wants_a_louder_voice() -> None:
    def share(threshold: float) -> float:
        vad = Vad(threshold=threshold)
        decisions(vad, noise(-50, 2))
        return float(np.mean(decisions(vad, voice(-40, 1))))

    assert share(0.1) > 0.7
    assert share(0.5) > 0.5
    assert share(1.0) == 0


@pytest.mark.parametrize("frame_ms", [10, 20, 30, 40])
def test_the_length_of_frames_changes_no_times(frame_ms: int) -> None:
    vad = Vad()
    spoken = decisions(vad, noise(-30, 6), frame_ms)
    speech_s = sum(1 for _ in takewhile(bool, spoken)) * frame_ms / 1000
    assert speech_s == pytest.approx(2.0, abs=0.3)


def test_reset_forgets_the_background() -> None:
    vad = Vad()
    decisions(vad, noise(-25, 8))
    assert not vad.is_speech(pcm(noise(-25, 0.02)))
    vad.reset()
    assert vad.level_dbfs == SILENCE_DBFS
    assert vad.is_speech(pcm(noise(-25, 0.02)))


def test_an_empty_frame_is_no_speech() -> None:
    assert not Vad().is_speech(b"")


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_thresholds_out_of_range(threshold: float) -> None:
    with pytest.raises(ConfigurationError, match="threshold"):
        Vad(threshold=threshold)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_other_rates(rate: int) -> None:
    vad = Vad(rate)
    assert not vad.is_speech(pcm(np.full(rate // 50, 20.0)))
    assert vad.is_speech(pcm(np.full(rate // 50, 1000.0)))


def test_the_probability_is_a_half_where_speech_begins_and_grows_with_the_level() -> None:
    vad = Vad()
    assert vad.probability == 0
    told: list[float] = []
    for amplitude in (0, 75, 149, 151, 450, 32767):
        vad.reset()
        speech = vad.is_speech(pcm(np.full(480, float(amplitude))))
        told.append(vad.probability)
        assert (told[-1] > 0.5) == speech
    assert told == sorted(told)
    assert told[1] == pytest.approx(0.2, abs=0.01)
    assert told[4] == pytest.approx(0.9, abs=0.01)
