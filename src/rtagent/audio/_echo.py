"""Against hearing oneself: what an echo canceller is, and the one that needs nothing installed.

Theory of operation of the gate. It cannot take the echo out of what the microphone hears; it decides, frame by
frame, whether there may be more in it than echo. Loudness is all that it looks at, in each band of
frequencies for itself (``_echo_bands``). What exceeds the expected echo is *evidence*: it adds up, and what is
usual without anybody talking is taken off with each frame, so little for long counts as much as a lot at once.
Enough of it opens the gate, which stays open for a while after the last of it, so that a word that got through
is not chopped. The gate also says for how long the evidence has been growing: that is where the word began.

With headphones the microphone hears no echo; then the expectation is the noise of the room, and whoever
talks gets through.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

import numpy as np

from ._echo_bands import BandLevels

__all__ = ("FRAME_MS", "EchoCanceller", "EchoLevel", "HalfDuplexGate", "amplitude", "ramped")

FRAME_MS = 10.0
"""What a canceller takes at once."""
AUDIBLE = 16.0
"""The RMS amplitude (-66 dBFS) from which on the far end counts as heard."""

_TAIL_MS = 250.0
_LEARN_MS = 1_000.0
"""So much must have been played until the coupling is believed."""
_MARGIN_DB = 2.0
_FALL_DB_PER_S = 0.3
_PLUNGE_DB_PER_S = 10.0
"""How fast it falls when it is far above all echo of the last seconds: it was learned from somebody who talked."""
_FAR_ABOVE = 1.6
_PEAK_MS = 1_500.0
_RISE_DB_PER_S = 10.0
_CREEP_DB_PER_S = 4.0
"""How fast the coupling gives in to excess."""
# What is enough and what is usual were found in simulated rooms of -30 to +6 dB, see docs/topics/echo.md.
_ENOUGH_DB = 60.0
"""Evidence that opens the gate, in decibels of all bands and frames of 10 ms."""
_USUAL_DB = 4.0
"""Excess of a frame without anybody talking."""
_SOFT_ONSET_MS = 60.0
"""A word begins so long before it exceeds the echo."""
_HOLD_MS = 300.0
_NOISE_RISE_DB_PER_S = 8.0
_NOISE_FALL = 0.2
_LEAST_COUPLING = 1e-3
_TELLING = 0.25
"""Of the loudest sound: what is quieter tells little about the coupling."""
_QUIETEST = 10.0
"""The least echo that is expected: below this (-70 dBFS) nothing is worth a decision."""


class EchoCanceller(Protocol):
    """Takes the far end out of the near end, in frames of 10 ms of mono PCM16 at one rate.

    For each frame first ``reverse`` with what the loudspeaker played, then ``process`` with what the microphone
    heard. It keeps state: one object for each stream, ``reset`` at a break in it.
    """

    @property
    def return_loss_db(self) -> float | None:
        """How much quieter the microphone hears the loudspeaker than it was played, if that is known."""
        ...

    @property
    def removed_db(self) -> float | None:
        """How much quieter the echo has become lately; None if it is not taken out, or not known yet."""
        ...

    @property
    def ducked_ms(self) -> float:
        """For how long the near end has been silenced in all."""
        ...

    def reverse(self, far: bytes) -> None:
        """Take the frame that is played while the next near frame is captured; not yet its echo."""
        ...

    def process(self, near: bytes) -> bytes:
        """The near frame without the echo, as many bytes."""
        ...

    def reset(self) -> None:
        """A break in the stream: forget what was played, not what was learned about the room."""
        ...


class EchoLevel:
    """How loud an echo is to be expected.

    Args:
        tail_ms: how long an echo follows its sound.
        frame_ms: the length of the frames whose levels are given.
    """

    def __init__(self, tail_ms: float = _TAIL_MS, frame_ms: float = FRAME_MS) -> None:
        frame_s = frame_ms / 1000
        self._played: deque[float] = deque(maxlen=max(1, math.ceil(tail_ms / frame_ms)))
        self._unlearned = math.ceil(_LEARN_MS / frame_ms)
        self._fall = _ratio(-_FALL_DB_PER_S * frame_s)
        self._rise = _ratio(_RISE_DB_PER_S * frame_s)
        self._plunge = _ratio(-_PLUNGE_DB_PER_S * frame_s)
        self._creep = _ratio(_CREEP_DB_PER_S * frame_s)
        self._noise_rise = _ratio(_NOISE_RISE_DB_PER_S * frame_s)
        self._margin = _ratio(_MARGIN_DB)
        self._noise: float | None = None
        self._loudest = 0.0
        self._peak = 0.0
        self._peak_before = math.inf
        self._peak_frames = 0
        self._peak_period = math.ceil(_PEAK_MS / frame_ms)
        self._loudest_echo = 0.0
        self._coupling = 0.0
        self.reference = 0.0
        """The loudest that was played within the tail; 0.0 when nothing was audible."""

    @property
    def learned(self) -> bool:
        """Enough was played to know what to expect."""
        return self._unlearned <= 0

    @property
    def return_loss_db(self) -> float | None:
        """How much quieter the echo comes back than it was played, at its peaks."""
        if not self.learned:
            return None
        return -20 * math.log10(max(self._coupling, 1e-5))

    def play(self, far: float) -> None:
        """Take the level of the next frame that is played."""
        self._played.append(far)
        loudest = max(self._played)
        self.reference = loudest if loudest >= AUDIBLE else 0.0

    def exceeds(self, near: float) -> bool:
        """Whether the microphone's next frame, at that level, is more than echo; learns from it."""
        if not self.reference:
            self._follow_noise(near)
            return False
        self._noise = near if self._noise is None else min(self._noise, near)
        expected = self._coupling * self.reference + max(_QUIETEST, self._noise)
        excess = self.learned and near > self._margin * expected
        self._learn(max(near - self._noise, 0.0), excess=excess)
        return excess

    def _learn(self, echo: float, *, excess: bool) -> None:
        self._loudest = max(self.reference, self._loudest * self._fall)
        if not self.learned:
            self._unlearned -= self._played[-1] >= AUDIBLE
            self._loudest_echo = max(echo, self._loudest_echo)
            self._coupling = self._loudest_echo / self._loudest
        elif self.reference >= _TELLING * self._loudest:
            seen = echo / self.reference
            coupling = max(self._coupling, _LEAST_COUPLING)
            lowest = coupling * (self._plunge if self._is_far_above(seen) else self._fall)
            fastest = coupling * (self._creep if excess else self._rise)
            self._coupling = min(fastest, max(seen, lowest))

    def _is_far_above(self, seen: float) -> bool:
        """Whether the coupling stands where no echo has come near it for a while: it was no echo's."""
        self._peak = max(self._peak, seen)
        self._peak_frames += 1
        if self._peak_frames >= self._peak_period:
            self._peak_before, self._peak, self._peak_frames = self._peak, 0.0, 0
        highest = max(self._peak, self._peak_before)
        return self._coupling > _FAR_ABOVE * highest

    def forget_played(self) -> None:
        """A break in the stream."""
        self._played.clear()
        self.reference = 0.0

    def _follow_noise(self, near: float) -> None:
        noise = self._noise if self._noise is not None else near
        if near > noise:
            self._noise = min(near, max(noise, 1.0) * self._noise_rise)
        else:
            self._noise = near + (noise - near) * _NOISE_FALL


