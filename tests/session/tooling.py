"""A pump with a server that a test plays, a mouth, and tools that run: what the tests of running tools share."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar

import anyio
import anyio.abc

from rtagent import events
from rtagent.audio import NullSink
from rtagent.errors import RtagentError
from rtagent.events import lifecycle
from rtagent.protocol import Conversation
from rtagent.session import Attachment
from rtagent.session._approach import Target
from rtagent.session._lifeline import Lifeline
from rtagent.session._pump import Pump
from rtagent.session._tools import ToolRunner
from rtagent.testing import FakeClock, ScriptedServer
from rtagent.tools import ToolRegistry

__all__ = ("SPEECH", "Bench", "Updates", "tooling")

SPEECH = bytes(24_000)
"""Half a second of voice."""
LifecycleT = TypeVar("LifecycleT", bound=lifecycle.LifecycleEvent)


class Updates:
    """The part of a session that changes the configuration; the server takes it at once, or refuses."""

    def __init__(self, bench: Bench) -> None:
        self.asked: list[Any] = []
        self.refusal: RtagentError | None = None
        self._bench = bench

    async def update(self, **changes: Any) -> object:
        detection = changes["audio"]["input"]["turn_detection"]
        self.asked.append(detection)
        if self.refusal is not None:
            raise self.refusal
        self._bench.take(events.SessionUpdated(session=session_with(**detection)))
        return None


def session_with(**detection: Any) -> events.RealtimeSession:
    ear = events.AudioInput(turn_detection=events.ServerVad(**{"type": "server_vad", **detection}))
    return events.RealtimeSession(audio=events.SessionAudio(input=ear))


class Bench:
    """What the server says and hears, what was published, and the time."""

    def __init__(
        self,
        server: ScriptedServer,
        group: anyio.abc.TaskGroup,
        tools: Any,
        dialect: events.Dialect,
        options: Any,
    ) -> None:
        self.server = server
        self.group = group
        self.clock = FakeClock(100.0)
        numbers = count(1)
        core = Conversation(new_id=lambda prefix: f"{prefix}_{next(numbers)}", dialect=dialect)
        self.seen: list[Any] = []
        self.pump = Pump(core, self.clock, lambda _at, _side, event: self.seen.append(event))
        self.updates = Updates(self)
        self.registry = ToolRegistry(tools)
        self.runner = ToolRunner(self.registry, self.updates, self.pump, **options)
        self._sent = 0

    # -- the server -----------------------------------------------------------------------------------

    def take(self, *said: events.ServerEvent) -> None:
        """What the server says, at once."""
        for event in said:
            self.pump.take(event)
            self.pump.fanout.publish(event)

    async def says(self, *said: events.ServerEvent) -> None:
        """The server says it, and everybody has done what follows from it."""
        self.take(*said)
        await self.rest()

    async def rest(self, seconds: float = 0.0) -> None:
        await self.clock.advance(seconds)

    async def calls(
        self,
        *calls: tuple[str, str],
        response_id: str = "r1",
        arguments: str = "{}",
        status: str = "completed",
    ) -> None:
        """A response that makes these calls, by name and id, and ends."""
        items = [
            events.FunctionCall(
                id=f"f_{call_id}", call_id=call_id, name=name, arguments=arguments, status="completed"
            )
            for name, call_id in calls
        ]
        await self.says(
            events.ResponseCreated(response=events.RealtimeResponse(id=response_id)),
            *(
                events.ResponseOutputItemDone(response_id=response_id, output_index=index, item=item)
                for index, item in enumerate(items)
            ),
            events.ResponseDone(
                response=events.RealtimeResponse(id=response_id, status=status, output=items)
            ),
        )

    async def begins(self, asked: events.ResponseCreate, response_id: str) -> None:
        """A response that was asked for begins."""
        metadata = None if asked.response is None else asked.response.metadata
        await self.says(
            events.ResponseCreated(response=events.RealtimeResponse(id=response_id, metadata=metadata))
        )

    async def speaks(self, response_id: str, pcm: bytes = SPEECH) -> None:
        await self.says(
            events.ResponseOutputAudioDelta.of(
                pcm=pcm, response_id=response_id, item_id=f"a_{response_id}", output_index=0, content_index=0
            )
        )

    async def ends(self, response_id: str, status: str = "completed") -> None:
        response = events.RealtimeResponse(id=response_id, status=status, output=[])
        await self.says(events.ResponseDone(response=response))

    async def speech(self, item_id: str = "u1") -> None:
        """The user begins to speak."""
        await self.says(events.InputAudioBufferSpeechStarted(item_id=item_id, audio_start_ms=0))

    async def turn(self, words: str | None, item_id: str = "u1") -> None:
        """The user speaks; the words are written down, or (None) cannot be."""
        await self.speech(item_id)
        await self.says(
            events.InputAudioBufferSpeechStopped(item_id=item_id, audio_end_ms=500),
            events.InputAudioBufferCommitted(item_id=item_id),
        )
        if words is not None:
            await self.says(
                events.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=item_id, content_index=0, transcript=words
                )
            )

    # -- what happened --------------------------------------------------------------------------------

    def sent(self) -> list[Any]:
        """What was sent since the last look."""
        every = [event for event in self.seen if isinstance(event, events.ClientEvent)]
        new, self._sent = every[self._sent :], len(every)
        return new

    def outputs(self) -> dict[str, str]:
        """What was sent as the outputs of calls, so far."""
        items = [event.item for event in self.seen if isinstance(event, events.ConversationItemCreate)]
        return {
            item.call_id or "": item.output for item in items if isinstance(item, events.FunctionCallOutput)
        }

    def error_of(self, call_id: str) -> Any:
        return json.loads(self.outputs()[call_id])["error"]

    def told(self, kind: type[LifecycleT]) -> list[LifecycleT]:
        return [event for event in self.seen if isinstance(event, kind)]

    async def attach(self) -> NullSink:
        sink = NullSink(clock=self.clock)
        attachment = Attachment(None, sink, self.clock, append=self.pump.input.append)
        self.pump.deeds.attachment = attachment
        self.group.start_soon(self.pump.carry_audio, attachment)
        await self.rest()
        return sink


@asynccontextmanager
async def tooling(
    *tools: Any, mouth: bool = False, dialect: events.Dialect = events.GA, **options: Any
) -> AsyncIterator[Bench]:
    """A conversation with these tools."""
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        bench = Bench(server, group, tools, dialect, options)
        bench.pump.start(group, bench.runner)
        lifeline = Lifeline(bench.pump, server.transport, Target())
        await lifeline.open()
        bench.pump.set_state("listening")
        if mouth:
            await bench.attach()
        await bench.rest()
        bench.sent()
        yield bench
        bench.pump.end(None, 1000, "closed by us")
        group.cancel_scope.cancel()
