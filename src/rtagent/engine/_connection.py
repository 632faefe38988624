"""The shell around one `Conversation`: a reader, a writer, the ears, and a task for each thought and speech.

Theory of operation. Every change of the conversation is one synchronous *step*: make it, then put its events
into the outbox and start its work (`_step`). Steps are made by the reader (a client event), by the ears
(words) and by the tasks of responses (a decision, a piece of voice); there is one thread, so steps never
overlap and events leave in the order in which they were caused. Whoever can cause many events waits for room
in the outbox first: a client that reads slowly is served slowly and costs no memory.

The connection ends when the client does, when the session has reached its greatest age, or when the task that
runs it is cancelled. All tasks live in one group and end with it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from inspect import isawaitable
from typing import Final
from uuid import uuid4

import anyio
import anyio.lowlevel

from .. import events
from ..errors import ConnectionLost, EndOfStream, SessionClosed
from ..transport import Transport
from ._config import SessionConfig
from ._connection_ear import Ear
from ._connection_outbox import Bell, Outbox
from ._connection_settings import AgentLike, EngineSettings, instructions_of, tools_of
from ._conversation import Conversation
from ._conversation_work import (
    Conclude,
    Decide,
    Feed,
    Forget,
    LearnTools,
    PartKey,
    Recognise,
    Speak,
    Stop,
    Work,
)
from ._speech import speech

__all__ = ("ConnectionStatistics", "EngineConnection", "run_connection")

FLUSH_TIMEOUT_S: Final = 2.0
"""How long a connection that is closed by us waits for its last events to leave."""
PACE_LEAD_MS: Final = 200
"""Paced speech is sent this much before it is due."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionStatistics:
    """What has passed through a connection until now."""

    events_received: int
    """Frames that came from the client, unreadable ones included."""
    events_sent: int
    """Events that the network has taken."""
    busy: bool
    """Whether anything will be sent without a further event from the client."""


def new_id(prefix: str) -> str:
    """An unused id of at most 32 characters."""
    return f"{prefix}_{uuid4().hex[:24]}"


