"""Asking a person whether a call may run: on the terminal, or aloud. Whatever is no clear yes is a no."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from ._context import ToolContext
from ._secrets import HIDDEN, excerpt, is_secret
from ._tool import Tool

__all__ = ("ask_aloud", "ask_on_terminal", "is_yes")

ANSWER_WITHIN_S = 20.0
_YES = frozenset("yes yeah yep yup sure okay ok ja jawohl oui si sí".split())
_CONSENTING = frozenset(
    "please do it that go ahead of course thanks thank you i agree approved right fine bitte gern merci claro"
    " vale".split()
)
"""Words that may stand beside a yes and do not take it back."""
_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 6
"""A longer answer says more than yes."""


def ask_on_terminal(tool: Tool[..., Any], arguments: Mapping[str, Any], context: ToolContext[Any]) -> bool:
    """An approver that asks on the terminal; where there is none, the answer is no.

    It waits for the answer as long as it takes.
    """
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{tool.name}({_shown(tool, arguments)}) asks for approval [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


async def ask_aloud(
    tool: Tool[..., Any],
    arguments: Mapping[str, Any],
    context: ToolContext[Any],
    *,
    question: str | None = None,
    within_s: float = ANSWER_WITHIN_S,
) -> bool:
    """An approver that lets the assistant ask the user, whose next turn decides.

    The server must write down what the user says (``Agent(transcription=…)``, the default). Other words and
    times are given with ``functools.partial``.

    Args:
        tool: what is to run.
        arguments: with what.
        context: of the call.
        question: what is asked, instead of the tool's name and its arguments.
        within_s: how long the question and its answer may take, in seconds; then the answer is no.
    """
    if context.desk is None:
        return False
    asked = question if question is not None else _spoken(tool, arguments)
    answer = await context.desk.ask(context.call_id, asked, within_s)
    return answer is not None and is_yes(answer)


def is_yes(text: str) -> bool:
    """Whether these words are a yes and nothing else."""
    words = [word.lower() for word in _WORD.findall(text)]
    if not 0 < len(words) <= _MOST_WORDS or "?" in text:
        return False
    return any(word in _YES for word in words) and all(word in _YES or word in _CONSENTING for word in words)


def _spoken(tool: Tool[..., Any], arguments: Mapping[str, Any]) -> str:
    name = tool.name.replace("_", " ").replace("-", " ")
    hidden = tool.arguments.secrets
    open_ones = {key: value for key, value in arguments.items() if not is_secret(key, hidden)}
    details = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in open_ones.items())
    return f"Shall I {name}, {details}?" if details else f"Shall I {name}?"


def _shown(tool: Tool[..., Any], arguments: Mapping[str, Any]) -> str:
    hidden = tool.arguments.secrets
    shown = {
        name: HIDDEN if is_secret(name, hidden) else excerpt(value, hidden)
        for name, value in arguments.items()
    }
    return ", ".join(f"{name}={value}" for name, value in shown.items())
