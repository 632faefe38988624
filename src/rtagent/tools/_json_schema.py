"""JSON Schemas made fit for a model: nothing that only costs tokens.

Only the parts that hold schemas are walked (JSON Schema 2020-12, core, section 10), so a property that is
called ``title``, or a default that looks like a schema, is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

__all__ = ("DEFINITION", "JsonSchema", "inner_schemas", "is_array", "is_object", "tidy")

JsonSchema = dict[str, Any]

_NAMED_SCHEMAS = {"$defs", "properties", "patternProperties"}
_SCHEMAS = {"additionalProperties", "allOf", "anyOf", "items", "not", "oneOf", "prefixItems", "propertyNames"}
_NOISE = {"discriminator", "title", "writeOnly"}
"""``title`` repeats the name; ``discriminator`` is OpenAPI's, and each variant's ``const`` says the same;
``writeOnly`` is for programs that read what they wrote."""
DEFINITION = "#/$defs/"
"""What a reference begins with."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def tidy(schema: JsonSchema) -> JsonSchema:
    """Drop titles, and put each definition that is used once where it is used.

    Putting in place comes to an end: the definition of a recursive type is referenced from within itself and
    from outside, so at least twice.
    """
    definitions: JsonSchema = schema.get("$defs", {})
    uses = Counter(_references(schema))

    def clean(node: JsonSchema) -> JsonSchema:
        name = str(node.get("$ref", "")).removeprefix(DEFINITION)
        if uses[name] == 1:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return clean({**definitions[name], **beside})
        return _descend({key: value for key, value in node.items() if key not in _NOISE}, clean)

    cleaned = clean({key: value for key, value in schema.items() if key != "$defs"})
    shared = {name: clean(definitions[name]) for name in sorted(definitions) if uses[name] > 1}
    return {**cleaned, "$defs": shared} if shared else cleaned


def _references(node: JsonSchema) -> Iterator[str]:
    if "$ref" in node:
        yield node["$ref"].removeprefix(DEFINITION)
    for inner in inner_schemas(node):
        yield from _references(inner)


def inner_schemas(node: JsonSchema) -> Iterator[JsonSchema]:
    """The schemas directly inside a schema: by name, in a list, or one."""
    for key, value in node.items():
        if key in _NAMED_SCHEMAS:
            held = list(value.values())
        elif key in _SCHEMAS:
            held = value if is_array(value) else [value]
        else:
            continue
        yield from filter(is_object, held)


def _descend(node: JsonSchema, step: Callable[[JsonSchema], JsonSchema]) -> JsonSchema:
    """A copy of a schema whose direct inner schemas went through a step."""
    return {key: _stepped(key, value, step) for key, value in node.items()}


def _stepped(key: str, value: Any, step: Callable[[JsonSchema], JsonSchema]) -> Any:
    if key in _NAMED_SCHEMAS:
        return {name: step(inner) if is_object(inner) else inner for name, inner in value.items()}
    if key in _SCHEMAS and is_object(value):
        return step(value)
    if key in _SCHEMAS and is_array(value):
        return [step(inner) if is_object(inner) else inner for inner in value]
    return value
