"""What a new GPT-Live session is told of the one before it.

A session cannot be told of earlier turns; all that it knows at its start are its instructions. What was said is
therefore put at their end, newest last, as far as there is room. What is said after that, while the old session
still talks, is appended as thoughts when the new one takes over.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import events
from ..events import live
from ._items import HistoryEntry

__all__ = ("LONGEST_APPEND", "LiveMemory")

LONGEST_MEMORY_TOKENS = 4_000
"""Instructions are read at every moment of a session: they should not be longer than needed."""
LONGEST_APPEND = 1_200
"""Characters that may be appended at once: 500 tokens (protocol document, section 7), counted carefully."""
_BYTES_PER_TOKEN = 3
_WHO = {"user": "User", "assistant": "You"}
_BEGIN = "This conversation began earlier; its connection was lost and is back. What was said so far, oldest first:"
_END = "Go on from there. Do not greet again and do not mention the connection."


class LiveMemory:
    """Owns how much of what was said the next session knows.

    Args:
        dialect: what its server speaks.
    """

    def __init__(self, dialect: events.Dialect) -> None:
        self._dialect = dialect
        self._told: dict[str, int] = {}

    def within(
        self, wanted: events.WireModel | None, history: Sequence[HistoryEntry], max_tokens: int
    ) -> tuple[events.WireModel | None, int]:
        """The configuration with what was said at the end of its instructions, and how many entries that is.

        Args:
            wanted: the configuration of the session before.
            history: what was said.
            max_tokens: how much may be told, estimated.
        """
        base = live.SessionConfig(model=self._dialect.default_model) if wanted is None else wanted
        if not self._dialect.takes("session.start") or not isinstance(base, live.SessionConfig):
            return wanted, 0  # it is the same session, which knows
        self._told = {entry.id: len(entry.text) for entry in history}
        left = min(max_tokens, LONGEST_MEMORY_TOKENS) * _BYTES_PER_TOKEN
        lines: list[str] = []
        for entry in reversed(history):
            left -= len(_line(entry.role, entry.text).encode())
            if left < 0:
                break
            if entry.text.strip():
                lines.append(_line(entry.role, entry.text))
        if not lines:
            return wanted, 0
        told = [base.instructions or "", _BEGIN, *reversed(lines), _END]
        instructions = "\n".join(part for part in told if part)
        return base.model_copy(update={"instructions": instructions}), len(lines)

    def since(self, history: Sequence[HistoryEntry]) -> live.SessionThinkingAppend | None:
        """What was said after the configuration was made; None where that is nothing."""
        rest = [(entry.role, entry.text[self._told.get(entry.id, 0) :]) for entry in history]
        lines = [_line(role, text) for role, text in rest if text.strip()]
        self._told = {entry.id: len(entry.text) for entry in history}
        if not lines or not self._dialect.takes("session.start"):
            return None
        return live.SessionThinkingAppend(content="\n".join(lines)[-LONGEST_APPEND:])


def _line(role: str, text: str) -> str:
    return f"{_WHO.get(role, role)}: {' '.join(text.split())}"
