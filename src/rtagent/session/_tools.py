"""Running the tools of a conversation: each call is a child task with its own cancel scope."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import anyio
import anyio.abc

from ..audio import Clock
from ..events.lifecycle import LifecycleEvent, ToolFinished, ToolStarted
from ..protocol import Call
from ..tools import ToolRegistry

__all__ = ("ToolRunner",)


class ToolRunner:
    """Owns the running calls. ``finished(call_id, output, follow_up)`` is called once for each."""

    def __init__(
        self,
        registry: ToolRegistry,
        session: object,
        clock: Clock,
        *,
        publish: Callable[[LifecycleEvent], None],
        finished: Callable[[str, str, bool], None],
    ) -> None:
        self._registry = registry
        self._session = session
        self._clock = clock
        self._publish = publish
        self._finished = finished
        self._running: dict[str, tuple[str, anyio.CancelScope]] = {}

    def start(self, call: Call, group: anyio.abc.TaskGroup) -> None:
        """Run a call in the group."""
        scope = anyio.CancelScope()
        self._running[call.call_id] = (call.name, scope)
        group.start_soon(self._run, call, scope, name=f"tool {call.name}")

    def interrupt(self, call_ids: Iterable[str]) -> None:
        """The user took the floor: cancel those of these calls whose tool asks for that."""
        for call_id in call_ids:
            name, scope = self._running.get(call_id, ("", None))
            tool = self._registry.get(name)
            if scope is not None and tool is not None and tool.on_interrupt == "cancel":
                scope.cancel()

    @property
    def idle(self) -> bool:
        """Whether no call runs."""
        return not self._running

    async def _run(self, call: Call, scope: anyio.CancelScope) -> None:
        began = self._clock.now()
        self._publish(ToolStarted(at=began, call_id=call.call_id, name=call.name, arguments=call.arguments))
        output, ok, cancelled = _cancelled(call), False, True
        with scope:
            outcome = await self._registry.call(
                call.name, call.arguments, call_id=call.call_id, session=self._session
            )
            output, ok, cancelled = outcome.output, outcome.ok, False
        del self._running[call.call_id]
        ended = self._clock.now()
        self._publish(
            ToolFinished(
                at=ended,
                call_id=call.call_id,
                name=call.name,
                output=output,
                ok=ok,
                took_ms=(ended - began) * 1000,
            )
        )
        self._finished(call.call_id, output, not cancelled)


def _cancelled(call: Call) -> str:
    message = "the user interrupted before the tool had finished"
    return json.dumps({"error": {"kind": "cancelled", "tool": call.name, "message": message}})
