"""What an MCP server answers to a call, as text for the model and as data for the program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ToolError

__all__ = ("McpResult", "result_of")

_NOTHING_SAID = "the tool failed and did not say why"


class McpResult(str):
    """The text of an answer, which is what the model reads, and what text cannot say.

    It is the ``value`` of the call's `ToolOutcome`.
    """

    images: tuple[str, ...]
    """The images of the answer as data URIs; a function call's output is text, so show them with
    ``session.show``."""
    structured: Any
    """The structured content; None when there is none."""

    __slots__ = ("images", "structured")

    def __new__(cls, text: str, *, images: Sequence[str] = (), structured: Any = None) -> McpResult:
        """Text with images and structured content."""
        result = super().__new__(cls, text)
        result.images = tuple(images)
        result.structured = structured
        return result


def result_of(answer: Any) -> McpResult:
    """The result of a ``CallToolResult``.

    Raises:
        ToolError: the server says that the call failed; the text is the server's.
    """
    text = "\n".join(_texts(answer.content))
    structured = answer.structured_content
    if not text and structured is not None:
        text = json.dumps(structured, ensure_ascii=False, separators=(",", ":"), default=str)
    if answer.is_error:
        raise ToolError(text or _NOTHING_SAID)
    images = [f"data:{part.mime_type};base64,{part.data}" for part in answer.content if part.type == "image"]
    return McpResult(text, images=images, structured=structured)


def _texts(content: Sequence[Any]) -> Iterator[str]:
    """One text for each part; what is not text is named, so that the model knows that it was there."""
    for part in content:
        match part.type:
            case "text":
                yield part.text
            case "image" | "audio":
                yield f"[{part.type}: {part.mime_type}, {_decoded_bytes(part.data)} bytes]"
            case "resource":
                yield _resource_text(part.resource)
            case "resource_link":
                yield f"[resource: {part.uri}]"
            case kind:
                yield f"[{kind}]"


def _resource_text(resource: Any) -> str:
    text: str | None = getattr(resource, "text", None)
    if text is not None:
        return text
    return f"[resource: {resource.uri}, {_decoded_bytes(resource.blob)} bytes]"


def _decoded_bytes(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")
