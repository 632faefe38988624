"""A room made of numbers: somebody talks, a loudspeaker is heard again, and all of it is repeatable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 24_000
FRAME = 240
FRAME_BYTES = 2 * FRAME
Sound = NDArray[np.float64]


def bursts(
    seconds: float, seed: int, *, level: float = 2_500, pauses: float = 0.15, rate: int = RATE
) -> Sound:
    """Syllables of coloured noise of 80 to 300 ms, so loud on average; some are followed by a pause."""
    random = np.random.default_rng(seed)
    samples = int(seconds * rate)
    spectrum = np.fft.rfft(random.standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / rate)
    spectrum *= ((hz > 100) & (hz < 7_000)) / np.sqrt(1 + (hz / 600) ** 2)
    envelope = np.zeros(samples)
    at = 0
    while at < samples:
        length = int(rate * random.uniform(0.08, 0.3))
        room_left = envelope[at : at + length]
        room_left += np.hanning(length)[: len(room_left)] * random.uniform(0.5, 1)
        pause = random.uniform(0.3, 1.5) if random.random() < pauses else random.uniform(0.02, 0.12)
        at += length + int(rate * pause)
    sound: Sound = np.fft.irfft(spectrum, samples) * envelope
    return sound * (level / rms(sound))


def echo_of(
    sound: Sound, *, delay_ms: float = 60, decay_ms: float = 120, db: float = -6, rate: int = RATE
) -> Sound:
    """What the microphone hears of it; after ``decay_ms`` the reverberation has fallen by 60 dB."""
    random = np.random.default_rng(1)
    delay, length = int(delay_ms * rate / 1000), int(2 * decay_ms * rate / 1000)
    fall = np.exp(-6.9 * np.arange(length) / (rate * decay_ms / 1000))
    response = np.concatenate([np.zeros(delay), random.standard_normal(length) * fall])
    response *= 10 ** (db / 20) / np.sqrt(np.sum(response**2))
    size = 1 << (len(sound) + len(response)).bit_length()
    heard: Sound = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)
    return heard[: len(sound)]


def noise(samples: int, level: float, seed: int = 7) -> Sound:
    return np.random.default_rng(seed).standard_normal(samples) * level


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def loudness(sound: Sound) -> float:
    """The level of its sounding parts."""
    frames = np.sqrt(np.mean(sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME) ** 2, axis=1))
    return rms(frames[frames > frames.max() / 10])


def pcm(sound: Sound) -> bytes:
    return np.clip(np.rint(sound), -32_768, 32_767).astype("<i2").tobytes()


def samples_of(data: bytes) -> Sound:
    return np.frombuffer(data, "<i2").astype(np.float64)


def frames_of(sound: Sound, size: int = FRAME) -> list[bytes]:
    data = pcm(sound)
    return [data[at : at + 2 * size] for at in range(0, len(data) - 2 * size + 1, 2 * size)]
