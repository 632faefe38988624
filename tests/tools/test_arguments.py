from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NotRequired, Optional, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import TypedDict

from rtagent.errors import ToolDefinitionError
from rtagent.tools import ToolContext, schema
from rtagent.tools._arguments import FunctionArguments
from rtagent.tools._faults import ArgumentsRefused
from rtagent.tools._signature import ABSENT, Parameter, Signature, read_signature

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

ANNOTATIONS: list[tuple[Any, dict[str, Any]]] = [
    (str, STRING),
    (int, INTEGER),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (None, NULL),
    (Any, {}),
    (Optional[int], {"anyOf": [INTEGER, NULL]}),  # noqa: UP045
    (Union[int, str], {"anyOf": [INTEGER, STRING]}),  # noqa: UP007
    (int | str | None, {"anyOf": [INTEGER, STRING, NULL]}),
    (Literal["on", "off"], {"type": "string", "enum": ["on", "off"]}),
    (Literal["on"], {"type": "string", "const": "on"}),
    (Literal["on", 1, None], {"enum": ["on", 1, None]}),
    (Colour, COLOUR),
    (Level, {"type": "integer", "enum": [1, 2]}),
    (Only, {"type": "string", "enum": ["one"]}),
    (list, {"type": "array", "items": {}}),
    (list[str], {"type": "array", "items": STRING}),
    (list[list[int]], {"type": "array", "items": {"type": "array", "items": INTEGER}}),
    (Sequence[int], {"type": "array", "items": INTEGER}),
    (
        tuple[int, str],
        {"type": "array", "prefixItems": [INTEGER, STRING], "minItems": 2, "maxItems": 2},
    ),
    (tuple[int, ...], {"type": "array", "items": INTEGER}),
    (set[str], {"type": "array", "items": STRING, "uniqueItems": True}),
    (frozenset[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
    (dict, {"type": "object", "additionalProperties": True}),
    (dict[str, int], {"type": "object", "additionalProperties": INTEGER}),
    (Mapping[str, Any], {"type": "object", "additionalProperties": True}),
    (datetime, {"type": "string", "format": "date-time"}),
    (date, {"type": "string", "format": "date"}),
    (timedelta, {"type": "string", "format": "duration"}),
    (UUID, {"type": "string", "format": "uuid"}),
    (Place, PLACE),
    (Place | None, {"anyOf": [PLACE, NULL]}),
    (list[Place], {"type": "array", "items": PLACE}),
    (
        Point,
        {
            "type": "object",
            "properties": {"x": INTEGER, "y": {"type": "integer", "default": 0}},
            "required": ["x"],
            "additionalProperties": False,
        },
    ),
    (
        Options,
        {
            "type": "object",
            "properties": {"title": STRING, "loud": {"type": "boolean"}},
            "required": ["title"],
            "additionalProperties": False,
        },
    ),
    (
        Annotated[Cat | Dog, Field(discriminator="kind")],
        {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"kind": {"type": "string", "const": kind}},
                    "required": ["kind"],
                }
                for kind in ("cat", "dog")
            ]
        },
    ),
    (Annotated[int, Field(ge=0, le=100)], {"type": "integer", "minimum": 0, "maximum": 100}),
    (Annotated[int, Field(title="Level")], INTEGER),
    (Annotated[str, "the room"], {"type": "string", "description": "the room"}),
    (Annotated[str, Field(description="the room")], {"type": "string", "description": "the room"}),
    (
        Annotated[str, 5, Field(max_length=3), "the room"],
        {"type": "string", "maxLength": 3, "description": "the room"},
    ),
    ("int", INTEGER),
    ("list[Place]", {"type": "array", "items": PLACE}),
]


@pytest.mark.parametrize(("annotation", "described"), ANNOTATIONS, ids=lambda value: str(value)[:40])
def test_annotations(annotation, described):
    def take(value): ...

    take.__annotations__ = {"value": annotation}
    assert schema(take) == {
        "type": "object",
        "properties": {"value": described},
        "required": ["value"],
        "additionalProperties": False,
    }


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


