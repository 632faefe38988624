"""An OpenAPI document (3.0 or 3.1): read, its references followed, its server found."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import ConfigurationError
from ._faults import shortened
from ._json_schema import is_array, is_object

__all__ = ("OpenApiDocument",)

_INSTALL = 'pip install "rtagent[openapi]", or give the document as JSON'
_VERSION = re.compile(r"3\.[01](\.|$)")
_MOST_HOPS = 16
_DOCUMENT_BYTES = 20_000_000


class OpenApiDocument:
    """A document whose parts are found by reference.

    Raises:
        ConfigurationError: it is no OpenAPI document of version 3.0 or 3.1.
    """

    def __init__(self, root: Mapping[str, Any]) -> None:
        version = root.get("openapi")
        if not isinstance(version, str) or not _VERSION.match(version):
            named = f"version {version!r}" if version else f"swagger {root.get('swagger')!r}"
            message = f"the document is not OpenAPI 3.0 or 3.1 ({shortened(named)})"
            raise ConfigurationError(message, hint="convert older documents first")
        self._root = root
        self.version = version
        self.paths: dict[Any, Any] = root["paths"] if is_object(root.get("paths")) else {}

    @classmethod
    def load(cls, spec: Mapping[str, Any] | str | PathLike[str]) -> OpenApiDocument:
        """Read a document: as it is, as the text of JSON or YAML, or from a file.

        Raises:
            ConfigurationError: it cannot be read.
        """
        if isinstance(spec, Mapping):
            return cls(spec)
        text = spec if isinstance(spec, str) and _is_text(spec) else _text_of(Path(spec))
        parsed = _parsed(text)
        if not is_object(parsed):
            raise ConfigurationError("the OpenAPI document is no object")
        return cls(parsed)

    def follow(self, part: Any) -> dict[str, Any]:
        """A part, or what it refers to.

        Raises:
            ConfigurationError: the reference leads nowhere, out of the document, or round in circles.
        """
        for _ in range(_MOST_HOPS):
            if not is_object(part):
                raise ConfigurationError("the OpenAPI document has something else where an object should be")
            if "$ref" not in part:
                return part
            part = self.at(part["$ref"])
        raise ConfigurationError("a reference in the OpenAPI document goes round in circles")

    def at(self, reference: Any) -> Any:
        """What a reference such as ``#/components/schemas/Pet`` names.

        Raises:
            ConfigurationError: it leads nowhere, or out of the document.
        """
        if not isinstance(reference, str) or not reference.startswith("#/"):
            shown = shortened(str(reference))
            message = f"the reference {shown!r} leads out of the OpenAPI document"
            raise ConfigurationError(message, hint="bundle the document first")
        found: Any = self._root
        for step in reference[2:].split("/"):
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(key) if is_array(found) else key]
            except (LookupError, TypeError, ValueError):
                message = f"the reference {shortened(reference)!r} leads nowhere"
                raise ConfigurationError(message) from None
        return found

    def server(self) -> str:
        """The URL of the first server, with the default values of its variables.

        Raises:
            ConfigurationError: there is none, or it is no absolute URL.
        """
        servers = self._root.get("servers")
        first: Any = servers[0] if is_array(servers) and servers else {}
        url = str(first.get("url", "")) if is_object(first) else ""
        variables = first.get("variables") if is_object(first) else None
        for name, variable in (variables if is_object(variables) else {}).items():
            if is_object(variable):
                url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        if not re.match(r"https?://", url):
            message = f"the OpenAPI document names no server with an absolute URL (got {shortened(url)!r})"
            raise ConfigurationError(message, hint="give base_url=")
        return url


def _is_text(spec: str) -> bool:
    """Whether it is a document rather than the path of one: no path has several lines or begins with a brace."""
    return "\n" in spec or spec.lstrip().startswith("{")


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _DOCUMENT_BYTES:
            raise ConfigurationError(f"the OpenAPI document {path} is longer than {_DOCUMENT_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the OpenAPI document {path} cannot be read: {error}") from error


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"the OpenAPI document is no valid JSON: {error}") from error
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError as problem:
        message = "an OpenAPI document in YAML needs the package pyyaml"
        raise ConfigurationError(message, hint=_INSTALL) from problem
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"the OpenAPI document is no valid YAML: {error}") from error
