"""JSON Schemas made fit for a model: nothing that only costs tokens, and the closed form of strict mode.

Only the parts that hold schemas are walked (JSON Schema 2020-12, core, section 10), so a property that happens to
be called ``title``, or a default that looks like a schema, is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ("strict_form", "tidy")

JsonSchema = dict[str, Any]

_NAMED_SCHEMAS = {"$defs", "properties", "patternProperties"}
_SCHEMAS = {"additionalProperties", "allOf", "anyOf", "items", "not", "oneOf", "prefixItems", "propertyNames"}
_NOISE = {"title", "discriminator"}
"""``title`` repeats the name; ``discriminator`` is OpenAPI, and the ``const`` of each variant says the same."""
_REFERENCE = "#/$defs/"


def tidy(schema: JsonSchema) -> JsonSchema:
    """Drop titles, and put each definition that is used once where it is used.

    A definition of a recursive type is referenced from within itself and from outside, so at least twice: what
    is referenced once can be put in place without end.
    """
    definitions: JsonSchema = schema.get("$defs", {})
    uses = Counter(_references(schema))

    def clean(node: JsonSchema) -> JsonSchema:
        name = str(node.get("$ref", "")).removeprefix(_REFERENCE)
        if uses[name] == 1:
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return clean({**definitions[name], **beside})
        return _descend({key: value for key, value in node.items() if key not in _NOISE}, clean)

    cleaned = clean({key: value for key, value in schema.items() if key != "$defs"})
    shared = {name: clean(definitions[name]) for name in sorted(definitions) if uses[name] > 1}
    return {**cleaned, "$defs": shared} if shared else cleaned


def strict_form(schema: JsonSchema) -> tuple[JsonSchema, list[str]]:
    """The schema as strict mode demands it, and what of it cannot be said so.

    Every object is closed and all of its properties are required, ``oneOf`` is ``anyOf``, nothing has a default.
    """
    problems: list[str] = []

    def close(node: JsonSchema) -> JsonSchema:
        kept = {"anyOf" if key == "oneOf" else key: value for key, value in node.items() if key != "default"}
        if not kept.keys() - {"description"}:
            problems.append("a value of any type has no strict schema")
        elif kept.get("type") == "object":
            if "properties" not in kept or kept.get("additionalProperties", False) is not False:
                problems.append("an object with free keys has no strict schema")
            kept["required"] = list(kept.get("properties", {}))
            kept["additionalProperties"] = False
        return _descend(kept, close)

    return close(schema), list(dict.fromkeys(problems))


def _references(node: JsonSchema) -> Iterator[str]:
    if "$ref" in node:
        yield node["$ref"].removeprefix(_REFERENCE)
    for key, value in node.items():
        if key in _NAMED_SCHEMAS or key in _SCHEMAS:
            for inner in _inner_schemas(key, value):
                yield from _references(inner)


def _inner_schemas(key: str, value: Any) -> list[JsonSchema]:
    """The schemas that a keyword holds: by name, in a list, or one."""
    candidates = value.values() if key in _NAMED_SCHEMAS else value if isinstance(value, list) else [value]
    return [candidate for candidate in candidates if isinstance(candidate, dict)]


def _descend(node: JsonSchema, step: Callable[[JsonSchema], JsonSchema]) -> JsonSchema:
    """A copy of a schema whose direct inner schemas went through a step."""
    return {key: _stepped(key, value, step) for key, value in node.items()}


def _stepped(key: str, value: Any, step: Callable[[JsonSchema], JsonSchema]) -> Any:
    if key in _NAMED_SCHEMAS:
        return {name: step(inner) if isinstance(inner, dict) else inner for name, inner in value.items()}
    if key in _SCHEMAS and isinstance(value, dict):
        return step(value)
    if key in _SCHEMAS and isinstance(value, list):
        return [step(inner) if isinstance(inner, dict) else inner for inner in value]
    return value
