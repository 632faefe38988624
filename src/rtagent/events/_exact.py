"""The short way from a frame to an event, for frames that are what the protocol says.

Nearly all frames of a session are, so they are read in one step: JSON straight into the class that its
``type`` selects, without a dictionary in between and without asking which server's habits to look for.
A frame that cannot be read so, or in which something is missing or unknown, is not judged here.

The outcome is that of the careful way in every respect: both validate with the same classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Union

from pydantic import Discriminator, TypeAdapter

from ._normal import expected
from ._server import ServerEvent

__all__ = ("exact_reader",)

_RESHAPED = frozenset({"error", "session"})
"""Fields whose objects come in several shapes, which only the careful way tells apart."""


def exact_reader(classes: Iterable[type[ServerEvent]]) -> Callable[[str | bytes], ServerEvent | None]:
    """A reader for the events of one protocol where a frame holds neither less nor more than that says.

    It answers None if the frame is to be read carefully.
    """
    needs = {cls: frozenset(expected(cls)) for cls in classes if _RESHAPED.isdisjoint(cls.model_fields)}
    nested = frozenset(cls for cls in needs if "response" in cls.model_fields)
    union: Any = Annotated[Union[tuple(needs)], Discriminator("type")]  # noqa: UP007 -- made of a tuple
    validate = TypeAdapter[ServerEvent](union).validator.validate_json

    def read(frame: str | bytes) -> ServerEvent | None:
        try:
            event: ServerEvent = validate(frame)
        except (ValueError, TypeError):  # TypeError: text that is not Unicode
            return None
        kind: type[ServerEvent] = type(event)
        if event.__pydantic_extra__ or not needs[kind] <= event.__pydantic_fields_set__:
            return None
        if kind in nested and vars(event)["response"].__pydantic_extra__:  # perhaps of another generation
            return None
        return event

    return read
