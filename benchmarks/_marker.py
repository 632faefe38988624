"""A voice of which every piece tells where in it one is: to read positions off a recording.

The marker is a tone of constant strength whose pitch wanders at random between 200 and 800 Hz. No 20 ms of
it are like any others, so a window of a recording has one place; and it is smooth, from one sample to the
next it moves by a fifth of its peak at most, so a cut that is not faded shows as a step that the voice never makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = (
    "PEAK",
    "RATE",
    "Passage",
    "frames_within",
    "gaps",
    "largest_step",
    "marker",
    "passages",
    "sounding",
)

RATE = 24_000
PEAK = 12_000
Samples = NDArray[np.float64]

_LOWEST_HZ, _HIGHEST_HZ = 200.0, 800.0
_WANDER_FRAMES = 96
"""The pitch is drawn anew every 4 ms."""
_QUIET = 60.0
"""Below this (-46 dB of the voice) a sample is silent."""
_PAUSE_FRAMES = 24
"""The marker crosses zero faster than that, so 1 ms of silence is silence."""
_WINDOW_FRAMES = 480
_NEAR_FRAMES = RATE
_SHORTEST_FRAMES = 96
_STEP_FRAMES = 48
_FADE_FRAMES = 168
"""What a ramp of 5 ms makes unlike the marker, with the window that straddles its beginning."""
_ALIKE = 0.97
_ALIKE_UNDER_A_RAMP = 0.85
_RINGING_FRAMES = 16
"""For so long the card's own resampling filter sounds before and after a sound that begins or ends at once."""
_UNLIKE = 0.25
"""How far 2 ms may depart from the marker, as a share of its strength, before it is another place."""


@dataclass(frozen=True)
class Passage:
    """A stretch of a recording that holds the marker without a gap; all in frames."""

    begin: int
    """Where in the recording."""
    position: int
    """Which frame of the marker that is."""
    frames: int

    @property
    def end(self) -> int:
        return self.begin + self.frames


def marker(seed: int, frames: int) -> Samples:
    """So many frames of a marker of its own for each seed, at 24 kHz."""
    chance = np.random.default_rng(seed)
    points = frames // _WANDER_FRAMES + 2
    pitch = np.interp(
        np.arange(frames),
        np.arange(points) * _WANDER_FRAMES,
        chance.uniform(_LOWEST_HZ, _HIGHEST_HZ, points),
    )
    return np.round(PEAK * np.sin(2 * np.pi * np.cumsum(pitch) / RATE))


def sounding(recording: Samples) -> list[tuple[int, int]]:
    """The stretches (first frame, frame after the last) between which there is 1 ms of silence or more."""
    loud = np.flatnonzero(np.abs(recording) > _QUIET)
    if not len(loud):
        return []
    pauses = np.flatnonzero(np.diff(loud) > _PAUSE_FRAMES)
    begins = [loud[0], *loud[pauses + 1]]
    ends = [*loud[pauses], loud[-1]]
    return [(int(begin), int(end) + 1) for begin, end in zip(begins, ends, strict=True)]


def passages(recording: Samples, voice: Samples) -> list[Passage]:
    """What of the marker ``voice`` a recording holds, in the recording's order.

    Ramps at the ends of a stretch of sound belong to it. What is too short or too unlike to be placed is left
    out; nothing is guessed.
    """
    reader = _Reader(recording, voice)
    found: list[Passage] = []
    for begin, end in sounding(recording):
        next_position = found[-1].position + found[-1].frames if found else 0
        found += reader.read(begin, end) or reader.continues(begin, end, next_position)
    return [*(_without_ringing(one, after) for one, after in pairwise(found)), *found[-1:]]


def frames_within(found: Sequence[Passage], begin: int, end: int, *, until: float = np.inf) -> float:
    """How many frames of the marker from ``begin`` to ``end`` were played until that frame of the recording."""
    total = 0.0
    for passage in found:
        frames = min(passage.frames, max(0.0, until - passage.begin))
        total += max(0.0, min(end, passage.position + frames) - max(begin, passage.position))
    return total


def largest_step(recording: Samples) -> float:
    """The largest difference between neighbouring samples."""
    return float(np.max(np.abs(np.diff(recording)), initial=0.0))


