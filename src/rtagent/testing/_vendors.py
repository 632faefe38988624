"""Servers that behave like those of the known vendors, their traps included.

Theory of operation. A ``VendorServer`` is one vendor's server with a simple mind: what is said to it
decides what it does. It reads and writes raw JSON and shares nothing with the codec that it is there
to try. A reading loop per connection takes client events in order; each response streams in a task of
its own, so that it can be cancelled or interrupted; one writer keeps frames whole.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import anyio
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ..errors import ConfigurationError, ConnectionLost, EndOfStream, SessionClosed
from ..transport import Transport
from ._vendor_connection import VendorConversation
from ._vendor_record import VendorRecord
from ._vendor_session import Refusal
from ._vendor_tables import VENDORS, XAI_OLDER
from ._vendor_wire import VendorWire, read_event
from ._vendor_writing import VendorWriting

__all__ = ("VendorServer",)

MAX_FRAME_BYTES = 15 * 1024 * 1024


class VendorServer:
    """The server of one vendor, for any number of connections one after the other.

    What it answers follows from what it is told: a user's text or transcript with the word ``tool``
    makes it call the first function that it has, with ``story`` in it the answer stops in the middle
    until it is interrupted or ``release`` is called, and a function's output is answered by "done".

    Args:
        profile: the vendor, by the name of its profile, such as ``"qwen-omni"``.
        transcripts: what the user is taken to have said, one for each spoken turn.
        arguments: what functions are called with.
        older: an older build of the vendor's server, where one is known (``xai``).
    """

    def __init__(
        self,
        profile: str,
        *,
        transcripts: Iterable[str] = (),
        arguments: Mapping[str, Any] | None = None,
        older: bool = False,
    ) -> None:
        vendor = VENDORS.get(profile)
        if vendor is None or (older and profile != "xai"):
            message = f"no {'older ' if older else ''}server of {profile!r} is known"
            raise ConfigurationError(message, hint=f"one of {', '.join(sorted(VENDORS))}")
        self.profile = profile
        self._vendor = XAI_OLDER if older else vendor
        self._record = VendorRecord(transcripts, arguments or {})
        self._speaker: VendorConversation | VendorWriting | None = None
        self._wire: VendorWire | None = None
        self._transport: Transport | None = None

    # -- what happened -------------------------------------------------------------------------------

    @property
    def log(self) -> list[dict[str, Any]]:
        """What the client sent, in order; of audio only the length of its base64."""
        return self._record.log

    @property
    def faults(self) -> list[str]:
        """What the client did and this vendor refuses; empty for a client that knows the vendor."""
        return self._record.faults

    @property
    def races(self) -> list[str]:
        """Refusals that messages which cross each other can cause."""
        return self._record.races

    @property
    def heard_ms(self) -> int:
        """Input audio so far, by the sample rate of the session."""
        return self._record.heard_ms

    @property
    def turns(self) -> list[bytes]:
        """The audio of each spoken turn."""
        return self._record.turns

    @property
    def spoken(self) -> dict[str, bytes]:
        """The sound that was sent, for each item."""
        return {reply.item_id: bytes(reply.audio) for reply in self._record.replies if reply.audio}

    @property
    def ends(self) -> list[tuple[int | None, str]]:
        """How each connection ended: close code and reason; no code where the client vanished."""
        return self._record.ends

    @property
    def paths(self) -> list[str]:
        """Path and query of each WebSocket connection."""
        return self._record.paths

    def sent(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The client's events of that type, or all but the audio."""
        if kind is None:
            return [event for event in self.log if event["type"] != "input_audio_buffer.append"]
        return [event for event in self.log if event["type"] == kind]

    # -- what is to happen ---------------------------------------------------------------------------

    def release(self) -> None:
        """Let the answer go on that stopped in the middle."""
        if self._speaker is not None:
            self._speaker.release()

    async def send_raw(self, frame: Mapping[str, Any] | str) -> None:
        """Send an object or a text as it is, in the middle of everything."""
        if self._wire is None:
            raise SessionClosed
        await self._wire.send_raw(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection from the server's side."""
        if self._transport is not None:
            await self._transport.aclose(code, reason)

    # -- connections ---------------------------------------------------------------------------------

    async def serve(self, transport: Transport) -> None:
        """Play one connection to its end."""
        self._transport = transport
        self._wire = wire = VendorWire(self._vendor, transport)
        try:
            async with anyio.create_task_group() as group:
                if self._vendor.shape == "model_only":
                    self._speaker = VendorWriting(self._vendor, wire, self._record)
                else:
                    self._speaker = VendorConversation(self._vendor, wire, self._record, group)
                await self._play(transport, wire, self._speaker)
        except* (ConnectionLost, EndOfStream, SessionClosed) as ends:
            self._ended(ends)
        finally:
            self._speaker = self._wire = self._transport = None

    @asynccontextmanager
    async def run_websocket(self) -> AsyncGenerator[str]:
        """Serve on a port of this machine for as long as the block lasts; gives the URL to dial."""

        async def connected(connection: ServerConnection) -> None:
            request = connection.request
            self._record.paths.append(request.path if request is not None else "")
            await self.serve(_ServerTransport(connection))

        async with serve(
            connected, "127.0.0.1", 0, compression=None, max_size=MAX_FRAME_BYTES, close_timeout=2
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"ws://127.0.0.1:{port}{self._vendor.address}"

    async def _play(
        self, transport: Transport, wire: VendorWire, speaker: VendorConversation | VendorWriting
    ) -> NoReturn:
        await speaker.greet()
        while True:
            frame = await transport.receive()
            event_id: object = None
            try:
                event = read_event(frame)
                event_id = event.get("event_id")
                self._record.note(event)
                await speaker.handle(event)
            except Refusal as refusal:
                self._record.fault(refusal.message, refusal.code)
                await wire.refuse(refusal, event_id)

    def _ended(self, ends: BaseExceptionGroup[ConnectionLost | EndOfStream | SessionClosed]) -> None:
        end = _flat(ends)[0]
        code, reason = (None, "") if isinstance(end, SessionClosed) else (end.code, end.reason)
        self._record.ends.append((code, reason))
        if self._vendor.shape == "model_only" and code != 1000:
            self._record.fault("the connection was dropped without a close")


class _ServerTransport:
    """The server's side of a WebSocket as a ``Transport``."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def send(self, frame: str | bytes) -> None:
        try:
            await self._connection.send(frame)
        except ConnectionClosed as closed:
            raise _end(closed) from closed

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _end(closed) from closed

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        await self._connection.close(code, reason)


def _end(closed: ConnectionClosed) -> ConnectionLost | EndOfStream:
    if closed.rcvd is None:
        return ConnectionLost(None, "")
    return EndOfStream(closed.rcvd.code, closed.rcvd.reason)


def _flat(
    group: BaseExceptionGroup[ConnectionLost | EndOfStream | SessionClosed],
) -> list[ConnectionLost | EndOfStream | SessionClosed]:
    """The ends in a group of groups."""
    found: list[ConnectionLost | EndOfStream | SessionClosed] = []
    for one in group.exceptions:
        found += _flat(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
