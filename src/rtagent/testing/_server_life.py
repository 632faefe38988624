"""The life of one connection: what the client says meets a mind or a script, and faults.

Theory of operation. One task reads through ``Inbound``; each event makes faults due, which strike at once,
then it is noted, then ``ServerPlay`` takes it. Whatever answers goes through ``Outbound``, which has the other
faults and the only writer. Whoever ends the connection first wins: ``_finish`` says how, ``serve`` stops
all tasks and does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from ..errors import ConnectionLost, EndOfStream
from ._fault_lane import Leave
from ._fault_watch import FaultWatch
from ._faults import Drop, Fault, HalfOpen
from ._inbound import Inbound
from ._outbound import Outbound
from ._received import Received
from ._script import Script
from ._server_link import ABNORMAL, Link
from ._server_play import Common, ServerPlay
from ._vendor_record import LOG_LIMIT, VendorRecord
from ._vendor_session import Refusal
from ._vendor_wire import VendorWire, read_event

__all__ = ("Opening", "ServerLife")

LEAVE_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Opening:
    """How a connection begins."""

    number: int
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    faults: Sequence[Fault] = ()
    script: Script | None = None


class ServerLife:
    """Owns the tasks of one connection, and all that they share."""

    def __init__(self, common: Common, opening: Opening, link: Link) -> None:
        self.opening = opening
        self.ended: tuple[int, str] | None = None
        """Close code and reason; 1006 if there was no close frame, None as long as it is open."""
        self.gone = anyio.Event()
        """Set when nothing of it is left."""
        self.record = VendorRecord(common.transcripts, common.arguments)
        self.received = Received(f"connection {opening.number}")
        self.watch = FaultWatch(opening.faults)
        self.play: ServerPlay | None = None
        """What answers; there before the first event in either direction."""
        self._common = common
        self._link = link
        self._inbound = Inbound(link, common.clock)

        def expired(reason: str) -> list[str]:
            events = self.wire.refused(Refusal(reason, "session_expired"), None)
            return [json.dumps(event) for event in events]

        self._outbound = Outbound(
            link,
            common.clock,
            self.watch,
            strike=self._strike,
            expired=expired,
            aliases={written: name for name, written in common.vendor.names.items()},
        )
        self.wire = VendorWire(common.vendor, self._outbound, common.numbers)
        self._leaving = Leave()
        self._finished = anyio.Event()

    async def serve(self) -> None:
        """Play the connection to its end."""
        try:
            async with anyio.create_task_group() as group:
                self.play = play = ServerPlay(
                    self._common,
                    self.wire,
                    self.record,
                    group,
                    script=self.opening.script,
                    leave=self._outbound.leave,
                )
                for fault in self.watch.at_once():
                    self._strike(fault)
                group.start_soon(self._write)
                await play.greet()
                group.start_soon(self._read, play)
                if self.opening.script is not None:
                    group.start_soon(play.follow, self.opening.script)
                await self._finished.wait()
                group.cancel_scope.cancel()
        finally:
            await self._leave()

    async def go_away(self) -> None:
        """The server is shut down: what waits to be written stays behind."""
        self._outbound.forget()
        self._outbound.leave(1001, "the server is going away")
        await self.gone.wait()

    async def close(self, code: int, reason: str) -> None:
        """The server ends it, after all that was sent before."""
        self._outbound.leave(code, reason)
        await self.gone.wait()

    def inject(self, fault: Fault) -> None:
        """One more fault; without ``on`` it strikes now."""
        self.watch.add(fault)
        if self.play is None:  # what is due at once strikes when it begins
            return
        for due in self.watch.at_once():
            if isinstance(due, Drop | HalfOpen):
                self._outbound.forget()
            self._strike(due)

    async def _leave(self) -> None:
        leaving = Leave() if self._link.frozen else self._leaving
        code, reason = leaving.code, leaving.reason
        if self.ended is None:
            self.ended = (ABNORMAL if code is None else code, reason)
        self.received.end(f"code {self.ended[0]}")
        with anyio.move_on_after(LEAVE_TIMEOUT_S, shield=True):
            await self._link.leave(code, reason)
        self.gone.set()

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
            for fault in self.watch.due("client", event["type"]):
                self._strike(fault)
            await self._inbound.held()
            self._common.log.append(self.record.note(event))
            del self._common.log[:-LOG_LIMIT]
            self.received.note(event)
            if not self._outbound.over:
                await play.take(event)
        except Refusal as refusal:
            self.record.fault(refusal.message, refusal.code)
            await self.wire.refuse(refusal, event_id)

    # -- faults --------------------------------------------------------------------------------------

    def _strike(self, fault: Fault) -> None:
        self._inbound.strike(fault)
        self._outbound.strike(fault)
        if self.play is not None:
            self.play.strike(fault)
