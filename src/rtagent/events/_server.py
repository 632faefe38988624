"""What all server events have in common, and the two that stand for what could not be understood."""

from __future__ import annotations

from typing import Any, Literal, Self

from ._model import WireModel

__all__ = (
    "ALWAYS_SENT",
    "DEFECTS",
    "MalformedFrame",
    "ServerEvent",
    "UnknownEvent",
    "mark_defective",
    "mark_departed",
)

ALWAYS_SENT = frozenset({"event_id", "response_id", "item_id", "output_index", "content_index"})
"""Fields that the protocol has on every event whose class has them, though reading does without."""

# Kept beside the fields, as cached properties are: pydantic's private attributes would more than double
# the cost of reading every event, for something that hardly any event has.
DEFECTS = "defects"
_DEPARTURES = "departures"


class ServerEvent(WireModel, frozen=True):
    """Something that a server reports. Fields that this version does not know are in ``model_extra``."""

    type: str
    event_id: str | None = None

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Read an event from an object that need not say what it is; the event does.

        A hook of pydantic's would be shorter, and a fifth of the cost of every frame that is read.
        """
        event = super().model_validate(obj, **options)
        event.model_fields_set.add("type")
        return event

    @property
    def defects(self) -> tuple[str, ...]:
        """What had to be left out of the frame so that the rest could be read; not part of the wire."""
        defects: tuple[str, ...] = vars(self).get(DEFECTS, ())
        return defects

    @property
    def departures(self) -> tuple[str, ...]:
        """In which ways the frame was not what its dialect has, the defects included; not part of the wire."""
        noted: tuple[str, ...] | None = vars(self).get(_DEPARTURES)
        return self.defects if noted is None else (*noted, *self.defects)


class UnknownEvent(ServerEvent, frozen=True):
    """An event of a type that this version does not know, passed on as it came."""

    raw: dict[str, Any]


class MalformedFrame(ServerEvent, frozen=True):
    """A frame that is no event. Our own word: it is a report to the program and never on the wire."""

    type: Literal["malformed_frame"] = "malformed_frame"
    head: str
    """The frame's first characters."""
    reason: str


def mark_defective(event: ServerEvent, defects: tuple[str, ...]) -> None:
    """Note on an event that was just read what had to be left out."""
    vars(event)[DEFECTS] = defects


def mark_departed(event: ServerEvent, departures: tuple[str, ...]) -> None:
    """Note on an event that was just read in which ways it was not what its dialect has."""
    vars(event)[_DEPARTURES] = departures
