"""A file that is spoken as a person would speak it: then comes silence, as from an open microphone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from os import PathLike

import anyio

from ..audio import AudioBlock, AudioFormat, FileSource, Silence
from ..audio._vad import peak

__all__ = ("SpokenFile",)


class SpokenFile:
    """An ``AudioSource``: an audio file in real time, then silence without end.

    The silence lets the server hear that the turn is over, however long it waits for that.

    Raises:
        AudioFileError: the file cannot be read.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._file = FileSource(path)
        self.format: AudioFormat = self._file.format
        self.level = 0.0
        """The peak of the last block, 0.0 to 1.0."""
        self.spoken = anyio.Event()
        """Set when the file has been spoken to its end."""

    async def blocks(self) -> AsyncGenerator[AudioBlock]:
        """Speak, then be silent until the iteration ends."""
        async for block in self._file.blocks():
            self.level = peak(block.pcm) / 32768
            yield block
        self.level = 0.0
        self.spoken.set()
        async for block in Silence(format=self.format).blocks():
            yield block
