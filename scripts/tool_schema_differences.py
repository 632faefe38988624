"""Where two schemas of one function differ, keyword by keyword, and what each difference means.

Both schemas are compared with their definitions put in place, so that where a definition stands is one
difference and not many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ("CLASSES", "Class", "Difference", "Told", "classes_of", "differences")

ABSENT: Any = "(absent)"
_NULL = {"type": "null"}
_MOST_LEVELS = 6
"""A recursive definition is put in place so often."""


@dataclass(frozen=True)
class Told:
    """What a library makes of a function: a schema and a description, or an error."""

    schema: Mapping[str, Any] | None = None
    description: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Difference:
    """One keyword that is not the same."""

    path: str
    keyword: str
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class Class:
    """A kind of difference, with its reason in words."""

    name: str
    text: str
    includes: Callable[[Difference], bool]


def differences(ours: Told, theirs: Told) -> Iterator[Difference]:
    """Every difference between what we tell a model and what they do."""
    if ours.schema is None or theirs.schema is None:
        if (ours.schema is None) != (theirs.schema is None):
            yield Difference("", "error", ours.error or ABSENT, theirs.error or ABSENT)
        return
    if (ours.description or "") != (theirs.description or ""):
        yield Difference("", "tool description", ours.description, theirs.description)
    defined, apart = (sorted(schema.get("$defs", {})) for schema in (ours.schema, theirs.schema))
    if defined != apart:
        yield Difference("", "$defs", defined, apart)
    mine, other = _in_place(ours.schema), _in_place(theirs.schema)
    only = _only_structure(mine)
    if only is not None and mine["properties"].keys().isdisjoint(other["properties"]):
        yield Difference("", "only parameter", ABSENT, ABSENT)
        mine = only
    yield from _compared("", mine, other)


def classes_of(found: Iterator[Difference]) -> tuple[list[Class], list[Difference]]:
    """The classes of some differences in the order of `CLASSES`, and the differences that no class explains."""
    every = list(found)
    unexplained = [one for one in every if not any(kind.includes(one) for kind in CLASSES)]
    named = [next((kind for kind in CLASSES if kind.includes(one)), None) for one in every]
    return [kind for kind in CLASSES if kind in named], unexplained


def _in_place(schema: Mapping[str, Any]) -> dict[str, Any]:
    definitions: Mapping[str, Any] = schema.get("$defs", {})

    def put(node: Any, level: int) -> Any:
        if isinstance(node, list):
            return [put(inner, level) for inner in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            if level == _MOST_LEVELS:
                return {}
            beside = {key: value for key, value in node.items() if key != "$ref"}
            return put({**definitions[node["$ref"].removeprefix("#/$defs/")], **beside}, level + 1)
        if node.keys() <= {"anyOf", "description"} and len(node.get("anyOf", ())) == 1:
            return put({**node["anyOf"][0], **{k: v for k, v in node.items() if k != "anyOf"}}, level)
        return {key: put(inner, level) for key, inner in node.items()}

    placed: dict[str, Any] = put({key: value for key, value in schema.items() if key != "$defs"}, 0)
    return placed


def _only_structure(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of the only parameter, if it is an object."""
    parameters: list[dict[str, Any]] = list(schema["properties"].values())
    return parameters[0] if len(parameters) == 1 and "properties" in parameters[0] else None


def _compared(path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        if ours != theirs:
            yield Difference(path, "schema", ours, theirs)
        return
    if (
        _NULL in ours.get("anyOf", ())
        and _NULL not in theirs.get("anyOf", ())
        and theirs.get("type") != "null"
    ):
        yield Difference(path, "null", True, False)
        ours = _without_null(ours)
    if ours.get("type") != theirs.get("type"):
        yield Difference(path, "type", ours, theirs)
        return
    for key in sorted(ours.keys() | theirs.keys()):
        yield from _keyword(path, key, ours.get(key, ABSENT), theirs.get(key, ABSENT))


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in schema["anyOf"] if choice != _NULL]
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **beside} if len(choices) == 1 else {**beside, "anyOf": choices}


