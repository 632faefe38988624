"""What was really played, laid beside what the microphone hears by the time of both.

Theory of operation. Played samples are numbered; blocks that follow each other get consecutive numbers, a gap in
their times is filled with silence, and the time of a number is carried on from block to block, because each
block's own time is a few milliseconds off. The reader keeps a place of its own and reads on without a seam as
long as that is about right: an adaptive filter minds a jump more than a constant error of a few milliseconds.
The error is taken back in silence when it is more than jitter, or at once when it has become large.

The reader looks a little ahead of the time that it is asked for. An echo must never come before its sound, and
the two devices' times may be off by that much; the sound is known early enough, because a device takes it
before it plays it.
"""

from __future__ import annotations

import math

from ._format import AudioBlock, AudioFormat

__all__ = ("FarEnd",)

_JUMP_S = 0.050
"""A time that departs by more than this tells of a gap; less is jitter."""
_LONGEST_WAIT_S = 1.0
_TRUST = 1 / 16
"""How much of the jitter is believed with each block."""
_SLACK_MS = 20
"""How far the reader's place may be off while something sounds."""
_SILENT_SLACK_MS = 5
"""And in silence. Less is jitter, and each correction costs an adaptive filter what it has learned."""
_WIDTH = 2


class FarEnd:
    """The far end's sound, by time. One event loop writes and reads it.

    Args:
        rate: samples per second (Hz) of what is put and taken; mono PCM16.
        capacity_ms: the most that is kept; beyond it the oldest is dropped and counted.
        lead_ms: how far ahead of the asked time is read.
    """

    def __init__(self, rate: int, *, capacity_ms: float = 2_000, lead_ms: float = 30) -> None:
        self._format = AudioFormat.pcm16(rate)
        self._rate = rate
        self._capacity = self._samples_of(capacity_ms)
        self._lead_s = lead_ms / 1000
        self._slack = self._samples_of(_SLACK_MS)
        self._silent_slack = self._samples_of(_SILENT_SLACK_MS)
        self._dropped = 0
        self.gaps = 0
        """How often the times of what was played jumped."""
        self.slips = 0
        """How often the reader had to jump while something sounded."""
        self.reset()

    @property
    def dropped_ms(self) -> float:
        """What nobody read: it did not fit, or came after its time."""
        return self._dropped * 1000 / self._rate

    @property
    def buffered_ms(self) -> float:
        """What is kept at the moment."""
        return self._format.ms_of(len(self._pcm))

    def reset(self) -> None:
        """Forget what was played; the counters stay."""
        self._pcm = bytearray()
        self._first = 0
        """The number of the first sample that is kept."""
        self._end_at: float | None = None
        """The time at which the sample after the last one would be heard."""
        self._sounds_until = 0
        """The number after the last sample of a block that was not silent."""
        self._strayed = False
        """The last block's time departed by more than jitter."""
        self._place: int | None = None
        """The number that the reader takes next."""

    def put(self, block: AudioBlock) -> None:
        """Append what is played at ``block.at``."""
        samples = len(block.pcm) // _WIDTH
        if not math.isfinite(block.at):  # it is played, and nobody knows when
            self._dropped += samples
            return
        if self._end_at is None:
            self._end_at = block.at
        late_s = block.at - self._end_at
        if abs(late_s) <= _JUMP_S:
            self._end_at += late_s * _TRUST
            self._strayed = False
        elif 0 < late_s < _LONGEST_WAIT_S and not self._strayed:
            self._strayed = (
                True  # one block alone tells of a thread that had to wait before it read the clock
            )
        else:
            self.gaps += 1
            self._jump(round(late_s * self._rate))
            self._end_at = block.at
            self._strayed = False
        self._pcm += block.pcm[: samples * _WIDTH]
        self._end_at += samples / self._rate
        if block.pcm.count(0) != len(block.pcm):
            self._sounds_until = self._end
        self._drop_before(max(self._place or 0, self._end - self._capacity))

    def take(self, at: float, samples: int) -> bytes | None:
        """What is heard from that time on; None where it is silence, or nothing is known of it."""
        if self._end_at is None or not math.isfinite(at):
            return None
        wanted = self._end - round((self._end_at - at - self._lead_s) * self._rate)
        place = wanted if self._place is None else self._place
        if abs(place - wanted) > self._silent_slack and not self._sounds(place, samples):
            place = wanted
        elif abs(place - wanted) > self._slack:
            self.slips += 1
            place = wanted
        self._place = place + samples
        pcm = self._read(place, samples) if self._sounds(place, samples) else None
        self._release_before(self._place)
        return pcm

    @property
    def _end(self) -> int:
        return self._first + len(self._pcm) // _WIDTH

    def _samples_of(self, ms: float) -> int:
        return self._format.bytes_of(ms) // _WIDTH

    def _jump(self, samples: int) -> None:
        if samples >= self._capacity:
            self._drop_before(self._end)
            self._first += samples
        elif samples > 0:
            self._pcm += bytes(samples * _WIDTH)
        else:  # a clock was set back: what is kept from that time on was never played then
            kept = max(0, len(self._pcm) + samples * _WIDTH)
            self._dropped += (len(self._pcm) - kept) // _WIDTH
            del self._pcm[kept:]
            self._sounds_until = min(self._sounds_until, self._end)
            self._place = None

    def _sounds(self, place: int, samples: int) -> bool:
        if place >= self._sounds_until:
            return False
        begin = max(0, place - self._first) * _WIDTH
        end = max(0, place + samples - self._first) * _WIDTH
        heard = self._pcm[begin:end]
        return heard.count(0) != len(heard)

    def _read(self, place: int, samples: int) -> bytes:
        begin = place - self._first
        known = self._pcm[max(0, begin) * _WIDTH : max(0, begin + samples) * _WIDTH]
        before = bytes(min(samples, max(0, -begin)) * _WIDTH)
        return (before + known).ljust(samples * _WIDTH, b"\0")

    def _drop_before(self, number: int) -> None:
        """Let go of what was never read, and count it."""
        self._dropped += self._release_before(number)

    def _release_before(self, number: int) -> int:
        released = min(max(0, number - self._first), len(self._pcm) // _WIDTH)
        del self._pcm[: released * _WIDTH]
        self._first += released
        return released