TREE = {
    "type": "object",
    "properties": {
        "label": STRING,
        "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}, "default": []},
    },
    "required": ["label"],
}

SIGNATURES: list[tuple[Callable[..., Any], dict[str, Any], list[str]]] = [
    (nothing, {}, []),
    (only_context, {}, []),
    (context_amid, {"a": INTEGER, "b": INTEGER}, ["a", "b"]),
    (
        defaults,
        {
            "a": {"type": "string", "default": "x"},
            "b": {"anyOf": [INTEGER, NULL], "default": None},
            "c": {**COLOUR, "default": "red"},
            "d": {"type": "array", "items": INTEGER, "default": [1, 2]},
        },
        [],
    ),
    (
        mixed,
        {
            "a": STRING,
            "b": {"type": "integer", "default": 1},
            "c": {"type": "boolean"},
            "d": {"type": "number", "default": 0.5},
        },
        ["a", "c"],
    ),
    (implicit_none, {"a": {"anyOf": [STRING, NULL], "default": None}}, []),
    (no_json_default, {"a": {}}, []),
    (model_default, {"a": {**PLACE, "default": {"name": "hall", "floor": 0}}}, []),
    (field_default, {"a": {"type": "integer", "minimum": 1, "default": 5, "description": "how many"}}, []),
    (annotated_default, {"a": {"type": "integer", "default": 5}}, []),
    (
        odd_names,
        {
            "schema": INTEGER,
            "model_config": INTEGER,
            "_x": INTEGER,
            "json": INTEGER,
            "title": STRING,
            "self_": INTEGER,
        },
        ["schema", "model_config", "_x", "json", "title", "self_"],
    ),
    (
        documented,
        {
            "a": {"type": "string", "description": "first of all"},
            "b": {"type": "integer", "description": "its own words"},
            "c": {"type": "integer", "description": "field", "default": 1},
        },
        ["a", "b"],
    ),
    (unresolvable_return, {}, []),
]


@pytest.mark.parametrize(
    ("fn", "properties", "required"), SIGNATURES, ids=lambda value: getattr(value, "__name__", "")
)
def test_signatures(fn, properties, required):
    described = schema(fn)
    assert described.pop("required", []) == required
    assert described == {"type": "object", "properties": properties, "additionalProperties": False}


def test_a_type_used_twice_is_defined_once():
    assert schema(twice) == {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Place"}, "b": {"$ref": "#/$defs/Place"}},
        "required": ["a", "b"],
        "additionalProperties": False,
        "$defs": {"Place": PLACE},
    }


def test_a_recursive_type_stays_a_definition():
    assert schema(recursive) == {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Tree"}},
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"Tree": TREE},
    }


@pytest.mark.parametrize(("fn", "extra"), [(free, True), (free_typed, INTEGER), (free_models, PLACE)])
def test_free_keywords_are_additional_properties(fn, extra):
    assert schema(fn)["additionalProperties"] == extra


def test_a_schema_belongs_to_who_asked():
    schema(mixed)["properties"].clear()
    assert schema(mixed)["properties"]


def hopeless(a: Callable[[], int], b, c: Nowhere, d: str, /, *e: int, f: type): ...  # type: ignore[name-defined]  # noqa: F821


def test_every_problem_is_told_at_once():
    with pytest.raises(ToolDefinitionError) as failed:
        schema(hopeless)
    assert failed.value.tool == "hopeless"
    told = "\n".join(failed.value.problems)
    for name in (
        "'a' is positional-only",
        "'d' is positional-only",
        "*e",
        "parameter 'f' cannot be described",
    ):
        assert name in told


def test_every_indescribable_type_is_named():
    def take(a: Callable[[], int], b: int, c: type, **d: Callable[[], int]) -> None: ...

    with pytest.raises(ToolDefinitionError) as failed:
        schema(take)
    assert [problem.split(" cannot")[0] for problem in failed.value.problems] == [
        "the type of parameter 'a'",
        "the type of parameter 'c'",
        "the type of parameter '**'",
    ]


class Hostile:
    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        raise LookupError


