"""Whole files from the disk, and the system's errors in our words."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager

from ..errors import AudioFileError

__all__ = ("MOST_BYTES", "Path", "errors_of", "read_whole")

Path = str | os.PathLike[str]

MOST_BYTES = 2**32
"""The largest file that is read: a WAV file cannot say that it is larger. It also ends what has no end."""
_PIECE_BYTES = 1 << 20


@contextmanager
def errors_of(path: Path) -> Generator[None]:
    """Errors of the system become ``AudioFileError``."""
    try:
        yield
    except FileNotFoundError as error:
        raise AudioFileError(path, "there is no such file or directory") from error
    except IsADirectoryError as error:
        raise AudioFileError(path, "this is a directory, not a file") from error
    except OSError as error:
        raise AudioFileError(path, error.strerror or str(error)) from error


def read_whole(path: Path) -> bytes:
    """All bytes of a file, or of a pipe.

    Raises:
        AudioFileError: it cannot be read, or is larger than anything that is read.
    """
    if "\0" in os.fspath(path):
        raise AudioFileError(path, "no file has such a name")
    with errors_of(path), io.FileIO(os.fspath(path)) as file:
        found = os.fstat(file.fileno())
        if found.st_size > MOST_BYTES:
            raise _too_large(path)
        return file.readall() if stat.S_ISREG(found.st_mode) else _read_pipe(path, file)


def _read_pipe(path: Path, file: io.FileIO) -> bytes:
    """What does not know its size may have no end, as ``/dev/zero``."""
    taken = bytearray()
    while piece := file.read(_PIECE_BYTES):
        taken += piece
        if len(taken) > MOST_BYTES:
            raise _too_large(path)
    return bytes(taken)


def _too_large(path: Path) -> AudioFileError:
    return AudioFileError(path, f"it is larger than the {MOST_BYTES >> 30} GiB that are read at once")
