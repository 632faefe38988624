"""One connection of a probe: raw frames out, and a record of every frame that came back.

Theory of operation. Nothing runs in the background: a frame is read when a question waits for one, so a
connection belongs to the one question that runs on it. That a server says *nothing* to an event is found
out without waiting for long where it can be: behind the event goes a ``session.update`` that changes
nothing, and when its answer comes, the server has read the event too. Where updates are not answered,
silence is what remains when the time is up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import anyio

from ..errors import ConnectionLost, EndOfStream
from ..transport import Transport
from ._probe_frame import Frame, read_frame, short
from ._probe_shape import Shape, session

__all__ = ("Ended", "Manner", "Reply", "Times", "Wire", "concerning")

INSTRUCTIONS = "Answer every message in one short sentence."
MAX_FRAMES = 4_000
"""On one connection; a server that sends more is not answering questions."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long answers are waited for, in seconds."""

    answer_s: float
    """For what a model has to make."""

    @property
    def acknowledgement_s(self) -> float:
        """For what a server only has to say."""
        return min(self.answer_s, 3.0)

    @property
    def quiet_s(self) -> float:
        """For what would be there already, if it came."""
        return min(self.answer_s / 10, 0.4)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to talk to the server, as far as that is known."""

    times: Times
    model: str | None = None
    protocol: Literal["realtime", "live", "translation"] = "realtime"
    shape: Shape = "nested"
    answers_updates: bool = False


class Reply(NamedTuple):
    """How the server met one event."""

    reaction: Literal["acknowledged", "silent", "refused"]
    frame: Frame | None = None

    @property
    def told(self) -> str:
        """What came, in words."""
        if self.frame is None:
            return "nothing came"
        return self.frame.complaint if self.reaction == "refused" else self.frame.type


class Ended(Exception):
    """The server ended the connection, or cannot be listened to any longer."""


class Wire:
    """Owns one open connection and the record of what came over it."""

    def __init__(self, transport: Transport, manner: Manner, *, dialled_s: float) -> None:
        self._transport = transport
        self.manner = manner
        """How to talk; a question that learns more replaces it."""
        self.frames: list[Frame] = []
        """Everything that came, in order."""
        self.ended = False
        """Whether the server is gone, so that no further question can be asked here."""
        self._dialled_s = dialled_s
        self._count = 0
        self._updates_to_come = 0

    @property
    def times(self) -> Times:
        """How long to wait."""
        return self.manner.times

    async def aclose(self) -> None:
        """Close from our side."""
        await self._transport.aclose()

    async def send(self, kind: str, **fields: Any) -> str:
        """Send an event; returns its ``event_id``.

        Raises:
            Ended: there is nobody any more.
        """
        self._count += 1
        event_id = f"probe_{self._count}"
        await self.send_text(json.dumps({"type": kind, "event_id": event_id, **fields}))
        return event_id

    async def send_text(self, text: str) -> None:
        """Send a frame that need not be an event.

        Raises:
            Ended: there is nobody any more.
        """
        try:
            await self._transport.send(text)
        except ConnectionLost as end:
            raise self._over(_ending(end)) from end

    async def until(
        self, *kinds: str, within_s: float, where: Callable[[Frame], bool] = lambda _: True
    ) -> Frame | None:
        """The next frame of one of these kinds, or None when the time is up.

        Raises:
            Ended: the server ended the connection.
        """
        with anyio.move_on_after(within_s):
            while True:
                frame = await self._read()
                if frame.kind in kinds and where(frame):
                    return frame
        return None

    async def rest(self) -> None:
        """Read what else comes at once.

        Raises:
            Ended: the server ended the connection.
        """
        with anyio.move_on_after(self.times.quiet_s):
            while True:
                await self._read()

    async def update(self, **settings: Any) -> Reply:
        """Change the session; the answer shows what came of it.

        Raises:
            Ended: the server ended the connection.
        """
        await self._catch_up()
        event_id = await self.send("session.update", session=session(self.manner.shape, **settings))
        awaited, within_s = ("session.updated", "error"), self.times.acknowledgement_s
        frame = await self.until(*awaited, within_s=within_s, where=concerning(event_id))
        if frame is None:
            return Reply("silent")
        return Reply("refused" if frame.kind == "error" else "acknowledged", frame)

    async def ask(self, kind: str, *answers: str, **fields: Any) -> Reply:
        """Send an event and see whether it is answered, refused, or met with silence.

        Raises:
            Ended: the server ended the connection.
        """
        await self._catch_up()
        event_id = await self.send(kind, **fields)

        ours = concerning(event_id)
        awaited = (*answers, "error")
        if self.manner.answers_updates:
            await self.send("session.update", session=session(self.manner.shape, instructions=INSTRUCTIONS))
            self._updates_to_come += 1
            awaited = (*awaited, "session.updated")
        frame = await self.until(*awaited, within_s=self.times.acknowledgement_s, where=ours)
        # Any other frame is the answer to the update: the event before it has been read.
        if frame is not None and frame.kind not in (*answers, "error"):
            frame = await self.until(*answers, "error", within_s=self.times.quiet_s, where=ours)
        if frame is None:
            return Reply("silent")
        return Reply("refused" if frame.kind == "error" else "acknowledged", frame)

    async def _catch_up(self) -> None:
        """Take the answers to updates that were only sent to mark a place."""
        while self._updates_to_come:
            if await self.until("session.updated", within_s=self.times.quiet_s) is None:
                self._updates_to_come = 0

    async def _read(self) -> Frame:
        if len(self.frames) >= MAX_FRAMES:
            message = f"it sent more than {MAX_FRAMES} events"
            raise self._over(message)
        try:
            data = await self._transport.receive()
        except (EndOfStream, ConnectionLost) as end:
            raise self._over(_ending(end)) from end
        frame = read_frame(data, at_s=anyio.current_time() - self._dialled_s)
        self.frames.append(frame)
        if frame.kind == "session.updated" and self._updates_to_come:
            self._updates_to_come -= 1
        return frame

    def _over(self, how: str) -> Ended:
        self.ended = True
        return Ended(how)


def concerning(event_id: str) -> Callable[[Frame], bool]:
    """Passes every frame but the errors that name another event as their cause."""
    return lambda frame: frame.kind != "error" or frame.blames in (None, event_id)


def _ending(end: EndOfStream | ConnectionLost) -> str:
    code = "without a close frame" if end.code is None else f"with {end.code}"
    return f"the server closed {code}" + (f": {short(end.reason)}" if end.reason else "")
