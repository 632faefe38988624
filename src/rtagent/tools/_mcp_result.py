"""What an MCP server answers to a call, as text for the model and as data for the program."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ToolError

__all__ = ("McpResult", "result_of")

_NOTHING_SAID = "the tool failed and did not say why"
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""How PNG and JPEG begin: what a Realtime session can be shown."""


class McpResult(str):
    """The text of an answer, which is what the model reads, with its structured content.

    It is the ``value`` of the call's `ToolOutcome`. An answer with pictures (PNG, JPEG) is a list instead: texts,
    and pictures as bytes.
    """

    structured: Any
    """The structured content; None when there is none."""

    __slots__ = ("structured",)

    def __new__(cls, text: str, *, structured: Any = None) -> McpResult:
        """Text with structured content."""
        result = super().__new__(cls, text)
        result.structured = structured
        return result


def result_of(answer: Any) -> McpResult | list[str | bytes]:
    """The result of a ``CallToolResult``.

    Raises:
        ToolError: the server says that the call failed; the text is the server's.
    """
    parts = list(_parts(answer.content))
    structured = answer.structured_content
    text = "\n".join(part for part in parts if isinstance(part, str))
    if not text and structured is not None:
        text = json.dumps(structured, ensure_ascii=False, separators=(",", ":"), default=str)
    if answer.is_error:
        raise ToolError(text or _NOTHING_SAID)
    if any(isinstance(part, bytes) for part in parts):
        return parts
    return McpResult(text, structured=structured)


def _parts(content: Sequence[Any]) -> Iterator[str | bytes]:
    """Pictures as bytes, all else as text; what is neither is named, so that the model knows that it was there."""
    for part in content:
        match part.type:
            case "text":
                yield part.text
            case "image" | "audio":
                yield _media(part)
            case "resource":
                yield _resource_text(part.resource)
            case "resource_link":
                yield f"[resource: {part.uri}]"
            case kind:
                yield f"[{kind}]"


def _media(part: Any) -> str | bytes:
    try:
        data = b64decode(part.data)
    except (binascii.Error, ValueError):
        return f"[{part.type}: {part.mime_type}, which is not valid base64]"
    return data if data.startswith(_PICTURES) else f"[{part.type}: {part.mime_type}, {len(data)} bytes]"


def _resource_text(resource: Any) -> str:
    text: str | None = getattr(resource, "text", None)
    return f"[resource: {resource.uri}]" if text is None else text
