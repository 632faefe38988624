"""Blocks of any size in, blocks of one size out, each with the time of its first sample."""

from __future__ import annotations

from ._format import AudioBlock, AudioFormat

__all__ = ("Reblocker",)

_JUMP_S = 0.050
"""A timestamp that departs by more than this tells of a gap; less is jitter."""
_TRUST = 1 / 16
"""How much of the jitter is believed with each chunk: the crystal's drift is followed, jumps are not."""


class Reblocker:
    """Cuts a captured stream into equal blocks.

    Args:
        format: of the stream; PCM16.
        block_ms: audio in each block.
    """

    def __init__(self, format: AudioFormat, block_ms: float) -> None:  # noqa: A002
        self._format = format
        self._size = max(format.frame_bytes, format.bytes_of(block_ms))
        self._buffer = bytearray()
        self._end_at: float | None = None

    def put(self, pcm: bytes, at: float) -> None:
        """Append a chunk whose first sample was captured at that time, in seconds."""
        expected = self._end_at
        if expected is None:
            first_at = at
        elif abs(at - expected) > _JUMP_S:
            first_at = at
            self._buffer.clear()  # less than a block: it belongs to the time before the gap
        else:
            first_at = expected + (at - expected) * _TRUST
        self._buffer += pcm
        self._end_at = first_at + len(pcm) / self._format.bytes_per_second

    def take(self) -> AudioBlock | None:
        """The next whole block, or None until there is one."""
        if len(self._buffer) < self._size or self._end_at is None:
            return None
        at = self._end_at - len(self._buffer) / self._format.bytes_per_second
        pcm = bytes(self._buffer[: self._size])
        del self._buffer[: self._size]
        return AudioBlock(pcm, at)

    def reset(self) -> None:
        """Begin a new stream."""
        self._buffer.clear()
        self._end_at = None
