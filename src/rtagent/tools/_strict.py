"""The strict form of a schema: the part of JSON Schema in which a model can be held to what it writes.

The rules are those of OpenAI's structured outputs ("Supported schemas"): every object is closed, all of its
properties are required, what may be left out is null instead, and only some keywords exist. A keyword that
narrows a value is not lost when it has to go: it is said in the description, and checked when the call comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._json_schema import JsonSchema, is_array, is_object
from ._strict_limits import limit_problems

__all__ = ("nullable", "strict_form")

_FORMATS = {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}
_KEPT = {
    "$ref", "anyOf", "const", "description", "enum", "exclusiveMaximum", "exclusiveMinimum", "items", "maxItems",
    "maximum", "minItems", "minimum", "multipleOf", "pattern", "properties", "type",
}  # fmt: skip
_SAID = {
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "uniqueItems": "no item twice",
}
"""Keywords that strict mode does not know, and how a description says the same."""
_DROPPED = {
    "$comment", "additionalProperties", "contentEncoding", "contentMediaType", "default", "deprecated", "examples",
    "format", "readOnly", "required", "title", "writeOnly",
}  # fmt: skip
"""What can go without a word: notes, and what the strict form sets anew."""
_NULL: JsonSchema = {"type": "null"}


def strict_form(schema: JsonSchema) -> tuple[JsonSchema, list[str]]:
    """The schema as strict mode demands it, and what of it cannot be said so."""
    form = _StrictForm()
    definitions: JsonSchema = schema.get("$defs", {})
    whole = form.of({key: value for key, value in schema.items() if key != "$defs"}, "")
    if definitions:
        whole["$defs"] = {name: form.of(inner, name) for name, inner in definitions.items()}
    return whole, form.problems or limit_problems(whole)


def nullable(schema: JsonSchema) -> JsonSchema:
    """The schema, or null; its description speaks of both."""
    if _accepts_null(schema):
        return schema
    said = {"description": schema["description"]} if "description" in schema else {}
    inner = {key: value for key, value in schema.items() if key != "description"}
    choices = inner["anyOf"] if inner.keys() == {"anyOf"} else [inner]
    return {"anyOf": [*choices, _NULL], **said}


def _accepts_null(schema: JsonSchema) -> bool:
    return (
        schema.get("type") == "null"
        or None in schema.get("enum", ())
        or any(_accepts_null(choice) for choice in schema.get("anyOf", ()))
    )


@dataclass
class _StrictForm:
    """One walk over a schema; it collects what has no strict form, each with its place."""

    problems: list[str] = field(default_factory=list[str])

    def of(self, schema: Any, path: str) -> JsonSchema:
        """The strict form of a schema at a place such as ``places[].floor``."""
        if not is_object(schema) or not schema.keys() - {"description", *_DROPPED}:
            return self._refuse(path, "a value of any type has no strict schema")
        node = _simplified(schema)
        unknown = sorted(node.keys() - _KEPT - _DROPPED - _SAID.keys())
        if unknown:
            return self._refuse(path, f"strict mode does not know {', '.join(unknown)}")
        strict = {key: value for key, value in node.items() if key in _KEPT}
        if node.get("format") in _FORMATS:
            strict["format"] = node["format"]
        if "anyOf" in node:
            strict["anyOf"] = [self.of(choice, path) for choice in node["anyOf"]]
        if node.get("type") == "object":
            strict.update(self._object(node, path))
        if node.get("type") == "array":
            strict["items"] = self.of(node.get("items"), f"{path}[]")
        return _without_neighbours(_with_words(strict, node))

    def _object(self, node: JsonSchema, path: str) -> JsonSchema:
        if "properties" not in node or node.get("additionalProperties", False) is not False:
            return self._refuse(path, "an object with free keys has no strict schema")
        required = node.get("required", ())
        prefix = f"{path}." if path else ""
        properties: JsonSchema = {}
        for name, inner in node["properties"].items():
            strict = self.of(inner, f"{prefix}{name}")
            properties[name] = strict if name in required else nullable(strict)
        return {"properties": properties, "required": list(properties), "additionalProperties": False}

    def _refuse(self, path: str, problem: str) -> JsonSchema:
        self.problems.append(f"{path}: {problem}" if path else problem)
        return {}


def _simplified(schema: JsonSchema) -> JsonSchema:
    """The same in other words, where strict mode has words for it."""
    node = dict(schema)
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    if len(node.get("allOf", ())) == 1:
        node = {**node.pop("allOf")[0], **node}
    places = node.pop("prefixItems", None)
    if is_array(places):  # a fixed number of items; which of them stands where is checked when the call comes
        kinds = [kind for at, kind in enumerate(places) if kind not in places[:at]]
        node["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return node


def _with_words(strict: JsonSchema, node: JsonSchema) -> JsonSchema:
    """The schema with a description that also says what its keywords no longer can."""
    words = ", ".join(text.format(node[key]) for key, text in _SAID.items() if key in node)
    if not words:
        return strict
    said = strict.get("description")
    return {**strict, "description": f"{said} ({words})" if said else words}


def _without_neighbours(strict: JsonSchema) -> JsonSchema:
    """A reference stands alone in strict mode; what stood beside it goes around it."""
    if "$ref" not in strict or len(strict) == 1:
        return strict
    beside = {key: value for key, value in strict.items() if key != "$ref"}
    return {"anyOf": [{"$ref": strict["$ref"]}], **beside}
