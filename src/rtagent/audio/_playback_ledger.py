"""Which output frames carried which item: the one place where "heard" is computed.

Owned by the producer's thread. The playing thread only hands over segments, through the outlet's log.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from ._format import Heard, PlaybackItem

__all__ = ("HeardLedger", "PartStream", "Segment")

_MAX_ITEMS = 1_000
_SURELY_PLAYED_S = 10
"""No device holds audio back for so long (device positions beyond one second are refused)."""


class Segment(NamedTuple):
    """Output frames that carried one part of an item; what lies between segments was silence."""

    first_frame: int
    frames: int
    item: PlaybackItem
    offset: int
    """Position in the item's part, in frames."""

    @property
    def end(self) -> int:
        return self.first_frame + self.frames

    def continued_by(self, other: Segment) -> bool:
        return (
            other.first_frame == self.end
            and other.offset == self.offset + self.frames
            and other.item == self.item
        )


@dataclass(slots=True)
class PartStream:
    """The incoming stream of one content part."""

    frames: int = 0
    carry: bytes = b""
    """The first half of a sample whose second half has not come yet."""


@dataclass(slots=True)
class _ItemTotals:
    parts: dict[int, PartStream] = field(default_factory=dict[int, PartStream])
    heard_frames: int = 0
    """Frames of segments that were folded because they are surely played."""


class HeardLedger:
    """Per item: what was received, and how much of it lies below the played frame.

    Bounded: segments are merged when they touch and folded into totals when they are played; the
    oldest of more than 1000 items is forgotten.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._items: OrderedDict[str, _ItemTotals] = OrderedDict()
        self._segments: deque[Segment] = deque()
        self._confirmed = 0

    def part(self, item: PlaybackItem) -> PartStream:
        """The incoming stream of that part, begun if it is new."""
        totals = self._items.get(item.item_id)
        if totals is None:
            totals = self._items[item.item_id] = _ItemTotals()
            if len(self._items) > _MAX_ITEMS:
                self._items.popitem(last=False)
        return totals.parts.setdefault(item.content_index, PartStream())

    def received_ms(self, item_id: str) -> float:
        totals = self._items.get(item_id)
        return 0.0 if totals is None else self._ms(sum(part.frames for part in totals.parts.values()))

    def add(self, segment: Segment) -> None:
        """Enter what was handed to the device, in order."""
        if self._segments and self._segments[-1].continued_by(segment):
            last = self._segments.pop()
            segment = last._replace(frames=last.frames + segment.frames)
        self._segments.append(segment)
        self._fold(segment.end - _SURELY_PLAYED_S * self._rate)

    def heard(self, played_frame: int) -> Heard:
        """Milliseconds of each item below that output frame. What was heard once stays heard."""
        self._confirmed = max(self._confirmed, played_frame)
        self._fold(self._confirmed)
        frames = {item_id: totals.heard_frames for item_id, totals in self._items.items()}
        for segment in self._segments:
            below = min(segment.end, self._confirmed) - segment.first_frame
            if below > 0 and segment.item.item_id in frames:
                frames[segment.item.item_id] += below
        return Heard({item_id: self._ms(count) for item_id, count in frames.items() if count})

    def forget_after(self, frame: int) -> int:
        """The device died: what lay beyond that frame never sounded. Returns how many frames that were."""
        lost = 0
        while self._segments and self._segments[-1].end > frame:
            segment = self._segments.pop()
            kept = max(0, frame - segment.first_frame)
            lost += segment.frames - kept
            if kept:
                self._segments.append(segment._replace(frames=kept))
        return lost

    def _fold(self, frame: int) -> None:
        while self._segments and self._segments[0].end <= frame:
            segment = self._segments.popleft()
            totals = self._items.get(segment.item.item_id)
            if totals is not None:
                totals.heard_frames += segment.frames

    def _ms(self, frames: int) -> float:
        return frames * 1000 / self._rate
