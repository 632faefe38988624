"""What came of a call: the text for the model, and the same as data for the program."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from ._faults import ArgumentsRefused
from ._rendering import DEFAULT_OUTPUT_CHARS, Rendering, capped

__all__ = ("OutcomeKind", "ToolOutcome")

OutcomeKind = Literal[
    "ok", "unknown_tool", "bad_json", "bad_arguments", "failed", "timeout", "denied", "busy", "cancelled"
]


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What came of one call; there is one for every call, whatever happened."""

    output: str
    """The text of the ``function_call_output`` item: the result, or JSON ``{"error": {...}}``."""
    ok: bool
    error: str | None
    """What went wrong, in one line for a person; None when nothing did."""
    kind: OutcomeKind
    value: Any = None
    """What the function returned; for ``failed`` the exception that it raised."""
    images: tuple[str, ...] = ()
    """Pictures to show the model after the output, as ``data:`` URIs: an output itself carries only text."""

    @classmethod
    def success(cls, value: Any, *, max_output_chars: int = DEFAULT_OUTPUT_CHARS) -> ToolOutcome:
        """The outcome of a function that returned.

        Args:
            value: what it returned.
            max_output_chars: the longest output; what is more is cut, and the output says so.
        """
        if type(value) is str:  # most tools return text, and this is on the way of every call
            return cls(output=capped(value, max_output_chars), ok=True, error=None, kind="ok", value=value)
        rendering = Rendering()
        output = capped(rendering.text_of(value), max_output_chars)
        images = tuple(rendering.images)
        return cls(output=output, ok=True, error=None, kind="ok", value=value, images=images)

    @classmethod
    def failure(
        cls, kind: OutcomeKind, tool: str, message: str, *, value: Any = None, **details: Any
    ) -> ToolOutcome:
        """The outcome of a call that had no result.

        Args:
            kind: what went wrong, as a word.
            tool: the name that was called.
            message: what went wrong, as a sentence for the model.
            value: the exception, where there is one.
            details: what else helps the model to repair its call, such as the known names.
        """
        told = {"error": {"kind": kind, "tool": tool, "message": message, **details}}
        output = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return cls(output=capped(output), ok=False, error=message, kind=kind, value=value)

    @classmethod
    def refused(cls, tool: str, refusal: ArgumentsRefused) -> ToolOutcome:
        """The outcome of a call whose arguments cannot be used."""
        fields = [fault.to_dict() for fault in refusal.faults]
        details = {"fields": fields} if fields else {}
        told = cls.failure(refusal.kind, tool, refusal.message, **details)
        return cls(output=told.output, ok=False, error=str(refusal), kind=refusal.kind)
