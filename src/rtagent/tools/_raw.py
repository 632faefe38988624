"""Arguments described by a JSON Schema that somebody else wrote, such as an MCP server.

The check covers what models get wrong (names, types, choices, nesting) and lets pass what it does not know,
such as ``$ref`` or ``format``: the function has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ._faults import ArgumentsRefused, Fault, bad_json, excerpt
from ._json_schema import JsonSchema, is_array, is_object
from ._signature import ABSENT, Signature

__all__ = ("SchemaArguments", "schema_problems")

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

    schema: JsonSchema
    closed: bool = False
    """Whether the function takes only the arguments that the schema names."""

    def read(self, text: str) -> dict[str, Any]:
        try:
            arguments: Any = json.loads(text if text.strip() else "{}")
        except (ValueError, RecursionError) as error:
            raise bad_json(text, str(error)) from error
        closing = {"additionalProperties": False} if self.closed else {}
        faults = list(_faults(arguments, {**self.schema, **closing}, ""))
        if faults:
            raise ArgumentsRefused.because(faults)
        return dict(arguments)


def schema_problems(schema: JsonSchema, signature: Signature) -> list[str]:
    """What keeps a function from being called with what a schema describes."""
    problems: list[str] = []
    if schema.get("type") != "object":
        problems.append('the schema of the arguments must have "type": "object"')
    try:
        json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError) as error:
        problems.append(f"the schema has no JSON form: {error}")
    names = {parameter.name for parameter in signature.parameters}
    if signature.extra is ABSENT:
        strangers = [name for name in schema.get("properties", {}) if name not in names]
        problems += [f"the function has no parameter for {name!r} of the schema" for name in strangers]
    required = schema.get("required", ())
    problems += [
        f"parameter {parameter.name!r} has no default, but the schema does not require it"
        for parameter in signature.parameters
        if parameter.default is ABSENT and parameter.name not in required
    ]
    return problems


def _faults(value: Any, schema: Any, path: str) -> Iterator[Fault]:
    if not is_object(schema):  # true and false are schemas too; false is met by its owner
        return
    expected = _expected(value, schema)
    if expected is not None:
        yield Fault(path, expected, excerpt(value))
    elif is_object(value):
        yield from _object_faults(value, schema, path)
    elif is_array(value):
        for at, item in enumerate(value):
            yield from _faults(item, schema.get("items"), f"{path}[{at}]")


def _object_faults(value: dict[str, Any], schema: JsonSchema, path: str) -> Iterator[Fault]:
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


def _expected(value: Any, schema: JsonSchema) -> str | None:
    """What should have come instead of a value of the wrong kind; None when the value will do."""
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices is not None and not any(_same(value, choice) for choice in choices):
        return f"should be {' or '.join(excerpt(choice) for choice in choices)}"
    kind: str | list[str] = schema.get("type", [])
    kinds = [kind] if isinstance(kind, str) else kind
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
