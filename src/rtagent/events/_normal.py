"""Bringing frames of other generations and vendors into the one shape that the event classes read.

Works on the parsed object, before validation, and says in words each way in which the frame is not what
its dialect has. Older names and shapes are understood in every dialect; they are a departure only
where the dialect does not have them.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from ._dialect import Dialect
from ._profiles import BETA
from ._server import ServerEvent

__all__ = ("left_out", "normalise", "standard_name")

_COUNTED = ("event_id", "response_id", "item_id", "output_index", "content_index")
"""Fields that the protocol has on every event whose class has them, though reading does without."""


def standard_name(raw: dict[str, Any], dialect: Dialect, known: Container[str], departures: list[str]) -> str:
    """The type as the protocol spells it; the frame gets it too."""
    kind: str = raw["type"]
    if kind in known:
        return kind
    bare = kind.strip()
    name = dialect.aliases.get(bare)
    if name is None:
        name = BETA.aliases.get(bare, bare)
        if name in known:
            departures.append(f"the type is written {kind!r}")
    if name in known:
        raw["type"] = name
    return name


def normalise(raw: dict[str, Any], dialect: Dialect, departures: list[str]) -> None:
    """Give fields and objects the names and shapes of the protocol, in place."""
    for theirs, ours in dialect.renamed_fields.get(raw["type"], {}).items():
        if theirs in raw and ours not in raw:
            raw[ours] = raw.pop(theirs)


def left_out(raw: dict[str, Any], model: type[ServerEvent], dialect: Dialect) -> list[str]:
    """The fields that the protocol has on this event and this frame has not."""
    fields = model.model_fields
    return [
        f"{name} is missing"
        for name in _COUNTED
        if name in fields and name not in raw and name not in dialect.missing_fields
    ]