class EngineConnection:
    """Owns one client's conversation and everything that runs for it. Use it once: ``await run()``.

    Args:
        transport: the open connection to the client.
        settings: ears, brain, voice and limits.
        agent: gives the session its first instructions and tools.
        model: the model's name, if the client named one.
        intent: ``transcription`` for a session that writes down what is said and never answers.
    """

    def __init__(
        self,
        transport: Transport,
        settings: EngineSettings,
        *,
        agent: AgentLike | None = None,
        model: str | None = None,
        intent: str | None = None,
    ) -> None:
        self._transport = transport
        self._settings = settings
        config = SessionConfig(
            session_id=new_id("sess"),
            model=model or settings.model,
            kind="transcription" if intent == "transcription" else "realtime",
            expires_at=int(datetime.now(UTC).timestamp() + settings.max_age_s),
            instructions=instructions_of(agent),
            tools=tools_of(agent),
        )
        self._conversation = Conversation(config, new_id=new_id)
        self._bell = Bell()
        self._outbox = Outbox(self._bell)
        self._live = Ear(settings.recognizer, self, self._bell)
        self._posted = Ear(settings.recognizer, self, self._bell)
        self._tasks = anyio.create_task_group()
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._received = 0
        self._sent = 0
        self._over = False

    @property
    def busy(self) -> bool:
        """Whether anything will be sent without a further event from the client."""
        if self._over:
            return False
        ears = self._live.busy or self._posted.busy
        return ears or self._conversation.busy or not self._outbox.empty

    def statistics(self) -> ConnectionStatistics:
        """What has passed through until now."""
        return ConnectionStatistics(self._received, self._sent, self.busy)

    async def wait_idle(self) -> None:
        """Return when every event that was received is answered to the end and sent.

        A response that is paced counts until its last piece. Frames that are still on their way to us are
        not known here: compare ``events_received`` where that matters.
        """
        while self.busy:
            await self._bell.wait()

    async def run(self) -> None:
        """Serve the client until either side ends the connection."""
        try:
            async with self._tasks:
                for service in (self._live.run, self._posted.run, self._write, self._expire, self._read):
                    self._tasks.start_soon(service)
                self._step(self._conversation.open)
        finally:
            self._over = True
            self._bell.ring()
            with anyio.CancelScope(shield=True):
                await self.aclose()

    async def aclose(self, reason: str = "the server is leaving") -> None:
        """Close from our side (1001); `run` then ends by itself."""
        await self._transport.aclose(1001, reason)

    def partial(self, part: PartKey, text: str) -> None:
        """An ear has understood so much; see ``Conversation.partial``."""
        self._step(partial(self._conversation.partial, part, text))

    def recognised(self, part: PartKey, text: str) -> None:
        """An ear is done with a part; see ``Conversation.recognised``."""
        self._step(partial(self._conversation.recognised, part, text))

    def unheard(self, part: PartKey, message: str) -> None:
        """An ear has failed; see ``Conversation.unheard``."""
        self._step(partial(self._conversation.unheard, part, message))

    async def _read(self) -> None:
        try:
            while True:
                await self._outbox.wait_room()
                await self._live.wait_room()
                await self._posted.wait_room()
                frame = await self._transport.receive()
                self._received += 1
                self._step(partial(self._take, frame))
                await anyio.lowlevel.checkpoint()  # a client that floods us must not starve the others
        except (EndOfStream, ConnectionLost, SessionClosed) as end:
            logger.debug("the client is gone: %s", end)
            self._end()

    def _take(self, frame: str | bytes) -> None:
        try:
            event = events.decode_client(frame)
        except events.ClientEventError as problem:
            self._conversation.malformed(problem)
        else:
            self._conversation.receive(event)

    async def _write(self) -> None:
        try:
            while True:
                frame = await self._outbox.take()
                await self._transport.send(frame)
                self._sent += 1
                self._outbox.sent()
        except (ConnectionLost, SessionClosed) as end:
            logger.debug("the client takes no more: %s", end)
            self._end()

    async def _expire(self) -> None:
        await anyio.sleep(self._settings.max_age_s)
        self._step(self._conversation.expire)
        with anyio.move_on_after(FLUSH_TIMEOUT_S):
            await self._outbox.wait_empty()
        await self.aclose("Your session hit the maximum duration.")  # which ends the reader, and with it all

    def _end(self) -> None:
        self._tasks.cancel_scope.cancel()

    def _step(self, change: Callable[[], None]) -> None:
        """Change the conversation and carry out what follows from it; the only way to do so."""
        change()
        for event in self._conversation.events_to_send():
            self._outbox.put(events.encode(event))
        for work in self._conversation.work():
            self._start(work)
        self._bell.ring()

    def _start(self, work: Work) -> None:
        match work:
            case Feed() | Conclude() | Forget():
                self._live.put(work)
            case LearnTools():
                self._live.put(work)
                self._posted.put(work)
            case Recognise(part, layout, audio):
                self._posted.put(Feed(part, layout, audio))
                self._posted.put(Conclude(part))
            case Decide():
                self._start_task(work.response_id, partial(self._decide, work))
            case Speak():
                self._start_task(work.response_id, partial(self._speak, work))
            case Stop():
                scope = self._scopes.get(work.response_id)
                if scope is not None:
                    scope.cancel()

    def _start_task(self, response_id: str, task: Callable[[], Awaitable[None]]) -> None:
        scope = anyio.CancelScope()
        self._scopes[response_id] = scope
        self._tasks.start_soon(self._within, response_id, scope, task)

    async def _within(
        self, response_id: str, scope: anyio.CancelScope, task: Callable[[], Awaitable[None]]
    ) -> None:
        """Run one task of a response; what fails in it fails the response, not the connection."""
        try:
            with scope:
                await task()
        except Exception as problem:
            logger.warning("response %s failed", response_id, exc_info=problem)
            self._step(
                partial(self._conversation.failed, response_id, f"{type(problem).__name__}: {problem}")
            )
        finally:
            if self._scopes.get(response_id) is scope:
                del self._scopes[response_id]

    async def _decide(self, work: Decide) -> None:
        decided = self._settings.brain.decide(work.input)
        decision = await decided if isawaitable(decided) else decided
        self._step(partial(self._conversation.decided, work.response_id, decision))

    async def _speak(self, work: Speak) -> None:
        began_s, sent_ms = anyio.current_time(), 0.0
        pieces = speech(self._settings.voice, work.text, work.format, name=work.voice, speed=work.speed)
        async with aclosing(pieces):
            async for piece in pieces:
                await self._outbox.wait_room()
                self._step(partial(self._conversation.spoken, work.response_id, piece.pcm, piece.text))
                sent_ms += work.format.ms_of(len(piece.pcm))
                if self._settings.pace is not None:
                    await anyio.sleep_until(began_s + (sent_ms - PACE_LEAD_MS) / 1000 / self._settings.pace)
        self._step(partial(self._conversation.spoken_out, work.response_id))


async def run_connection(
    transport: Transport,
    settings: EngineSettings,
    *,
    agent: AgentLike | None = None,
    model: str | None = None,
    intent: str | None = None,
) -> None:
    """Serve one client over an open transport until either side ends it; see `EngineConnection`."""
    await EngineConnection(transport, settings, agent=agent, model=model, intent=intent).run()
