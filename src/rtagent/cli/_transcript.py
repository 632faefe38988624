"""A conversation as plain text, one line for each thing that was said or done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from ..protocol import HistoryEntry

__all__ = ("call_text", "cut_text", "transcript_of")

_SPEAKERS = {"user": "caller", "assistant": "assistant", "system": "system"}


def transcript_of(history: Sequence[HistoryEntry]) -> str:
    """The conversation in its order: what the caller and the assistant said, and what the tools did.

    An answer that was cut ends where it was interrupted, and says so. The outputs of a conversation come
    in the order of its calls, which is how each finds its call here.
    """
    outputs = iter([_one_line(entry.text) for entry in history if entry.type == "function_call_output"])
    return "".join(f"{line}\n" for entry in history for line in _lines(entry, outputs))


def call_text(name: str, arguments: str) -> str:
    """A function call as one would write it; arguments that are no JSON object stay as they are."""
    try:
        given = json.loads(arguments or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return _one_line(f"{name}({arguments})")
    fields = cast("dict[str, Any]", given).items()
    written = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in fields)
    return _one_line(f"{name}({written})")


def cut_text(text: str, heard_ms: float) -> str:
    """What was heard of an answer that was interrupted."""
    return f"{text} [interrupted after {heard_ms / 1000:.1f} s]".lstrip()


def _lines(entry: HistoryEntry, outputs: Iterator[str]) -> Iterator[str]:
    text = _one_line(entry.text)
    if entry.type == "function_call" and entry.call is not None:
        call = call_text(entry.call.name, entry.call.arguments)
        yield f"tool {call} -> {next(outputs, '[no result]')}"
    elif entry.role == "assistant" and entry.status == "incomplete" and entry.heard_ms is not None:
        yield f"assistant: {cut_text(text, entry.heard_ms)}"
    elif entry.role == "user":
        yield f"caller: {text or '[not transcribed]'}"
    elif text and entry.role in _SPEAKERS:
        yield f"{_SPEAKERS[entry.role]}: {text}"


def _one_line(text: str) -> str:
    """Nothing that was said can look like a line of somebody else."""
    return " ".join(text.split())
