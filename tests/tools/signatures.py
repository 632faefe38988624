"""Sixty signatures of tools, as people write them. What becomes of each one is compared with three other libraries.

The file needs nothing but pydantic, because it is also read in an environment where those libraries are
installed and this one is not (``benchmarks/peers/schemas.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    ParamSpec,
    TypeVar,
    Union,
)
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr
from typing_extensions import TypedDict

P = ParamSpec("P")
R = TypeVar("R")

RoomName = NewType("RoomName", str)
Percent = Annotated[int, Field(ge=0, le=100)]
Names = list[str]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mode(Enum):
    """How the house behaves."""

    DAY = "day"
    NIGHT = 0


class Place(BaseModel):
    """Where something is."""

    room: str
    floor: int = Field(default=0, ge=-2, description="storey, 0 is the ground floor")


class House(BaseModel):
    places: list[Place]
    entrance: Place


class Folder(BaseModel):
    name: str
    folders: list[Folder] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


@dataclass
class Point:
    x: float
    y: float = 0.0
    labels: list[str] = field(default_factory=list)


class Corner(NamedTuple):
    x: int
    y: int = 0


class Filter(TypedDict):
    text: str
    limit: NotRequired[int]


class Hints(TypedDict, total=False):
    language: str
    loud: bool


# Plain values


def no_parameters() -> None:
    """Say what time it is."""


def text(room: str) -> None:
    """Light a room."""


def numbers(level: int, warmth: float) -> None:
    """Set a lamp."""


def truth(on: bool) -> None:
    """Switch the light."""


def defaults(room: str = "hall", level: int = 50, on: bool = True) -> None:
    """Set a lamp."""


def only_null(nothing: None) -> None:
    """Take nothing."""


def anything(value: Any) -> None:
    """Take whatever comes."""


def keyword_only(*, room: str, level: int = 3) -> None:
    """Set a lamp."""


# Unions and choices


def optional(room: Optional[str] = None) -> None:  # noqa: UP045 - as people write it
    """Light a room, or all."""


def optional_required(room: str | None) -> None:
    """Light a room, or all."""


def union(room: int | str) -> None:
    """Light a room by number or name."""


def union_of_three(value: Union[int, str, None] = 5) -> None:  # noqa: UP007 - as people write it
    """Take a value."""


def literal(mode: Literal["day", "night"]) -> None:
    """Choose a mode."""


def literal_of_kinds(mode: Literal["off", 1, None] = None) -> None:
    """Choose a mode."""


def enum_of_text(colour: Colour) -> None:
    """Paint a wall."""


def enum_of_numbers(level: Level = Level.LOW) -> None:
    """Set a lamp."""


def enum_plain(mode: Mode) -> None:
    """Choose a mode."""


def enums_in_a_list(colours: list[Colour]) -> None:
    """Paint walls."""


# Collections


def list_of_text(rooms: list[str]) -> None:
    """Light rooms."""


def list_bare(rooms: list) -> None:  # type: ignore[type-arg]  # as people write it
    """Light rooms."""


def sequence(rooms: Sequence[str] = ()) -> None:
    """Light rooms."""


def tuple_fixed(size: tuple[int, int]) -> None:
    """Set a size."""


def tuple_mixed(pair: tuple[int, str]) -> None:
    """Set a pair."""


def tuple_open(sizes: tuple[float, ...]) -> None:
    """Set sizes."""


def set_of_text(names: set[str]) -> None:
    """Invite people."""


def frozenset_of_numbers(numbers: frozenset[int]) -> None:
    """Draw lots."""


def dict_bare(settings: dict) -> None:  # type: ignore[type-arg]  # as people write it
    """Change settings."""


def dict_of_numbers(levels: dict[str, int]) -> None:
    """Set lamps by name."""


def mapping_of_models(places: Mapping[str, Place]) -> None:
    """Name places."""


# Structures


def model(place: Place) -> None:
    """Light a place."""


def model_optional(place: Place | None = None) -> None:
    """Light a place."""


def model_twice(start: Place, end: Place) -> None:
    """Move something."""


def model_nested(house: House) -> None:
    """Light a house."""


def model_recursive(folder: Folder) -> None:
    """Show a folder."""


def model_described(place: Annotated[Place, Field(description="the place to light")]) -> None:
    """Light a place."""


def models_to_choose(pet: Annotated[Cat | Dog, Field(discriminator="kind")]) -> None:
    """Feed a pet."""


def dataclass_value(point: Point) -> None:
    """Draw a point."""


def named_tuple(corner: Corner) -> None:
    """Draw a corner."""


def typed_dict(query: Filter) -> None:
    """Search."""


def typed_dict_partial(hints: Hints) -> None:
    """Listen."""


# Formats and constraints


def moments(at: datetime, day: date, clock: time, lasting: timedelta) -> None:
    """Set an alarm."""


def identifiers(key: UUID, file: Path) -> None:
    """Open a file."""


def exact(price: Decimal) -> None:
    """Pay."""


def raw(data: bytes) -> None:
    """Store bytes."""


def secret(password: SecretStr) -> None:
    """Unlock a door."""


def constrained(
    level: Percent,
    name: Annotated[str, Field(min_length=1, max_length=20, pattern="^[a-z]+$")],
    groups: Annotated[list[str], Field(min_length=1, max_length=4)],
) -> None:
    """Set a lamp."""


def aliases(room: RoomName, names: Names) -> None:
    """Light a room."""


# Descriptions


def described_google(room: str, level: int = 50) -> None:
    """Set a lamp.

    It takes a second.

    Args:
        room: the room's name,
            such as "kitchen".
        level (int): brightness in percent.

    Returns:
        nothing.
    """


def described_numpy(room: str, level: int = 50) -> None:
    """Set a lamp.

    Parameters
    ----------
    room : str
        the room's name
    level : int, optional
        brightness in percent

    Returns
    -------
    None
    """


def described_sphinx(room: str, level: int = 50) -> None:
    """Set a lamp.

    :param room: the room's name
    :param int level: brightness in percent
    :returns: nothing
    """


def described_annotated(room: Annotated[str, "the room's name"]) -> None:
    """Set a lamp."""


def described_field(room: Annotated[str, Field(description="the room's name", examples=["kitchen"])]) -> None:
    """Set a lamp."""


# Kinds of callables


def free_keywords(room: str, **levels: int) -> None:
    """Set lamps by name."""


def free_arguments(*rooms: str) -> None:
    """Light rooms."""


class Lamp:
    """A lamp."""

    def switch(self, on: bool) -> None:
        """Switch the lamp."""

    @classmethod
    def find(cls, room: str) -> None:
        """Find a lamp."""

    @staticmethod
    def count(room: str) -> None:
        """Count lamps."""

    def __call__(self, level: int) -> None:
        """Dim the lamp."""


def logged(fn: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(fn)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return fn(*args, **kwargs)

    return call


@logged
def decorated(room: str, level: int = 50) -> None:
    """Set a lamp.

    Args:
        room: the room's name.
    """


SIGNATURES: dict[str, Callable[..., Any]] = {
    **{
        fn.__name__: fn
        for fn in (
            no_parameters, text, numbers, truth, defaults, only_null, anything, keyword_only,
            optional, optional_required, union, union_of_three, literal, literal_of_kinds,
            enum_of_text, enum_of_numbers, enum_plain, enums_in_a_list,
            list_of_text, list_bare, sequence, tuple_fixed, tuple_mixed, tuple_open,
            set_of_text, frozenset_of_numbers, dict_bare, dict_of_numbers, mapping_of_models,
            model, model_optional, model_twice, model_nested, model_recursive,
            model_described, models_to_choose, dataclass_value, named_tuple, typed_dict, typed_dict_partial,
            moments, identifiers, exact, raw, secret, constrained, aliases,
            described_google, described_numpy, described_sphinx, described_annotated, described_field,
            free_keywords, free_arguments, decorated,
        )
    },
    "bound_method": Lamp().switch,
    "class_method": Lamp.find,
    "static_method": Lamp.count,
    "callable_object": Lamp(),
    "partial": functools.partial(defaults, on=False),
}  # fmt: skip
"""The callables by a name of their own, in the order of the page."""
