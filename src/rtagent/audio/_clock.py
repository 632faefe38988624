"""Real time, and the absolute schedule by which files are paced."""

from __future__ import annotations

import time

import anyio

from ._format import Clock

__all__ = ("MonotonicClock", "Pacer")


class MonotonicClock:
    """The machine's monotonic clock, in seconds; not moved by changes of the wall clock."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def sleep_until(self, when: float) -> None:
        """Return when ``now() >= when``; at once, but after a checkpoint, if that has passed."""
        await anyio.sleep(max(0.0, when - self.now()))
        if self.now() < when:  # an event loop's timer may fire its own resolution early
            await self.sleep_until(when)


class Pacer:
    """Deadlines on an absolute schedule: number k falls ``k * block_s`` after the first.

    A late wake-up moves nothing: the deadlines that have passed meanwhile come at once, and the
    next one is on the old schedule, so delays never add up. Only a reader that falls behind by
    more than ``look_ahead_s`` gets a new schedule, beginning now; ``reanchored`` counts those.
    """

    def __init__(self, clock: Clock, block_s: float, *, look_ahead_s: float = 0.5) -> None:
        self._clock = clock
        self._block_s = block_s
        self._look_ahead_s = look_ahead_s
        self._anchor: float | None = None
        self._count = 0
        self.reanchored = 0
        """How often the schedule began anew because its reader was too late."""

    async def next(self) -> float:
        """Wait for the next deadline and return its scheduled time; the first one is now."""
        now = self._clock.now()
        if self._anchor is None:
            self._anchor = now
        due = self._anchor + self._count * self._block_s
        if now - due > self._look_ahead_s:
            self._anchor, self._count, due = now, 0, now
            self.reanchored += 1
        self._count += 1
        await self._clock.sleep_until(due)
        return due
