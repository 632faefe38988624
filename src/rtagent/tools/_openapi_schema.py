"""Schemas of an OpenAPI document as the JSON Schema of a tool's arguments.

References become ``$defs``, those used once are put in place, recursion stays. What OpenAPI 3.0 says in its
own words (``nullable``, exclusive bounds as flags) is said in those of JSON Schema. What tells a model nothing
(examples, XML, vendor extensions) is dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigurationError
from ._json_schema import JsonSchema, is_array, is_object, tidy
from ._openapi_document import OpenApiDocument

__all__ = ("arguments_schema",)

_KEPT = frozenset(
    "type enum const default description format pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
    " minLength maxLength minItems maxItems uniqueItems minProperties maxProperties required".split()
)
_SCHEMAS = ("additionalProperties", "items", "not")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
_DEFS = "#/$defs/"
_MOST_DEFINITIONS = 300
_SCHEMA_CHARS = 200_000
_MOST_LEVELS = 64


def arguments_schema(
    document: OpenApiDocument, properties: Mapping[str, Any], required: list[str]
) -> JsonSchema:
    """One schema of an object, made of the schemas of its properties.

    Raises:
        ConfigurationError: a reference leads nowhere, or the schema is too large for a model.
    """
    conversion = _Conversion(document)
    described = {name: conversion.convert(schema) for name, schema in properties.items()}
    whole: JsonSchema = {"type": "object", "properties": described, "additionalProperties": False}
    if required:
        whole["required"] = required
    if conversion.definitions:
        whole["$defs"] = conversion.definitions
    tidied = tidy(whole)
    if len(json.dumps(tidied, default=str)) > _SCHEMA_CHARS:
        raise ConfigurationError(f"its schema is longer than {_SCHEMA_CHARS} characters")
    return tidied


class _Conversion:
    """Converts schemas, and gathers what they refer to."""

    def __init__(self, document: OpenApiDocument) -> None:
        self._document = document
        self._names: dict[str, str] = {}
        self.definitions: dict[str, Any] = {}

    def convert(self, schema: Any, level: int = 0) -> Any:
        if isinstance(schema, bool):
            return schema
        if not is_object(schema):
            raise ConfigurationError("it has something else where a schema should be")
        if level > _MOST_LEVELS:
            raise ConfigurationError(f"its schema is nested more than {_MOST_LEVELS} levels deep")
        kept: JsonSchema = {
            key: value for key, value in schema.items() if key in _KEPT and _is_fit(key, value)
        }
        if "$ref" in schema:
            kept["$ref"] = _DEFS + self._defined(schema["$ref"], level)
        if is_object(schema.get("properties")):
            kept["properties"] = self._properties(schema["properties"], level)
        _keep_required(kept)
        for key in _SCHEMAS:
            if key in schema:
                kept[key] = self.convert(schema[key], level + 1)
        for key in _LISTS:
            if is_array(schema.get(key)):
                kept[key] = [self.convert(inner, level + 1) for inner in schema[key]]
        return _modern(kept, nullable=schema.get("nullable") is True)

    def _properties(self, properties: dict[str, Any], level: int) -> JsonSchema:
        """What a request may hold: all but what only the server writes."""
        return {
            name: self.convert(inner, level + 1)
            for name, inner in properties.items()
            if not (is_object(inner) and inner.get("readOnly") is True)
        }

    def _defined(self, reference: Any, level: int) -> str:
        """The name of a definition, which is converted when it is met first."""
        if isinstance(reference, str) and reference in self._names:
            return self._names[reference]
        found = self._document.at(reference)
        if len(self._names) >= _MOST_DEFINITIONS:
            raise ConfigurationError(f"its schema refers to more than {_MOST_DEFINITIONS} others")
        wanted = re.sub(r"[^a-zA-Z0-9_-]+", "_", reference.rpartition("/")[2]) or "schema"
        taken = set(self._names.values())
        name = next(
            one for n in range(len(taken) + 1) if (one := f"{wanted}_{n}" if n else wanted) not in taken
        )
        self._names[reference] = name  # before it is converted: it may refer to itself
        definition: Any = self.convert(found, level + 1)
        if isinstance(definition, bool):  # it may be put in place, so it is said as an object
            definition = {} if definition else {"not": {}}
        self.definitions[name] = definition
        return name


def _is_fit(key: str, value: Any) -> bool:
    """Whether a keyword has a value that can be checked against; a slip in a document drops the keyword."""
    match key:
        case "type":
            return isinstance(value, str) or (
                is_array(value) and all(isinstance(kind, str) for kind in value)
            )
        case "enum":
            return is_array(value)
        case _:
            return True


def _keep_required(schema: JsonSchema) -> None:
    """Require only what is there: a property that only the server writes was dropped."""
    named = schema.pop("required", None)
    known = schema.get("properties", {})
    if is_array(named) and (required := [name for name in named if isinstance(name, str) and name in known]):
        schema["required"] = required


def _modern(schema: JsonSchema, *, nullable: bool) -> JsonSchema:
    """The words of OpenAPI 3.0 in those of JSON Schema 2020-12."""
    for exclusive, bound in _BOUNDS:
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and bound in schema:
                schema[exclusive] = schema.pop(bound)
    if not nullable:
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]}
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [kind, "null"]}
