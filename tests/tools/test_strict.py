from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from rtagent.errors import ToolDefinitionError
from rtagent.tools import Tool
from rtagent.tools._strict import nullable, strict_form
from tests.tools.signatures import SIGNATURES

TEXT = {"type": "string"}
NULL = {"type": "null"}


def of_value(inner: dict[str, Any], **beside: Any) -> dict[str, Any]:
    """An object with one required property, open as people write it."""
    return {"type": "object", "properties": {"a": inner}, "required": ["a"], **beside}


@pytest.mark.parametrize(
    ("inner", "strict"),
    [
        pytest.param(TEXT, TEXT, id="what is strict stays"),
        pytest.param(
            {"type": "object", "properties": {}},
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            id="objects are closed",
        ),
        pytest.param(
            {"type": "object", "properties": {"b": {**TEXT, "default": "x"}, "c": TEXT}, "required": ["c"]},
            {
                "type": "object",
                "properties": {"b": {"anyOf": [TEXT, NULL]}, "c": TEXT},
                "required": ["b", "c"],
                "additionalProperties": False,
            },
            id="everything is required, what was optional may be null",
        ),
        pytest.param({"oneOf": [TEXT, NULL]}, {"anyOf": [TEXT, NULL]}, id="one of is any of"),
        pytest.param(
            {"allOf": [TEXT], "description": "x"}, {**TEXT, "description": "x"}, id="all of one is that one"
        ),
        pytest.param(
            {"type": "array", "prefixItems": [TEXT, TEXT], "minItems": 2, "maxItems": 2},
            {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2},
            id="a tuple of one kind",
        ),
        pytest.param(
            {"type": "array", "prefixItems": [TEXT, NULL, TEXT]},
            {"type": "array", "items": {"anyOf": [TEXT, NULL]}},
            id="a tuple of several kinds",
        ),
        pytest.param(
            {**TEXT, "default": "x", "examples": ["y"], "title": "T", "format": "path", "writeOnly": True},
            TEXT,
            id="notes go",
        ),
        pytest.param({**TEXT, "format": "uuid"}, {**TEXT, "format": "uuid"}, id="known formats stay"),
        pytest.param(
            {**TEXT, "minLength": 1, "maxLength": 9, "pattern": "^a"},
            {**TEXT, "pattern": "^a", "description": "length at least 1, length at most 9"},
            id="what has no keyword is said",
        ),
        pytest.param(
            {"type": "array", "items": TEXT, "uniqueItems": True, "description": "names"},
            {"type": "array", "items": TEXT, "description": "names (no item twice)"},
            id="what has no keyword is said beside what was said",
        ),
    ],
)
def test_strict_form(inner, strict):
    schema = of_value(inner)
    before = copy.deepcopy(schema)
    assert strict_form(schema) == (of_value(strict, additionalProperties=False), [])
    assert schema == before


def test_a_reference_stands_alone():
    definitions = {"P": {"type": "object", "properties": {}}}
    described = {"$ref": "#/$defs/P", "description": "where"}
    form, problems = strict_form({**of_value(described), "$defs": definitions})
    assert problems == []
    assert form["properties"]["a"] == {"anyOf": [{"$ref": "#/$defs/P"}], "description": "where"}
    assert form["$defs"]["P"]["additionalProperties"] is False
    assert strict_form({**of_value({"$ref": "#/$defs/P"}), "$defs": definitions})[0]["properties"]["a"] == {
        "$ref": "#/$defs/P"
    }


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ({}, "a: a value of any type has no strict schema"),
        (True, "a: a value of any type has no strict schema"),
        ({"description": "whatever"}, "a: a value of any type has no strict schema"),
        ({"type": "array"}, "a[]: a value of any type has no strict schema"),
        ({"type": "object"}, "a: an object with free keys has no strict schema"),
        (
            {"type": "object", "properties": {}, "additionalProperties": True},
            "a: an object with free keys has no strict schema",
        ),
        ({"type": "object", "properties": {"b": {}}}, "a.b: a value of any type has no strict schema"),
        ({"anyOf": [TEXT, {}]}, "a: a value of any type has no strict schema"),
        ({"not": TEXT, "if": TEXT}, "a: strict mode does not know if, not"),
        ({"allOf": [TEXT, TEXT]}, "a: strict mode does not know allOf"),
    ],
)
def test_what_has_no_strict_form_is_told_with_its_place(inner, problem):
    assert strict_form(of_value(inner))[1] == [problem]


def test_arguments_that_are_free_themselves():
    assert strict_form({"type": "object"})[1] == ["an object with free keys has no strict schema"]


def test_a_schema_that_is_too_large_is_told():
    large = {"type": "object", "properties": {f"p{at}": TEXT for at in range(5_001)}}
    assert strict_form(large)[1] == ["strict mode allows 5000 properties, the schema has 5001"]


@pytest.mark.parametrize(
    ("schema", "result"),
    [
        (TEXT, {"anyOf": [TEXT, NULL]}),
        ({**TEXT, "description": "x"}, {"anyOf": [TEXT, NULL], "description": "x"}),
        ({"anyOf": [TEXT, {"type": "integer"}]}, {"anyOf": [TEXT, {"type": "integer"}, NULL]}),
        (NULL, NULL),
        ({"enum": ["a", None]}, {"enum": ["a", None]}),
        ({"anyOf": [TEXT, NULL]}, {"anyOf": [TEXT, NULL]}),
    ],
)
def test_nullable(schema, result):
    assert nullable(schema) == result


def nodes_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema in a strict schema."""
    yield schema
    inner = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("anyOf", ()),
    ]
    for node in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from nodes_of(node)


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_signature_is_strict_or_refused(name):
    refused = {"anything", "dict_bare", "dict_of_numbers", "free_arguments", "free_keywords", "list_bare",
               "mapping_of_models"}  # fmt: skip
    try:
        schema = Tool.from_function(SIGNATURES[name], strict=True).parameters
    except ToolDefinitionError:
        assert name in refused
        return
    assert name not in refused
    for node in nodes_of(schema):
        assert node.keys() & {"$ref", "anyOf", "const", "enum", "type"}
        assert "$ref" not in node or len(node) == 1
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        if node.get("type") == "array":
            assert "items" in node
