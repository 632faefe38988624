"""What came of a call: the text for the model, and the same as data for the program."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from ._faults import ArgumentsRefused

__all__ = ("OutcomeKind", "ToolOutcome")

OutcomeKind = Literal[
    "ok", "unknown_tool", "bad_json", "bad_arguments", "failed", "timeout", "denied", "busy", "cancelled"
]

_OUTPUT_CHARS = 32_000
"""The longest output sent to a model: about 8,000 tokens, a quarter of the smallest context window."""
_NOTE_CHARS = 100
"""Kept free for the note that says how much was cut."""
_NOTHING_RETURNED = "done"


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

    @classmethod
    def success(cls, value: Any) -> ToolOutcome:
        """The outcome of a function that returned."""
        return cls(output=_capped(_rendered(value)), ok=True, error=None, kind="ok", value=value)

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
        return cls(output=_capped(output), ok=False, error=message, kind=kind, value=value)

    @classmethod
    def refused(cls, tool: str, refusal: ArgumentsRefused) -> ToolOutcome:
        """The outcome of a call whose arguments cannot be used."""
        fields = [fault.to_dict() for fault in refusal.faults]
        details = {"fields": fields} if fields else {}
        told = cls.failure(refusal.kind, tool, refusal.message, **details)
        return cls(output=told.output, ok=False, error=str(refusal), kind=refusal.kind)


@cache
def _anything() -> TypeAdapter[Any]:
    return TypeAdapter(Any)


def _rendered(value: Any) -> str:
    if value is None:
        return _NOTHING_RETURNED
    if isinstance(value, str):
        return value
    try:
        return _anything().dump_json(value, warnings=False).decode()
    except ValueError:  # something inside has no JSON form: its own text is the best there is
        return str(value)


def _capped(text: str) -> str:
    """The text as the wire can carry it: valid Unicode, and not longer than the cap."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8 form
    if len(text) <= _OUTPUT_CHARS:
        return text
    kept = _OUTPUT_CHARS - _NOTE_CHARS
    return f"{text[:kept]}\n[cut here: {len(text) - kept} of {len(text)} characters are left out]"
