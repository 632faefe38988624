"""What a figure has to be at most, and whether it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("all_met", "bar", "lines", "verdict")


BUSY_CORES = 0.5
"""Where other programs used more than that, a missed bar says little of what is measured."""


def bar(name: str, found: float, at_most: float, unit: str, *, others: float | None = None) -> dict[str, Any]:
    """A figure and what it has to be; ``others`` is how many cores other programs used meanwhile."""
    busy = others is not None and others > BUSY_CORES
    met = found <= at_most + 1e-9
    return {"name": name, "found": found, "at_most": at_most, "unit": unit, "met": met, "busy": busy}


def all_met(bars: Iterable[Mapping[str, Any]]) -> bool:
    """Whether every one is met."""
    return all(one["met"] for one in bars)


def lines(bars: Iterable[Mapping[str, Any]]) -> list[str]:
    """For a terminal."""
    return [
        f"{one['name']:60} {one['found']:7.2f} {one['unit']:2} <= {one['at_most']:g}  {verdict(one)}"
        for one in bars
    ]


def verdict(one: Mapping[str, Any]) -> str:
    """Met or missed."""
    missed = "MISSED (too busy a machine to judge)" if one["busy"] else "MISSED"
    return "met" if one["met"] else missed
