"""An echo canceller whose work is not trusted for a while after a device has stumbled.

An adaptive filter has learned the echo's delay. When a device ran dry, the sound it plays from then on comes later, and
until the filter has found that out, the echo passes. The gate of ``_echo`` needs no delay: for that while it decides
whether anything gets through.
"""

from __future__ import annotations

import math

from ._echo import EchoCanceller, HalfDuplexGate

__all__ = ("GuardedCanceller", "Steadiness")

_GUARD_MS = 2_000.0
"""A filter has found the new delay by then."""
_MOVED_S = 0.008
"""Times that depart by more are no jitter."""
_IN_A_ROW = 3
"""One departure tells of a thread that had to wait."""
_TRUST = 1 / 16


class Steadiness:
    """Notices that the times of a stream have moved for good.

    Args:
        rate: samples per second of the stream (Hz).
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """Another stream begins."""
        self._end_at: float | None = None
        self._departed = 0

    def moved(self, at: float, samples: int) -> bool:
        """Take the time of the next block, in seconds; whether the times have moved."""
        if not math.isfinite(at):
            return False
        expected = self._end_at if self._end_at is not None else at
        late_s = at - expected
        self._departed = self._departed + 1 if abs(late_s) > _MOVED_S else 0
        has_moved = self._departed >= _IN_A_ROW
        if has_moved:
            self._departed, expected = 0, at
        elif not self._departed:
            expected += late_s * _TRUST
        self._end_at = expected + samples / self._rate
        return has_moved


class GuardedCanceller:
    """A canceller, and a gate behind it that counts only for a while after ``disturbed``. An ``EchoCanceller``.

    Args:
        canceller: takes the echo out.
        gate: hears the same as the canceller does.
        frame_ms: the length of each frame.
    """

    def __init__(self, canceller: EchoCanceller, gate: HalfDuplexGate, *, frame_ms: float) -> None:
        self._canceller = canceller
        self._gate = gate
        self._frame_ms = frame_ms
        self._guarded_ms = 0.0
        self._ducked_ms = 0.0

    @property
    def return_loss_db(self) -> float | None:
        """How much quieter the microphone hears the loudspeaker than it was played, if that is known."""
        return self._canceller.return_loss_db

    @property
    def removed_db(self) -> float | None:
        """How much quieter the echo has become lately."""
        return self._canceller.removed_db

    @property
    def ducked_ms(self) -> float:
        """For how long the near end has been silenced in all."""
        return self._ducked_ms

    def disturbed(self) -> None:
        """A device has stumbled: the echo may come at another time now."""
        self._guarded_ms = _GUARD_MS

    def reverse(self, far: bytes) -> None:
        """Take the frame that is played while the next near frame is captured."""
        self._canceller.reverse(far)
        self._gate.reverse(far)

    def process(self, near: bytes) -> bytes:
        """The near frame without the echo."""
        cleaned = self._canceller.process(near)
        self._gate.process(near)
        if self._guarded_ms <= 0.0:
            return cleaned
        self._guarded_ms -= self._frame_ms
        if self._gate.is_open:
            return cleaned
        self._ducked_ms += self._frame_ms
        return bytes(len(cleaned))

    def reset(self) -> None:
        """A break in the stream."""
        self._canceller.reset()
        self._gate.reset()
        self.disturbed()
