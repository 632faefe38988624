"""The two-ended lane between the thread that queues audio and the thread that plays it.

One thread appends, one other thread takes, and neither ever waits: each counter has one writer, and a
piece is in the deque before it is counted. A flush does not clear a lane, it replaces it, so the playing
thread never sees a lane change under its hands.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from ._format import PlaybackItem

__all__ = ("SAMPLE_BYTES", "Lane", "Piece", "Ramp")

SAMPLE_BYTES = 2


class Piece(NamedTuple):
    """Consecutive samples of one part of one item."""

    item: PlaybackItem
    offset: int
    """Position of the first sample in its part, in frames."""
    pcm: memoryview

    @property
    def frames(self) -> int:
        return len(self.pcm) // SAMPLE_BYTES


class Lane:
    """Queued pieces in playing order. One producer calls ``push`` and ``end``, one consumer ``take``."""

    __slots__ = ("_chunks", "_head", "ended_at", "pushed", "taken")

    def __init__(self) -> None:
        self._chunks: deque[Piece] = deque()
        self._head: Piece | None = None
        self.pushed = 0
        """Frames appended so far; written by the producer alone."""
        self.taken = 0
        """Frames taken so far; written by the consumer alone."""
        self.ended_at = 0
        """The reply was said to be complete after so many frames; written by the producer alone."""

    @property
    def queued(self) -> int:
        """Frames that wait."""
        return self.pushed - self.taken

    def push(self, piece: Piece) -> None:
        self._chunks.append(piece)
        self.pushed += piece.frames

    def end(self) -> None:
        """No more is coming for what is queued: do not hold it back."""
        self.ended_at = self.pushed

    def front(self) -> PlaybackItem:
        """Whose the next frame is; only while something is queued."""
        return (self._head or self._chunks[0]).item

    def take(self, frames: int) -> Piece | None:
        """At most so many frames of the piece in front, or None when the lane is empty."""
        head = self._head
        if head is None:
            if not self._chunks:
                return None
            head = self._chunks.popleft()
        have = head.frames
        if have <= frames:
            self._head = None
            self.taken += have
            return head
        cut = frames * SAMPLE_BYTES
        self._head = Piece(head.item, head.offset + frames, head.pcm[cut:])
        self.taken += frames
        return Piece(head.item, head.offset, head.pcm[:cut])

    def take_up_to(self, frames: int) -> list[Piece]:
        """The next pieces, together at most so many frames."""
        pieces: list[Piece] = []
        while frames > 0 and (piece := self.take(frames)) is not None:
            pieces.append(piece)
            frames -= piece.frames
        return pieces


class Ramp(NamedTuple):
    """A straight line from one level to another over so many frames; the last frame has the other level.

    Levels are whole steps, of which ``full`` leave a sample as it is and 0 makes it silent. All arithmetic is
    in integers, so that halves of a ramp that is cut into blocks fit together to the bit.
    """

    level: int
    target: int
    full: int
    frames: int

    def shape(self, pieces: Iterable[Piece]) -> list[Piece]:
        """The pieces under this line."""
        if self.level == self.target == self.full:
            return list(pieces)
        shaped: list[Piece] = []
        step, scale = self.target - self.level, self.full * self.frames
        gain = self.level * self.frames
        for piece in pieces:
            samples = struct.unpack(f"<{piece.frames}h", piece.pcm)
            scaled = [sample * (gain + step * (i + 1)) // scale for i, sample in enumerate(samples)]
            gain += step * piece.frames
            pcm = struct.pack(f"<{piece.frames}h", *scaled)
            shaped.append(Piece(piece.item, piece.offset, memoryview(pcm)))
        return shaped
