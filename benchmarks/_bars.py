"""What a figure has to be at most, and whether it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ("all_met", "bar", "lines", "verdict")


def bar(name: str, found: float, at_most: float, unit: str) -> dict[str, Any]:
    """A figure and what it has to be."""
    return {"name": name, "found": found, "at_most": at_most, "unit": unit, "met": found <= at_most + 1e-9}


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
    return "met" if one["met"] else "MISSED"
