"""What becomes of annotations, defaults and descriptions in a schema."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from pydantic import Field
from pydantic_core import core_schema
from typing_extensions import TypeAliasType

from rtagent.errors import ToolDefinitionError
from rtagent.tools import schema
from tests.tools.functions import (
    COLOUR,
    INTEGER,
    NULL,
    PLACE,
    STRING,
    Cat,
    Colour,
    Corner,
    Dog,
    Hostile,
    Level,
    Only,
    Options,
    Place,
    Point,
    annotated_default,
    context_amid,
    defaults,
    documented,
    field_default,
    free,
    free_models,
    free_typed,
    implicit_none,
    mixed,
    model_default,
    no_json_default,
    nothing,
    odd_names,
    only_context,
    recursive,
    twice,
    unresolvable_return,
)

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
        Corner,  # read from an array too
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


def test_null_is_said_once():
    def choose(mode: Literal["off", None] = None) -> None: ...

    assert schema(choose)["properties"]["mode"] == {"enum": ["off", None], "default": None}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement came with Python 3.12")
def test_a_type_statement_is_what_it_stands_for():
    namespace: dict[str, Any] = {}
    exec(  # noqa: S102 - older versions cannot read the statement
        "type Maybe = int | None\ntype Tree = list[Tree]\ndef take(a: Maybe = None, *, b: Tree): ...",
        namespace,
    )
    described = schema(namespace["take"])
    assert described["properties"] == {
        "a": {"anyOf": [INTEGER, NULL], "default": None},
        "b": {"$ref": "#/$defs/Tree"},
    }
    assert described["$defs"] == {"Tree": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}


class OlderPydantic:
    """A class that is described as a call of it, as named tuples were."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> core_schema.CoreSchema:
        parameter = core_schema.arguments_parameter("x", core_schema.int_schema())
        return core_schema.call_schema(core_schema.arguments_schema([parameter]), cls)


def test_a_call_of_a_class_is_an_object():
    def take(a: OlderPydantic) -> None: ...

    assert schema(take)["properties"]["a"]["properties"] == {"x": INTEGER}


def test_an_alias_that_may_be_null_is():
    maybe = TypeAliasType("maybe", Optional[int])  # noqa: UP045

    def take(a) -> None: ...

    take.__annotations__ = {"a": maybe}
    take.__defaults__ = (None,)
    assert schema(take)["properties"] == {"a": {"anyOf": [INTEGER, NULL], "default": None}}


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


def test_every_indescribable_type_is_named():
    def take(a: Callable[[], int], b: int, c: type, **d: Callable[[], int]) -> None: ...

    with pytest.raises(ToolDefinitionError) as failed:
        schema(take)
    assert [problem.split(" cannot")[0] for problem in failed.value.problems] == [
        "the type of parameter 'a'",
        "the type of parameter 'c'",
        "the type of parameter '**'",
    ]


def test_a_type_whose_own_hook_fails_is_named():
    def take(a: Hostile) -> None: ...

    with pytest.raises(ToolDefinitionError, match="parameter 'a' cannot be described: LookupError"):
        schema(take)


def test_a_problem_of_all_parameters_together_is_told_as_it_is():
    def take(a: Annotated[int, Field(default_factory=int)] = 1) -> None: ...

    with pytest.raises(ToolDefinitionError) as failed:
        schema(take)
    assert failed.value.problems == ("cannot specify both default and default_factory",)
