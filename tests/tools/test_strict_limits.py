from __future__ import annotations

from typing import Any

import pytest

from rtagent.tools._strict_limits import limit_problems


def nested(levels: int) -> dict[str, Any]:
    """Objects within objects, every second one in a list."""
    inner: dict[str, Any] = {"type": "object", "properties": {}}
    for level in range(levels - 1):
        held = {"type": "array", "items": inner} if level % 2 else inner
        inner = {"type": "object", "properties": {"a": held}}
    return inner


def choices(count: int, chars: int) -> dict[str, Any]:
    return {"enum": [str(at).zfill(chars) for at in range(count)]}


@pytest.mark.parametrize(
    ("schema", "problems"),
    [
        ({"type": "object", "properties": {}}, []),
        ({"properties": {f"p{at}": {} for at in range(5_000)}}, []),
        (
            {"properties": {f"p{at}": {} for at in range(5_001)}},
            ["strict mode allows 5000 properties, the schema has 5001"],
        ),
        (nested(10), []),
        (nested(11), ["strict mode allows 10 levels of objects, the schema has 11"]),
        (choices(1_000, 4), []),
        (choices(1_001, 4), ["strict mode allows 1000 values of enums, the schema has 1001"]),
        ({"enum": list(range(1_001))}, ["strict mode allows 1000 values of enums, the schema has 1001"]),
        (choices(250, 100), []),
        (
            choices(251, 100),
            ["strict mode allows 15000 characters in an enum of more than 250 values, the schema has 25100"],
        ),
        ({"properties": {"x" * 60_000: {"const": "y" * 30_000}}, "$defs": {"z" * 30_000: {}}}, []),
        (
            {"properties": {"x" * 60_000: {"const": "y" * 30_000}}, "$defs": {"z" * 30_001: {}}},
            ["strict mode allows 120000 characters in names and choices, the schema has 120001"],
        ),
    ],
    ids=str,
)
def test_limits(schema, problems):
    assert limit_problems(schema) == problems


def test_a_recursive_schema_is_as_deep_as_one_round():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert limit_problems({"$defs": {"Node": node}, "$ref": "#/$defs/Node"}) == []


def test_a_definition_counts_where_it_is_used():
    schema = {"$defs": {"Deep": nested(10)}, "type": "object", "properties": {"a": {"$ref": "#/$defs/Deep"}}}
    assert limit_problems(schema) == ["strict mode allows 10 levels of objects, the schema has 11"]


def test_many_ways_to_the_same_definition_are_one():
    definitions = {
        f"D{at}": {"type": "array", "prefixItems": [{"$ref": f"#/$defs/D{at + 1}"}] * 4} for at in range(200)
    }
    definitions["D200"] = {"type": "string"}
    assert limit_problems({"$defs": definitions, "$ref": "#/$defs/D0"}) == []
