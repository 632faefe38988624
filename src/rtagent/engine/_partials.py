"""Partial transcripts that only grow.

A recogniser changes its mind: its first guess at a sentence is often a word that was never said. The
protocol's transcription deltas cannot be taken back, so a word is told when two guesses in a row agree on
it and on everything before it, and never when it contradicts what was told.
"""

from __future__ import annotations

from itertools import takewhile

__all__ = ("GrowingText",)


class GrowingText:
    """The part of a changing text that can be told already."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._last: list[str] = []

    def update(self, text: str) -> str | None:
        """Take the newest guess; what can be told, when that has grown."""
        words = text.split()
        pairs = zip(self._last, words, strict=False)
        agreed = [word for word, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        self._last = words
        if len(agreed) <= len(self._told) or agreed[: len(self._told)] != self._told:
            return None
        self._told = agreed
        return " ".join(agreed)

    def clear(self) -> None:
        """A new utterance begins."""
        self._told, self._last = [], []
