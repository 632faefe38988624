"""Arguments described by a JSON Schema that somebody else wrote, such as an MCP server.

The check covers what models get wrong (names, types, choices, nesting) and lets pass what it does not know,
such as ``$ref`` or ``format``: the function has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any

from pydantic_core import from_json

from ._faults import MOST_EXAMINED, ArgumentsRefused, Fault, bad_json
from ._json_schema import JsonSchema, is_array, is_object
from ._refusal import path_of
from ._secrets import HIDDEN, excerpt, is_secret, secret_names
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
_Path = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class SchemaArguments:
    """Arguments as a given JSON Schema describes them."""

    schema: JsonSchema
    closed: bool = False
    """Whether the function takes only the arguments that the schema names."""

    @property
    def secrets(self) -> frozenset[str]:
        """Names whose values are secret: ``"format": "password"``."""
        return secret_names(self.schema)

    def read(self, text: str) -> dict[str, Any]:
        try:
            arguments: Any = from_json(text if text.strip() else "{}", allow_inf_nan=False)
        except ValueError as error:
            raise bad_json(text, str(error), self.secrets) from error
        except TypeError as error:  # half of a surrogate pair
            raise bad_json(text, "it is not valid Unicode", self.secrets) from error
        closing = {"additionalProperties": False} if self.closed else {}
        found = _Check(self.secrets).faults(arguments, {**self.schema, **closing}, ())
        faults = list(islice(found, MOST_EXAMINED))
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


@dataclass(frozen=True, slots=True)
class _Check:
    """Compares values with schemas; it knows which values are not to be repeated."""

    hidden: frozenset[str]

    def faults(self, value: Any, schema: Any, path: _Path) -> Iterator[Fault]:
        """What is wrong with a value, and with what is in it."""
        if not is_object(schema):  # true and false are schemas too; false is met by its owner
            return
        expected = self._expected(value, schema)
        if expected is not None:
            yield self._fault(path, expected, value)
        elif is_object(value):
            yield from self._object_faults(value, schema, path)
        elif is_array(value):
            for at, item in enumerate(value):
                yield from self.faults(item, schema.get("items"), (*path, at))

    def _object_faults(self, value: dict[str, Any], schema: JsonSchema, path: _Path) -> Iterator[Fault]:
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for name in schema.get("required", ()):
            if name not in value:
                yield Fault(path_of((*path, name)), "is required")
        for name, inner in value.items():
            if name not in properties and others is False:
                known = ", ".join(properties) or "none"
                yield self._fault((*path, name), f"is not known here; the arguments are: {known}", inner)
            else:
                yield from self.faults(inner, properties.get(name, others), (*path, name))

    def _expected(self, value: Any, schema: JsonSchema) -> str | None:
        """What should have come instead of a value of the wrong kind; None when the value will do."""
        choices = [schema["const"]] if "const" in schema else schema.get("enum")
        if choices is not None and not any(_same(value, choice) for choice in choices):
            return f"should be {' or '.join(excerpt(choice) for choice in choices)}"
        kind: str | list[str] = schema.get("type", [])
        kinds = [kind] if isinstance(kind, str) else kind
        if kinds and not any(_is(value, kind) for kind in kinds):
            return f"should be of type {' or '.join(kinds)}"
        alternatives = schema.get("anyOf")
        if alternatives and not any(
            next(self.faults(value, inner, ()), None) is None for inner in alternatives
        ):
            return f"should be one of the {len(alternatives)} alternatives"
        return None

    def _fault(self, path: _Path, reason: str, value: Any) -> Fault:
        secret = any(isinstance(step, str) and is_secret(step, self.hidden) for step in path)
        return Fault(path_of(path), reason, HIDDEN if secret else excerpt(value, self.hidden))


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):  # an int in Python, never a number in JSON
        return kind == "boolean"
    if isinstance(value, float):
        return isfinite(value) and (kind == "number" or (kind == "integer" and value.is_integer()))
    return isinstance(value, _PYTHON_TYPES.get(kind, object))


def _same(value: Any, choice: Any) -> bool:
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)
