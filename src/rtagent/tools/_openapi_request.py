"""From the arguments of a call to a request. What a model wrote stays inside the place it was meant for.

A value in a path cannot leave its segment: it is percent-encoded, and what some server might decode into a
separator or into ``..`` is refused, however often it was encoded. Values in a query, header or cookie cannot
add another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from ..errors import ToolError
from ._faults import excerpt
from ._json_schema import is_array, is_object
from ._openapi_operation import Parameter

__all__ = ("cookie_header", "filled_path", "header_values", "path_problem", "query_text")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_DECODED_AT_MOST = 8
_LEAVES_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f]")
_NO_HEADER_TEXT = re.compile(r"[^\x20-\x7e]")
_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


def path_problem(path: str, parameters: Collection[Parameter]) -> str | None:
    """Why a path cannot be filled; None when it can."""
    if not path.startswith("/") or re.search(r"[?#\\\s]", path):
        return f"its path {path!r} is none"
    known = {parameter.name for parameter in parameters if parameter.place == "path"}
    missing = [name for name in _PLACEHOLDER.findall(path) if name not in known]
    return f"its path has no parameter {', '.join(map(repr, missing))}" if missing else None


def filled_path(path: str, parameters: Collection[Parameter], arguments: Mapping[str, Any]) -> str:
    """The path with the values of the call in it.

    Raises:
        ToolError: a value could leave its segment.
    """
    values = {
        parameter.name: _path_value(parameter, arguments[parameter.argument])
        for parameter in parameters
        if parameter.place == "path"
    }
    return _PLACEHOLDER.sub(lambda match: values[match[1]], path)


def query_text(parameters: Collection[Parameter], arguments: Mapping[str, Any]) -> str:
    """The query, without its question mark."""
    pairs = (
        pair
        for parameter in parameters
        if parameter.place == "query" and arguments.get(parameter.argument) is not None
        for pair in _query_pairs(parameter, arguments[parameter.argument])
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def header_values(parameters: Collection[Parameter], arguments: Mapping[str, Any]) -> dict[str, str]:
    """The headers that are parameters.

    Raises:
        ToolError: a value could end its header.
    """
    headers: dict[str, str] = {}
    for parameter in parameters:
        value = arguments.get(parameter.argument)
        if parameter.place != "header" or value is None:
            continue
        text = _joined(parameter, value)
        if _NO_HEADER_TEXT.search(text):
            raise ToolError(f"{parameter.argument}: only printable ASCII characters are possible here")
        headers[parameter.name] = text.strip()
    return headers


def cookie_header(parameters: Collection[Parameter], arguments: Mapping[str, Any]) -> str | None:
    """The Cookie header, if there are cookies."""
    cookies = [
        f"{quote(parameter.name, safe='')}={quote(_joined(parameter, arguments[parameter.argument]), safe='')}"
        for parameter in parameters
        if parameter.place == "cookie" and arguments.get(parameter.argument) is not None
    ]
    return "; ".join(cookies) or None


def _path_value(parameter: Parameter, value: Any) -> str:
    text = _joined(parameter, value)
    decoded = text
    for _ in range(_DECODED_AT_MOST):
        if decoded in {"", ".", ".."} or _LEAVES_SEGMENT.search(decoded):
            what = "may not be empty, '.' or '..', nor contain a slash, backslash or control character"
            raise ToolError(f"{parameter.argument}: {what} (got {excerpt(value)})")
        further = unquote(decoded)
        if further == decoded:
            return quote(text, safe="")
        decoded = further
    raise ToolError(f"{parameter.argument}: is encoded too often (got {excerpt(value)})")


def _query_pairs(parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    """The pairs of one parameter, encoded (OpenAPI 3.1, section 4.8.12.2)."""
    name = quote(parameter.name, safe="")
    if parameter.as_json or not (is_array(value) or is_object(value)):
        yield name, quote(_text(parameter, value), safe="")
    elif is_object(value) and parameter.style == "deepObject":
        for key, inner in value.items():
            yield f"{name}{quote(f'[{key}]', safe='')}", quote(_text(parameter, inner), safe="")
    elif is_object(value) and parameter.explode:
        for key, inner in value.items():
            yield quote(str(key), safe=""), quote(_text(parameter, inner), safe="")
    elif is_array(value) and parameter.explode:
        for inner in value:
            yield name, quote(_text(parameter, inner), safe="")
    else:
        delimiter = _DELIMITERS.get(parameter.style, ",")
        yield name, delimiter.join(quote(part, safe="") for part in _parts(parameter, value))


def _joined(parameter: Parameter, value: Any) -> str:
    """The simple style: parts with commas between them."""
    if parameter.as_json or not (is_array(value) or is_object(value)):
        return _text(parameter, value)
    if is_object(value) and parameter.explode:
        return ",".join(f"{key}={_text(parameter, inner)}" for key, inner in value.items())
    return ",".join(_parts(parameter, value))


def _parts(parameter: Parameter, value: Any) -> list[str]:
    if is_object(value):
        return [part for key, inner in value.items() for part in (str(key), _text(parameter, inner))]
    return [_text(parameter, inner) for inner in value]


def _text(parameter: Parameter, value: Any) -> str:
    if isinstance(value, str) and not parameter.as_json:
        return value.encode("utf-8", "replace").decode()  # lone surrogates have no form on the wire
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
