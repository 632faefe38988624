"""Whether somebody who speaks while the voice sounds means to interrupt it: a doubt that time or words settle.

Theory of operation. A detector on this side hears speech a round trip before the server says so. The voice then
pauses at once, and a doubt is open. It is settled by the first of these:

* the server decides: it interrupts by itself, or takes what was said for a turn that it will answer;
* words of it come, or it goes on for so long that it is no cough: then the voice is stopped, the server's
  picture corrected, and what is queued is dropped;
* nothing of that came within a time after the speech has ended, or, where the server decides, has begun: the voice
  goes on where it stopped.

Pure: times are given, moves come back as values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..audio import SpeechDetector
from ..errors import ConfigurationError

__all__ = ("BargeIn", "Doubt", "Verdict")

Verdict = Literal["interrupt", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BargeIn:
    """How speech on this side interrupts the voice: ``session.attach(…, interrupt_on=BargeIn())``.

    Raises:
        ConfigurationError: times that cannot be.
    """

    detector: SpeechDetector | None = None
    """What tells speech from the rest; None for loud against quiet (``EnergyDetector``)."""
    start_ms: float = 100.0
    """What is shorter does not make the voice pause, in milliseconds."""
    resume_after_s: float = 2.0
    """So long after the speech has ended the voice goes on, if there were no words, in seconds; where the server
    decides, so long after it has begun, if the server heard none."""
    sure_after_s: float = 1.0
    """Speech of this length interrupts where the server leaves that to us, in seconds; ``inf`` waits for words."""

    def __post_init__(self) -> None:
        """Check the times."""
        if not (0 <= self.start_ms < math.inf and 0 <= self.resume_after_s < math.inf):
            message = f"a start of {self.start_ms:g} ms and a wait of {self.resume_after_s:g} s cannot be"
            raise ConfigurationError(message, hint="100 and 2.0 are usual")
        if not self.sure_after_s >= 0:
            message = f"speech of {self.sure_after_s:g} s cannot be"
            raise ConfigurationError(message, hint="1.0 is usual")


class Doubt:
    """Owns the question whether the voice was interrupted.

    Args:
        resume_after_s: how long after the end of the speech words may come.
        sure_after_s: speech of this length is an interruption.
    """

    def __init__(self, *, resume_after_s: float, sure_after_s: float) -> None:
        self.open = False
        self._resume_after_s = resume_after_s
        self._sure_after_s = sure_after_s
        self._alone = False
        self._items: set[str] = set()
        self._due: tuple[float, Verdict] | None = None

    def speech(self, now: float, *, alone: bool) -> None:
        """Somebody speaks while the voice sounds.

        Args:
            now: monotonic seconds.
            alone: whether the server leaves it to us what that means.
        """
        if not self.open:
            self._items.clear()
        self.open, self._alone = True, alone
        # A server that decides has had its time by then: noise that goes on must not silence the voice for good.
        server_has_had_its_time = (now + self._resume_after_s, "resume")
        self._due = (now + self._sure_after_s, "interrupt") if alone else server_has_had_its_time

    def silence(self, now: float) -> None:
        """Nobody speaks any more."""
        if self.open:
            self._due = (now + self._resume_after_s, "resume")

    def heard_by_server(self, item_id: str | None) -> None:
        """The server hears that speech as well; the item will hold it."""
        if self.open and item_id is not None:
            self._items.add(item_id)

    def words(self, item_id: str | None) -> Verdict | None:
        """Words came of that item."""
        return "interrupt" if self.open and item_id in self._items else None

    def deadline(self) -> float | None:
        """When ``due`` is to be asked; None for never."""
        return None if self._due is None or math.isinf(self._due[0]) else self._due[0]

    def due(self, now: float) -> Verdict | None:
        """What time has settled."""
        return None if self._due is None or now < self._due[0] else self._due[1]

    def settle(self) -> None:
        """It is known: no doubt any more."""
        self.open, self._due = False, None
        self._items.clear()
