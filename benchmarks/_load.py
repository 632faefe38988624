"""How busy the machine was with other things while something was measured."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

__all__ = ("Beside",)

_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""The columns of idle time and of waiting for disks."""


class Beside:
    """Counts from now on what others use: all cores, without this process and the children it waited for."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy = _busy_s()
        self._own = _own_s()

    def cores(self) -> float | None:
        """How many cores others kept busy on average; None where the system does not say."""
        busy = _busy_s()
        if busy is None or self._busy is None:
            return None
        passed = time.monotonic() - self._began
        return max(0.0, (busy - self._busy) - (_own_s() - self._own)) / passed


def _own_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _busy_s() -> float | None:
    if not _STAT.exists():
        return None
    ticks = [int(word) for word in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return sum(count for column, count in enumerate(ticks) if column not in _IDLE) / os.sysconf("SC_CLK_TCK")
