"""From a device's clock to the frame that is being heard.

A device callback learns when the first frame of its block will reach the converter, on a clock of the
device's own, which on some systems is the wall clock and jumps. So device times are compared only with
device times read in the same callback, and the result is carried over to the monotonic clock, which
everything else here uses. Pure: every time is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ("ClockOffset", "DacClock")

_JUMP_S = 0.050
"""A device clock that departs by more than this has been set, it has not drifted."""
_STALL_S = 1.0
"""A thread may wait for the interpreter for so long; what departs by less upwards is believed when it comes twice."""
_SAME_S = 0.010
_LEAK_S = 20e-6
"""How far the offset may follow upwards per callback: enough for a clock that is slewed by 1000 ppm."""
_MAX_LEAD_S = 1.0
_SLOTS = 1_024
"""Records kept: more than a second of 64-frame callbacks at 48 kHz, nine of the usual ones."""


class _Record(NamedTuple):
    first_frame: int
    frames: int
    at: float
    """Monotonic seconds at which the first frame is heard."""


_NOTHING = _Record(0, 0, 0.0)


class ClockOffset:
    """Monotonic time minus device time, from pairs that are read one after the other.

    The monotonic clock is read second, by a thread that may have waited for the interpreter meanwhile, so a
    pair can only make the offset look too large: the smallest is the best. It is allowed to creep
    upwards, for clocks that are slewed, and to move when the device clock was set: at once if no thread can have
    waited for so long, else when the next pair says the same.

    Args:
        patient: until then go on as before; else believe a pair that departs for this once.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self._patient = patient
        self._offset: float | None = None
        self._suspect: float | None = None
        self.jumps = 0
        """How often the device clock was set while we looked."""

    def update(self, device_now: float, monotonic_now: float) -> float:
        """Take one pair; returns what to add to a device time, in seconds."""
        seen = monotonic_now - device_now
        offset = self._offset
        if offset is None:
            offset = seen
        elif abs(seen - offset) <= _JUMP_S:
            offset = min(seen, offset + _LEAK_S)
        elif _JUMP_S < seen - offset <= _STALL_S and not self._says_the_same(seen):
            self._suspect = seen
            return offset if self._patient else seen
        else:
            offset = seen
            self.jumps += 1
        self._offset, self._suspect = offset, None
        return offset

    def _says_the_same(self, seen: float) -> bool:
        return self._suspect is not None and abs(seen - self._suspect) <= _SAME_S


class DacClock:
    """Which output frame is being heard now.

    ``record`` is called by the playing thread alone; each record is one tuple in a preallocated ring, so
    the other methods, called by one other thread, see it whole or not at all.

    Args:
        rate: frames per second.
        usual_lead_s: how long a block usually waits before it is heard, used while the device gives no
            usable time; ``estimated`` is true then.
    """

    def __init__(self, rate: int, *, usual_lead_s: float = 0.060) -> None:
        self._rate = rate
        self._lead_s = usual_lead_s
        self._measured = False
        self._outlier_s: float | None = None
        self._offset = ClockOffset()
        self._ring = [_NOTHING] * _SLOTS
        self._count = 0
        self._confirmed = 0
        self.estimated = False
        """The newest position rests on an assumed delay, not on one that the device reported."""

    @property
    def jumps(self) -> int:
        """How often the device's clock was set."""
        return self._offset.jumps

    def expect_lead(self, seconds: float) -> None:
        """What the device says of its own delay when it is opened; used until it reports better."""
        self._lead_s = seconds
        self._measured = False

    def record(
        self, first_frame: int, frames: int, *, device_now: float, dac_time: float, monotonic_now: float
    ) -> float:
        """Enter one block at the moment it is handed over.

        Returns:
            When its first frame will be heard, in monotonic seconds.
        """
        now = device_now + self._offset.update(device_now, monotonic_now) if device_now > 0 else monotonic_now
        at = now + self._accept(dac_time - device_now if device_now > 0 else -1.0)
        self._ring[self._count % _SLOTS] = _Record(first_frame, frames, at)
        self._count += 1
        return at

    def played_frame(self, now: float) -> int:
        """The output frame that is heard at that monotonic time; never goes backwards."""
        for record in self._newest_first():
            if record.at <= now:
                into = min(int((now - record.at) * self._rate + 1e-6), record.frames)
                self._confirmed = max(self._confirmed, record.first_frame + into)
                break
        return self._confirmed

    def time_of(self, frame: int) -> float | None:
        """When that output frame is or was heard (monotonic seconds); None before the first block."""
        record = None
        for record in self._newest_first():
            if record.first_frame <= frame:
                break
        return None if record is None else record.at + (frame - record.first_frame) / self._rate

    def reset(self) -> None:
        """The device was lost: forget its blocks. The position stays where it was last confirmed."""
        self._count = 0
        self._offset = ClockOffset()
        self._outlier_s = None

    def _newest_first(self) -> Iterator[_Record]:
        count = self._count
        for age in range(1, min(count, _SLOTS) + 1):
            yield self._ring[(count - age) % _SLOTS]

    def _accept(self, lead_s: float) -> float:
        """The delay to believe: the reported one if it can be, else the last good one."""
        if not 0 <= lead_s <= _MAX_LEAD_S:
            self.estimated = True
            return self._lead_s
        departs = self._measured and abs(lead_s - self._lead_s) > _JUMP_S
        confirmed = self._outlier_s is not None and abs(lead_s - self._outlier_s) <= _JUMP_S
        if departs and not confirmed:
            self._outlier_s = lead_s
            self.estimated = True
            return self._lead_s
        self._outlier_s = None
        self._lead_s = lead_s
        self._measured = True
        self.estimated = False
        return lead_s
