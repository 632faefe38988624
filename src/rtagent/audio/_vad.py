"""Level and speech detection from energy alone, for meters, hints and local turn taking."""

from __future__ import annotations

import math

import numpy as np

from ..errors import ConfigurationError

__all__ = ("SILENCE_DBFS", "Vad", "level_dbfs", "peak")

SILENCE_DBFS = -100.0
"""The lowest level that is told, that of digital silence; one step of 16 bits is at -90."""

_RISE_PER_FRAME = 1.02
"""How fast the noise floor follows a louder background: 6 dB in 0.7 s, if no pause lowers it."""
_FALL_PER_FRAME = 0.2
"""What is left of the distance to a quieter background."""
_FRAME_S = 0.02
"""The frame for which these two are given."""
_GATE_DB_PER_THRESHOLD = 19.0
"""At threshold 0.5 speech is 9.5 dB above the floor, three times its amplitude."""
_QUIETEST_DBFS = -46.8
"""At threshold 0.5 nothing below this is speech, however quiet the room: an amplitude of 150."""
_QUIETEST_DB_PER_THRESHOLD = 20.0


def level_dbfs(pcm: bytes) -> float:
    """The RMS level of PCM16, relative to a square wave of full scale (a full-scale sine is at -3)."""
    return _dbfs(_rms(pcm))


def peak(pcm: bytes) -> int:
    """The largest magnitude in PCM16, from 0 to 32768."""
    samples = np.frombuffer(pcm, "<i2")
    return max(int(samples.max()), -int(samples.min())) if len(samples) else 0


def _rms(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return math.sqrt(float(np.dot(samples, samples)) / len(samples)) if len(samples) else 0.0


def _dbfs(amplitude: float) -> float:
    return max(SILENCE_DBFS, 20 * math.log10(amplitude / 32768)) if amplitude > 0 else SILENCE_DBFS


def _amplitude(dbfs: float) -> float:
    return 32768 * 10 ** (dbfs / 20)


class Vad:
    """An adaptive energy gate: a frame is speech when it is clearly louder than the background.

    The background, the *noise floor*, is followed at once downwards and slowly upwards: pauses
    between syllables keep it low while somebody speaks, and a fan that is switched on counts as
    speech for a few seconds only. It tells loud from quiet and not voices from music; the server's
    own detection does better with noise below about 10 dB under the voice.

    It keeps state: one object for each stream, ``reset`` at a break in it.

    Args:
        rate: samples per second of the frames (Hz).
        threshold: from 0, which takes much for speech, to 1, which wants it loud and clear.
    """

    def __init__(self, rate: int = 24_000, threshold: float = 0.5) -> None:
        if not 0 <= threshold <= 1:
            message = f"a detection threshold of {threshold:g} is out of range"
            raise ConfigurationError(message, hint="from 0 to 1, 0.5 is usual")
        self._bytes_per_second = 2 * rate
        self._gate = 10 ** (_GATE_DB_PER_THRESHOLD * threshold / 20)
        self._quietest = _amplitude(_QUIETEST_DBFS + _QUIETEST_DB_PER_THRESHOLD * (threshold - 0.5))
        self._lowest = self._quietest / self._gate
        self.reset()

    @property
    def level_dbfs(self) -> float:
        """The level of the last frame."""
        return _dbfs(self._level)

    @property
    def floor_dbfs(self) -> float:
        """The level of the background."""
        return _dbfs(self._floor)

    @property
    def probability(self) -> float:
        """How clearly the last frame was speech: 0.5 where ``is_speech`` begins, 0.9 about 9.5 dB above.

        It orders frames and has a soft edge for a hysteresis; it is no measured frequency.
        """
        power = self._level**2
        return power / (power + self._needed**2)

    def reset(self) -> None:
        """Forget the background: take it for the quietest there is."""
        self._floor = self._lowest
        self._level = 0.0
        self._needed = self._quietest

    def is_speech(self, frame: bytes) -> bool:
        """Whether this frame of PCM16, 10 to 40 ms and the next in the stream, is speech."""
        self._level = _rms(frame)
        frames = len(frame) / self._bytes_per_second / _FRAME_S
        self._needed = max(self._gate * self._floor, self._quietest)
        loud = self._level > self._needed
        if self._level > self._floor:
            self._floor = min(self._level, self._floor * _RISE_PER_FRAME**frames)
        else:
            quieter = self._level + (self._floor - self._level) * _FALL_PER_FRAME**frames
            self._floor = max(self._lowest, quieter)
        return loud
