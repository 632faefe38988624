"""What tells speech from the rest, frame by frame: the port, and the detector that needs no further package."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..errors import ConfigurationError, LocalProtocolError
from ._vad import Vad

__all__ = ("EnergyDetector", "SpeechDetector", "frame_samples_of", "require_frame")


class SpeechDetector(Protocol):
    """Says of one frame after the other how likely it is speech.

    It keeps state: one object for each stream, ``reset`` at a break in it.
    """

    @property
    def rate(self) -> int:
        """Samples per second of the frames (Hz)."""
        ...

    @property
    def frame_ms(self) -> float:
        """The length of every frame, in milliseconds: a whole number of samples."""
        ...

    def probability(self, frame: bytes) -> float:
        """How likely the next frame, mono PCM16 of just this length, is speech: from 0 to 1."""
        ...

    def reset(self) -> None:
        """Forget the past, as for a new stream."""
        ...


def frame_samples_of(detector: SpeechDetector) -> int:
    """Samples of one frame of that detector."""
    samples = detector.rate * detector.frame_ms / 1000
    if not (samples >= 1 and abs(samples - round(samples)) < 1e-6):
        message = f"frames of {detector.frame_ms:g} ms at {detector.rate} Hz are not whole samples"
        raise ConfigurationError(message, hint="20 ms is usual, 32 ms for Silero")
    return round(samples)


def require_frame(frame: bytes, samples: int) -> None:
    """Refuse what is not just one frame of PCM16.

    Raises:
        LocalProtocolError: it is longer, shorter or cut within a sample.
    """
    if len(frame) != 2 * samples:
        message = f"this detector takes frames of {2 * samples} bytes, not {len(frame)}"
        raise LocalProtocolError(message)


class EnergyDetector:
    """The energy gate of ``Vad`` as a ``SpeechDetector``: loud against quiet, at any rate.

    A constant offset, as cheap sound cards have it, is taken out of each frame first. What it can not
    do is to tell voices from other sounds: a click, music or a fan that is switched on is speech to it,
    the fan for some seconds.

    Args:
        rate: samples per second of the frames (Hz); that of the stream saves the resampling.
        frame_ms: the length of a frame; 10 to 40.
        threshold: that of ``Vad``: from 0, which takes much for speech, to 1, which wants it loud and clear.
    """

    def __init__(self, rate: int = 24_000, frame_ms: float = 20.0, *, threshold: float = 0.5) -> None:
        self.rate = rate
        self.frame_ms = frame_ms
        self._samples = frame_samples_of(self)
        self._vad = Vad(rate, threshold)

    def probability(self, frame: bytes) -> float:
        """How far the frame is above the background: 0.5 is where ``Vad`` begins to call it speech."""
        require_frame(frame, self._samples)
        samples = np.frombuffer(frame, "<i2").astype(np.int32)
        samples -= round(float(samples.mean()))
        self._vad.is_speech(samples.clip(-32768, 32767).astype("<i2").tobytes())
        return self._vad.probability

    def reset(self) -> None:
        """Take the background for the quietest there is."""
        self._vad.reset()
