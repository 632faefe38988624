"""Turns that are heard on this side, for servers that do not, or whose ear is not good enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..audio import AudioFormat, EnergyDetector, SemanticTurn, SpeechDetector, TurnDetector
from ..errors import ConfigurationError

__all__ = ("LocalTurns", "turn_detector")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTurns:
    """How turns are heard on this side: ``session.attach(…, turns=LocalTurns())``.

    Only speech is sent then, with what came just before it; each turn is handed over and its answer asked for. The
    server must not detect turns itself: ``Agent(turn_taking="manual")``.

    Raises:
        ConfigurationError: times that cannot be.
    """

    detector: SpeechDetector | None = None
    """What tells speech from the rest; None for loud against quiet (``EnergyDetector``)."""
    judge: SemanticTurn | None = None
    """What says whether somebody who pauses has finished; None takes each pause for the end of a turn."""
    start_ms: float = 100.0
    """What is shorter is no speech, in milliseconds."""
    silence_ms: float = 500.0
    """A pause of this length may end a turn, in milliseconds."""
    pre_roll_ms: float = 300.0
    """How much of what was before the speech is sent with it, in milliseconds."""
    longest_pause_ms: float = 2_500.0
    """After such a pause the turn is over, whatever the judge says, in milliseconds."""
    sure_after_s: float = 0.3
    """Speech of this length interrupts the voice; what is shorter and came while it sounded is no turn, in seconds."""

    def __post_init__(self) -> None:
        """Check the times that the parts do not check."""
        if not self.sure_after_s >= 0:
            message = f"speech of {self.sure_after_s:g} s cannot be"
            raise ConfigurationError(message, hint="0.3 is usual")
        if not 0 <= self.longest_pause_ms < math.inf:
            message = f"a pause of {self.longest_pause_ms:g} ms cannot be"
            raise ConfigurationError(message, hint="2500 is usual")


def turn_detector(
    detector: SpeechDetector | None,
    own: AudioFormat,
    *,
    start_ms: float,
    silence_ms: float,
    pre_roll_ms: float,
) -> TurnDetector:
    """A detector of turns for a source of that format.

    Raises:
        ConfigurationError: the format is not mono PCM16, or the times cannot be.
    """
    ear = detector if detector is not None else EnergyDetector(own.rate)
    return TurnDetector(ear, format=own, start_ms=start_ms, silence_ms=silence_ms, pre_roll_ms=pre_roll_ms)
