"""Writing client events in the shape that a dialect takes."""

from __future__ import annotations

from typing import Any

from ._dialect import Dialect

__all__ = ("is_standard", "shaped")


def is_standard(event_type: str, dialect: Dialect) -> bool:
    """Whether the dialect writes that event as the protocol does."""
    return event_type not in dialect.spellings


def shaped(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """The event as the dialect writes it."""
    return {**raw, "type": dialect.spellings.get(raw["type"], raw["type"])}
