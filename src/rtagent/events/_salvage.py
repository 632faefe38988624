"""Reading what can be read of an event that does not fit its model (rules D2 and D3).

Whatever pydantic finds wrong is taken out of the frame, innermost first, and the rest is read again:
a bad optional field is lost alone, a list element or object that cannot do without it is lost as a
whole. Each round takes something out, so this ends: with an event, or at a field that the event
itself cannot do without. Nulls are taken out silently, since many servers write them for "absent".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias, TypeVar, cast

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
    """Read the frame without its faults; the frame itself stays as it is.

    Raises:
        Unreadable: what is wrong or missing cannot be left out.
    """
    rest = _copied(frame)
    defects: dict[str, str] = {}
    while True:
        faults = [
            (locate(rest, error), error) for error in problem.errors(include_url=False, include_context=False)
        ]
        for path, error in _telling(faults):
            if not path or _at(rest, path) is not None:
                defects.setdefault(culprit(rest, error), said_of(error))
        reported = tuple(f"{name}: {what}" for name, what in defects.items())
        places = {path for path, _ in faults}
        if () in places:
            raise Unreadable("; ".join(reported))
        _take_out(rest, places)
        try:
            event = model.model_validate(rest)
        except ValidationError as next_problem:
            problem = next_problem
        else:
            mark_defective(event, reported)
            return event


def _telling(faults: list[tuple[Path, ErrorDetails]]) -> Iterator[tuple[Path, ErrorDetails]]:
    """One fault for each defect.

    Where a value fits none of several forms, each form has its complaints about it and about what is
    inside it; one about the value as a whole says enough.
    """
    whole: dict[Path, ErrorDetails] = {}
    for path, error in faults:
        # Of an open choice of words the list is no news: any text would have done.
        if (
            error["type"] != "missing"
            and whole.get(path, {"type": "literal_error"})["type"] == "literal_error"
        ):
            whole[path] = error
    for path, error in faults:
        if error["type"] == "missing":
            told = any(path[:size] in whole for size in range(len(path) + 1))
        else:
            told = whole[path] is not error or any(path[:size] in whole for size in range(len(path)))
        if not told:
            yield path, error


def said_of(error: ErrorDetails) -> str:
    """What is wrong, without the words of our own models."""
    return "Input should be an object" if error["type"] == "union_tag_invalid" else error["msg"]


def _copied(value: Any) -> Any:
    """The same lists and objects anew; what they hold is shared."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_copied(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _at(frame: Any, path: Path) -> Any:
    for step in path:
        frame = frame[step]
    return frame


def _take_out(frame: dict[str, Any], paths: set[Path]) -> None:
    """Remove what lies at the paths: later list positions first, and nothing inside of what goes itself."""
    whole = [path for path in paths if not any(path[:size] in paths for size in range(1, len(path)))]
    for path in sorted(whole, reverse=True):
        del _at(frame, path[:-1])[path[-1]]
