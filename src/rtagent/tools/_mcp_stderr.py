"""What a local server writes to its standard error: kept for error texts, bounded, read without a thread."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

__all__ = ("StderrTail",)

_KEPT_BYTES = 16 * 1024
_READ_BYTES = 64 * 1024


class StderrTail:
    """The newest 16 KiB that a server wrote to its standard error; owned by the task that runs the server."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def text(self) -> str:
        """What is kept, from its first whole line on."""
        return self._kept.decode("utf-8", "replace").strip()

    @contextmanager
    def receiving(self) -> Generator[TextIO]:
        """A file for a process to write to, which is read by the event loop until the block ends.

        Where the loop cannot watch pipes (Windows), it is the standard error of this program.
        """
        loop = asyncio.get_running_loop()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with io.FileIO(reading, "r") as source, io.FileIO(writing, "w") as raw:
            try:
                loop.add_reader(source, self._read, source)
            except NotImplementedError:
                yield sys.stderr
                return
            try:
                yield io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
            finally:
                self._read(source)  # what was written last, and not yet told by the loop
                loop.remove_reader(source)

    def _read(self, source: io.FileIO) -> None:
        data = source.read(_READ_BYTES)
        if not data:  # nothing at the moment; no end comes while our own end for writing is open
            return
        self._kept += data
        if len(self._kept) > _KEPT_BYTES:
            del self._kept[:-_KEPT_BYTES]
            del self._kept[: self._kept.find(b"\n") + 1]
