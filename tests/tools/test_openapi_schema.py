from __future__ import annotations

from typing import Any

import pytest

from rtagent.errors import ConfigurationError
from rtagent.tools._openapi_document import OpenApiDocument
from rtagent.tools._openapi_schema import arguments_schema


def converted(schema: Any, **schemas: Any) -> Any:
    document = OpenApiDocument({"openapi": "3.0.3", "components": {"schemas": schemas}})
    whole = arguments_schema(document, {"it": schema}, [])
    return whole["properties"]["it"], whole.get("$defs")


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        (
            {"type": "string", "example": "a", "xml": {}, "x-go-type": "b", "deprecated": True},
            {"type": "string"},
        ),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"type": "string", "nullable": True, "enum": ["a", None]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"nullable": True, "description": "x"}, {"anyOf": [{"description": "x"}, {"type": "null"}]}),
        (
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            {"type": "integer", "exclusiveMinimum": 1},
        ),
        ({"type": "integer", "maximum": 1, "exclusiveMaximum": False}, {"type": "integer", "maximum": 1}),
        ({"type": "integer", "exclusiveMinimum": True}, {"type": "integer"}),
        ({"type": "integer", "exclusiveMinimum": 3}, {"type": "integer", "exclusiveMinimum": 3}),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "id": {"readOnly": True}},
                "required": ["a", "id"],
            },
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        ({"type": "object", "required": ["a"]}, {"type": "object"}),
        ({"type": "string", "required": True}, {"type": "string"}),
        ({"type": 7, "enum": "ab", "description": "x"}, {"description": "x"}),
        ({"type": ["string", 7], "required": [[]]}, {}),
        (
            {"type": "object", "additionalProperties": {"type": "string", "x-y": 1}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": False},
        ),
        (
            {
                "allOf": [{"type": "string", "example": 1}],
                "oneOf": [True],
                "anyOf": [{}],
                "not": {"example": 1},
            },
            {"allOf": [{"type": "string"}], "oneOf": [True], "anyOf": [{}], "not": {}},
        ),
        (
            {"type": "array", "items": {"type": "string", "example": 1}},
            {"type": "array", "items": {"type": "string"}},
        ),
        ({"type": "array", "items": True, "prefixItems": "x"}, {"type": "array", "items": True}),
    ],
)
def test_schemas_say_only_what_a_model_needs(schema: Any, plain: Any) -> None:
    assert converted(schema) == (plain, None)


def test_a_reference_that_is_used_once_is_put_in_place() -> None:
    schema, definitions = converted(
        {"$ref": "#/components/schemas/Pet"}, Pet={"type": "object", "title": "Pet"}
    )
    assert (schema, definitions) == ({"type": "object"}, None)


def test_recursion_stays_a_reference() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/My.Tree"}}}
    schema, definitions = converted({"$ref": "#/components/schemas/My.Tree"}, **{"My.Tree": tree})
    assert schema == {"$ref": "#/$defs/My_Tree"}
    assert definitions["My_Tree"]["properties"]["left"] == {"$ref": "#/$defs/My_Tree"}


def test_two_definitions_of_one_name_stay_apart() -> None:
    both = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("a.b", "a b", "a.b", "a b")]}
    schema, definitions = converted(both, **{"a.b": {"type": "string"}, "a b": {"type": "integer"}})
    assert definitions == {"a_b": {"type": "string"}, "a_b_1": {"type": "integer"}}
    assert schema["anyOf"][1] == {"$ref": "#/$defs/a_b_1"}


def test_a_reference_to_itself_comes_to_an_end() -> None:
    me = {"$ref": "#/components/schemas/Me"}
    assert converted(me, Me=me) == (
        {"$ref": "#/$defs/Me"},
        {"Me": {"$ref": "#/$defs/Me"}},
    )


def test_a_definition_of_true_or_false_is_an_object() -> None:
    reference = {"$ref": "#/components/schemas/All"}
    assert converted(reference, All=True) == ({}, None)
    assert converted(reference, All=False) == ({"not": {}}, None)


def test_only_what_is_required_is_required() -> None:
    document = OpenApiDocument({"openapi": "3.1.0"})
    assert arguments_schema(document, {}, []) == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    assert arguments_schema(document, {"a": {}}, ["a"])["required"] == ["a"]


def nested(levels: int) -> Any:
    schema: Any = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("text", "something else where a schema should be"),
        ({"items": [1]}, "something else where a schema should be"),
        ({"$ref": "#/nowhere"}, "leads nowhere"),
        ({"$ref": 7}, "leads out of"),
        (nested(70), "nested more than 64 levels"),
        ({"enum": ["x" * 200_001]}, "longer than 200000 characters"),
    ],
)
def test_what_is_no_schema_for_a_model(schema: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        converted(schema)


def test_very_many_definitions_are_refused() -> None:
    schemas = {f"S{n}": {"type": "string"} for n in range(301)}
    every = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas]}
    with pytest.raises(ConfigurationError, match="refers to more than 300 others"):
        converted(every, **schemas)
