"""The operations of an OpenAPI document, and what the model is told about their arguments."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ConfigurationError
from ._json_schema import JsonSchema, is_array, is_object
from ._mcp_names import provider_name
from ._openapi_document import OpenApiDocument
from ._openapi_schema import arguments_schema

__all__ = ("Operation", "Parameter", "Place", "chosen_operations", "operations")

Place = Literal["path", "query", "header", "cookie"]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACES: dict[str, Place] = {"path": "path", "query": "query", "header": "header", "cookie": "cookie"}
_NOT_THE_MODELS = {
    "accept",
    "content-type",
    "authorization",
    "cookie",
    "host",
    "content-length",
    "connection",
}
"""Headers that OpenAPI tells to ignore, and those that make up the request itself."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BODY = "body"
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    argument: str
    """What the model calls it."""
    name: str
    place: Place
    schema: Any = field(repr=False)
    required: bool = False
    style: str = "simple"
    explode: bool = False
    as_json: bool = False
    """Whether its value is sent as JSON text."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: a method on a path."""

    name: str
    """A name that the provider accepts."""
    method: str
    path: str
    operation_id: str | None
    description: str
    item: Mapping[str, Any] = field(repr=False)
    """The operation as the document has it."""
    shared: tuple[Any, ...] = field(default=(), repr=False)
    """The parameters of its path."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that a program may call it by."""
        own = (self.name, f"{self.method} {self.path}")
        return own if self.operation_id is None else (self.operation_id, *own)

    def parameters(self, document: OpenApiDocument, fixed: Collection[str] = ()) -> list[Parameter]:
        """Its parameters; those of the operation stand before those of its path.

        Args:
            document: where references are looked up.
            fixed: headers that the program sends itself, so that the model is not asked for them.
        """
        own = self.item.get("parameters")
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for part in (*self.shared, *(own if is_array(own) else ())):
            described = document.follow(part)
            found[str(described.get("name")), str(described.get("in"))] = described
        ignored = {*_NOT_THE_MODELS, *(name.lower() for name in fixed)}
        taken: set[str] = {_BODY}
        parameters: list[Parameter] = []
        for (name, place), described in found.items():
            known = _PLACES.get(place)
            if known is None:
                raise ConfigurationError(f"its parameter {name!r} is in no place that is known")
            if place == "header" and (name.lower() in ignored or not _HEADER_NAME.fullmatch(name)):
                continue
            argument = name if name not in taken else f"{name}_{place}"
            taken.add(argument)
            parameters.append(_parameter(argument, name, known, described))
        return parameters

    def body(self, document: OpenApiDocument) -> tuple[Any, str, bool] | None:
        """The schema of its JSON body, the content type, and whether it must be there; None without a body.

        Raises:
            ConfigurationError: its body has no JSON form.
        """
        if "requestBody" not in self.item:
            return None
        described = document.follow(self.item["requestBody"])
        content = described.get("content")
        for kind, media in (content if is_object(content) else {}).items():
            plain = str(kind).partition(";")[0].strip().lower()
            if plain == "application/json" or plain.endswith("+json"):
                schema: Any = media.get("schema", {}) if is_object(media) else {}
                return schema, plain, described.get("required") is True
        raise ConfigurationError("its body is not JSON")

    def schema(self, document: OpenApiDocument, parameters: Collection[Parameter]) -> JsonSchema:
        """The schema of its arguments: the parameters by name, the body as ``body``."""
        properties = {parameter.argument: parameter.schema for parameter in parameters}
        required = [parameter.argument for parameter in parameters if parameter.required]
        body = self.body(document)
        if body is not None:
            schema, _, needed = body
            properties[_BODY] = schema
            required += [_BODY] if needed else []
        return arguments_schema(document, properties, required)


def operations(document: OpenApiDocument, prefix: str = "") -> Iterator[Operation]:
    """All operations, in the order of the document."""
    for path, reference in document.paths.items():
        if not isinstance(path, str):  # YAML has other keys, too
            continue
        item = document.follow(reference)
        shared = item.get("parameters")
        for method in _METHODS:
            operation = item.get(method)
            if not is_object(operation):
                continue
            given = operation.get("operationId")
            own = given if isinstance(given, str) and given else None
            texts = [operation.get("summary"), operation.get("description")]
            yield Operation(
                name=provider_name(own or _name_of(method, path), prefix),
                method=method.upper(),
                path=path,
                operation_id=own,
                description="\n".join(text.strip() for text in texts if isinstance(text, str)),
                item=operation,
                shared=tuple(shared) if is_array(shared) else (),
            )


def chosen_operations(every: list[Operation], only: Collection[str] | None) -> list[Operation]:
    """The operations that are named; without names all that only read.

    Raises:
        ConfigurationError: one is not there.
    """
    if only is None:
        return [operation for operation in every if operation.method == "GET"]
    if isinstance(only, str):
        raise ConfigurationError(f'only is a list of names, such as only=["{only}"]')
    by_name = {name: operation for operation in reversed(every) for name in operation.names}
    missing = [name for name in only if name not in by_name]
    if missing:
        known = [operation.names[0] for operation in every]
        shown = ", ".join(known[:_MOST_NAMED]) + (", …" if len(known) > _MOST_NAMED else "")
        message = f"the OpenAPI document has no operation {', '.join(map(repr, missing))}"
        raise ConfigurationError(message, hint=f"its operations are: {shown or 'none'}")
    wanted = {id(by_name[name]) for name in only}
    return [operation for operation in every if id(operation) in wanted]


def _parameter(argument: str, name: str, place: Place, described: Mapping[str, Any]) -> Parameter:
    content = described.get("content")
    schema: Any = described.get("schema", {})
    if is_object(content):
        media: Any = next(iter(content.values()), None)
        schema = media.get("schema", {}) if is_object(media) else {}
    text = described.get("description")
    if is_object(schema) and isinstance(text, str) and "description" not in schema:
        schema = {**schema, "description": text}
    usual = "form" if place in {"query", "cookie"} else "simple"
    style = str(described.get("style", usual))
    return Parameter(
        argument=argument,
        name=name,
        place=place,
        schema=schema,
        required=place == "path" or described.get("required") is True,
        style=style,
        explode=bool(described.get("explode", style in {"form", "deepObject"})),
        as_json=is_object(content),
    )


def _name_of(method: str, path: str) -> str:
    return "_".join([method, *re.findall(r"[a-zA-Z0-9]+", path)])
