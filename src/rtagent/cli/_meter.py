"""The foot of the terminal: a level meter and one line that is drawn over itself."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from typing import TextIO

from anyio import Lock, to_thread

__all__ = ("Terminal", "bar", "dbfs")

QUIETEST_DBFS = -60.0
"""What the meter shows as nothing."""


def dbfs(amplitude: float) -> float:
    """An amplitude, 1.0 being full scale, in decibels; never below -100."""
    return max(-100.0, 20 * math.log10(amplitude)) if amplitude > 0 else -100.0


def bar(amplitude: float, width: int = 12) -> str:
    """A level meter for a peak between 0.0 and 1.0: empty at -60 dBFS, full at 0."""
    share = 1 - dbfs(amplitude) / QUIETEST_DBFS
    full = round(width * min(1.0, max(0.0, share)))
    return f"[{'#' * full}{' ' * (width - full)}]"


class Terminal:
    """Lines that stay, and below them, where somebody watches, a status line that changes.

    The status line is one line, drawn over itself after a carriage return: that works in every terminal.
    Writing happens on worker threads, because a terminal that is held up must not hold up the audio.

    Args:
        out: where to write.
        live: draw the status line.
        width: columns of the terminal; asked for at every line if absent.
    """

    def __init__(self, out: TextIO, *, live: bool, width: Callable[[], int] | None = None) -> None:
        self.live = live
        self._out = out
        self._width = width if width is not None else _columns
        self._lock = Lock()
        self._status = ""
        self._drawn = 0

    async def line(self, text: str) -> None:
        """Write a line that stays."""
        async with self._lock:
            await to_thread.run_sync(self.write_line, text)

    async def status(self, text: str) -> None:
        """Draw the status line anew, if there is one and it changed."""
        if self.live and text != self._status:
            self._status = text
            async with self._lock:
                await to_thread.run_sync(self._draw, "")

    def write_line(self, text: str) -> None:
        """As `line`, for when no event loop runs any more."""
        self._draw(f"{text}\n")

    def clear(self) -> None:
        """Take the status line away, and the ``^C`` that a terminal may have written."""
        self._status = ""
        self._draw("\r" if self._out.isatty() else "")

    def _draw(self, above: str) -> None:
        erase = f"\r{' ' * self._drawn}\r" if self._drawn else ""
        status = self._status[: max(0, self._width() - 1)]  # a full line would wrap and stay
        self._drawn = len(status)
        self._out.write(f"{erase}{above}{status}")
        self._out.flush()


def _columns() -> int:
    return shutil.get_terminal_size().columns
