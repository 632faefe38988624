"""Types and functions that the tests of schemas and arguments share."""

from __future__ import annotations

import dataclasses
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from rtagent.tools import ToolContext

STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NULL = {"type": "null"}


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Only(Enum):
    ONE = "one"


class Place(BaseModel):
    """Where it is."""

    name: str
    floor: int = Field(default=0, ge=-2, description="storey")


class Tree(BaseModel):
    label: str
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Corner(NamedTuple):
    x: int
    y: int = 0


class Options(TypedDict):
    title: str
    loud: NotRequired[bool]


PLACE = {
    "type": "object",
    "description": "Where it is.",
    "properties": {
        "name": STRING,
        "floor": {"type": "integer", "minimum": -2, "default": 0, "description": "storey"},
    },
    "required": ["name"],
}
COLOUR = {"type": "string", "enum": ["red", "blue"]}

SENTINEL = object()


def nothing(): ...
def only_context(context: ToolContext): ...
def context_amid(a: int, context: Annotated[ToolContext | None, "hidden"], b: int): ...
def defaults(a: str = "x", b: int | None = None, c: Colour = Colour.RED, d: tuple[int, ...] = (1, 2)): ...
def mixed(a: str, b: int = 1, *, c: bool, d: float = 0.5): ...
def implicit_none(a: str = None): ...  # type: ignore[assignment]  # noqa: RUF013
def no_json_default(a: Any = SENTINEL): ...
def model_default(a: Place = Place(name="hall")): ...  # noqa: B008
def field_default(a: int = Field(5, ge=1, description="how many")): ...
def annotated_default(a: Annotated[int, Field(default=5)]): ...
def twice(a: Place, b: Place): ...
def recursive(a: Tree): ...
def odd_names(schema: int, model_config: int, _x: int, json: int, title: str, self_: int): ...
def free(a: int, **more): ...
def free_typed(**more: int): ...
def free_models(**more: Place): ...
def unresolvable_return() -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821


def documented(a: str, b: Annotated[int, "its own words"], c: Annotated[int, Field(description="field")] = 1):
    """Do it.

    Args:
        a: first of all
        b: not used
        c: not used
        z: no such parameter
    """


class Hostile:
    """A type whose own hook fails."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        raise LookupError
