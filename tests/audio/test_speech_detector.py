from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import EnergyDetector, Vad
from rtagent.audio._speech_detector import SpeechDetector
from rtagent.errors import ConfigurationError, LocalProtocolError

RATE = 24_000
SAMPLES = 480
TIMES = np.arange(3 * RATE) / RATE


def pcm(samples: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def tone(hz: float, amplitude: float) -> NDArray[np.float64]:
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * TIMES), np.float64)


def noise(dbfs: float) -> NDArray[np.float64]:
    return np.random.default_rng(5).normal(0, 32768 * 10 ** (dbfs / 20), len(TIMES))


def probabilities(detector: SpeechDetector, data: bytes) -> list[float]:
    size = round(detector.rate * detector.frame_ms / 1000) * 2
    return [
        detector.probability(data[start : start + size]) for start in range(0, len(data) - size + 1, size)
    ]


# What the energy detector takes for speech within the first half second: all that is loud and was not there before.
SOUNDS = {
    "digital silence": (np.zeros(len(TIMES)), False),
    "one step of noise": (np.random.default_rng(5).integers(-1, 2, len(TIMES)).astype(float), False),
    "a quiet room": (noise(-60), False),
    "a constant offset": (np.full(len(TIMES), 3000.0), False),
    "the largest offset": (np.full(len(TIMES), -32768.0), False),
    "a quiet room on an offset": (noise(-60) + 8000, False),
    "a quiet tone": (tone(440, 100), False),
    "a tone": (tone(440, 3000), True),
    "a tone on an offset": (tone(440, 3000) + 8000, True),
    "white noise": (noise(-30), True),  # it has no notion of a voice
    "the loudest square": (np.sign(tone(200, 1)) * 32767, True),
    "the loudest steps": (np.where(np.arange(len(TIMES)) % 2, 32767.0, -32768.0), True),
}


@pytest.mark.parametrize(("samples", "speech"), SOUNDS.values(), ids=SOUNDS)
def test_what_counts_as_speech_at_first(samples: NDArray[np.float64], speech: bool) -> None:
    told = probabilities(EnergyDetector(), pcm(samples))
    assert all(0 <= probability <= 1 for probability in told)
    assert all((probability >= 0.5) == speech for probability in told[:25])


def test_a_noise_that_stays_is_background_in_the_end() -> None:
    detector = EnergyDetector()
    told = probabilities(detector, 3 * pcm(noise(-30)))
    assert told[0] > 0.9
    assert max(told[-50:]) < 0.5


def test_half_is_where_the_gate_says_speech() -> None:
    vad, detector = Vad(), EnergyDetector()
    for amplitude in (40, 100, 140, 160, 400, 4000, 100, 20, 300):
        frame = pcm(tone(500, amplitude * 2**0.5)[:SAMPLES])
        assert (detector.probability(frame) > 0.5) == vad.is_speech(frame)


def test_reset_forgets_the_background() -> None:
    detector = EnergyDetector()
    first, *rest = probabilities(detector, 2 * pcm(noise(-30)))
    assert rest[-1] < first
    detector.reset()
    assert detector.probability(pcm(noise(-30)[:SAMPLES])) == first


@pytest.mark.parametrize("size", [0, 1, 2 * SAMPLES - 2, 2 * SAMPLES - 1, 2 * SAMPLES + 1, 4 * SAMPLES])
def test_what_is_not_one_frame_is_refused(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"960 bytes, not {size}"):
        EnergyDetector().probability(bytes(size))


@pytest.mark.parametrize(("rate", "frame_ms"), [(8_000, 20), (16_000, 32), (44_100, 10), (48_000, 30)])
def test_other_rates_and_frames(rate: int, frame_ms: float) -> None:
    detector = EnergyDetector(rate, frame_ms)
    samples = round(rate * frame_ms / 1000)
    assert detector.probability(bytes(2 * samples)) == 0
    assert detector.probability(pcm(tone(1000, 3000)[:samples])) > 0.9


@pytest.mark.parametrize(
    ("rate", "frame_ms"), [(22_050, 25.01), (24_000, 0), (24_000, -20), (24_000, float("nan")), (8_000, 0.1)]
)
def test_frames_that_are_not_whole_samples(rate: int, frame_ms: float) -> None:
    with pytest.raises(ConfigurationError, match="whole samples"):
        EnergyDetector(rate, frame_ms)


def test_steps_beyond_full_scale_do_not_wrap_round() -> None:
    samples = np.full(SAMPLES, -32768.0)
    samples[:10] = 32767
    assert EnergyDetector().probability(pcm(samples)) > 0.995


def test_a_threshold_out_of_range() -> None:
    with pytest.raises(ConfigurationError, match="threshold"):
        EnergyDetector(threshold=1.5)