def _without_ringing(passage: Passage, after: Passage) -> Passage:
    """A frame that is there twice is the card's filter, which rings where a sound breaks off."""
    twice = passage.position + passage.frames - after.position
    return replace(passage, frames=passage.frames - twice) if 0 < twice <= _RINGING_FRAMES else passage


class _Reader:
    """Finds windows of one recording in one voice."""

    def __init__(self, recording: Samples, voice: Samples) -> None:
        self._recording = recording
        self._voice = voice
        self._shift = 0

    def read(self, begin: int, end: int) -> list[Passage]:
        """Place the middle, follow it to both sides, then place what is left."""
        if end - begin < _SHORTEST_FRAMES:
            return []
        half = min(_WINDOW_FRAMES, end - begin) // 2
        middle = (begin + end) // 2
        shift = self._place(middle - half, middle + half)
        if shift is None:  # two places meet in the middle
            return (
                []
                if end - begin < 2 * _WINDOW_FRAMES
                else [*self.read(begin, middle), *self.read(middle, end)]
            )
        first = self._follow(middle - half, begin, shift, -_STEP_FRAMES)
        last = self._follow(middle + half, end, shift, _STEP_FRAMES)
        own = Passage(first, first - shift, last - first)
        return [*self.read(begin, first), own, *self.read(last, end)]

    def _place(self, begin: int, end: int) -> int | None:
        """What to take from a frame of the recording to have that of the voice: near the last place, or anywhere."""
        window = self._recording[begin:end]
        expected = begin - self._shift
        low, high = max(0, expected - _NEAR_FRAMES), expected + _NEAR_FRAMES
        best = _best_match(self._voice[low:high], window) if high > low else None
        if best is not None:
            best += low
        else:
            best = _best_match(self._voice, window)
        if best is None:
            return None
        self._shift = begin - best
        return self._shift

    def _follow(self, at: int, limit: int, shift: int, step: int) -> int:
        """Where the recording ceases to be the voice at that shift, at most the limit."""
        limit = min(max(limit, shift), shift + len(self._voice))
        while at != limit:
            to = max(limit, at + step) if step < 0 else min(limit, at + step)
            low, high = sorted((at, to))
            if not self._agrees(low, high, shift):
                break
            at = to
        return limit if abs(limit - at) <= _FADE_FRAMES else at

    def _agrees(self, low: int, high: int, shift: int) -> bool:
        voice = self._voice[low - shift : high - shift]
        departs = float(np.linalg.norm(self._recording[low:high] - voice))
        return departs <= _UNLIKE * PEAK * sqrt((high - low) / 2)

    def continues(self, begin: int, end: int, position: int) -> list[Passage]:
        """Too short to be placed by itself, or a ramp all over: is it what comes next, to a few frames?"""
        shifts = range(begin - position - _RINGING_FRAMES, begin - position + _RINGING_FRAMES)
        # What rings before the first frame of all is no part of the voice.
        alike, shift = max((self._likeness(max(begin, shift), end, shift), shift) for shift in shifts)
        begin = max(begin, shift)
        frames = min(end - begin, len(self._voice) - (begin - shift))
        return [Passage(begin, begin - shift, frames)] if alike >= _ALIKE_UNDER_A_RAMP else []

    def _likeness(self, begin: int, end: int, shift: int) -> float:
        voice = self._voice[begin - shift : end - shift]
        piece = self._recording[begin : begin + len(voice)]
        return float(np.dot(voice, piece) / (np.linalg.norm(voice) * np.linalg.norm(piece) + 1.0))


def _best_match(voice: Samples, window: Samples) -> int | None:
    """Where in the voice that window lies, or None."""
    places = len(voice) - len(window) + 1
    if places < 1:
        return None
    size = 1 << len(voice).bit_length()
    product = np.fft.irfft(np.fft.rfft(voice, size) * np.conj(np.fft.rfft(window, size)))[:places]
    energy = np.concatenate(([0.0], np.cumsum(voice**2)))
    alike = product / np.sqrt((energy[len(window) :] - energy[:places]) * float(np.dot(window, window)) + 1.0)
    best = int(np.argmax(alike))
    return best if alike[best] >= _ALIKE else None


def gaps(found: Sequence[Passage]) -> list[tuple[int, int]]:
    """Between neighbouring passages: (frames of silence put in, frames of the voice left out)."""
    return [
        (later.begin - earlier.end, later.position - (earlier.position + earlier.frames))
        for earlier, later in pairwise(found)
    ]
