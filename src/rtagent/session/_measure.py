"""How long a turn took, measured on the audio: last word to first heard sample, interrupt to silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..events.lifecycle import TurnMeasured

__all__ = ("Metrics", "SessionStatistics", "TurnMeter")

KEPT_TURNS = 1_000


@dataclass(frozen=True, slots=True)
class Metrics:
    """What was measured in this session."""

    turns: tuple[TurnMeasured, ...]
    """The turns, oldest first; at most the last thousand."""
    audio_dropped_ms: float
    """Input audio that was dropped because the network could not keep up."""
    late_audio_dropped_ms: float
    """Audio of interrupted responses that came too late to be played."""
    departures: Mapping[str, int] = field(default_factory=dict[str, int])
    """In which ways the server is not what its dialect says, and how often."""


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """What went over the wire of a session so far."""

    events_received: int
    """Server events read."""
    frames_sent: int
    """Client events handed to the network."""
    audio_waiting_ms: float
    """Input audio that waits to be sent."""
    at_rest: bool
    """Whether nothing is on its way to the server and no tool runs."""


class TurnMeter:
    """Owns the marks of the current turn. Times are seconds of the session's clock."""

    def __init__(self) -> None:
        self.turns: list[TurnMeasured] = []
        self._count = 0
        self._speech_ended_at: float | None = None
        self._interrupted_at: float | None = None
        self._silence_ms: float | None = None

    def speech_ended(self, at: float | None) -> None:
        """The user's last word ended; None when that time is not known."""
        self._speech_ended_at = at

    def interrupted(self, at: float) -> None:
        """The voice is to be stopped."""
        self._interrupted_at = at

    def silent(self, at: float) -> None:
        """The last audible sample of the stopped voice left."""
        if self._interrupted_at is not None:
            self._silence_ms = max(0.0, (at - self._interrupted_at) * 1000)
            self._interrupted_at = None

    def first_heard(self, at: float, response_id: str | None, now: float) -> TurnMeasured | None:
        """The first sample of an answer was heard; the turn's figures, or None when nobody had spoken."""
        if self._speech_ended_at is None and self._silence_ms is None:
            return None
        waited = None if self._speech_ended_at is None else max(0.0, (at - self._speech_ended_at) * 1000)
        self._count += 1
        measured = TurnMeasured(
            at=now,
            turn=self._count,
            response_id=response_id,
            end_of_speech_to_first_heard_ms=waited,
            interrupt_to_silence_ms=self._silence_ms,
        )
        self._speech_ended_at, self._silence_ms = None, None
        self.turns = [*self.turns, measured][-KEPT_TURNS:]
        return measured
