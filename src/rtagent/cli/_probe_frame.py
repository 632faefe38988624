"""What a server sends, frame by frame, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..events import PROFILES
from ._probe_shape import as_mapping

__all__ = ("Frame", "read_frame", "short")

KEPT_CHARACTERS = 40
"""Of long texts such as audio: a record is no recording."""

_MEANING: Mapping[str, str] = {
    theirs: ours for dialect in PROFILES.values() for theirs, ours in dialect.aliases.items()
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the server."""

    at_s: float
    """When it was read, since the server was dialled."""
    text: str
    """Its first characters."""
    raw: Mapping[str, Any]
    """The object in it; empty if it holds none."""

    @property
    def type(self) -> str:
        """The type as it is written."""
        kind = self.raw.get("type")
        return kind if isinstance(kind, str) else ""

    @property
    def kind(self) -> str:
        """The type as the protocol names it."""
        return _MEANING.get(self.type.strip(), self.type.strip())

    def part(self, name: str) -> Mapping[str, Any]:
        """An object in it; empty if there is none."""
        return as_mapping(self.raw.get(name))

    @property
    def blames(self) -> str | None:
        """The client event that an error names as its cause."""
        event_id = self.part("error").get("event_id")
        return event_id if isinstance(event_id, str) else None

    @property
    def complaint(self) -> str:
        """What an error says."""
        error = self.raw.get("error")
        if said := as_mapping(error):
            words = [str(said[name]) for name in ("code", "message") if said.get(name)]
            return short(": ".join(words) or json.dumps(error))
        return short(str(error if error is not None else self.raw.get("message", self.text)))


def read_frame(data: str | bytes, *, at_s: float) -> Frame:
    """A frame for the record."""
    return Frame(at_s, _head(data), _object(data))


def _object(data: str | bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:  # also bytes that are no text
        return {}
    if not isinstance(value, dict):
        return {}
    raw = cast("dict[str, Any]", value)
    delta = raw.get("delta")
    if isinstance(delta, str):
        raw["delta"] = delta[:KEPT_CHARACTERS]
    return raw


def _head(data: str | bytes) -> str:
    text = data if isinstance(data, str) else data[: 4 * KEPT_CHARACTERS].decode("utf-8", "replace")
    return text[:KEPT_CHARACTERS]


def short(text: str) -> str:
    """At most a hundred characters on one line."""
    words = " ".join(text.split())
    return words if len(words) <= 100 else f"{words[:99]}…"
