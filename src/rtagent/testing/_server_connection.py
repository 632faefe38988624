"""One connection of a ``RealtimeServer``: what the client says meets a mind or a script, and faults.

Theory of operation. One task reads through ``Inbound``; each event makes faults due, which strike at once,
then it is noted, then ``ServerPlay`` takes it. Whatever answers goes through ``Outbound``, which has the other
faults and the only writer. Whoever ends the connection first wins: ``_finish`` says how, ``serve`` stops
all tasks and does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from ..errors import ConnectionLost, EndOfStream, SessionClosed, Timeout
from ._fault_lane import Leave
from ._fault_watch import FaultWatch
from ._faults import Drop, Fault, HalfOpen, check_close
from ._inbound import Inbound
from ._outbound import Outbound
from ._received import Received
from ._script import Script, Where
from ._server_link import ABNORMAL, Link
from ._server_play import Common, ServerPlay
from ._vendor_record import LOG_LIMIT, VendorRecord
from ._vendor_session import Refusal
from ._vendor_wire import VendorWire, read_event

__all__ = ("Opening", "ServerConnection", "selected")

LEAVE_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Opening:
    """How a connection begins."""

    number: int
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: Sequence[Fault] = ()
    script: Script | None = None


class ServerConnection:
    """The server's side of one connection; ``RealtimeServer.connections`` lists them."""

    def __init__(self, common: Common, opening: Opening, link: Link) -> None:
        self.number = opening.number
        """Counted from 1."""
        self.path = opening.path
        """Path and query that were dialled."""
        self.headers = opening.headers
        """The handshake's headers, names in lower case."""
        self.script = opening.script
        """Where it is in its script, if it has one."""
        self.ended: tuple[int, str] | None = None
        """Close code and reason; 1006 if there was no close frame, None as long as it is open."""
        self._common = common
        self._link = link
        self._record = VendorRecord(common.transcripts, common.arguments)
        self._received = Received(f"connection {opening.number}")
        self._watch = FaultWatch(opening.faults)
        self._inbound = Inbound(link, common.clock)

        def expired(reason: str) -> list[str]:
            events = self._wire.refused(Refusal(reason, "session_expired"), None)
            return [json.dumps(event) for event in events]

        self._outbound = Outbound(
            link,
            common.clock,
            self._watch,
            strike=self._strike,
            expired=expired,
            aliases={written: name for name, written in common.vendor.names.items()},
        )
        self._wire = VendorWire(common.vendor, self._outbound, common.numbers)
        self._play: ServerPlay | None = None
        self._leaving = Leave()
        self._finished = anyio.Event()
        self._gone = anyio.Event()

    # -- what happened -------------------------------------------------------------------------------

    @property
    def log(self) -> list[dict[str, Any]]:
        """What the client sent, in order; of audio only the length of its base64."""
        return self._record.log

    @property
    def audio(self) -> bytes:
        """All input audio."""
        return bytes(self._received.audio)

    @property
    def heard_ms(self) -> int:
        """Input audio so far, by the sample rate of the session."""
        return self._record.heard_ms

    @property
    def items(self) -> list[dict[str, Any]]:
        """The conversation as the server holds it: its items, in order."""
        return [] if self._play is None else self._play.items

    @property
    def spoken(self) -> dict[str, bytes]:
        """The sound that was sent, for each item."""
        return {reply.item_id: bytes(reply.audio) for reply in self._record.replies if reply.audio}

    @property
    def refusals(self) -> list[str]:
        """What the client did and a real server refuses, or a lenient script did not expect."""
        return self._record.faults

    @property
    def races(self) -> list[str]:
        """Refusals that messages which cross each other can cause: no fault of the client."""
        return self._record.races

    @property
    def faults_done(self) -> list[Fault]:
        """The faults that have struck here."""
        return self._watch.done

    def sent(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The client's events of that type, or all but the audio."""
        return selected(self.log, kind)

    # -- what is to happen ---------------------------------------------------------------------------

    async def send(self, frame: Mapping[str, Any] | str) -> None:
        """Send an object or a text as it is, in the middle of everything.

        Raises:
            SessionClosed: the connection has ended.
        """
        _check_open(self)
        await self._wire.send_raw(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection from the server's side, after all that was sent before."""
        check_close(code, reason)
        self._outbound.leave(code, reason)
        await self._gone.wait()

    async def wait_for(self, kind: str, where: Where | None = None, timeout: float = 5.0) -> dict[str, Any]:
        """The client's next event of that type; each is given out once, also those that came before.

        Args:
            kind: its type.
            where: what it must hold, or a function that decides.
            timeout: how long it may take, in seconds.

        Raises:
            Timeout: it did not come.
            UnexpectedFrame: the connection ended without it.
        """
        return await self._received.claim(kind, where, timeout)

    async def wait_ended(self, timeout: float = 5.0) -> tuple[int, str]:
        """How it ended, when it has.

        Raises:
            Timeout: it did not end.
        """
        with anyio.move_on_after(timeout):
            await self._gone.wait()
        if self.ended is None:
            what = f"the end of connection {self.number}"
            raise Timeout(what, waited_s=timeout)
        return self.ended

    def release(self) -> None:
        """Let the answer go on that stopped in the middle."""
        if self._play is not None:
            self._play.release()

    def inject(self, fault: Fault) -> None:
        """Let something go wrong here, whatever number the fault names; without ``on`` at once.

        Raises:
            SessionClosed: the connection has ended.
        """
        _check_open(self)
        self._watch.add(fault)
        if self._play is None:  # what is due at once strikes when it begins
            return
        for due in self._watch.at_once():
            if isinstance(due, Drop | HalfOpen):
                self._outbound.forget()
            self._strike(due)

    # -- the connection's life -----------------------------------------------------------------------

    async def serve(self) -> None:
        """Play the connection to its end."""
        try:
            async with anyio.create_task_group() as group:
                self._play = play = ServerPlay(
                    self._common,
                    self._wire,
                    self._record,
                    group,
                    script=self.script,
                    leave=self._outbound.leave,
                )
                for fault in self._watch.at_once():
                    self._strike(fault)
                group.start_soon(self._write)
                await play.greet()
                group.start_soon(self._read, play)
                if self.script is not None:
                    group.start_soon(play.follow, self.script)
                await self._finished.wait()
                group.cancel_scope.cancel()
        finally:
            await self._leave()

    async def go_away(self) -> None:
        """The server is shut down: what waits to be written stays behind."""
        self._outbound.forget()
        self._outbound.leave(1001, "the server is going away")
        await self._gone.wait()

    async def _leave(self) -> None:
        leaving = Leave() if self._link.frozen else self._leaving
        code, reason = leaving.code, leaving.reason
        if self.ended is None:
            self.ended = (ABNORMAL if code is None else code, reason)
        self._received.end(f"code {self.ended[0]}")
        with anyio.move_on_after(LEAVE_TIMEOUT_S, shield=True):
            await self._link.leave(code, reason)
        self._gone.set()

    def _finish(self, leaving: Leave, ended: tuple[int, str] | None = None) -> None:
        if not self._finished.is_set():
            self._leaving = leaving
            self.ended = ended
            self._outbound.stop()
            self._finished.set()

    async def _write(self) -> None:
        try:
            self._finish(await self._outbound.run())
        except (ConnectionLost, EndOfStream) as end:
            self._client_left(end)

    async def _read(self, play: ServerPlay) -> None:
        try:
            while True:
                frame = await self._inbound.receive()
                if self._outbound.over:  # the server leaves, or is cut off: it takes nothing any more
                    break
                await self._take(frame, play)
        except (ConnectionLost, EndOfStream) as end:
            self._client_left(end)

    def _client_left(self, end: ConnectionLost | EndOfStream) -> None:
        vanished = end.code is None
        self._finish(Leave(1000), (ABNORMAL, "") if vanished else (end.code or ABNORMAL, end.reason))

    async def _take(self, frame: str | bytes, play: ServerPlay) -> None:
        event_id: object = None
        self._common.taken += 1
        try:
            event = read_event(frame)
            event_id = event.get("event_id")
            for fault in self._watch.due("client", event["type"]):
                self._strike(fault)
            await self._inbound.held()
            self._common.log.append(self._record.note(event))
            del self._common.log[:-LOG_LIMIT]
            self._received.note(event)
            if not self._outbound.over:
                await play.take(event)
        except Refusal as refusal:
            self._record.fault(refusal.message, refusal.code)
            await self._wire.refuse(refusal, event_id)

    # -- faults --------------------------------------------------------------------------------------

    def _strike(self, fault: Fault) -> None:
        self._inbound.strike(fault)
        self._outbound.strike(fault)
        if self._play is not None:  # there before the first event in either direction
            self._play.strike(fault)


def _check_open(connection: ServerConnection) -> None:
    if connection.ended is not None:
        message = f"connection {connection.number} has ended"
        raise SessionClosed(message)


def selected(log: Sequence[dict[str, Any]], kind: str | None) -> list[dict[str, Any]]:
    """The events of that type, or all but the audio."""
    if kind is None:
        return [event for event in log if event["type"] != "input_audio_buffer.append"]
    return [event for event in log if event["type"] == kind]
