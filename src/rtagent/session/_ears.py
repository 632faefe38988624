"""The ears of a session: what the source hears, or silence of the same length while nobody is to be heard."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from ..audio import AudioBlock, AudioFormat, AudioSource
from ._converter import silence_of

__all__ = ("Ears",)


class Ears:
    """A source that can be muted; an ``AudioSource`` itself.

    Args:
        source: what to listen to.
    """

    def __init__(self, source: AudioSource) -> None:
        self.source = source
        self.muted = False
        """While true, silence is passed on: the positions of the server stay right."""

    @property
    def format(self) -> AudioFormat:
        """The source's format."""
        return self.source.format

    @property
    def waits(self) -> bool:
        """Whether the source can be read as slowly as anybody likes."""
        return bool(getattr(self.source, "waits", False))

    async def blocks(self) -> AsyncGenerator[AudioBlock, None]:
        """Listen until the source ends, or the iteration."""
        silence = silence_of(self.source.format)
        async with AsyncExitStack() as stack:
            captured = self.source.blocks()
            if (end := getattr(captured, "aclose", None)) is not None:  # a generator, such as a microphone's
                stack.push_async_callback(end)
            async for block in captured:
                yield AudioBlock(silence(len(block.pcm)), block.at) if self.muted else block
