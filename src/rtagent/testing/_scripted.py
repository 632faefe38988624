"""A Realtime server that a test plays by hand, over an in-memory transport."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, TypeVar

import anyio

from .. import events
from ..transport import MemoryTransport, memory_pair
from ._script import UnexpectedFrame

__all__ = ("ScriptedServer", "UnexpectedFrame")

EventT = TypeVar("EventT", bound=events.ClientEvent)


class ScriptedServer:
    """The other side of ``server.transport``: expect what the client sends, send what you like.

    Leaving the block fails on frames that were sent and never expected, input audio excepted::

        async with ScriptedServer() as server, Session(server.transport) as session: ...

    Args:
        greeting: the session of the ``session.created`` that is sent at once; None sends none.
    """

    def __init__(self, greeting: events.RealtimeSession | None = None, *, greet: bool = True) -> None:
        ours, self._theirs = memory_pair()
        self.transport: MemoryTransport = ours
        """The client's side."""
        self.appended = bytearray()
        """The input audio that came in so far."""
        self._greeting = greeting if greeting is not None else default_session()
        self._greet = greet

    async def __aenter__(self) -> ScriptedServer:
        if self._greet:
            await self.send(events.SessionCreated(event_id="event_0", session=self._greeting))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            await self.expect_nothing()
        await self._theirs.aclose()

    async def send(self, *sent: events.ServerEvent | dict[str, Any] | str) -> None:
        """Send events, raw objects, or text frames as they are."""
        for event in sent:
            if isinstance(event, events.ServerEvent):
                await self._theirs.send(events.encode(event))
            elif isinstance(event, str):
                await self._theirs.send(event)
            else:
                await self._theirs.send(json.dumps(event))

    async def expect(self, kind: type[EventT], timeout: float = 5.0) -> EventT:
        """The next event of the client, which must be of that class; input audio is collected aside."""
        with anyio.fail_after(timeout):
            while True:
                event = events.decode_client(await self._theirs.receive())
                if isinstance(event, events.InputAudioBufferAppend):
                    self.appended += event.pcm
                if isinstance(event, kind):
                    return event
                if isinstance(event, events.InputAudioBufferAppend):
                    continue
                message = f"expected {kind.__name__}, got {event!r}"
                raise UnexpectedFrame(message)

    async def expect_nothing(self) -> None:
        """Fail if the client has said anything more, once every task has come to rest."""
        await anyio.wait_all_tasks_blocked()
        for frame in self._theirs.waiting():
            event = events.decode_client(frame)
            if not isinstance(event, events.InputAudioBufferAppend):
                message = f"expected nothing, got {event!r}"
                raise UnexpectedFrame(message)

    async def configure(self) -> events.SessionUpdate:
        """Answer the client's ``session.update`` with what it asked for."""
        update = await self.expect(events.SessionUpdate)
        await self.send(events.SessionUpdated(event_id="event_1", session=update.session))
        return update

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection from the server's side."""
        await self._theirs.aclose(code, reason)


def default_session() -> events.RealtimeSession:
    """A session as a server describes it: 24 kHz PCM both ways, server VAD."""
    return events.RealtimeSession(
        id="sess_scripted",
        object="realtime.session",
        model="scripted",
        audio=events.SessionAudio(
            input=events.AudioInput(format=events.PcmFormat(), turn_detection=events.ServerVad()),
            output=events.AudioOutput(format=events.PcmFormat(), voice="marin"),
        ),
    )
