"""Whether a pause is the end of a turn: asked of whoever understands what was said, within limits of time.

A voice detector hears that somebody pauses, not whether they have finished. ``EndOfTurn`` stands between
the two: after each ``SpeechStopped`` it asks a ``SemanticTurn`` and waits on while that doubts. The
decision is ``next_question_ms``, a pure function; around it is a loop that asks and sleeps.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import anyio

from ..errors import ConfigurationError
from ._clock import MonotonicClock
from ._format import AudioFormat, Clock
from ._turn_detector import SpeechStopped, TurnDetector

__all__ = ("EndOfTurn", "EndOfTurnStatistics", "SemanticTurn", "next_question_ms")

logger = logging.getLogger(__name__)

_FINISHED = 1.0


class SemanticTurn(Protocol):
    """Judges whether somebody who pauses has finished: a small model, rules about words, whatever you have."""

    def finished(
        self,
        speech: bytes,
        format: AudioFormat,  # noqa: A002 - the field's term
        said: str | None,
    ) -> Awaitable[float]:
        """The probability that the speaker has finished.

        Args:
            speech: what was heard since the last ``SpeechStarted``, with its pre-roll and the pause.
            format: of ``speech``.
            said: its words as far as they are known, or None.
        """
        ...


@dataclass(frozen=True, slots=True)
class EndOfTurnStatistics:
    """Counters of one ``EndOfTurn`` since it was made."""

    asked: int
    """Questions to the ``SemanticTurn``."""
    failed: int
    """Questions that it answered with an exception."""
    late: int
    """Questions that it did not answer in time."""


def next_question_ms(
    probability: float, paused_ms: float, *, threshold: float, wait_ms: float, longest_ms: float
) -> float | None:
    """How long to wait before the next question; None where the turn is over.

    Args:
        probability: that the speaker has finished.
        paused_ms: how long there has been a pause already.
        threshold: the probability that is taken for a yes.
        wait_ms: between two questions.
        longest_ms: after such a pause the turn is over, whatever the probability.
    """
    if not probability < threshold or paused_ms >= longest_ms:
        return None
    return min(wait_ms, longest_ms - paused_ms)


class EndOfTurn:
    """Decides after a pause whether the turn is over, and waits at most ``longest_ms`` for that.

    A ``SemanticTurn`` that raises, or that takes longer than ``timeout_ms``, is taken for a yes: a voice that
    answers a little early is better than one that never does. Each of the two is logged once and counted.

    Args:
        detector: what has heard the pause; it is only read.
        semantic: what judges it; without one a pause is an end at once.
        wait_ms: between two questions; words may have arrived, or the speaker may have gone on.
        longest_ms: from the call on, questions included.
        threshold: the probability that is taken for a yes.
        timeout_ms: the longest that one question may take.
        clock: what the waiting goes by; the machine's monotonic clock if absent.
    """

    def __init__(
        self,
        detector: TurnDetector,
        semantic: SemanticTurn | None = None,
        *,
        wait_ms: float = 500,
        longest_ms: float = 2_500,
        threshold: float = 0.5,
        timeout_ms: float = 500,
        clock: Clock | None = None,
    ) -> None:
        if not (0 < wait_ms < math.inf and 0 <= longest_ms < math.inf and 0 < timeout_ms < math.inf):
            message = f"waits of {wait_ms:g}, {longest_ms:g} and {timeout_ms:g} ms cannot be"
            raise ConfigurationError(message, hint="500, 2500 and 500 are usual")
        if not 0 < threshold <= 1:
            message = f"a threshold of {threshold:g} is out of range"
            raise ConfigurationError(message, hint="0.5 is usual")
        self._detector = detector
        self._semantic = semantic
        self._wait_ms = wait_ms
        self._longest_ms = longest_ms
        self._threshold = threshold
        self._timeout_s = timeout_ms / 1000
        self._clock = clock if clock is not None else MonotonicClock()
        self._asked = self._failed = self._late = 0

    async def wait_over(self, pause: SpeechStopped, said: Callable[[], str | None] | None = None) -> bool:
        """Return whether the turn is over that this pause has followed; False means that the speaker goes on.

        Run it as a task of its own while the detector is fed; each pause has its call.

        Args:
            pause: the detector's newest move.
            said: tells the words of the turn as far as they are known; it is asked before each question.
        """
        begin = self._clock.now()
        until = begin + self._longest_ms / 1000
        while self._detector.last_move == pause:
            probability = await self._finished(said() if said is not None else None, until)
            if self._detector.last_move != pause:
                break
            wait_ms = next_question_ms(
                probability,
                (self._clock.now() - begin) * 1000,
                threshold=self._threshold,
                wait_ms=self._wait_ms,
                longest_ms=self._longest_ms,
            )
            if wait_ms is None:
                return True
            await self._clock.sleep_until(min(until, self._clock.now() + wait_ms / 1000))
            if self._clock.now() >= until:
                break
        return self._detector.last_move == pause

    def statistics(self) -> EndOfTurnStatistics:
        """A snapshot of the counters."""
        return EndOfTurnStatistics(asked=self._asked, failed=self._failed, late=self._late)

    async def _finished(self, said: str | None, until: float) -> float:
        """The answer to one question; a yes where there is none."""
        if self._semantic is None:
            return _FINISHED
        self._asked += 1
        speech = b"".join(block.pcm for block in self._detector.speech())
        probability, late = _FINISHED, False

        async def give_up(scope: anyio.CancelScope) -> None:
            nonlocal late
            await self._clock.sleep_until(min(until, self._clock.now() + self._timeout_s))
            late = True
            scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_up, tasks.cancel_scope)
            try:
                probability = float(await self._semantic.finished(speech, self._detector.format, said))
            except Exception as problem:  # noqa: BLE001 - whatever is wrong with it, the conversation goes on
                self._note_failure(problem)
            tasks.cancel_scope.cancel()
        if late:
            self._note_late()
        return probability

    def _note_failure(self, problem: Exception) -> None:
        self._failed += 1
        if self._failed == 1:
            logger.warning(
                "a pause is taken for the end of the turn: the judge of turns failed", exc_info=problem
            )

    def _note_late(self) -> None:
        self._late += 1
        if self._late == 1:
            logger.warning("a pause is taken for the end of the turn: the judge of turns took too long")
