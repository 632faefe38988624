"""From what pydantic finds wrong to faults that a model can repair: where, what was expected, what came.

The members of a union each complain for themselves, at a place that carries the member's name. Here a place is
a way through the value that came, and what is said about one place is said once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from ._faults import MOST_EXAMINED, ArgumentsRefused, Fault, bad_json
from ._json_schema import is_array, is_object
from ._secrets import HIDDEN, excerpt, is_secret, shortened

__all__ = ("path_of", "refusal_of", "without_nulls")

_PLAIN_NAME = re.compile(r"[\w-]+")
_NAME_CHARS = 60
_PREFIXES = ("Input ", "Value error, ", "Assertion failed, ")
_AUTHORS = {"assertion_error", "value_error"}
"""Errors whose text the author of a validator wrote; it may repeat the value."""

Path = tuple[int | str, ...]


def refusal_of(
    text: str, error: ValidationError, known: Collection[str], hidden: Collection[str]
) -> ArgumentsRefused:
    """The refusal of a call.

    Args:
        text: what the model wrote.
        error: what pydantic said to it.
        known: the names of the arguments.
        hidden: the names of values that are secret by their type.
    """
    details = error.errors(include_url=False)
    first = details[0]
    if first["type"] == "json_invalid":
        return bad_json(text, first["msg"].removeprefix("Invalid JSON: "), hidden)
    if first["type"] == "string_unicode":
        at = next(at for at, letter in enumerate(text) if "\ud800" <= letter <= "\udfff")
        return bad_json(text, f"half of a surrogate pair at character {at + 1}", hidden)
    data = from_json(text)
    found: dict[Path, list[Fault]] = {}
    for detail in details[:MOST_EXAMINED]:
        path, fault = _fault(detail, data, known, hidden)
        found.setdefault(path, []).append(fault)
    return ArgumentsRefused.because([_joined(faults) for faults in found.values()])


def without_nulls(text: str, error: ValidationError) -> str | None:
    """The arguments less every null that was refused; None if there is none.

    In strict mode null is how a model leaves out what may be left out.
    """
    data = from_json(text)
    nulls = {
        _place(detail["loc"], data, "")
        for detail in error.errors(include_url=False)
        if detail["input"] is None and detail["loc"]
    }
    for path in nulls:
        holder = data
        for step in path[:-1]:
            holder = holder[step]
        if is_object(holder):
            holder.pop(str(path[-1]), None)
    return to_json(data).decode() if nulls else None


def path_of(steps: Sequence[int | str]) -> str:
    """The way to a value as text, such as ``rooms[2].name``; names with odd characters are quoted."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _PLAIN_NAME.fullmatch(step):
            path += f".{step}" if path else step
        else:
            path += f"[{json.dumps(shortened(step, _NAME_CHARS), ensure_ascii=False)}]"
    return path


def _fault(
    detail: ErrorDetails, data: Any, known: Collection[str], hidden: Collection[str]
) -> tuple[Path, Fault]:
    path = _place(detail["loc"], data, detail["type"])
    reason = detail["msg"].partition("\n")[0]
    for prefix in _PREFIXES:
        reason = reason.removeprefix(prefix)
    given: Any = detail["input"]
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing" | "union_tag_not_found":
            path = _whole(path, context)
            return path, Fault(path_of(path), "is required")
        case "union_tag_invalid":
            path, given = _whole(path, context), context["tag"]
            reason = f"should be one of {context['expected_tags']}"
        case "extra_forbidden":
            reason = "is not known here"
            if len(path) == 1:
                reason = f"{reason}; the arguments are: {', '.join(known) or 'none'}"
        case _:
            if detail["loc"][-1:] == ("[key]",):
                reason = f"the key {reason}"
    secret = any(isinstance(step, str) and is_secret(step, hidden) for step in path)
    if secret and detail["type"] in _AUTHORS:
        reason = "is not accepted"
    return path, Fault(path_of(path), reason, HIDDEN if secret else excerpt(given, hidden))


def _place(location: Path, data: Any, kind: str) -> Path:
    """The steps of a location that lead through the value that came; the others name members of a union."""
    path: list[int | str] = []
    for at, step in enumerate(location):
        if (is_object(data) and step in data) or (
            is_array(data) and isinstance(step, int) and step < len(data)
        ):
            data = data[step]  # type: ignore[index]  # one of the two, as just asked
            path.append(step)
        elif kind == "missing" and at == len(location) - 1:
            path.append(step)
    return tuple(path)


def _whole(path: Path, context: Mapping[str, Any]) -> Path:
    """The path of the property that tells the members of a union apart, if that is what is missing or wrong."""
    name = context.get("discriminator")
    return path if name is None else (*path, str(name).strip("'"))


def _joined(faults: Sequence[Fault]) -> Fault:
    """What several members of a union say about one place."""
    reasons = list(dict.fromkeys(fault.reason for fault in faults))
    return Fault(faults[0].field, ", or ".join(reasons), faults[0].got)
