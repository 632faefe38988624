"""What must not be repeated: not to the model, not in a log, not in a question to a person.

A value is secret by its name (``password``, ``api_key``) or by its type (pydantic's ``SecretStr``, which a
schema tells by ``"format": "password"``). A value with a secret inside is shown without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

from pydantic_core import from_json, to_jsonable_python

from ._json_schema import DEFINITION, JsonSchema, inner_schemas, is_array, is_object

__all__ = (
    "HIDDEN",
    "excerpt",
    "is_secret",
    "mentions_secret",
    "secret_names",
    "shortened",
    "shown_arguments",
)

HIDDEN = "<hidden>"
"""Stands where a secret was."""

_ECHO_CHARS = 80
"""How much of an argument is repeated in an answer or a log: enough to recognise it, too little to leak."""
_SHOWN_CHARS = 1_000
"""How much of all arguments together a person is shown."""
_SHOWN_ITEMS = 20
_SHOWN_LEVELS = 4
_LONGEST_INTEGER_BITS = 256

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    "apikey auth authorization bearer credential credentials cvc cvv otp passcode passphrase passwd password "
    "passwords pin pwd secret secrets token totp".split()
)
_SECRET_PAIRS = frozenset(
    {
        ("access", "key"),
        ("api", "key"),
        ("private", "key"),
        ("secret", "key"),
        ("session", "key"),
        ("pass", "word"),
    }
)


def is_secret(name: str, hidden: Collection[str] = ()) -> bool:
    """Whether a value of that name is to be hidden: by its own words, or because its type says so."""
    if name in hidden:
        return True
    words = [word.lower() for word in _WORDS.findall(name[:_ECHO_CHARS])]
    return not _SECRET_WORDS.isdisjoint(words) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


def mentions_secret(text: str, hidden: Collection[str] = ()) -> bool:
    """Whether any quoted or bare word of a text, such as broken JSON, is the name of a secret."""
    return any(is_secret(word, hidden) for word in re.findall(r"[\w-]+", text))


def secret_names(schema: JsonSchema) -> frozenset[str]:
    """The properties, anywhere in a schema, whose values are secret by their type."""
    definitions: JsonSchema = schema.get("$defs", {})

    def holds(node: JsonSchema, within: tuple[str, ...]) -> bool:
        """Whether a value is secret, or a list, a choice or a dictionary of such values."""
        reference = node.get("$ref")
        if reference is not None:
            name = reference.removeprefix(DEFINITION)
            return name not in within and holds(definitions.get(name, {}), (*within, name))
        below = {key: value for key, value in node.items() if key not in {"properties", "$defs"}}
        return node.get("format") == "password" or any(holds(inner, within) for inner in inner_schemas(below))

    return frozenset(
        name
        for node in _every_node(schema)
        for name, inner in node.get("properties", {}).items()
        if is_object(inner) and holds(inner, ())
    )


def excerpt(value: Any, hidden: Collection[str] = ()) -> str:
    """The head of a value as compact JSON, without its secrets."""
    return _as_json(value, hidden, _ECHO_CHARS)


def shown_arguments(arguments: str | Mapping[str, Any], hidden: Collection[str] = ()) -> str:
    """The arguments of a call as a person may read them, in a log or a question: bounded, without secrets.

    Args:
        arguments: as the model wrote them, or as the function gets them.
        hidden: names that are secret by their type, such as ``tool.arguments.secrets``.
    """
    if not isinstance(arguments, str):
        return _as_json(dict(arguments), hidden, _SHOWN_CHARS)
    try:
        return _as_json(from_json(arguments), hidden, _SHOWN_CHARS)
    except (ValueError, TypeError):  # no JSON: a secret cannot be told from what stands beside it
        return HIDDEN if mentions_secret(arguments, hidden) else shortened(arguments, _SHOWN_CHARS)


def shortened(text: str, limit: int = _ECHO_CHARS) -> str:
    """The text, cut to so many characters, and such as can be written anywhere."""
    kept = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode()


def _as_json(value: Any, hidden: Collection[str], limit: int) -> str:
    head = _head(value, hidden, limit, _SHOWN_LEVELS)
    return shortened(json.dumps(head, ensure_ascii=False, separators=(",", ":")), limit)


def _head(value: Any, hidden: Collection[str], limit: int, levels: int) -> Any:
    """As much of a value as can be seen: writing all of a large one, to show its head, would take long."""
    if isinstance(value, str):
        return value[:limit]
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER_BITS:
        return f"an integer of {value.bit_length()} bits"
    if is_array(value):
        return [_head(item, hidden, limit, levels - 1) for item in value[:_SHOWN_ITEMS]] if levels else "…"
    if is_object(value):
        first = islice(value.items(), _SHOWN_ITEMS) if levels else ()
        return {
            name[:limit]: HIDDEN if is_secret(name, hidden) else _head(inner, hidden, limit, levels - 1)
            for name, inner in first
        }
    if value is None or isinstance(value, int | float):
        return value
    return _head(_as_plain_data(value), hidden, limit, levels)


def _as_plain_data(value: Any) -> Any:
    """A model, a date, a tuple and the like as JSON has them."""
    try:
        return to_jsonable_python(value, fallback=str)
    except ValueError:
        return str(value)


def _every_node(schema: JsonSchema) -> Iterator[JsonSchema]:
    yield schema
    for inner in inner_schemas(schema):
        yield from _every_node(inner)
