"""One agent goes on where another one stopped: the same conversation, with other instructions and tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .. import events
from ..agent import Agent
from ..errors import ServerError

__all__ = ("ask_for",)

VOICE_IS_FROZEN = "cannot_update_voice"

Send = Callable[[events.ClientEvent], Awaitable[object]]


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
        wanted["tools"] = [
            events.FunctionTool.model_validate(definition) for definition in agent.registry.definitions()
        ]
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
