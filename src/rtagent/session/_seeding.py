"""Telling a new session of an earlier conversation, before anybody speaks in it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .. import events
from ..errors import ConfigurationError, ServerError
from ..protocol import Core, History, HistoryEntry, replay_plan

__all__ = ("Seeding", "history_of")

AT_ONCE = 32
"""Items sent before their answers are waited for."""
_DUPLICATE = "item_create_duplicate_item_id"
"""The server's word for an item that it has already: as good as taken (rule K5)."""

logger = logging.getLogger(__name__)


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


@dataclass(slots=True)
class Seeding:
    """Owns the count of what a new session was told, and of what it was not."""

    restored: int = 0
    lost: int = 0

    async def run(
        self,
        entries: Sequence[HistoryEntry],
        core: Core,
        post: Callable[[events.ClientEvent], str],
        answer: Callable[[str, str], Awaitable[object]],
    ) -> None:
        """Create the items, in their order; one that the server refuses is counted as lost.

        Args:
            entries: the earlier conversation.
            core: of the new session.
            post: sends an event whose answer is wanted; returns its id.
            answer: waits for the answer to the event with that id and type.

        Raises:
            Unsupported: nothing can be put into the conversations of this kind of server.
        """
        plan = replay_plan(entries)
        self.lost = len(plan.lost)
        creates = [events.ConversationItemCreate(item=item) for item in plan.items]
        for create in creates:
            core.phrases.check(create)
        for begin in range(0, len(creates), AT_ONCE):
            posted = [(post(create), create.type) for create in creates[begin : begin + AT_ONCE]]
            for event_id, kind in posted:
                try:
                    await answer(event_id, kind)
                except ServerError as refused:
                    if refused.code != _DUPLICATE:
                        self.lost += 1
                        logger.warning("the server refused an item of the history: %s", refused)
                        continue
                self.restored += 1
