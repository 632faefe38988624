"""Arguments described by a JSON Schema that somebody else wrote, such as an MCP server.

The check covers what models get wrong (names, types, choices, nesting) and lets pass what it does not know, such
as ``$ref`` or ``format``: the function has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ._faults import ArgumentsRefused, Fault, bad_json, excerpt

__all__ = ("SchemaArguments",)

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


@dataclass(frozen=True, slots=True)
class SchemaArguments:
    """Arguments as a given JSON Schema describes them."""

    schema: dict[str, Any]

    def read(self, text: str) -> dict[str, Any]:
        try:
            arguments = json.loads(text if text.strip() else "{}")
        except (ValueError, RecursionError) as error:
            raise bad_json(text, str(error)) from error
        faults = list(_faults(arguments, {"type": "object", **self.schema}, ""))
        if faults:
            raise ArgumentsRefused.because(faults)
        return arguments


def _faults(value: Any, schema: Any, path: str) -> Iterator[Fault]:
    if not isinstance(schema, dict):  # true and false are schemas too; false is met by its owner
        return
    expected = _expected(value, schema)
    if expected is not None:
        yield Fault(path, expected, excerpt(value))
    elif isinstance(value, dict):
        yield from _object_faults(value, schema, path)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _faults(item, schema.get("items"), f"{path}[{at}]")


def _object_faults(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[Fault]:
    prefix = f"{path}." if path else ""
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(f"{prefix}{name}", "is required")
    for name, inner in value.items():
        if name not in properties and others is False:
            known = ", ".join(properties) or "none"
            yield Fault(f"{prefix}{name}", f"is not known here; the arguments are: {known}", excerpt(inner))
        else:
            yield from _faults(inner, properties.get(name, others), f"{prefix}{name}")


def _expected(value: Any, schema: dict[str, Any]) -> str | None:
    """What should have come instead of a value of the wrong kind; None when the value will do."""
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices is not None and not any(_same(value, choice) for choice in choices):
        return f"should be {' or '.join(excerpt(choice) for choice in choices)}"
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f"should be of type {' or '.join(kinds)}"
    alternatives = schema.get("anyOf")
    if alternatives and not any(next(_faults(value, inner, ""), None) is None for inner in alternatives):
        return f"should be one of the {len(alternatives)} alternatives"
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):  # an int in Python, never a number in JSON
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _PYTHON_TYPES.get(kind, object))


def _same(value: Any, choice: Any) -> bool:
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)
