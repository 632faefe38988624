"""An earlier conversation, as a program passes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..errors import ConfigurationError
from ..protocol import History, HistoryEntry

__all__ = ("history_of",)


def history_of(given: Sequence[HistoryEntry] | Mapping[str, Any]) -> tuple[HistoryEntry, ...]:
    """The entries of what a program passes: a snapshot, or entries.

    Raises:
        ConfigurationError: neither of them.
    """
    if isinstance(given, Mapping):
        return History.load(given)
    for entry in cast("Sequence[object]", given):
        if not isinstance(entry, HistoryEntry):
            message = f"the history holds a {type(entry).__qualname__}, not only entries of a history"
            raise ConfigurationError(message, hint="pass session.history, or its snapshot()")
    return tuple(given)
