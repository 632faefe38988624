"""The heart of every mouth: a queue that knows which of its samples have been heard.

Theory of operation. Two threads meet here and never wait for each other. The *producer* (the event loop)
pushes audio, flushes and asks what was heard; the *consumer* (a device's callback, or a pacing task)
pulls exact numbers of frames. Between them lie:

* the lane of queued pieces: the producer appends, the consumer takes from the front;
* the outlet, which belongs to the consumer, except for two values that the producer writes: the reference to
  the lane it plays from, and whether it is paused. A flush replaces the lane; the consumer sees the new one
  at its next pull, plays the next few milliseconds of the old one on a ramp to zero, and drops the rest
  unseen. A pause drops nothing: the same ramp, then silence, and later the next sample on a rising ramp;
* the log of segments: the consumer appends what it handed out, the producer collects it into the ledger,
  which maps output frames to items.

Output frames are counted from the first pull and never reset, silence included, so a position on the
device's clock (a frame number) is enough to know how much of each item was heard: prebuffer waits,
underruns, pauses and fades are right by construction. No sample is handed out twice: what lay under a ramp
was heard, if only softly, and is not said again.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigurationError
from ._format import AudioFormat, Heard, PlaybackItem
from ._pcm import pcm_bytes
from ._playback_lane import SAMPLE_BYTES, Lane, Piece
from ._playback_ledger import HeardLedger
from ._playback_outlet import Outlet
from ._playback_prebuffer import Prebuffer

__all__ = ("PlaybackQueue", "PlaybackStatistics", "require_playable")

_CALM_MS = 20_000
"""How much has to sound without an underrun before less is held back again."""


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
    prebuffer_ms: float
    """What has to be queued of a reply before it sounds; it grows with underruns and shrinks again."""


class PlaybackQueue:
    """Audio of several items in playing order, between exactly one producer and one consumer thread.

    Bounded by ``capacity_ms``; what does not fit is refused and counted, never dropped silently.

    Args:
        format: mono PCM16 at any rate.
        prebuffer_ms: how much of a reply must be queued before it starts to sound. Audio arrives faster
            than it plays, so this costs once per reply. A reply that is complete, or to which nothing
            was added for the same time, starts with less. Each underrun doubles it for what follows,
            unless the gap was longer than the most that is held back; 20 s of sound without one halve it
            again, never below this.
        longest_prebuffer_ms: where doubling ends.
        capacity_ms: the most that may be queued.
        fade_ms: the ramp to zero at a flush, at a pause and where a reply runs dry, and from zero when it
            goes on.
    """

    def __init__(
        self,
        format: AudioFormat,  # noqa: A002 - the field's term, as in AudioSink.format
        *,
        prebuffer_ms: float = 40,
        longest_prebuffer_ms: float = 400,
        capacity_ms: float = 600_000,
        fade_ms: float = 5,
    ) -> None:
        require_playable(format)
        self.format = format
        self._capacity = self._frames_of(capacity_ms)
        prebuffer = Prebuffer(
            least=self._frames_of(prebuffer_ms),
            most=self._frames_of(longest_prebuffer_ms),
            calm=self._frames_of(_CALM_MS),
        )
        self._outlet = Outlet(prebuffer=prebuffer, fade=self._frames_of(fade_ms))
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

        Ends a pause, too.

        Returns:
            The output frame from which on there is silence, at the latest.
        """
        return self._fall_silent(Lane(), paused=False)

    def pause(self) -> int:
        """Ramp the next few milliseconds to zero and keep the rest. ``push`` and ``finish`` go on working.

        Returns:
            The output frame from which on there is silence, at the latest; the same if it is paused already.
        """
        if self._outlet.paused:
            return self._silent_from
        return self._fall_silent(self._outlet.lane, paused=True)

    def resume(self) -> None:
        """Go on with the sample after the last one that was played, on a rising ramp."""
        self._outlet.paused = False

    @property
    def paused(self) -> bool:
        """Nothing is played until ``resume`` or ``flush``."""
        return self._outlet.paused

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
    def sounding(self) -> bool:
        """The last block that was pulled carried audio; for the consumer."""
        return self._outlet.sounding

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
            prebuffer_ms=outlet.prebuffer.frames * 1000 / self.format.rate,
        )

    @property
    def _queued_frames(self) -> int:
        outlet = self._outlet
        return outlet.lane.queued + outlet.tail.queued

    def _fall_silent(self, lane: Lane, *, paused: bool) -> int:
        """Tell the consumer, and work out from when on there is silence, whether or not it is pulling."""
        outlet = self._outlet
        told = outlet.lane is outlet.playing  # else the flush before this one is unseen, and covers this one
        at, falling = outlet.frames_out, outlet.falling_frames
        outlet.lane = lane
        outlet.paused = paused
        begin = outlet.reserved
        if begin != at:  # a pull is under way or was meanwhile, and may have missed it
            self._silent_from = begin + outlet.fade
        elif told:
            self._silent_from = at + falling if falling else outlet.sounding_until
        return self._silent_from

    def _collect(self) -> None:
        log = self._outlet.log
        while log:
            self._ledger.add(log.popleft())

    def _frames_of(self, ms: float) -> int:
        return self.format.bytes_of(ms) // SAMPLE_BYTES
