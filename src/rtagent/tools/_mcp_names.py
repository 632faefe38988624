"""The tools of an MCP server under names that a model's provider accepts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError, ToolDefinitionError

__all__ = ("OfferedTool", "ToolChoice", "cut_description", "provider_name")

_NAME_CHARS = 64
_DIGEST_CHARS = 8
_DESCRIPTION_CHARS = 1024
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as its server describes it."""

    name: str
    """The server's own name of it."""
    description: str
    schema: Mapping[str, Any]


def provider_name(name: str, prefix: str = "") -> str:
    """A name of 1 to 64 letters, digits, underscores and hyphens, the same for the same input.

    What is not allowed becomes an underscore; a name that is too long ends in a digest of the whole.
    """
    whole = f"{prefix}_{name}" if prefix else name
    valid = _NOT_ALLOWED.sub("_", whole) or "_"
    if len(valid) <= _NAME_CHARS:
        return valid
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    return f"{valid[: _NAME_CHARS - _DIGEST_CHARS - 1]}_{digest}"


def cut_description(text: str) -> str:
    """A description that is short enough for the provider, which refuses the whole session otherwise."""
    return text if len(text) <= _DESCRIPTION_CHARS else f"{text[: _DESCRIPTION_CHARS - 1]}…"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tools of a server are offered to the model, and under which names."""

    prefix: str = ""
    only: Collection[str] | None = None
    exclude: Collection[str] = ()

    def __post_init__(self) -> None:
        for option, names in (("only", self.only), ("exclude", self.exclude)):
            if isinstance(names, str):
                message = f'{option} is a list of names, such as {option}=["{names}"]'
                raise ConfigurationError(message)

    def named(self, offered: Iterable[OfferedTool]) -> dict[str, OfferedTool]:
        """The chosen tools by the name that the model is told.

        Raises:
            ToolDefinitionError: two tools would have one name.
        """
        chosen: dict[str, OfferedTool] = {}
        for tool in offered:
            if (self.only is not None and tool.name not in self.only) or tool.name in self.exclude:
                continue
            name = provider_name(tool.name, self.prefix)
            if name in chosen:
                problem = (
                    f"the tools {chosen[name].name!r} and {tool.name!r} of the server would both be called"
                    f" {name!r}; leave one of them out with exclude="
                )
                raise ToolDefinitionError(name, [problem])
            chosen[name] = tool
        return chosen

    def missing(self, offered: Collection[OfferedTool]) -> list[str]:
        """The names in ``only`` that the server does not offer."""
        known = {tool.name for tool in offered}
        return [name for name in self.only or () if name not in known]
