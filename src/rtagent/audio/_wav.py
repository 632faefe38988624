"""WAV files (RIFF/WAVE): read in all the layouts that come along, written as PCM16.

Files are opened without a buffer: a file is read in one piece and written in blocks, so a buffer
would only copy, and what was written survives the death of the process.
"""

from __future__ import annotations

import io
import struct
from os import fspath
from types import TracebackType
from typing import Self

from ..errors import AudioFileError
from ._disk import Path, errors_of, read_whole
from ._kinds import a_or_an, kind_of
from ._pcm import pcm_bytes
from ._riff import RiffError, parse
from ._samples import AudioClip, clip_of

__all__ = ("WavWriter", "clip_of_wav", "read_wav", "write_wav")


def read_wav(path: Path) -> AudioClip:
    """Read a whole WAV file: integers of 8 to 32 bits, floats, or G.711, with any number of channels.

    A header that does not know the length of its audio, as a pipe leaves it, is taken to mean all
    there is.

    Raises:
        AudioFileError: it cannot be read, is damaged or empty, or its codec is not among those.
    """
    return clip_of_wav(path, read_whole(path))


def clip_of_wav(path: Path, raw: bytes) -> AudioClip:
    """The same for the bytes of that file."""
    kind = kind_of(raw)
    if kind not in {None, "WAV"}:
        raise AudioFileError(path, f"this is {a_or_an(str(kind))} file, not a WAV file")
    try:
        layout, samples = parse(raw)
    except RiffError as error:
        raise AudioFileError(path, str(error)) from None
    return clip_of(layout.rate, samples)


class WavWriter:
    """Writes a PCM16 WAV file piece by piece.

    The sizes in the header are brought up to date every half second of audio and on ``close``, so the
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
        with errors_of(path):
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
        pcm = pcm_bytes(pcm)
        if len(pcm) % (2 * self._channels):
            message = f"{len(pcm)} bytes are not whole frames of {self._channels} channels of PCM16"
            raise ValueError(message)
        self._write(pcm)
        self._grew(len(pcm))

    def write_silence(self, frames: int) -> None:
        """Append so many frames of digital silence, of which no byte is really written."""
        self._check_open()
        grown = 2 * self._channels * frames
        with errors_of(self._path):
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
        if self._data_bytes - self._told_bytes >= self._channels * self._rate:
            self._tell_sizes()

    def _tell_sizes(self) -> None:
        with errors_of(self._path):
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
        with errors_of(self._path):
            while rest:  # an unbuffered file may take less than it is given
                rest = rest[self._file.write(rest) :]

    def _check_open(self) -> None:
        if self._file.closed:
            raise AudioFileError(self._path, "it was written to after it had been closed")


def write_wav(path: Path, pcm: bytes, rate: int, channels: int = 1) -> None:
    """Write a whole PCM16 WAV file."""
    with WavWriter(path, rate, channels) as writer:
        writer.write(pcm)
