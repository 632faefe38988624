"""Keeping the input of a session flowing where its time stands still without it.

GPT-Live and the translation of Realtime go on listening, and speaking, only as long as audio comes in. A source
that is attached brings it, silence included. Where none is, or it has ended, silence is sent in its place.
"""

from __future__ import annotations

from collections.abc import Callable

from ..audio import AudioFormat, Clock
from ._converter import silence_of

__all__ = ("InputFlow",)

BLOCK_S = 0.1
"""How much silence is sent at once, and how long nothing may have come in before."""


class InputFlow:
    """Owns the moment at which audio last went out."""

    def __init__(self, clock: Clock, append: Callable[[bytes, float], object]) -> None:
        self._clock = clock
        self._append = append
        self._last = clock.now()

    def wrote(self) -> None:
        """Audio went out."""
        self._last = self._clock.now()

    async def run(self, input_format: Callable[[], AudioFormat]) -> None:
        """Send silence whenever nothing else is sent, until cancelled."""
        while True:
            due = self._last + BLOCK_S
            await self._clock.sleep_until(due)
            if self._last + BLOCK_S <= due:
                own = input_format()
                self._append(silence_of(own)(own.bytes_of(BLOCK_S * 1000)), due - BLOCK_S)
                self._last = due  # not now: a late wake-up must not make the input's time run slow
