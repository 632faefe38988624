"""A translation as text: one side as it streams, or both sides as labelled lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TextIO

from anyio import to_thread

from ._live import printable

if TYPE_CHECKING:
    from ..session import Passage

__all__ = ("PassageWords", "Side")

Side = Literal["source", "translation"]

LONGEST_LINE = 100
"""Characters after which a labelled line ends at the next word, also without the end of a sentence."""
_SENTENCE = re.compile(r".*?[.!?…。！？]+(?=\s|$)", re.DOTALL)  # noqa: RUF001 - the marks of other scripts


class PassageWords:
    """Writes what is said and what it becomes.

    The two sides come word by word and mixed. One side alone is written as it comes; of both, whole
    sentences, each on a line that says whose it is.

    Args:
        out: where to.
        show: which sides.
    """

    def __init__(self, out: TextIO, show: Side | Literal["both"]) -> None:
        self._out = out
        self._only: Side | None = None if show == "both" else show
        self._held: dict[Side, str] = {"source": "", "translation": ""}
        self._open = False

    async def show(self, passage: Passage) -> None:
        """Take the next piece of one side."""
        text = printable(passage.text)
        if self._only is None:
            await self._write(self._lines(passage.kind, text))
        elif self._only == passage.kind:
            self._open = True
            await self._write(text)

    def end(self) -> None:
        """Write what is held, and end the line; blocking, for the very end."""
        rest = "".join(_labelled(side, text) for side, text in self._held.items())
        self._held = {"source": "", "translation": ""}
        if self._open:
            rest += "\n"
            self._open = False
        self._put(rest)

    async def _write(self, text: str) -> None:
        if text:
            await to_thread.run_sync(self._put, text)

    def _put(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _lines(self, side: Side, text: str) -> str:
        """The lines of one side that are complete with this piece; the rest is held."""
        held, lines = self._held[side] + text, ""
        while match := _SENTENCE.match(held):
            lines += _labelled(side, match.group())
            held = held[match.end() :]
        if len(held) > LONGEST_LINE and " " in held.strip():
            whole, _, held = held.rstrip().rpartition(" ")
            lines += _labelled(side, whole)
        self._held[side] = held
        return lines


def _labelled(side: Side, text: str) -> str:
    said = text.strip()
    return f"{side:<12} {said}\n" if said else ""