class HalfDuplexGate:
    """Silences the near end while the far end is heard, unless there is clearly more than its echo.

    An ``EchoCanceller`` that needs nothing. In its first second of sound it only learns, and nothing
    gets through. While nothing is played, bytes pass untouched.

    Args:
        tail_ms: how long the far end is taken to be heard after its last sound.
        frame_ms: the length of each frame; it may differ by a sample.
    """

    def __init__(self, *, tail_ms: float = _TAIL_MS, frame_ms: float = FRAME_MS) -> None:
        self.level = EchoLevel(tail_ms, frame_ms)
        self._bands = BandLevels(tail_ms, frame_ms)
        self._frame_ms = frame_ms
        self._hold = math.ceil(_HOLD_MS / frame_ms)
        self._held = 0
        self._evidence_db = 0.0
        self._evidence_ms = 0.0
        """For how long it has been growing."""
        self._open = True
        self._ducked_ms = 0.0
        self.recalled_ms = 0.0
        """How much before the end of the frame that opened the gate belongs to the word that did; 0.0 if it opened
        because nothing is played any more."""

    @property
    def is_open(self) -> bool:
        """Whether the last frame got through."""
        return self._open

    @property
    def return_loss_db(self) -> float | None:
        """How much quieter the echo comes back than it was played, once a second was heard."""
        return self.level.return_loss_db

    @property
    def removed_db(self) -> None:
        """Nothing is taken out of what gets through."""
        return

    @property
    def ducked_ms(self) -> float:
        """For how long the near end has been silenced in all."""
        return self._ducked_ms

    def reverse(self, far: bytes) -> None:
        """Take the frame that is played while the next near frame is captured."""
        self.level.play(amplitude(far))
        self._bands.play(far)

    def process(self, near: bytes) -> bytes:
        """The frame, or silence; a change between them is a ramp over the frame."""
        was_open, self._open = self._open, self._decide(near)
        if not self._open:
            self._ducked_ms += self._frame_ms
        if was_open == self._open:
            return near if was_open else bytes(len(near))
        return ramped(near, rising=self._open)

    def reset(self) -> None:
        """A break in the stream: nothing is being heard. What was learned about the room is kept."""
        self.level.forget_played()
        self._bands.forget_played()
        self._forget_evidence()
        self._open = True

    def _decide(self, near: bytes) -> bool:
        learned = self.level.learned
        self.level.exceeds(amplitude(near))
        if not self.level.reference:
            self._bands.rest(near)
            self._forget_evidence()
            return True
        if not learned:
            self._bands.learn(near)
            return False
        excess_db = self._bands.excess_db(near)
        self._weigh((excess_db - _USUAL_DB) * self._frame_ms / FRAME_MS)
        if self._evidence_db >= _ENOUGH_DB:
            if not self._held:
                self.recalled_ms = self._evidence_ms + _SOFT_ONSET_MS
            self._held = self._hold
        elif self._held:
            self._held = self._hold if excess_db > _USUAL_DB else self._held - 1
        return self._held > 0

    def _weigh(self, gain_db: float) -> None:
        self._evidence_db = min(max(0.0, self._evidence_db + gain_db), _ENOUGH_DB)
        self._evidence_ms = self._evidence_ms + self._frame_ms if self._evidence_db else 0.0

    def _forget_evidence(self) -> None:
        self._evidence_db = self._evidence_ms = self.recalled_ms = 0.0
        self._held = 0


def amplitude(pcm: bytes) -> float:
    """The RMS of PCM16, from 0 to 32768."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return math.sqrt(float(np.dot(samples, samples)) / len(samples)) if len(samples) else 0.0


def ramped(pcm: bytes, *, rising: bool) -> bytes:
    """PCM16 that comes up from silence over its whole length, or goes down to it."""
    samples = np.frombuffer(pcm, "<i2")
    slope = np.linspace(0, 1, len(samples), endpoint=False, dtype=np.float32)
    return (samples * (slope if rising else slope[::-1])).astype("<i2").tobytes()


def _ratio(db: float) -> float:
    return float(10 ** (db / 20))
