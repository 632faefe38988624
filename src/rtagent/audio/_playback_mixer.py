"""How loud it is, and what sounds beside the voice: the arithmetic between the queue and the device.

Loaded when a volume or a background is used, because it needs numpy. One thread, the consumer, mixes; the
other one tells it what to do by single assignments: a new goal for a gain, another tuple of tracks. What the
consumer writes, positions and "done", the other one only reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._samples import AudioClip

__all__ = ("Glide", "Mixer", "Track")

DUCKED = 0.3
_DUCK_MS = 100
_VOLUME_MS = 20
_LOUDEST, _LOWEST = np.float32(32767), np.float32(-32768)

_Gains = float | NDArray[np.float32]


class Glide:
    """A gain that moves to its goal in a straight line."""

    __slots__ = ("_left", "_seen", "_value", "goal")

    def __init__(self, value: float) -> None:
        self.goal: tuple[float, int] = (value, 0)
        """Where it goes, and in how many frames; written by the producer, as a whole."""
        self._seen = self.goal
        self._value = value
        self._left = 0

    def gains(self, frames: int) -> _Gains:
        """The gain of each of the next frames: one number where it does not move."""
        goal = self.goal
        if goal is not self._seen:
            self._seen = goal
            self._left = goal[1]
        target, left = goal[0], self._left
        if not left:
            self._value = target
            return target
        moving = min(left, frames)
        step = (target - self._value) / left
        gains = np.full(frames, target, np.float32)
        gains[:moving] = self._value + step * np.arange(1, moving + 1, dtype=np.float32)
        self._left = left - moving
        self._value = self._value + step * moving if self._left else target
        return gains

    def rests_at(self, value: float) -> bool:
        """It is there and was told to stay; for the consumer."""
        return self._value == value and self.goal[0] == value


class Track:
    """One sound in the background, from its first sample to its last, or round and round."""

    __slots__ = ("_at", "clip", "done", "gain", "leaving", "loop", "name", "pcm")

    def __init__(self, name: str, clip: AudioClip, pcm: NDArray[np.int16], *, loop: bool) -> None:
        self.name = name
        self.clip = clip
        self.pcm = pcm
        """The clip, mono and at the device's rate."""
        self.loop = loop
        self.gain = Glide(0.0)
        self.leaving = False
        """It fades out; written by the producer."""
        self.done = False
        """Nothing more will be heard of it; written by the consumer."""
        self._at = 0

    def add_to(self, sound: NDArray[np.float32], duck: _Gains) -> None:
        """Mix the next samples in."""
        leaving = self.leaving  # its goal was set before this: so the gain that moves now has seen it
        samples = self._next(len(sound))
        gains: NDArray[np.float32] = np.asarray(self.gain.gains(len(sound)) * duck, np.float32)
        if gains.ndim:
            gains = gains[: len(samples)]
        sound[: len(samples)] += samples * gains
        self.done = len(samples) < len(sound) or (leaving and self.gain.rests_at(0.0))

    def _next(self, frames: int) -> NDArray[np.int16]:
        start, total = self._at, len(self.pcm)
        end = start + frames
        if not self.loop:
            self._at = min(end, total)
            return self.pcm[start:end]
        self._at = end % total
        return self.pcm[start:end] if end <= total else self.pcm.take(np.arange(start, end), mode="wrap")


class Mixer:
    """Adds the tracks to the voice, turns the sum up or down, and saturates once, at the end.

    Args:
        rate: frames per second.
        volume: the factor to begin with.
    """

    def __init__(self, rate: int, volume: float) -> None:
        self.rate = rate
        self.tracks: tuple[Track, ...] = ()
        """Written by the producer, as a whole."""
        self.ducked = DUCKED
        """The factor of all tracks while a voice sounds; written by the producer."""
        self._volume = Glide(volume)
        self._duck = Glide(1.0)

    def turn_to(self, volume: float) -> None:
        """Another volume, by a ramp; for the producer."""
        self._volume.goal = (volume, self.rate * _VOLUME_MS // 1000)

    def mix(self, pcm: bytes, *, voice: bool) -> bytes:
        """One block for the device; the same bytes where there is nothing to do."""
        tracks = [track for track in self.tracks if not track.done]
        volume = self._volume
        if not pcm or (not tracks and volume.rests_at(1.0)):
            return pcm
        voice_samples: NDArray[np.int16] = np.frombuffer(pcm, "<i2")
        sound = voice_samples.astype(np.float32)
        if tracks:
            duck = self._ducking(len(sound), voice=voice)
            for track in tracks:
                track.add_to(sound, duck)
        sound *= volume.gains(len(sound))
        np.rint(sound, out=sound)
        np.minimum(sound, _LOUDEST, out=sound)
        np.maximum(sound, _LOWEST, out=sound)
        return sound.astype("<i2").tobytes()

    def _ducking(self, frames: int, *, voice: bool) -> _Gains:
        wanted = self.ducked if voice else 1.0
        if self._duck.goal[0] != wanted:
            self._duck.goal = (wanted, self.rate * _DUCK_MS // 1000)
        return self._duck.gains(frames)
