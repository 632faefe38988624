"""What a new GPT-Live session is told of the one before it.

A session cannot be told of earlier turns; all that it knows at its start are its instructions. What was said is
therefore put at their end, newest last, as far as there is room.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import events
from ..events import live
from ._items import HistoryEntry

__all__ = ("remembering", "with_memory")

LONGEST_MEMORY_TOKENS = 4_000
"""Instructions are read at every moment of a session: they should not be longer than needed."""
_BYTES_PER_TOKEN = 3
_WHO = {"user": "User", "assistant": "You"}
_BEGIN = "This conversation began earlier; its connection was lost and is back. What was said so far, oldest first:"
_END = "Go on from there. Do not greet again and do not mention the connection."


def with_memory(
    wanted: live.SessionConfig, history: Sequence[HistoryEntry], max_tokens: int
) -> tuple[live.SessionConfig, int]:
    """The configuration with what was said at the end of its instructions, and how many entries that is.

    Args:
        wanted: the configuration.
        history: what was said.
        max_tokens: how much may be told, estimated.
    """
    left = min(max_tokens, LONGEST_MEMORY_TOKENS) * _BYTES_PER_TOKEN
    lines: list[str] = []
    for entry in reversed(history):
        line = f"{_WHO.get(entry.role, entry.role)}: {' '.join(entry.text.split())}"
        left -= len(line.encode())
        if left < 0:
            break
        if entry.text.strip():
            lines.append(line)
    if not lines:
        return wanted, 0
    told = [wanted.instructions or "", _BEGIN, *reversed(lines), _END]
    instructions = "\n".join(part for part in told if part)
    return wanted.model_copy(update={"instructions": instructions}), len(lines)


def remembering(
    wanted: events.WireModel | None,
    history: Sequence[HistoryEntry],
    max_tokens: int,
    dialect: events.Dialect,
) -> tuple[events.WireModel | None, int]:
    """What the next session is asked for, by what was wanted of the first."""
    if not dialect.takes("session.start"):
        return wanted, 0  # it is the same session, which knows
    base = live.SessionConfig(model=dialect.default_model) if wanted is None else wanted
    if not isinstance(base, live.SessionConfig):
        return wanted, 0
    return with_memory(base, history, max_tokens)
