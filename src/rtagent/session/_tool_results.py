"""Results of calls that ran in the background: told to the model, and spoken about, at a quiet moment."""

from __future__ import annotations

import anyio.abc

from .. import events
from ..protocol import Call
from ._pump import Pump

__all__ = ("LateResults", "started")


def started(call: Call) -> str:
    """The output with which a call is answered at once."""
    return f"started: {call.name} runs in the background, and its result will follow"


class LateResults:
    """Owns the results that were not told yet. Those that wait together are told together, in one response."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._due: list[str] = []

    def add(self, call: Call, output: str, group: anyio.abc.TaskGroup) -> None:
        """A call has ended; its result is told by a task of the group."""
        self._due.append(
            f"The call {call.call_id} of {call.name}, which ran in the background, has ended. Tell the user. "
            f"Its result: {output}"
        )
        if len(self._due) == 1:
            group.start_soon(self._tell, name="tool results")

    async def _tell(self) -> None:
        await self._pump.wait_until(lambda: self._pump.core.quiet)
        due, self._due = self._due, []
        if self._pump.closed is None:
            for text in due:
                self._pump.post(events.ConversationItemCreate(item=events.system_message(text)))
            self._pump.post(events.ResponseCreate())
