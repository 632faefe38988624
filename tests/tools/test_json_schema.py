from __future__ import annotations

import copy

import pytest

from rtagent.tools._json_schema import inner_schemas, is_array, is_object, tidy

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
        pytest.param(
            {"properties": {"pin": {"type": "string", "format": "password", "writeOnly": True}}},
            {"properties": {"pin": {"type": "string", "format": "password"}}},
            id="a note for programs goes",
        ),
    ],
)
def test_tidy(schema, tidied):
    before = copy.deepcopy(schema)
    assert tidy(schema) == tidied
    assert schema == before


def test_kinds_of_json_values():
    assert (is_object({}), is_object([]), is_array([]), is_array({})) == (True, False, True, False)


def test_the_schemas_inside_a_schema():
    number, text = {"type": "number"}, {"type": "string"}
    schema = {
        "properties": {"a": number, "b": True},
        "items": text,
        "anyOf": [number, False],
        "default": {"x": 1},
    }
    assert list(inner_schemas(schema)) == [number, text, number]
