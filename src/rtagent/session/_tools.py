"""Running the tools of a conversation: each call is a child task with its own cancel scope.

Theory of operation. A call is answered once: with what came of it, or at once if its tool works in the background,
whose result is told later. An interruption cancels the calls whose tools want that; the others run on, and what
comes of them is sent without asking for a response: the user's next turn decides what is said. A call that waits
for the user's own answer is not interrupted by it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any

import anyio
import anyio.abc

from .. import events
from ..errors import RtagentError
from ..protocol import Call
from ..tools import Approver, RunningCall, ToolOutcome, ToolRegistry
from ._pump import Pump
from ._tool_question import Questions, Updating
from ._tool_record import CallRecord
from ._tool_results import LateResults, started
from ._tool_voice import ToolVoice

__all__ = ("ToolRunner",)

AfterCall = Callable[[str, ToolOutcome], Awaitable[ToolOutcome]]

logger = logging.getLogger(__name__)


class ToolRunner:
    """Owns the running calls; each one ends in one ``Pump.tool_finished``. It is the desk of their contexts.

    Args:
        registry: the tools.
        session: handed to the tools.
        pump: moves the conversation.
        state: what the program keeps for the session, handed to the tools.
        caller: who is on the other side, handed to the tools.
        approver: asked about calls, instead of the registry's own.
    """

    def __init__(
        self,
        registry: ToolRegistry,
        session: Updating,
        pump: Pump,
        *,
        state: Any = None,
        caller: Any = None,
        approver: Approver | None = None,
    ) -> None:
        self._registry = registry
        self._pump = pump
        self._clock = pump.clock
        self._voice = ToolVoice(pump)
        self._late = LateResults(pump)
        self._questions = Questions(pump, session, self._voice)
        self.after_call: AfterCall = _as_it_is
        """What becomes of an outcome before the model is told."""
        self._give = partial(
            ToolRegistry.call, session=session, state=state, caller=caller, approver=approver
        )
        self._running: dict[str, CallRecord] = {}
        self._group: anyio.abc.TaskGroup | None = None

    # -- what the session does with them -------------------------------------------------------------

    def start(self, call: Call, group: anyio.abc.TaskGroup) -> None:
        """Run a call in the group."""
        self._group = group
        tool = self._registry.get(call.name)
        background = tool is not None and tool.background and not self._pump.core.dialect.turnless
        running = CallRecord(call, tool, self._clock.now(), background)
        if tool is not None and tool.speak and not (background or self._is_spoken_for(call.response_id)):
            self._say_soon(running, tool.speak, after_s=tool.speak_after)
        self._running[call.call_id] = running
        group.start_soon(self._run, running, name=f"tool {call.name}")

    def serve(self, registry: ToolRegistry) -> None:
        """From now on calls are for these tools; what runs goes on."""
        self._registry = registry

    def interrupt(self, call_ids: Iterable[str]) -> None:
        """The user took the floor: cancel those of these calls whose tool asks for that, keep the others."""
        self.hush()
        for call_id in call_ids:
            running = self._running.get(call_id)
            if running is None or running.asking:
                continue
            running.kept = True
            if running.tool is not None and running.tool.on_interrupt == "cancel":
                running.scope.cancel()

    def hush(self) -> None:
        """Say nothing more about what runs now, unless it is asked for anew."""
        for running in self._running.values():
            running.silence()
        self._voice.hush()

    @property
    def idle(self) -> bool:
        """Whether no call runs."""
        return not self._running

    # -- what a running call may ask for -------------------------------------------------------------

    async def progress(self, call_id: str, text: str, *, speak: bool) -> None:
        """Tell how far a call is."""
        running = self._running.get(call_id)
        if running is None:
            return
        spoken = speak and self._voice.heard
        if spoken:
            running.silence()  # what it wanted to say before is not news any more
            self._voice.ended(call_id)
            self._say_soon(running, text)
        self._tell(running, text, spoken=spoken)

    async def ask(self, call_id: str, question: str, within_s: float) -> str | None:
        """Ask the user; the words of the next turn, None when none came in time."""
        running = self._running.get(call_id)
        if running is None:
            return None
        running.silence()
        self._tell(running, question, spoken=self._voice.heard)
        running.asking += 1
        try:
            return await self._questions.ask(call_id, question, within_s)
        finally:
            running.asking -= 1

    def running(self) -> tuple[RunningCall, ...]:
        """The calls that run now, in the order of their start."""
        now = self._clock.now()
        return tuple(running.snapshot(now) for running in self._running.values())

    def cancel(self, call_id: str) -> bool:
        """Cancel a call; False when no such call runs."""
        running = self._running.get(call_id)
        if running is None:
            return False
        running.called_off = "it was called off"
        running.scope.cancel()
        return True

    # -- one call ------------------------------------------------------------------------------------

    async def _run(self, running: CallRecord) -> None:
        call = running.call
        self._pump.publish(running.started())
        if running.background:
            self._pump.tool_finished(call.call_id, started(call), True)
        outcome: ToolOutcome | None = None
        with running.scope:
            if not running.scope.cancel_called:  # before it had begun
                outcome = await self._give(
                    self._registry, call.name, call.arguments, call_id=call.call_id, desk=self
                )
                outcome = await self.after_call(call.name, outcome)
        if outcome is None:
            outcome = running.cancelled()
        del self._running[call.call_id]
        running.silence()
        self._voice.ended(call.call_id)
        self._pump.publish(running.finished(outcome, self._clock.now()))
        self._show(call, outcome.images)
        if not running.background:
            self._pump.tool_finished(call.call_id, outcome.output, not running.kept)
        elif outcome.kind != "cancelled" and self._group is not None:
            self._late.add(call, outcome.output, self._group)

    def _show(self, call: Call, images: Sequence[str]) -> None:
        """Give the model what a tool made to be looked at, where it can look."""
        dialect = self._pump.core.dialect
        if not images or self._pump.closed is not None or dialect.turnless or not dialect.images:
            return
        pictures = [events.InputImage(image_url=image) for image in images]
        said = events.InputText(text=f"What the call {call.call_id} of {call.name} shows:")
        self._pump.post(events.ConversationItemCreate(item=events.UserMessage(content=[said, *pictures])))

    # -- what is said of it --------------------------------------------------------------------------

    def _is_spoken_for(self, response_id: str) -> bool:
        """Whether something will be said about another call of that response: once is enough."""
        return any(each.call.response_id == response_id and each.speech for each in self._running.values())

    def _say_soon(self, running: CallRecord, text: str, *, after_s: float = 0.0) -> None:
        if self._group is not None:
            scope = anyio.CancelScope()
            running.speech.append(scope)
            self._group.start_soon(self._say, running, text, after_s, scope, name="tool speech")

    async def _say(self, running: CallRecord, text: str, after_s: float, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                await self._voice.say(running.call.call_id, text, after_s=after_s)
            except RtagentError as unsaid:  # an extra that must not end the session
                logger.info("what tool %s wanted to say was not said: %s", running.call.name, unsaid)

    def _tell(self, running: CallRecord, text: str, *, spoken: bool) -> None:
        self._pump.publish(running.progress(text, self._clock.now(), spoken=spoken))


async def _as_it_is(_name: str, outcome: ToolOutcome) -> ToolOutcome:
    return outcome
