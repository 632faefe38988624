"""Samples as people have them, made PCM16: what is no number becomes silence, and is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError
from ._pcm import pcm_bytes

__all__ = ("AudioClip", "Pcm16", "clip_of", "pcm16_of", "pcm16_of_array")

Floats = NDArray[np.float32]

_LOUDEST = 1e6
"""Floats may go beyond full scale; these would only overflow the arithmetic."""
_LOUDEST_MEANT = 16.0
"""Floats in an array beyond this (24 dB above full scale) were never meant for a full scale of 1.0."""
_MOST_CHANNELS = 64
_FRAMES_AT_ONCE = 1 << 18
"""Each step of the arithmetic makes a copy: of hours of audio, those would be gigabytes."""
_INTEGERS = {("u", 1): (128, 2**7), ("i", 1): (0, 2**7), ("i", 2): (0, 2**15), ("i", 4): (0, 2**31)}
"""By kind and size: the value of silence, and full scale."""
_HINT = "8-bit, int16 or int32 integers, or floats of full scale 1.0; frames, or frames x channels"


@dataclass(frozen=True, slots=True)
class Pcm16:
    """Mono PCM16, and what had to be done for it."""

    pcm: bytes
    repaired_samples: int = 0
    """Of all channels: not a number, or infinite. They are silent."""
    clipped_samples: int = 0
    """Beyond full scale, after the channels were mixed."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioClip:
    """What an audio file holds."""

    rate: int
    """Samples per second and channel (Hz)."""
    channels: int
    samples: Floats
    """Frames in rows, channels in columns; full scale is 1.0, and some may be beyond it."""
    repaired_samples: int = 0
    """Samples that were not a number, or infinite; they are silent now."""

    @property
    def duration_s(self) -> float:
        """Seconds of audio."""
        return len(self.samples) / self.rate

    def mono_pcm16(self) -> bytes:
        """The mean of all channels as signed 16-bit little-endian PCM."""
        return self.mono().pcm

    def mono(self) -> Pcm16:
        """The same, with what had to be repaired and clipped."""
        starts = range(0, len(self.samples), _FRAMES_AT_ONCE)
        parts = [pcm16_of(self.samples[at : at + _FRAMES_AT_ONCE].mean(axis=1)) for at in starts]
        pcm = b"".join([part.pcm for part in parts])
        return Pcm16(pcm, self.repaired_samples, sum(part.clipped_samples for part in parts))


def clip_of(rate: int, samples: NDArray[np.floating]) -> AudioClip:
    """Decoded frames in rows and channels in columns as a clip without a sample that is not a number."""
    sound = np.empty(samples.shape, np.float32)
    repaired = 0
    for at in range(0, len(samples), _FRAMES_AT_ONCE):
        part = slice(at, at + _FRAMES_AT_ONCE)
        sound[part], count = _repaired(samples[part])
        repaired += count
    return AudioClip(rate, samples.shape[1], sound, repaired)


def pcm16_of(samples: NDArray[np.floating]) -> Pcm16:
    """Floats of full scale 1.0 as PCM16: rounded, clipped, and silent where they are not numbers."""
    sound, repaired = _repaired(samples)
    clipped = int(np.count_nonzero(np.abs(sound) > 1))
    scaled = np.clip(sound, -1, 1) * np.float32(32768)
    pcm: bytes = np.minimum(np.rint(scaled), np.float32(32767)).astype("<i2").tobytes()
    return Pcm16(pcm, repaired, clipped)


def pcm16_of_array(samples: object) -> Pcm16:
    """PCM16 as bytes, or an array of samples, as mono PCM16.

    Raises:
        ConfigurationError: it is not audio, or could be understood in more than one way.
    """
    if not isinstance(samples, np.ndarray):
        return Pcm16(_whole_pcm16(samples))
    array = cast("NDArray[Any]", samples)
    _require_frames(array)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f":
        return _of_floats(array)
    if (kind, size) not in _INTEGERS:
        message = f"an array of {array.dtype} is not understood as audio"
        raise ConfigurationError(message, hint=_HINT)
    silence, scale = _INTEGERS[kind, size]
    wide: NDArray[np.float64] = array.astype(np.float64)
    return pcm16_of(_mixed((wide - silence) / scale))


def _whole_pcm16(samples: object) -> bytes:
    try:
        pcm = pcm_bytes(samples)
    except TypeError:
        message = f"samples are bytes or a numpy array, not {type(samples).__name__}"
        raise ConfigurationError(message, hint="numpy.array(samples, 'int16')") from None
    if len(pcm) % 2:
        message = f"PCM16 has two bytes a sample: {len(pcm)} bytes are not whole samples"
        raise ConfigurationError(message)
    return pcm


def _require_frames(array: NDArray[Any]) -> None:
    if array.ndim not in {1, 2}:
        message = f"an array of {array.ndim} dimensions is not understood as audio"
        raise ConfigurationError(message, hint=_HINT)
    if array.ndim == 2:
        frames, channels = array.shape
        if channels == 0 or channels > _MOST_CHANNELS or 0 < frames < channels:
            message = f"an array of {frames} x {channels} would be {frames} frames of {channels} channels"
            raise ConfigurationError(message, hint="frames stand in rows, channels in columns: array.T?")


def _of_floats(array: NDArray[np.floating]) -> Pcm16:
    sound, repaired = _repaired(array)
    loudest = float(np.abs(sound).max(initial=0))
    if loudest > _LOUDEST_MEANT:
        message = f"floats of up to {loudest:g} are not audio: full scale is 1.0"
        raise ConfigurationError(message, hint="divide by 32768, or pass 16-bit integers as int16")
    mixed = pcm16_of(_mixed(sound))
    return Pcm16(mixed.pcm, repaired, mixed.clipped_samples)


def _mixed(floats: NDArray[np.floating]) -> NDArray[np.floating]:
    return floats if floats.ndim == 1 else floats.mean(axis=1)


def _repaired(samples: NDArray[np.floating]) -> tuple[Floats, int]:
    """The same in 32 bits, silent where it was not a number; and in how many places that was."""
    wide = samples if samples.dtype.itemsize >= 4 else samples.astype(np.float32)
    finite = np.isfinite(wide)
    repaired = int(wide.size - np.count_nonzero(finite))
    sound = np.where(finite, wide, 0) if repaired else wide
    return np.clip(sound, -_LOUDEST, _LOUDEST).astype(np.float32), repaired
