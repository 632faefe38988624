from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.tools import ToolContext
from rtagent.tools._faults import ArgumentsRefused
from rtagent.tools._raw import SchemaArguments, schema_problems
from rtagent.tools._signature import read_signature


def one(inner: dict[str, Any], **more: Any) -> SchemaArguments:
    return SchemaArguments({"type": "object", "properties": {"a": inner}, **more})


@pytest.mark.parametrize(
    ("inner", "value"),
    [
        ({"type": "string"}, "x"),
        ({"type": "integer"}, 3),
        ({"type": "integer"}, 3.0),
        ({"type": "number"}, 3),
        ({"type": "number"}, 3.5),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["string", "null"]}, None),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ({"type": "array"}, [1, "x"]),
        ({"type": "object", "required": ["b"]}, {"b": 1}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"b": 1}),
        ({"enum": ["x", 1]}, 1),
        ({"const": None}, None),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"type": "unheard-of"}, "whatever"),
        ({"$ref": "#/$defs/Elsewhere"}, "whatever"),
        ({}, "whatever"),
        (True, "whatever"),
    ],
)
def test_what_fits_is_taken(inner, value):
    assert one(inner).read(json.dumps({"a": value})) == {"a": value}


@pytest.mark.parametrize(
    ("inner", "value", "field", "reason"),
    [
        ({"type": "string"}, 3, "a", "should be of type string"),
        ({"type": "integer"}, 3.5, "a", "should be of type integer"),
        ({"type": "integer"}, True, "a", "should be of type integer"),
        ({"type": "number"}, False, "a", "should be of type number"),
        ({"type": "boolean"}, 1, "a", "should be of type boolean"),
        ({"type": ["string", "null"]}, 3, "a", "should be of type string or null"),
        ({"type": "array", "items": {"type": "integer"}}, [1, "x"], "a[1]", "should be of type integer"),
        ({"type": "object", "required": ["b"]}, {}, "a.b", "is required"),
        (
            {"type": "object", "properties": {"c": {}}, "additionalProperties": False},
            {"b": 1},
            "a.b",
            "is not known here; the arguments are: c",
        ),
        (
            {"type": "object", "additionalProperties": False},
            {"b": 1},
            "a.b",
            "is not known here; the arguments are: none",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"b": "x"},
            "a.b",
            "should be of type integer",
        ),
        ({"enum": ["x", 1]}, True, "a", 'should be "x" or 1'),
        ({"const": "x"}, "y", "a", 'should be "x"'),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            3,
            "a",
            "should be one of the 2 alternatives",
        ),
    ],
)
def test_what_does_not_fit_is_named(inner, value, field, reason):
    with pytest.raises(ArgumentsRefused) as refused:
        one(inner).read(json.dumps({"a": value}))
    assert [(fault.field, fault.reason) for fault in refused.value.faults] == [(field, reason)]


def test_every_fault_is_named():
    with pytest.raises(ArgumentsRefused) as refused:
        one({"type": "string"}, required=["b", "c"]).read('{"a": 1, "b": 2}')
    assert [str(fault) for fault in refused.value.faults] == [
        "c: is required",
        "a: should be of type string (got 1)",
    ]


@pytest.mark.parametrize("text", ["", "  ", "{}"])
def test_no_arguments_may_be_no_text(text):
    assert one({}).read(text) == {}


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("{", "bad_json", "line 1 column 1"),
        ('{"a": NaN}', "bad_json", "line 1 column 7"),
        ('"\ud800"', "bad_json", "not valid Unicode"),
        ("[" * 100_000, "bad_json", "recursion"),
        ("[1]", "bad_arguments", "should be of type object (got [1])"),
    ],
)
def test_what_is_no_object_is_refused(text, kind, words):
    with pytest.raises(ArgumentsRefused) as refused:
        one({}).read(text)
    assert refused.value.kind == kind
    assert words in str(refused.value)


def test_a_function_without_free_keywords_takes_only_what_the_schema_names():
    with pytest.raises(ArgumentsRefused, match="b: is not known here"):
        SchemaArguments({"type": "object", "properties": {"a": {}}}, closed=True).read('{"b": 1}')


def take(a, b=None, *, context: ToolContext): ...


def take_all(*args, **kwargs): ...


@pytest.mark.parametrize(
    ("schema", "fn", "problems"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"]}, take, []),
        ({"type": "object", "properties": {"z": {}}}, take_all, []),
        ({"type": "object"}, take, ["parameter 'a' has no default, but the schema does not require it"]),
        (
            {"type": "object", "properties": {"c": {}}, "required": ["a"]},
            take,
            ["the function has no parameter for 'c' of the schema"],
        ),
        ({}, take_all, ['the schema of the arguments must have "type": "object"']),
        (
            {"type": "object", "default": {1j}},
            take_all,
            ["the schema has no JSON form: Object of type set is not JSON serializable"],
        ),
    ],
)
def test_a_schema_must_fit_its_function(schema, fn, problems):
    assert schema_problems(schema, read_signature(fn)) == problems


def test_a_schema_is_json_as_the_wire_has_it():
    (problem,) = schema_problems({"type": "object", "maximum": math.inf}, read_signature(take_all))
    assert problem.startswith("the schema has no JSON form: ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values))
def test_an_open_schema_gives_every_object_back(arguments):
    assert SchemaArguments({"type": "object"}).read(json.dumps(arguments)) == arguments


@given(json_values, st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"]))
def test_a_value_fits_or_is_named(value, kind):
    refused = None
    try:
        assert one({"type": kind}).read(json.dumps({"a": value})) == {"a": value}
    except ArgumentsRefused as error:
        refused = [fault.field for fault in error.faults]
    assert refused in (None, ["a"])
