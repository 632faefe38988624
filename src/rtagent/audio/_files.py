"""Audio files of all kinds: WAV by our own reader, compressed ones by libsndfile (the extra ``files``).

What a file is, is told by its first bytes. Only kinds that are listed here reach the library, and it
gets their bytes and not their name, so that what was looked at is what is decoded.
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import AudioFileError
from ._disk import Path, read_whole
from ._kinds import a_or_an, kind_of
from ._samples import AudioClip, clip_of
from ._wav import clip_of_wav

__all__ = ("read_audio",)

_BY_LIBRARY = ("FLAC", "MP3", "Ogg Vorbis", "Ogg Opus", "Ogg FLAC")
_INSTALL = "pip install 'rtagent[files]'"
_MOST_SAMPLES = 2**30
"""Of all channels, after decoding: three hours of stereo. A small file may claim, or even hold, far more."""
_SAMPLES_AT_ONCE = 2**18
_LOWEST_HZ, _HIGHEST_HZ = 1_000, 768_000


def read_audio(path: Path) -> AudioClip:
    """Read a whole audio file: WAV, and with the extra ``files`` FLAC, MP3, Ogg Vorbis and Opus.

    Raises:
        AudioFileError: it cannot be read, is damaged or empty, is of a kind that is not read, or needs
            a package that is not installed.
    """
    raw = read_whole(path)
    kind = kind_of(raw)
    if kind == "WAV":
        return clip_of_wav(path, raw)
    if kind is None:
        known = ", ".join(("WAV", *_BY_LIBRARY))
        reason = f"it does not begin like any file that is read: {known}" if raw else "the file is empty"
        raise AudioFileError(path, reason)
    if kind not in _BY_LIBRARY:
        message = f"this is {a_or_an(kind)} file, which is not read: convert it to WAV or FLAC first"
        raise AudioFileError(path, message)
    return _decoded(path, kind, raw, _library(path, kind))


def _library(path: Path, kind: str) -> Any:
    """The module ``soundfile``; loaded by name, as it is optional."""
    needs = f"this is {a_or_an(kind)} file, and reading it needs the package soundfile"
    try:
        return import_module("soundfile")
    except ImportError as error:
        raise AudioFileError(path, f"{needs}: {_INSTALL}") from error
    except OSError as error:
        reason = f"{needs}, which does not find its library libsndfile ({error})"
        raise AudioFileError(path, reason) from error


def _decoded(path: Path, kind: str, raw: bytes, library: Any) -> AudioClip:
    try:
        with library.SoundFile(io.BytesIO(raw)) as file:
            return _all_of(path, kind, file)
    except (library.SoundFileError, ValueError) as error:
        # A ValueError is the library's own arithmetic with a length that cannot be.
        reason = getattr(error, "error_string", "its lengths make no sense")
        raise AudioFileError(path, f"its {kind} audio is damaged: {reason}") from error


def _all_of(path: Path, kind: str, file: Any) -> AudioClip:
    rate, channels, told = int(file.samplerate), int(file.channels), int(file.frames)
    if not _LOWEST_HZ <= rate <= _HIGHEST_HZ:
        raise AudioFileError(path, f"its sample rate of {rate} Hz makes no sense")
    decoded = bytearray()  # it grows with what is there: a header may claim any length
    frames_at_once = max(1, _SAMPLES_AT_ONCE // channels)
    while len(block := file.read(frames_at_once, dtype="float32", always_2d=True)):
        decoded += block.tobytes()
        if len(decoded) > 4 * _MOST_SAMPLES:
            raise AudioFileError(path, "it is longer than what is read at once: cut it into pieces")
    if not decoded:
        raise AudioFileError(path, "it holds no audio")
    samples = np.frombuffer(decoded, np.float32).reshape(-1, channels)
    if kind == "FLAC" and len(samples) < told:  # the others only guess their length
        raise AudioFileError(path, f"it is truncated: {len(samples)} of {told} frames are there")
    return clip_of(rate, samples)
