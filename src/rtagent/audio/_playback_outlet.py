"""The playing thread's half of the queue: everything here but ``lane`` is written by that thread alone."""

from __future__ import annotations

from collections import deque

from ._format import PlaybackItem
from ._playback_lane import SAMPLE_BYTES, Lane, Piece, ramped
from ._playback_ledger import Segment

__all__ = ("Outlet",)


class Outlet:
    """Takes exact numbers of frames from a lane: holds replies back until they are buffered, fades cuts.

    Args:
        prebuffer: frames that must be queued before a reply starts to sound.
        fade: frames of the ramp after an underrun and at a flush.
    """

    def __init__(self, *, prebuffer: int, fade: int) -> None:
        self._prebuffer = max(1, prebuffer)
        self.fade = max(1, fade)
        self.lane = Lane()
        """The lane to play from; the producer replaces it to flush, by this one assignment."""
        self.playing = self.lane
        """The lane that is being played; it differs from ``lane`` until a flush has been seen."""
        self.shaped = Lane()
        """Frames already under a ramp; they go first."""
        self.log: deque[Segment] = deque()
        """What was handed out, for the producer to collect; holds at most what was queued."""
        self.waiting = True
        self.reserved = 0
        """``frames_out`` as it will be after the pull that is under way."""
        self.frames_out = 0
        self.sounding_until = 0
        """The output frame after the last one that carried audio."""
        self.silence_frames = 0
        self.sounded_frames = 0
        self.underruns = 0
        self._quiet = 0
        self._seen_pushed = 0
        self._ran_dry_in: PlaybackItem | None = None
        self._last_item: PlaybackItem | None = None

    def pull(self, frames: int) -> bytes:
        """Exactly so many frames; silence where there is nothing to play."""
        at = self.frames_out
        end = at + frames
        # Before the lane is read, so that a flush which this pull does not see yet can allow for it.
        self.reserved = end
        if self.lane is not self.playing:
            self._cut()
        if self.waiting:
            self._consider_release(frames)
        out: list[memoryview | bytes] = []
        while at < end and (piece := self._next(end - at)) is not None:
            out.append(piece.pcm)
            self.log.append(Segment(at, piece.frames, piece.item, piece.offset))
            at += piece.frames
            self.sounding_until = at
        self.sounded_frames += frames - (end - at)
        if at < end:
            out.append(bytes((end - at) * SAMPLE_BYTES))
            self.silence_frames += end - at
        self.frames_out = end
        return b"".join(out)

    def _next(self, limit: int) -> Piece | None:
        piece = self.shaped.take(limit)
        if piece is None and not self.waiting:
            piece = self.playing.take(limit)
            if piece is None:
                self._run_dry()
        if piece is not None:
            self._last_item = piece.item
        return piece

    def _run_dry(self) -> None:
        ended = self.playing.taken <= self.playing.ended_at
        self._ran_dry_in = None if ended else self._last_item
        self._start_waiting()

    def _start_waiting(self) -> None:
        self.waiting = True
        self._quiet = 0
        self._seen_pushed = self.playing.taken

    def _cut(self) -> None:
        """A flush was asked for: end what sounds now on a short ramp, then begin afresh."""
        old, self.playing = self.playing, self.lane
        tail = self.shaped.take_up_to(self.fade)
        if not self.waiting:
            tail += old.take_up_to(self.fade - sum(piece.frames for piece in tail))
        self.shaped = Lane()
        for piece in ramped(tail, rising=False):
            self.shaped.push(piece)
        self._ran_dry_in = None
        self._start_waiting()

    def _consider_release(self, frames: int) -> None:
        """Let the reply sound when it is buffered, complete, or when nothing more came for as long."""
        lane = self.playing
        queued = lane.queued
        if not queued:
            return
        if lane.pushed != self._seen_pushed:
            self._seen_pushed = lane.pushed
            self._quiet = 0
        else:
            self._quiet += frames
        complete = lane.ended_at > lane.taken
        if queued >= self._prebuffer or complete or self._quiet >= self._prebuffer:
            self._release()

    def _release(self) -> None:
        self.waiting = False
        pieces = self.playing.take_up_to(self.fade)
        if pieces and _same_part(pieces[0].item, self._ran_dry_in):
            self.underruns += 1
            pieces = ramped(pieces, rising=True)
        for piece in pieces:
            self.shaped.push(piece)
        self._ran_dry_in = None


def _same_part(item: PlaybackItem, other: PlaybackItem | None) -> bool:
    return other is not None and (item.item_id, item.content_index) == (other.item_id, other.content_index)