def _keyword(path: str, key: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    if ours == theirs:
        return
    if key == "properties" and ABSENT not in (ours, theirs):
        for name in sorted(ours.keys() | theirs.keys()):
            mine, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
            if ABSENT in (mine, other):
                yield Difference(f"{path}.{name}", "property", mine, other)
            else:
                yield from _compared(f"{path}.{name}", mine, other)
    elif key in {"items", "additionalProperties"} and isinstance(ours, dict) and isinstance(theirs, dict):
        yield from _compared(f"{path}[]", ours, theirs)
    elif key in {"anyOf", "oneOf", "prefixItems"} and _are_alike(ours, theirs):
        for at, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _compared(f"{path}|{at}", mine, other)
    elif key != "required" or ABSENT in (ours, theirs) or sorted(ours) != sorted(theirs):
        yield Difference(path, key, ours, theirs)


def _are_alike(ours: Any, theirs: Any) -> bool:
    return isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs)


def _words(text: Any) -> list[str]:
    return str(text).split()


_NOT_STRICT = {"default", "description", "examples", "format", "maxLength", "minLength", "uniqueItems"}
CLASSES: Sequence[Class] = (
    Class(
        "they refuse",
        "They raise an error where this library makes a tool: a partial or a callable object has no `__name__`, or "
        "`**kwargs` are not described.",
        lambda d: d.keyword == "error" and d.ours is ABSENT,
    ),
    Class(
        "we refuse",
        "They make a tool of what cannot be called or held to: `*args` offered as an argument by name, or, in strict "
        "mode, a value of any type, to which no model can be held.",
        lambda d: d.keyword == "error" and d.theirs is ABSENT,
    ),
    Class(
        "unwrapped",
        "An only parameter that is an object becomes the arguments themselves: the model does not read the "
        "parameter's name, and the schema changes its shape when a second parameter comes.",
        lambda d: d.keyword == "only parameter",
    ),
    Class(
        "bound offered",
        "An argument that a `functools.partial` has filled is offered to the model all the same.",
        lambda d: d.keyword == "property" and d.ours is ABSENT,
    ),
    Class(
        "open inside",
        "They say nothing of further keys of a dataclass or a typed dictionary; ours is closed, and the call is "
        "checked by that.",
        lambda d: d.keyword == "additionalProperties" and d.ours is False and d.theirs is ABSENT,
    ),
    Class(
        "by position",
        "A named tuple is an array without names, and in strict mode a tuple keeps `prefixItems`, which strict mode "
        "does not know; ours is an object with names, and an array of what may stand in it.",
        lambda d: (
            (d.keyword == "type" and "prefixItems" in d.theirs) or d.keyword in {"items", "prefixItems"}
        ),
    ),
    Class(
        "no null",
        "In strict mode everything is required, and nothing says how to leave out what has a default; ours may be "
        "null, which stands for the default.",
        lambda d: d.keyword == "null" and d.ours is True,
    ),
    Class(
        "lost description",
        'They do not read `Annotated[str, "the text"]` as a description.',
        lambda d: (
            d.keyword == "description"
            and d.theirs is ABSENT
            and "length at" not in d.ours
            and "no item" not in d.ours
        ),
    ),
    Class(
        "other description",
        "An object with a `__call__` is described by its class instead of by what runs.",
        lambda d: d.keyword == "tool description" and "<summary>" not in d.theirs,
    ),
    Class(
        "markup",
        "They put the description and what is returned into XML elements.",
        lambda d: d.keyword == "tool description",
    ),
    Class(
        "line breaks",
        "They keep the line breaks of the source file in the description of a parameter.",
        lambda d: d.keyword == "description" and _words(d.ours) == _words(d.theirs),
    ),
    Class(
        "not strict",
        "In strict mode they keep keywords that it does not know (`default`, `examples`, `format`, `minLength`, "
        "`maxLength`, `uniqueItems`); ours says the limits in the description and drops the rest.",
        lambda d: d.keyword in _NOT_STRICT,
    ),
    Class(
        "definitions",
        "They keep a type apart in `$defs` though it is used once; ours stands where it is used.",
        lambda d: d.keyword == "$defs",
    ),
    Class(
        "notes",
        "They keep what tells a model nothing new: `title`, `discriminator`, `writeOnly`.",
        lambda d: d.keyword in {"title", "discriminator", "writeOnly"},
    ),
)
"""In the order in which they matter; a difference belongs to the first that includes it."""
