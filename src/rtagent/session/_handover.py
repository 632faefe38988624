"""One agent goes on where another one stopped: the same conversation, with other instructions and tools."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from .. import events
from ..agent import Agent
from ..errors import RtagentError, ServerError
from ..tools import ToolOutcome, ToolRegistry

__all__ = ("Handover", "ask_for")

VOICE_IS_FROZEN = "cannot_update_voice"

Send = Callable[[events.ClientEvent], Awaitable[object]]

logger = logging.getLogger(__name__)


class Handover:
    """Owns who speaks in a session, and which tools are kept ready for it.

    Args:
        agent: who begins.
        dialect: what the server speaks.
        send: sends an event and waits for its answer.
        serve: is given the tools of whoever goes on.
        changed: is told who goes on, and who stopped.
    """

    def __init__(
        self,
        agent: Agent,
        dialect: events.Dialect,
        send: Send,
        *,
        serve: Callable[[ToolRegistry], None],
        changed: Callable[[Agent, Agent], None],
    ) -> None:
        self.agent = agent
        self._dialect = dialect
        self._send = send
        self._serve = serve
        self._changed = changed
        self._told = agent.instructions if isinstance(agent.instructions, str) else ""
        self._held: list[ToolRegistry] = []

    def begin(self) -> None:
        """The session begins: calls of tools will come."""
        if callable(self.agent.instructions):
            self._told = self.agent.told()
        self._hold(self.agent.registry)

    async def end(self) -> None:
        """The session is over: no call will come any more."""
        while self._held:
            await self._held.pop().release()

    async def hand_over(self, agent: Agent) -> None:
        """Let another agent go on; errors are those of `ask_for`, and nothing has changed then."""
        with anyio.CancelScope(shield=True):  # the server and we must not think of different agents
            await ask_for(agent, self._dialect, self._send)
            previous, self.agent = self.agent, agent
            self._told = agent.told()
            self._hold(agent.registry)
            self._serve(agent.registry)
            self._changed(agent, previous)

    async def after_call(self, name: str, outcome: ToolOutcome) -> ToolOutcome:
        """What a tool returned may be another agent, or have changed the instructions.

        Args:
            name: of the tool.
            outcome: what came of the call.

        Returns:
            What the model is told of it.
        """
        if outcome.ok and isinstance(outcome.value, Agent):
            agent = outcome.value
            try:
                await self.hand_over(agent)
            except RtagentError as refused:
                return ToolOutcome.failure(
                    "failed", name, f"the conversation cannot be handed over: {refused}"
                )
            return ToolOutcome.success(f"The conversation is handed over: you are {agent.name} now. Go on.")
        await self._refresh()
        return outcome

    async def _refresh(self) -> None:
        """Instructions that a function gives are asked for again; the server is told if they are others now."""
        if not callable(self.agent.instructions):
            return
        try:
            told = self.agent.told()
            if told != self._told:
                await self._send(events.SessionUpdate(session=events.RealtimeSession(instructions=told)))
                self._told = told
        except RtagentError as refused:
            logger.warning("the instructions of %s stay as they were: %s", self.agent.name, refused)

    def _hold(self, registry: ToolRegistry) -> None:
        if not any(held is registry for held in self._held):
            registry.hold()
            self._held.append(registry)


async def ask_for(agent: Agent, dialect: events.Dialect, send: Send) -> None:
    """Ask the server for what another agent needs; turn taking and transcripts stay as they are.

    A server that has spoken already keeps its voice (rule U6), and says so; the rest is asked for without it then.

    Args:
        agent: who goes on.
        dialect: what the server speaks.
        send: sends an event and waits for its answer.

    Raises:
        ServerError: the server refused it; nothing has changed.
        Unsupported: this kind of server cannot change it.
    """
    if dialect.protocol != "realtime":
        raise dialect.unsupported("handing over to another agent", hint="begin another session with it")
    wanted: dict[str, Any] = {"instructions": agent.told()}
    if dialect.functions:
        wanted["tools"] = agent.offered(dialect)
    if agent.voice is not None:
        audio = events.SessionAudio(output=events.AudioOutput(voice=agent.voice))
        try:
            await send(events.SessionUpdate(session=events.RealtimeSession(**wanted, audio=audio)))
        except ServerError as refused:
            if refused.code != VOICE_IS_FROZEN:
                raise
        else:
            return
    await send(events.SessionUpdate(session=events.RealtimeSession(**wanted)))
