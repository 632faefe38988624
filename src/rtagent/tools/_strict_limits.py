"""How large a schema may be in strict mode.

The figures are those of OpenAI's structured outputs, as documented in 2026. A larger schema would be refused
by the server, with the whole configuration of the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ._json_schema import DEFINITION, JsonSchema, inner_schemas

__all__ = ("limit_problems",)

_PROPERTIES = 5_000
"""Properties of all objects together."""
_LEVELS = 10
"""Objects within objects, the arguments themselves included."""
_NAME_CHARS = 120_000
"""Characters in all names of properties and definitions and all choices together."""
_CHOICES = 1_000
"""Values of all enums together."""
_LONG_ENUM = 250
_LONG_ENUM_CHARS = 15_000
"""Characters that the values of an enum of more than 250 may have together."""


def limit_problems(schema: JsonSchema) -> list[str]:
    """What of a strict schema is too large, with its size and the limit."""
    nodes = list(_nodes(schema))
    names = [name for node in nodes for name in node.get("properties", ())]
    choices = [choice for node in nodes for choice in node.get("enum", ())]
    constants = [node["const"] for node in nodes if "const" in node]
    sizes = {
        "properties": (len(names), _PROPERTIES),
        "levels of objects": (_depth(schema, schema.get("$defs", {}), {}), _LEVELS),
        "values of enums": (len(choices), _CHOICES),
        "characters in names and choices": (
            _chars([*names, *schema.get("$defs", ()), *choices, *constants]),
            _NAME_CHARS,
        ),
        f"characters in an enum of more than {_LONG_ENUM} values": (
            max(
                (_chars(node["enum"]) for node in nodes if len(node.get("enum", ())) > _LONG_ENUM), default=0
            ),
            _LONG_ENUM_CHARS,
        ),
    }
    return [
        f"strict mode allows {limit} {what}, the schema has {size}"
        for what, (size, limit) in sizes.items()
        if size > limit
    ]


def _nodes(schema: JsonSchema) -> Iterator[JsonSchema]:
    yield schema
    for inner in inner_schemas(schema):
        yield from _nodes(inner)


def _depth(node: JsonSchema, definitions: JsonSchema, known: dict[str, int]) -> int:
    """Objects on the longest way down; a definition within itself is not entered again."""
    if "$ref" in node:
        name = node["$ref"].removeprefix(DEFINITION)
        if name not in known:
            known[name] = 0
            known[name] = _depth(definitions[name], definitions, known)
        return known[name]
    inside = (_depth(inner, definitions, known) for inner in inner_schemas({**node, "$defs": {}}))
    return int(node.get("type") == "object") + max(inside, default=0)


def _chars(values: list[Any]) -> int:
    return sum(len(value) for value in values if isinstance(value, str))