def test_a_type_whose_own_hook_fails_is_named():
    def take(a: Hostile) -> None: ...

    with pytest.raises(ToolDefinitionError, match="parameter 'a' cannot be described: LookupError"):
        schema(take)


def test_a_problem_of_all_parameters_together_is_told_as_it_is():
    def take(a: Annotated[int, Field(default_factory=int)] = 1) -> None: ...

    with pytest.raises(ToolDefinitionError) as failed:
        schema(take)
    assert failed.value.problems == ("cannot specify both default and default_factory",)


@functools.cache
def built(fn: Callable[..., Any], *, strict: bool = False) -> FunctionArguments:
    arguments, problems = FunctionArguments.build(read_signature(fn), strict=strict)
    assert arguments is not None, problems
    return arguments


def read(fn: Callable[..., Any], text: str, *, strict: bool = False) -> dict[str, Any]:
    return built(fn, strict=strict).read(text)


@pytest.mark.parametrize(
    ("fn", "text", "keywords"),
    [
        (nothing, "", {}),
        (nothing, " \n", {}),
        (nothing, "{}", {}),
        (mixed, '{"a": "x", "c": true}', {"a": "x", "b": 1, "c": True, "d": 0.5}),
        (mixed, '{"a": "x", "b": "5", "c": "yes", "d": 1}', {"a": "x", "b": 5, "c": True, "d": 1.0}),
        (defaults, '{"c": "blue"}', {"a": "x", "b": None, "c": Colour.BLUE, "d": (1, 2)}),
        (implicit_none, '{"a": null}', {"a": None}),
        (no_json_default, "{}", {"a": SENTINEL}),
        (field_default, "{}", {"a": 5}),
        (annotated_default, "{}", {"a": 5}),
        (twice, '{"a": {"name": "x"}, "b": {"name": "y"}}', {"a": Place(name="x"), "b": Place(name="y")}),
        (free, '{"a": 1, "b": [2], "p0": 3}', {"a": 1, "b": [2], "p0": 3}),
        (free_typed, '{"b": "2"}', {"b": 2}),
        (free_models, '{"b": {"name": "x"}}', {"b": Place(name="x")}),
    ],
)
def test_arguments_are_read(fn, text, keywords):
    assert read(fn, text) == keywords


def even(value: int) -> int:
    if value % 2:
        message = "the number is odd"
        raise ValueError(message)
    return value


def checked(n: Annotated[int, AfterValidator(even)] = 0, places: list[Place] = []): ...  # noqa: B006


@pytest.mark.parametrize(
    ("fn", "text", "faults"),
    [
        (mixed, "{}", ["a: is required", "c: is required"]),
        (mixed, '{"a": 3, "c": true}', ["a: should be a valid string (got 3)"]),
        (
            mixed,
            '{"a": "x", "c": "maybe", "e": [1, 2]}',
            [
                'c: should be a valid boolean, unable to interpret input (got "maybe")',
                "e: is not known here; the arguments are: a, b, c, d (got [1,2])",
            ],
        ),
        (nothing, '{"a": 1}', ["a: is not known here; the arguments are: none (got 1)"]),
        (mixed, "[1]", ["should be an object (got [1])"]),
        (mixed, '"text"', ['should be an object (got "text")']),
        (checked, '{"n": 3}', ["n: the number is odd (got 3)"]),
        (checked, '{"places": [{"name": "x"}, {}]}', ["places[1].name: is required"]),
        (
            checked,
            '{"places": [{"name": "x", "floor": -9}]}',
            ["places[0].floor: should be greater than or equal to -2 (got -9)"],
        ),
        (defaults, '{"c": "green"}', ["c: should be 'red' or 'blue' (got \"green\")"]),
        (
            free_typed,
            '{"b": "x"}',
            ['b: should be a valid integer, unable to parse string as an integer (got "x")'],
        ),
    ],
)
def test_each_wrong_argument_is_named(fn, text, faults):
    with pytest.raises(ArgumentsRefused) as refused:
        read(fn, text)
    assert refused.value.kind == "bad_arguments"
    assert [str(fault) for fault in refused.value.faults] == faults


