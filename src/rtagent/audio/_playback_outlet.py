"""The playing thread's half of the queue: only ``lane`` and ``paused`` are written by the other thread.

The voice has a *level*, from 0 to full, and it moves by one step a frame, or faster where fewer frames are
left. It falls when the queue is paused, when a flush is seen, and over the last frames in hand of a reply
that is not complete; it rises again when the queue goes on or when more has come. So nothing that breaks off
ends in a click, and each sample is handed out exactly once, whatever its level.
"""

from __future__ import annotations

from collections import deque

from ._format import PlaybackItem
from ._playback_lane import SAMPLE_BYTES, Lane, Piece, Ramp
from ._playback_ledger import Segment
from ._playback_prebuffer import Prebuffer

__all__ = ("Outlet",)

_CLOSE_CALLS = 3
"""So often a reply may begin to fall and be saved by what comes in time; sound that swells with each chunk
for long would be worse than one gap, after which more is held back."""


class Outlet:
    """Takes exact numbers of frames from a lane: holds replies back until they are buffered, fades cuts.

    Args:
        prebuffer: how much must be queued before a reply starts to sound.
        fade: frames of a whole ramp; 0 for none.
    """

    def __init__(self, *, prebuffer: Prebuffer, fade: int) -> None:
        self.prebuffer = prebuffer
        self.fade = fade
        self.lane = Lane()
        """The lane to play from; the producer replaces it to flush, by this one assignment."""
        self.paused = False
        """Nothing is to sound for now; written by the producer alone."""
        self.playing = self.lane
        """The lane that is being played; it differs from ``lane`` until a flush has been seen."""
        self.tail = Lane()
        """What a flush left: frames under a ramp to zero. They go first."""
        self.log: deque[Segment] = deque()
        """What was handed out, for the producer to collect; holds at most what was queued."""
        self.waiting = True
        self.sounding = False
        """The last block carried audio."""
        self.reserved = 0
        """``frames_out`` as it will be after the pull that is under way."""
        self.frames_out = 0
        self.sounding_until = 0
        """The output frame after the last one that carried audio."""
        self.silence_frames = 0
        self.sounded_frames = 0
        self.underruns = 0
        self._full = max(1, fade)
        self._level = self._full
        self._close_calls = 0
        self._running_dry = False
        self._quiet = 0
        self._seen_pushed = 0
        self._ran_dry_in: PlaybackItem | None = None
        self._last_item: PlaybackItem | None = None

    def pull(self, frames: int) -> bytes:
        """Exactly so many frames; silence where there is nothing to play."""
        start = at = self.frames_out
        end = at + frames
        # Before the lane is read, so that a flush which this pull does not see yet can allow for it.
        self.reserved = end
        # Before the lane, too: a flush ends the pause last, so what was paused and is flushed never sounds.
        paused = self.paused
        if self.lane is not self.playing:
            self._cut()
        if self.waiting and not paused:
            self._consider_release(frames)
        out: list[memoryview | bytes] = []
        while at < end and (pieces := self._next(end - at, paused=paused)):
            for piece in pieces:
                out.append(piece.pcm)
                self.log.append(Segment(at, piece.frames, piece.item, piece.offset))
                at += piece.frames
            self._last_item = pieces[-1].item
            self.sounding_until = at
        self.sounding = at > start
        self.sounded_frames += at - start
        self.prebuffer.sounded(at - start)
        if at < end:
            out.append(bytes((end - at) * SAMPLE_BYTES))
            self.silence_frames += end - at
        self.frames_out = end
        return b"".join(out)

    @property
    def falling_frames(self) -> int:
        """How many frames it would take from here to be silent."""
        if self.waiting or self.tail.queued:
            return self.tail.queued
        return min(self._level, self.fade, self.playing.queued)

    def _next(self, limit: int, *, paused: bool) -> list[Piece]:
        """What goes next, at most so many frames; nothing if there is silence from here on."""
        if self.tail.queued:
            return self.tail.take_up_to(limit)
        if self.waiting:
            return []
        giving_up = self._running_dry and self._close_calls >= _CLOSE_CALLS
        ramp = self._falling(limit) if paused or giving_up else self._going_on(limit)
        self._level = ramp.target
        if ramp.frames:
            return ramp.shape(self.playing.take_up_to(ramp.frames))
        if giving_up:
            self._start_waiting(self._last_item)
        elif not paused:
            self._run_dry()
        return []

    def _falling(self, limit: int) -> Ramp:
        """Towards silence, whatever is queued."""
        return self._down(self.falling_frames, limit)

    def _going_on(self, limit: int) -> Ramp:
        """As it is, or louder again; down over the last frames in hand, unless the reply is complete.

        It looks ahead: once the last sample is handed out at its full level, it is too late for a ramp.
        """
        lane = self.playing
        pushed = lane.pushed  # read before ended_at, so that an end which is told is not overlooked
        left = pushed - lane.taken
        unended = max(0, min(self.fade, pushed - max(lane.ended_at, lane.taken)))
        ahead = left - unended
        if ahead <= 0:
            self._running_dry = True
            return self._down(left, limit)
        self._close_calls += self._running_dry
        self._running_dry = False
        frames = min(limit, ahead)
        if self._level < self._full:
            frames = min(frames, self._full - self._level)
            return Ramp(self._level, self._level + frames, self._full, frames)
        return Ramp(self._full, self._full, self._full, frames)

    def _down(self, whole: int, limit: int) -> Ramp:
        """The first part of a fall over so many frames."""
        frames = min(whole, limit)
        target = self._level * (whole - frames) // whole if whole else 0
        return Ramp(self._level, target, self._full, frames)

    def _run_dry(self) -> None:
        ended = self.playing.taken <= self.playing.ended_at
        self._start_waiting(None if ended else self._last_item)

    def _start_waiting(self, ran_dry_in: PlaybackItem | None) -> None:
        self.waiting = True
        self._ran_dry_in = ran_dry_in
        self._close_calls = 0
        self._running_dry = False
        self._quiet = 0
        self._seen_pushed = self.playing.taken

    def _cut(self) -> None:
        """A flush was asked for: end what sounds now on a short ramp, then begin afresh."""
        if not (self.waiting or self.tail.queued):
            ramp = self._falling(self.fade)
            for piece in ramp.shape(self.playing.take_up_to(ramp.frames)):
                self.tail.push(piece)
        self.playing = self.lane
        self._start_waiting(None)

    def _consider_release(self, frames: int) -> None:
        """Let the reply sound when it is buffered, complete, or when nothing more came for as long."""
        lane = self.playing
        queued = lane.queued
        if not queued:
            return
        if lane.pushed != self._seen_pushed:
            self._look_at_arrival()
            self._seen_pushed = lane.pushed
            self._quiet = 0
        else:
            self._quiet += frames
        enough = self.prebuffer.frames
        if queued >= enough or lane.ended_at > lane.taken or self._quiet >= enough:
            self.waiting = False

    def _look_at_arrival(self) -> None:
        """Something was queued while nothing sounded: a reply that ran dry goes on, or another begins."""
        if self._seen_pushed != self.playing.taken:
            return
        if _same_part(self.playing.front(), self._ran_dry_in):
            self.underruns += 1
            self.prebuffer.ran_dry(self.frames_out - self.sounding_until)
            self._level = 0
        else:
            self._level = self._full


def _same_part(item: PlaybackItem, other: PlaybackItem | None) -> bool:
    return other is not None and (item.item_id, item.content_index) == (other.item_id, other.content_index)
