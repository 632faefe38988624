"""Profiles in files: a dialect as JSON, written as what differs from a known one.

::

    {"base": "openai", "name": "ours", "session_shape": "flat", "input_rates": [16000]}

``base`` names one of ``events.PROFILES``; every other key is a field of ``events.Dialect``. Without a
base the fields differ from ``Dialect``'s own defaults; without a name the file's name serves.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from ..errors import ConfigurationError
from ..events import PROFILES, Dialect

__all__ = ("load_profile", "write_profile")


def load_profile(path: str | PathLike[str]) -> Dialect:
    """The dialect that a file holds.

    Raises:
        ConfigurationError: the file cannot be read, is no JSON object, or a field of it cannot be; the
            text names the file and each field at fault.
    """
    file = Path(path)
    fields = _read(file)
    start = _base_fields(file, fields.pop("base", None))
    try:
        return Dialect.model_validate({**start, "name": file.stem, **fields})
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        message = f"{file}: {'; '.join(problems)}"
        raise ConfigurationError(message) from error


def write_profile(path: str | PathLike[str], dialect: Dialect, base: str) -> None:
    """Write a dialect as what differs from a known one; ``load_profile`` reads it back.

    Args:
        path: the file, which is replaced.
        dialect: what to write.
        base: the name of the known dialect.

    Raises:
        ConfigurationError: there is no such base, or the file cannot be written.
    """
    file = Path(path)
    start = _base_fields(file, base)
    fields = _as_json(dialect.model_dump())
    known = _as_json(start)
    differing = {name: value for name, value in fields.items() if value != known[name]}
    # The name is always said: a profile without one would be called after wherever the file is put.
    content = {"base": base, "name": dialect.name, **differing}
    try:
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        message = f"{file}: the profile cannot be written: {error.strerror or error}"
        raise ConfigurationError(message) from error


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{file}: the profile cannot be read: {error.strerror or error}"
        raise ConfigurationError(message) from error
    except ValueError as error:  # no UTF-8, or no JSON
        message = f"{file}: the profile is not JSON: {error}"
        raise ConfigurationError(message) from error
    if not isinstance(content, dict):
        message = f"{file}: a profile is a JSON object"
        raise ConfigurationError(message, hint='such as {"base": "openai", "session_shape": "flat"}')
    return cast("dict[str, Any]", content)


def _base_fields(file: Path, base: Any) -> dict[str, Any]:
    if base is None:
        return {}
    dialect = PROFILES.get(base) if isinstance(base, str) else None
    if dialect is None:
        message = f"{file}: base: unknown profile {base!r}"
        raise ConfigurationError(message, hint=f"one of {', '.join(sorted(PROFILES))}")
    return dialect.model_dump()


def _as_json(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as a file holds them; sets become sorted lists, so that equal dialects give equal files."""
    return {
        name: sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else value
        for name, value in fields.items()
    }