class Closed(BaseModel, extra="forbid"):
    a: int = 0


def test_an_unknown_name_inside_a_model_is_named():
    def take(closed: Closed) -> None: ...

    with pytest.raises(ArgumentsRefused, match=r"closed\.b: is not known here \(got 1\)"):
        read(take, '{"closed": {"b": 1}}')


@pytest.mark.parametrize("text", ["{", '{"a": ', "nonsense", '{"a": 1,}', "{'a': 1}"])
def test_what_is_no_json_is_said_to_be_none(text):
    with pytest.raises(ArgumentsRefused, match=r"not valid JSON: .* at line 1 column \d+") as refused:
        read(mixed, text)
    assert refused.value.kind == "bad_json"


def test_what_a_partial_has_bound_is_out_of_reach():
    signature = Signature("take", extra=Any, bound=frozenset({"key"}))
    arguments, _ = FunctionArguments.build(signature)
    assert arguments is not None
    assert arguments.read('{"b": 1}') == {"b": 1}
    with pytest.raises(ArgumentsRefused, match="key: is not an argument of this tool"):
        arguments.read('{"key": "mine"}')


def test_strict_requires_everything_and_null_stands_for_a_default():
    def take(
        room: str,
        level: int = 7,
        place: Place | None = None,
        shade: Annotated[int | None, Field()] = 8,
    ) -> None: ...

    arguments, problems = FunctionArguments.build(read_signature(take), strict=True)
    assert problems == ()
    assert arguments is not None
    place = {
        **PLACE,
        "properties": {
            "name": STRING,
            "floor": {"type": "integer", "minimum": -2, "description": "storey"},
        },
        "required": ["name", "floor"],
        "additionalProperties": False,
    }
    assert arguments.schema == {
        "type": "object",
        "properties": {
            "room": STRING,
            "level": {"anyOf": [INTEGER, NULL]},
            "place": {"anyOf": [place, NULL]},
            "shade": {"anyOf": [INTEGER, NULL]},
        },
        "required": ["room", "level", "place", "shade"],
        "additionalProperties": False,
    }
    text = '{"room": "x", "level": null, "place": null, "shade": null}'
    assert arguments.read(text) == {"room": "x", "level": 7, "place": None, "shade": None}
    assert arguments.read('{"room": "x", "level": 3}') == {"room": "x", "level": 3, "place": None, "shade": 8}


def test_strict_leaves_a_default_in_a_field_alone():
    assert read(field_default, '{"a": 3}', strict=True) == {"a": 3}


@pytest.mark.parametrize("fn", [free, no_json_default])
def test_what_has_no_strict_schema_is_no_strict_tool(fn):
    arguments, problems = FunctionArguments.build(read_signature(fn), strict=True)
    assert arguments is None
    assert "no strict schema" in problems[0]


@given(
    st.fixed_dictionaries(
        {"a": st.text(), "c": st.booleans()},
        optional={"b": st.integers(-(2**63), 2**63), "d": st.floats(allow_nan=False, allow_infinity=False)},
    ),
    st.booleans(),
)
def test_json_arguments_come_through(arguments, ascii_only):
    text = json.dumps(arguments, ensure_ascii=ascii_only)
    assert read(mixed, text) == {"b": 1, "d": 0.5, **arguments}


def every(
    text: str, number: float, flag: bool, many: list[int], named: dict[str, int], when: datetime, key: UUID,
    exact: Decimal, maybe: int | None, pair: tuple[int, str], unique: set[int],
): ...  # fmt: skip


@given(st.data())
def test_whatever_json_comes_is_read_or_refused(data):
    inner = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    values = inner | st.lists(inner) | st.dictionaries(st.text(), inner)
    names = list(inspect.signature(every).parameters)
    arguments = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), values))
    with contextlib.suppress(ArgumentsRefused):
        assert list(read(every, json.dumps(arguments))) == names


def test_an_absent_type_is_told_once():
    signature = Signature("take", parameters=(Parameter("a", ABSENT),), undescribed=("no type",))
    assert FunctionArguments.build(signature) == (None, ("no type",))
