"""Reading what can be read of an event that does not fit its model (rules D2 and D3).

Whatever pydantic finds wrong is taken out of the frame, innermost first, and the rest is read again:
a bad optional field is lost alone, a list element or object that cannot do without it is lost as a
whole. Each round takes something out, so this ends: with an event, or at a field that the event
itself cannot do without. Nulls are taken out silently, since many servers write them for "absent".
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ._server import ServerEvent, mark_defective

__all__ = ("Path", "Unreadable", "culprit", "locate", "name_of", "said_of", "salvaged")

EventT = TypeVar("EventT", bound=ServerEvent)
Path: TypeAlias = tuple[Any, ...]
"""Keys and list positions, from the frame inwards."""


class Unreadable(Exception):
    """The event lacks what it cannot do without."""


def locate(frame: dict[str, Any], error: ErrorDetails) -> Path:
    """Where in the frame an error lies; for something missing, the object that lacks it.

    Pydantic's own locations also name the union members that it tried, which are no part of the frame.
    """
    path: list[Any] = []
    here: Any = frame
    for step in error["loc"]:
        if (step in here) if isinstance(here, dict) else (isinstance(here, list) and isinstance(step, int)):
            path.append(step)
            here = _at(here, (step,))
    return tuple(path)


def name_of(path: Path) -> str:
    """A path as people write it: ``response.output[1].name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def culprit(frame: dict[str, Any], error: ErrorDetails) -> str:
    """The name of the field that an error is about, missing or not."""
    path = locate(frame, error)
    return name_of((*path, error["loc"][-1]) if error["type"] == "missing" else path)


def salvaged(model: type[EventT], frame: dict[str, Any], problem: ValidationError) -> EventT:
    """Read the frame without its faults; the frame is changed.

    Raises:
        Unreadable: what is wrong or missing cannot be left out.
    """
    defects: dict[str, str] = {}
    while True:
        faults: set[Path] = set()
        for error in problem.errors(include_url=False):
            path = locate(frame, error)
            faults.add(path)
            if not path or _at(frame, path) is not None:
                defects.setdefault(culprit(frame, error), said_of(error))
        reported = tuple(f"{name}: {what}" for name, what in defects.items())
        if () in faults:
            raise Unreadable("; ".join(reported))
        _take_out(frame, faults)
        try:
            event = model.model_validate(frame)
        except ValidationError as next_problem:
            problem = next_problem
        else:
            mark_defective(event, reported)
            return event


def said_of(error: ErrorDetails) -> str:
    """What is wrong, without the words of our own models."""
    return "Input should be an object" if error["type"] == "union_tag_invalid" else error["msg"]


def _at(frame: Any, path: Path) -> Any:
    for step in path:
        frame = frame[step]
    return frame


def _take_out(frame: dict[str, Any], paths: set[Path]) -> None:
    """Remove what lies at the paths: later list positions first, and nothing inside of what goes itself."""
    whole = [path for path in paths if not any(path[:size] in paths for size in range(1, len(path)))]
    for path in sorted(whole, reverse=True):
        del _at(frame, path[:-1])[path[-1]]
