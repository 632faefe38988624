"""The heart of every mouth: a queue that knows which of its samples have been heard.

Theory of operation. Two threads meet here and never wait for each other. The *producer* (the event loop)
pushes audio, flushes and asks what was heard; the *consumer* (a device's callback, or a pacing task)
pulls exact numbers of frames. Between them lie:

* the lane of queued pieces: the producer appends, the consumer takes from the front;
* the outlet, which belongs to the consumer, except for the one reference to the lane it plays from. A flush
  replaces that reference; the consumer sees the new lane at its next pull, plays the next few
  milliseconds of the old one on a ramp to zero, and drops the rest unseen;
* the log of segments: the consumer appends what it handed out, the producer collects it into the ledger,
  which maps output frames to items.

Output frames are counted from the first pull and never reset, silence included, so a position on the
device's clock (a frame number) is enough to know how much of each item was heard: prebuffer waits,
underruns and fades are right by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigurationError
from ._format import AudioFormat, Heard, PlaybackItem
from ._pcm import pcm_bytes
from ._playback_lane import SAMPLE_BYTES, Lane, Piece
from ._playback_ledger import HeardLedger
from ._playback_outlet import Outlet

__all__ = ("PlaybackQueue", "PlaybackStatistics", "require_playable")


def require_playable(format: AudioFormat) -> None:  # noqa: A002 - the field's term, as in AudioSink.format
    """Refuse what is not mono PCM16.

    Raises:
        ConfigurationError: it is something else.
    """
    if format.encoding != "pcm16" or format.channels != 1:
        message = f"playback takes mono pcm16, not {format.channels} x {format.encoding}"
        raise ConfigurationError(message, hint="decode G.711 with rtagent.audio.g711 first")


@dataclass(frozen=True, slots=True)
class PlaybackStatistics:
    """Counters of one playback queue since it was made."""

    frames_out: int
    """Frames handed to the device, silence included."""
    silence_frames: int
    underruns: int
    """How often a reply ran dry in its middle."""
    queued_ms: float
    dropped_ms: float
    """Thrown away by flushes."""
    refused_ms: float
    """Not taken because the queue was full, or its sink closed."""


class PlaybackQueue:
    """Audio of several items in playing order, between exactly one producer and one consumer thread.

    Bounded by ``capacity_ms``; what does not fit is refused and counted, never dropped silently.

    Args:
        format: mono PCM16 at any rate.
        prebuffer_ms: how much of a reply must be queued before it starts to sound. Audio arrives faster
            than it plays, so this costs once per reply. A reply that is complete, or to which nothing
            was added for the same time, starts with less.
        capacity_ms: the most that may be queued.
        fade_ms: the ramp to zero at a flush, and from zero after an underrun.
    """

    def __init__(
        self,
        format: AudioFormat,  # noqa: A002 - the field's term, as in AudioSink.format
        *,
        prebuffer_ms: float = 40,
        capacity_ms: float = 600_000,
        fade_ms: float = 5,
    ) -> None:
        require_playable(format)
        self.format = format
        self._capacity = self._frames_of(capacity_ms)
        self._outlet = Outlet(prebuffer=self._frames_of(prebuffer_ms), fade=self._frames_of(fade_ms))
        self._ledger = HeardLedger(format.rate)
        self._pushed_frames = 0
        self._refused_bytes = 0
        self._silent_from = 0
        self._closed = False

    # -- the consumer's side

    def pull(self, frames: int) -> bytes:
        """Take exactly that many frames; silence where nothing is ready. Never waits."""
        return self._outlet.pull(frames)

    # -- the producer's side

    def push(self, item: PlaybackItem, pcm: bytes) -> int:
        """Queue audio of one item part behind what is queued.

        A chunk may end in the middle of a sample; the odd byte waits for the next chunk of the same part.

        Returns:
            How many bytes at the end of ``pcm`` were refused because the queue is full or closed, usually 0.

        Raises:
            TypeError: it is not bytes.
        """
        pcm = pcm_bytes(pcm)  # a buffer that its owner goes on filling would be heard as noise
        self._collect()
        if self._closed:
            self._refused_bytes += len(pcm)
            return len(pcm)
        part = self._ledger.part(item)
        data = part.carry + pcm if part.carry else pcm
        room = (self._capacity - self._outlet.lane.queued) * SAMPLE_BYTES
        fits = len(data) - len(data) % SAMPLE_BYTES <= room
        refused = 0 if fits else min(len(data) - room, len(pcm))
        kept = len(data) - refused
        taken = kept - kept % SAMPLE_BYTES
        part.carry = data[taken:kept]
        self._refused_bytes += refused
        if taken:
            frames = taken // SAMPLE_BYTES
            self._outlet.lane.push(Piece(item, part.frames, memoryview(data)[:taken]))
            part.frames += frames
            self._pushed_frames += frames
        return refused

    def finish(self) -> None:
        """The reply is complete: what is queued need not wait for more."""
        self._outlet.lane.end()

    def close(self) -> None:
        """Nobody will pull any more: from now on all audio is refused and counted."""
        self._closed = True

    def flush(self) -> int:
        """Barge-in: ramp the next few milliseconds to zero and drop the rest. Usable again at once.

        Returns:
            The output frame from which on there is silence, at the latest.
        """
        outlet = self._outlet
        old, outlet.lane = outlet.lane, Lane()
        if old is not outlet.playing:  # the flush before this one has not been seen yet: it covers this one
            return self._silent_from
        begin = outlet.reserved
        under_way = begin != outlet.frames_out
        sounding = under_way or not outlet.waiting
        tail = min(outlet.fade, outlet.shaped.queued + (old.queued if sounding else 0))
        self._silent_from = begin + tail if tail or under_way else outlet.sounding_until
        return self._silent_from

    def heard(self, played_frame: int) -> Heard:
        """What was heard of each item when the device has played the output up to that frame."""
        self._collect()
        return self._ledger.heard(played_frame)

    def forget_after(self, played_frame: int) -> float:
        """The device was lost at that output frame: what it still held back was never heard.

        Only while no consumer pulls. Returns the milliseconds that were lost.
        """
        self._collect()
        return self._ledger.forget_after(played_frame) * 1000 / self.format.rate

    def received_ms(self, item_id: str) -> float:
        """Milliseconds that were queued of that item in all, heard or not."""
        return self._ledger.received_ms(item_id)

    @property
    def frames_out(self) -> int:
        """Frames pulled so far, silence included."""
        return self._outlet.frames_out

    @property
    def queued_ms(self) -> float:
        """What waits to be pulled."""
        return self._queued_frames * 1000 / self.format.rate

    @property
    def drained_at_frame(self) -> int | None:
        """The output frame after the last audio, or None while audio still waits to be pulled."""
        outlet = self._outlet
        if outlet.lane is not outlet.playing:  # a flush that the consumer has not seen yet
            return None if outlet.lane.queued else self._silent_from
        if self._queued_frames:
            return None
        reserved = outlet.reserved
        return reserved if reserved != outlet.frames_out else outlet.sounding_until

    def statistics(self) -> PlaybackStatistics:
        """A snapshot of the counters."""
        outlet = self._outlet
        dropped = self._pushed_frames - outlet.sounded_frames - self._queued_frames
        return PlaybackStatistics(
            frames_out=outlet.frames_out,
            silence_frames=outlet.silence_frames,
            underruns=outlet.underruns,
            queued_ms=self.queued_ms,
            dropped_ms=max(0, dropped) * 1000 / self.format.rate,
            refused_ms=self.format.ms_of(self._refused_bytes),
        )

    @property
    def _queued_frames(self) -> int:
        outlet = self._outlet
        return outlet.lane.queued + outlet.shaped.queued

    def _collect(self) -> None:
        log = self._outlet.log
        while log:
            self._ledger.add(log.popleft())

    def _frames_of(self, ms: float) -> int:
        return self.format.bytes_of(ms) // SAMPLE_BYTES
