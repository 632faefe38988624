"""WAV files (RIFF/WAVE): read in all the layouts that come along, written as PCM16.

Files are opened without a buffer: a file is read in one piece and written in blocks, so a buffer
would only copy, and what was written survives the death of the process.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..errors import AudioFileError
from ._riff import RiffError, parse

__all__ = ("Wav", "WavWriter", "pcm16_of", "read_wav", "write_wav")

Path = str | PathLike[str]


@dataclass(frozen=True, slots=True, eq=False)
class Wav:
    """What a WAV file holds."""

    rate: int
    """Samples per second and channel (Hz)."""
    channels: int
    samples: NDArray[np.float32]
    """Frames in rows, channels in columns; full scale is 1.0."""

    @property
    def duration_s(self) -> float:
        """Seconds of audio."""
        return len(self.samples) / self.rate

    def mono_pcm16(self) -> bytes:
        """The mean of all channels as signed 16-bit little-endian PCM."""
        return pcm16_of(self.samples.mean(axis=1))


def pcm16_of(samples: NDArray[np.floating]) -> bytes:
    """Floats of full scale 1.0 as PCM16: rounded, clipped, and silent where they are not numbers."""
    scaled = np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32) * np.float32(32768)
    pcm: bytes = np.minimum(np.rint(scaled), np.float32(32767)).astype("<i2").tobytes()
    return pcm


def read_wav(path: Path) -> Wav:
    """Read a whole WAV file: integers of 8 to 32 bits, floats, or G.711, with any number of channels.

    A header that does not know the length of its audio, as a pipe leaves it, is taken to mean all
    there is.

    Raises:
        AudioFileError: it cannot be read, is damaged or empty, or its codec is not among those.
    """
    with _errors_of(path), io.FileIO(fspath(path)) as file:
        raw = file.readall()
    try:
        layout, samples = parse(raw)
    except RiffError as error:
        raise AudioFileError(path, str(error)) from None
    return Wav(layout.rate, layout.channels, samples)


@contextmanager
def _errors_of(path: Path) -> Generator[None]:
    """The system's errors in our words."""
    try:
        yield
    except FileNotFoundError as error:
        raise AudioFileError(path, "there is no such file or directory") from error
    except IsADirectoryError as error:
        raise AudioFileError(path, "this is a directory, not a file") from error
    except OSError as error:
        raise AudioFileError(path, error.strerror or str(error)) from error


class WavWriter:
    """Writes a PCM16 WAV file piece by piece.

    The sizes in the header are brought up to date once a second of audio and on ``close``, so the
    file can be read while it grows, and after a crash.

    Args:
        path: the file, overwritten if it exists; its directory has to exist.
        rate: samples per second and channel (Hz).
        channels: how many channels are interleaved.

    Raises:
        AudioFileError: the file cannot be created or written; by every method.
    """

    def __init__(self, path: Path, rate: int, channels: int = 1) -> None:
        self._path = path
        self._rate = rate
        self._channels = channels
        self._data_bytes = 0
        self._told_bytes = 0
        with _errors_of(path):
            self._file = io.FileIO(fspath(path), "w")
        try:
            self._write(self._header())
        except AudioFileError:
            self._file.close()
            raise

    @property
    def frames(self) -> int:
        """Frames written until now."""
        return self._data_bytes // (2 * self._channels)

    def write(self, pcm: bytes) -> None:
        """Append whole frames of PCM16, channels interleaved."""
        if len(pcm) % (2 * self._channels):
            message = f"{len(pcm)} bytes are not whole frames of {self._channels} channels of PCM16"
            raise ValueError(message)
        self._write(pcm)
        self._grew(len(pcm))

    def write_silence(self, frames: int) -> None:
        """Append so many frames of digital silence, of which no byte is really written."""
        self._check_open()
        grown = 2 * self._channels * frames
        with _errors_of(self._path):
            self._file.truncate(self._file.seek(grown, io.SEEK_CUR))
        self._grew(grown)

    def close(self) -> None:
        """Complete the header and close the file; closing again does nothing."""
        if self._file.closed:
            return
        with self._file:
            self._tell_sizes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _grew(self, size: int) -> None:
        self._data_bytes += size
        if self._data_bytes - self._told_bytes >= 2 * self._channels * self._rate:
            self._tell_sizes()

    def _tell_sizes(self) -> None:
        with _errors_of(self._path):
            self._file.seek(0)
            self._write(self._header())
            self._file.seek(0, io.SEEK_END)
        self._told_bytes = self._data_bytes

    def _header(self) -> bytes:
        frame_bytes = 2 * self._channels
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            min(36 + self._data_bytes, 0xFFFF_FFFF),  # beyond 4 GiB: readers take all there is
            b"WAVE",
            b"fmt ",
            16,
            0x0001,
            self._channels,
            self._rate,
            frame_bytes * self._rate,
            frame_bytes,
            16,
            b"data",
            min(self._data_bytes, 0xFFFF_FFFF),
        )

    def _write(self, data: bytes) -> None:
        self._check_open()
        rest = memoryview(data)
        with _errors_of(self._path):
            while rest:  # an unbuffered file may take less than it is given
                rest = rest[self._file.write(rest) :]

    def _check_open(self) -> None:
        if self._file.closed:
            raise AudioFileError(self._path, "it was written to after it had been closed")


def write_wav(path: Path, pcm: bytes, rate: int, channels: int = 1) -> None:
    """Write a whole PCM16 WAV file."""
    with WavWriter(path, rate, channels) as writer:
        writer.write(pcm)
