"""Where a key comes from: the constructor, then a ``.openai`` file, then the environment.

The file is JSON (``{"api_key": …, "organization": …, "project": …}``) or the older ``KEY=value``
lines; it is looked for in the working directory, its parents, and the home directory. Only the
*source* of what was found is ever shown, never its value.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from typing import cast

from ..errors import ConfigurationError

__all__ = ("Credentials", "Secret", "find_credentials", "reveal")

Secret = str | Callable[[], str | Awaitable[str]]
"""A key or token, or a callable (async or not) that is asked for it again on every dial."""

FILE_NAME = ".openai"
_FILE_KEYS = {
    "api_key": ("api_key", "apiKey", "OPENAI_API_KEY", "OPENAI_KEY"),
    "organization": (
        "organization",
        "organizationId",
        "OPENAI_ORG_ID",
        "OPENAI_ORGANIZATION",
        "ORGANIZATION",
    ),
    "project": ("project", "projectId", "OPENAI_PROJECT_ID"),
}
_ENVIRONMENT = {
    "api_key": ("OPENAI_API_KEY",),
    "organization": ("OPENAI_ORG_ID", "OPENAI_ORGANIZATION"),
    "project": ("OPENAI_PROJECT_ID",),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was found, and where. Its ``repr`` shows no value."""

    api_key: Secret | None = None
    organization: str | None = None
    project: str | None = None
    source: str = "nowhere"

    def __repr__(self) -> str:
        return f"Credentials(source={self.source!r})"


def find_credentials(
    *,
    directory: Path | None = None,
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Credentials:
    """Look for credentials outside the program.

    Args:
        directory: where to start looking for the file (default: the working directory).
        home: the home directory.
        environment: the environment variables (default: this process's).

    Raises:
        ConfigurationError: a ``.openai`` file is there but cannot be read.
    """
    start = Path.cwd() if directory is None else directory
    last = Path.home() if home is None else home
    for folder in (start, *start.parents, last):
        path = folder / FILE_NAME
        if path.is_file():
            found = _read(path)
            if found.api_key is not None:
                return found
    values = os.environ if environment is None else environment
    named = {field: _first(values, names) for field, names in _ENVIRONMENT.items()}
    if named["api_key"] is None:
        return Credentials()
    return Credentials(**named, source="the environment variable OPENAI_API_KEY")


def _read(path: Path) -> Credentials:
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a mark before the text
    except (OSError, UnicodeDecodeError) as error:
        message = f"the credentials file {path} cannot be read: {error.__class__.__name__}"
        raise ConfigurationError(message) from error
    values = _parse_json(path, text) if text.lstrip().startswith(("{", "[")) else _parse_lines(text)
    named = {field: _first(values, names) for field, names in _FILE_KEYS.items()}
    return Credentials(**named, source=f"the file {path}")


def _parse_json(path: Path, text: str) -> dict[str, str]:
    try:
        values: object = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"the credentials file {path} is not valid JSON (line {error.lineno})"
        raise ConfigurationError(message) from None
    if not isinstance(values, dict):
        message = f"the credentials file {path} must hold a JSON object"
        raise ConfigurationError(message)
    entries = cast("dict[str, object]", values)
    return {key: value for key, value in entries.items() if isinstance(value, str)}


def _parse_lines(text: str) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((values[name] for name in names if values.get(name)), None)


async def reveal(secret: Secret | None) -> str | None:
    """The secret's value now; a callable is asked.

    Raises:
        ConfigurationError: the value could not go into a header (empty, or not plain ASCII).
    """
    if secret is None:
        return None
    value = secret() if callable(secret) else secret
    if isawaitable(value):
        value = await value
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable():
        message = "the API key is empty or holds characters that cannot be sent"
        raise ConfigurationError(message)
    return value
