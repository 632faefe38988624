"""The user's side: what was written to the input buffer and where speech lies in it.

``audio_start_ms`` and ``audio_end_ms`` count the audio that was written, not the wall clock (rule
T7), so this machine keeps the count, and the times at which the written samples were captured, to
say afterwards when a word was really spoken.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from enum import Enum

__all__ = ("InputAudio", "InputMove", "InputState")

KEPT_MARKS = 512
"""Marks (written ms, capture time) kept: some ten seconds of 20 ms blocks."""


class InputState(Enum):
    """Whether the server hears speech."""

    QUIET = "quiet"
    SPEECH = "speech"
    COMMITTED = "committed"
    """The turn was handed over; an answer may come."""


class InputMove(Enum):
    """What can happen to the input."""

    STARTED = "started"
    STOPPED = "stopped"
    COMMITTED = "committed"
    CLEARED = "cleared"
    ANSWERED = "answered"


_S, _M = InputState, InputMove
MOVES: dict[tuple[InputState, InputMove], InputState] = {
    (_S.QUIET, _M.STARTED): _S.SPEECH,
    (_S.QUIET, _M.STOPPED): _S.QUIET,
    (_S.QUIET, _M.COMMITTED): _S.COMMITTED,
    (_S.QUIET, _M.CLEARED): _S.QUIET,
    (_S.QUIET, _M.ANSWERED): _S.QUIET,
    (_S.SPEECH, _M.STARTED): _S.SPEECH,
    (_S.SPEECH, _M.STOPPED): _S.QUIET,
    (_S.SPEECH, _M.COMMITTED): _S.COMMITTED,
    (_S.SPEECH, _M.CLEARED): _S.QUIET,
    (_S.SPEECH, _M.ANSWERED): _S.SPEECH,
    (_S.COMMITTED, _M.STARTED): _S.SPEECH,
    (_S.COMMITTED, _M.STOPPED): _S.COMMITTED,
    (_S.COMMITTED, _M.COMMITTED): _S.COMMITTED,
    (_S.COMMITTED, _M.CLEARED): _S.QUIET,
    (_S.COMMITTED, _M.ANSWERED): _S.QUIET,
}
"""Every pair is named: the server may send these in any order, and none of them is an error."""


class InputAudio:
    """Owns the position of the input buffer and the state of the user's turn."""

    def __init__(self) -> None:
        self.state = InputState.QUIET
        self.written_ms = 0.0
        self.speech_ended_at: float | None = None
        """When the last speech really ended: capture time of its last sample."""
        self.turn_id: str | None = None
        """The item of the turn that was handed over last."""
        self._marks: deque[tuple[float, float]] = deque(maxlen=KEPT_MARKS)

    def wrote(self, ms: float, at: float) -> None:
        """A block was appended; ``at`` is when its first sample was captured."""
        self._marks.append((self.written_ms, at))
        self.written_ms += ms

    def restart(self) -> None:
        """Another connection hears the user from now on: it counts from the beginning."""
        self.state = InputState.QUIET
        self.written_ms = 0.0
        self._marks.clear()

    def move(self, move: InputMove) -> None:
        """Something happened to the user's turn."""
        self.state = MOVES[self.state, move]

    def speech_ended(self, audio_end_ms: float, silence_ms: float) -> None:
        """Speech ended; the position includes the silence that was waited for."""
        self.speech_ended_at = self.captured_at(audio_end_ms - silence_ms)

    def captured_at(self, position_ms: float) -> float | None:
        """When the sample at that position of the written audio was captured; None when forgotten."""
        if not self._marks or position_ms < self._marks[0][0]:
            return None
        index = bisect_right(self._marks, position_ms, key=lambda mark: mark[0]) - 1
        start_ms, at = self._marks[index]
        return at + (position_ms - start_ms) / 1000
