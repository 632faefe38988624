"""How much more than echo a microphone hears, band by band.

Theory of operation. In any moment a voice is loud in a few bands only, and two voices are seldom loud in the same
ones. So whoever talks over the assistant shows in bands in which hardly an echo is due, long before the sum over
all bands says so. For each band separately:

* The *reference* is the loudest that was played in it within the tail, which covers any delay and reverberation.
* The *coupling* is how loud the microphone heard the echo relative to the reference. It follows upwards
  quickly and downwards slowly, so it stands at the echo's peaks; quickly downwards where somebody's voice was
  taken for echo, as no echo of the last seconds comes near it. Excess moves it less: either somebody talks, or
  the loudspeaker was turned up, and the coupling creeps towards that.
* A part of what is played comes back in bands in which it was not played, as loudspeakers distort.

Bands that have hardly been played in yet are believed to be like the others.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

__all__ = ("BandLevels",)

_BANDS = 16
_LOWEST_HZ = 150.0
_HIGHEST_HZ = 7_000.0
_BY_NYQUIST = 0.95
_AUDIBLE = 8.0
"""The amplitude in one band from which on the far end tells something about it."""
# Margin, speeds and leak are a compromise found in simulated rooms of -30 to +6 dB, see docs/topics/echo.md.
_MARGIN_DB = 2.0
_MOST_DB = 6.0
"""More excess than this in one band counts no more."""
_LEARNS_BELOW_DB = 3.0
"""What exceeds the expectation by more is not the echo's own rise and fall."""
_LEAK_DB = -24.0
"""What comes back of the loudest band in all others."""
_FALL_DB_PER_S = 0.3
_RISE_DB_PER_S = 10.0
_CREEP_DB_PER_S = 4.0
_PLUNGE_DB_PER_S = 10.0
_FAR_ABOVE = 1.3
_PEAK_MS = 1_500.0
_YOUNG_MS = 300.0
_YOUNG_RISE_DB_PER_S = 100.0
_TELLING = 0.1
"""Of the loudest sound in a band: what is quieter tells little about the coupling."""
_LEAST_COUPLING = 1e-3
_QUIETEST = 6.0
"""The least echo that is expected in a band."""
_OVER_NOISE = 2.5
"""Noise goes up and down by so much in a narrow band."""
_NOISE_RISE_DB_PER_S = 8.0
_NOISE_FALL = 0.2
_NEVER = 1e-9

Bands = NDArray[np.float64]


