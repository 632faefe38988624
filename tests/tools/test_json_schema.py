from __future__ import annotations

import copy
from typing import Any

import pytest

from rtagent.tools._json_schema import is_array, is_object, strict_form, tidy

POINT = {"type": "object", "title": "Point", "properties": {"x": {"title": "X", "type": "integer"}}}
CLEAN_POINT = {"type": "object", "properties": {"x": {"type": "integer"}}}
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}


@pytest.mark.parametrize(
    ("schema", "tidied"),
    [
        pytest.param(POINT, CLEAN_POINT, id="titles go"),
        pytest.param(
            {"properties": {"title": {"title": "Title", "type": "string"}}},
            {"properties": {"title": {"type": "string"}}},
            id="a property called title stays",
        ),
        pytest.param(
            {"default": {"title": "kept"}}, {"default": {"title": "kept"}}, id="defaults are values"
        ),
        pytest.param(
            {"additionalProperties": True, "properties": {"x": False}},
            {"additionalProperties": True, "properties": {"x": False}},
            id="true and false are schemas",
        ),
        pytest.param(
            {"$defs": {"Point": POINT}, "items": {"$ref": "#/$defs/Point"}},
            {"items": CLEAN_POINT},
            id="a definition used once is put in place",
        ),
        pytest.param(
            {
                "$defs": {"Point": {**POINT, "description": "any"}},
                "$ref": "#/$defs/Point",
                "description": "this",
            },
            {**CLEAN_POINT, "description": "this"},
            id="what stands beside a reference wins",
        ),
        pytest.param(
            {
                "$defs": {"Point": POINT},
                "prefixItems": [{"$ref": "#/$defs/Point"}, {"$ref": "#/$defs/Point"}],
            },
            {
                "$defs": {"Point": CLEAN_POINT},
                "prefixItems": [{"$ref": "#/$defs/Point"}, {"$ref": "#/$defs/Point"}],
            },
            id="a definition used twice stays",
        ),
        pytest.param(
            {"$defs": {"Node": NODE}, "$ref": "#/$defs/Node"},
            {"$defs": {"Node": NODE}, "$ref": "#/$defs/Node"},
            id="a recursive definition stays",
        ),
        pytest.param(
            {
                "$defs": {"Line": {"type": "array", "items": {"$ref": "#/$defs/Point"}}, "Point": POINT},
                "anyOf": [{"$ref": "#/$defs/Line"}, True],
            },
            {"anyOf": [{"type": "array", "items": CLEAN_POINT}, True]},
            id="a chain of definitions is put in place",
        ),
        pytest.param(
            {"oneOf": [POINT], "discriminator": {"propertyName": "x"}},
            {"oneOf": [CLEAN_POINT]},
            id="a discriminator goes",
        ),
    ],
)
def test_tidy(schema, tidied):
    before = copy.deepcopy(schema)
    assert tidy(schema) == tidied
    assert schema == before


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}},
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
        ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        (
            {"$defs": {"P": {"type": "object", "properties": {}}}, "items": {"$ref": "#/$defs/P"}},
            {
                "$defs": {
                    "P": {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
                },
                "items": {"$ref": "#/$defs/P"},
            },
        ),
    ],
)
def test_strict_form(schema, strict):
    assert strict_form(schema) == (strict, [])


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ({}, "a value of any type has no strict schema"),
        ({"description": "whatever"}, "a value of any type has no strict schema"),
        ({"type": "object"}, "an object with free keys has no strict schema"),
        (
            {"type": "object", "properties": {}, "additionalProperties": True},
            "an object with free keys has no strict schema",
        ),
    ],
)
def test_what_has_no_strict_form(inner: dict[str, Any], problem: str):
    schema = {"type": "object", "properties": {"a": inner, "b": inner}}
    assert strict_form(schema)[1] == [problem]


def test_kinds_of_json_values():
    assert (is_object({}), is_object([]), is_array([]), is_array({})) == (True, False, True, False)