class BandLevels:
    """What the echo may be in each band, learned from what is played and heard.

    Args:
        tail_ms: how long an echo follows its sound.
        frame_ms: the length of the frames.
    """

    def __init__(self, tail_ms: float, frame_ms: float) -> None:
        frame_s = frame_ms / 1000
        self._frame_s = frame_s
        self._far, self._near = _Spectrum(frame_s), _Spectrum(frame_s)
        self._played: deque[Bands] = deque(maxlen=max(1, math.ceil(tail_ms / frame_ms)))
        self._fall = _ratio(-_FALL_DB_PER_S * frame_s)
        self._rise = _ratio(_RISE_DB_PER_S * frame_s)
        self._creep = _ratio(_CREEP_DB_PER_S * frame_s)
        self._plunge = _ratio(-_PLUNGE_DB_PER_S * frame_s)
        self._young_rise = _ratio(_YOUNG_RISE_DB_PER_S * frame_s)
        self._noise_rise = _ratio(_NOISE_RISE_DB_PER_S * frame_s)
        self._leak = _ratio(_LEAK_DB)
        self._coupling = np.full(_BANDS, _LEAST_COUPLING)
        self._untold = np.full(_BANDS, math.ceil(_YOUNG_MS / frame_ms))
        self._loudest = np.zeros(_BANDS)
        self._noise: Bands | None = None
        self._peak = np.zeros(_BANDS)
        self._peak_before = np.full(_BANDS, np.inf)
        self._peak_frames = 0
        self._peak_period = math.ceil(_PEAK_MS / frame_ms)

    def play(self, far: bytes) -> None:
        """Take the next frame that is played."""
        self._played.append(self._far.of(far))

    def forget_played(self) -> None:
        """A break in the stream."""
        self._played.clear()
        self._far.reset()
        self._near.reset()

    def rest(self, near: bytes) -> None:
        """Take the microphone's next frame, while nothing is heard of the far end: the noise of the room."""
        heard = self._near.of(near)
        noise = heard if self._noise is None else self._noise
        risen = np.minimum(heard, np.maximum(noise, 0.3) * self._noise_rise)
        self._noise = np.where(heard > noise, risen, heard + (noise - heard) * _NOISE_FALL)

    def learn(self, near: bytes) -> None:
        """Take the microphone's next frame and believe that all of it is echo."""
        heard, reference, noise = self._meet(near)
        seen = np.maximum(heard - noise, 0.0) / np.maximum(reference, _NEVER)
        telling = self._is_telling(reference)
        self._coupling = np.where(telling, np.maximum(self._coupling, seen), self._coupling)
        self._untold -= telling

    def excess_db(self, near: bytes) -> float:
        """By how much the microphone's next frame is more than echo, summed over the bands; learns from it."""
        heard, reference, noise = self._meet(near)
        echo = np.maximum(self._coupling * reference, self._leak * float(np.max(self._coupling * reference)))
        expected = echo + np.maximum(_QUIETEST, _OVER_NOISE * noise)
        young = self._untold > 0
        if young.any():
            expected += np.where(young, 2 * self._usual_coupling(young) * reference, 0.0)
        above = 20 * np.log10(np.maximum(heard, _NEVER) / expected)
        self._follow(np.maximum(heard - noise, 0.0), reference, above, young)
        return float(np.sum(np.clip(above - _MARGIN_DB, 0.0, _MOST_DB)))

    def _meet(self, near: bytes) -> tuple[Bands, Bands, Bands]:
        heard = self._near.of(near)
        reference = np.max(self._played, axis=0)
        self._loudest = np.maximum(reference, self._loudest * self._fall)
        self._noise = heard if self._noise is None else np.minimum(self._noise, heard)
        return heard, reference, self._noise

    def _is_telling(self, reference: Bands) -> NDArray[np.bool_]:
        return (reference > _TELLING * self._loudest) & (reference > _AUDIBLE)

    def _usual_coupling(self, young: NDArray[np.bool_]) -> float:
        return float(np.max(self._coupling) if young.all() else np.median(self._coupling[~young]))

    def _follow(self, echo: Bands, reference: Bands, above: Bands, young: NDArray[np.bool_]) -> None:
        telling = self._is_telling(reference)
        self._untold -= telling
        seen = echo / np.maximum(reference, _NEVER)
        up = np.where(young, self._young_rise, np.where(above > _LEARNS_BELOW_DB, self._creep, self._rise))
        highest = self._highest_of_late(np.where(telling, seen, 0.0))
        down = np.where((self._coupling > _FAR_ABOVE * highest) & (highest > 0), self._plunge, self._fall)
        followed = np.maximum(seen, self._coupling * down)
        risen = np.maximum(self._coupling, _LEAST_COUPLING) * up
        self._coupling = np.where(telling, np.minimum(risen, followed), self._coupling)

    def _highest_of_late(self, seen: Bands) -> Bands:
        self._peak = np.maximum(self._peak, seen)
        self._peak_frames += 1
        if self._peak_frames >= self._peak_period:
            self._peak_before, self._peak, self._peak_frames = self._peak, np.zeros(_BANDS), 0
        highest: Bands = np.maximum(self._peak, self._peak_before)
        return highest


class _Spectrum:
    """The amplitude in each band, frame by frame; a window of two frames is looked at."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._samples = 0
        self._past: Bands = np.zeros(0)
        self._window: Bands = np.zeros(0)
        self._bands: Bands = np.zeros(0)

    def reset(self) -> None:
        """Begin a new stream."""
        self._samples = 0

    def of(self, pcm: bytes) -> Bands:
        samples = np.frombuffer(pcm, "<i2").astype(np.float64)
        if not self._samples:
            self._begin(len(samples))
        self._past = np.concatenate([self._past, samples])[-2 * self._samples :]
        power = np.abs(np.fft.rfft(self._past * self._window)) ** 2
        bands: Bands = np.sqrt(power @ self._bands)
        return bands

    def _begin(self, samples: int) -> None:
        """Frames may differ by a sample: all are looked at with the window of the first one."""
        self._samples = max(1, samples)
        size = 2 * self._samples
        self._past = np.zeros(size)
        self._window = np.hanning(size)
        rate = self._samples / self._frame_s
        highest = min(_HIGHEST_HZ, _BY_NYQUIST * rate / 2)
        edges = _hz(np.linspace(_mel(_LOWEST_HZ), _mel(highest), _BANDS + 1))
        hz = np.fft.rfftfreq(size, 1 / rate)
        inside = (hz[:, None] >= edges[:-1]) & (hz[:, None] < edges[1:])
        self._bands = inside.astype(np.float64) * (2 / (size * max(float(np.sum(self._window**2)), _NEVER)))


def _mel(hz: float) -> float:
    return 2595 * math.log10(1 + hz / 700)


def _hz(mel: Bands) -> Bands:
    hz: Bands = 700 * (10 ** (mel / 2595) - 1)
    return hz


def _ratio(db: float) -> float:
    return float(10 ** (db / 20))
