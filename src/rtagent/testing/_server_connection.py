"""One connection of a ``RealtimeServer``, as a test sees and drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from ..errors import SessionClosed, Timeout
from ._faults import Fault, check_close
from ._script import Where
from ._server_life import ServerLife

__all__ = ("ServerConnection", "selected")


class ServerConnection:
    """The server's side of one connection; ``RealtimeServer.connections`` lists them."""

    def __init__(self, life: ServerLife) -> None:
        self.number = life.opening.number
        """Counted from 1."""
        self.path = life.opening.path
        """Path and query that were dialled."""
        self.headers = life.opening.headers
        """The handshake's headers, names in lower case."""
        self._life = life

    # -- what happened -------------------------------------------------------------------------------

    @property
    def ended(self) -> tuple[int, str] | None:
        """Close code and reason; 1006 if there was no close frame, None as long as it is open."""
        return self._life.ended

    @property
    def log(self) -> list[dict[str, Any]]:
        """What the client sent, in order; of audio only the length of its base64."""
        return self._life.record.log

    @property
    def audio(self) -> bytes:
        """All input audio."""
        return bytes(self._life.received.audio)

    @property
    def heard_ms(self) -> int:
        """Input audio so far, by the sample rate of the session."""
        return self._life.record.heard_ms

    @property
    def items(self) -> list[dict[str, Any]]:
        """The conversation as the server holds it: its items, in order."""
        return [] if self._life.play is None else self._life.play.items

    @property
    def spoken(self) -> dict[str, bytes]:
        """The sound that was sent, for each item."""
        return {reply.item_id: bytes(reply.audio) for reply in self._life.record.replies if reply.audio}

    @property
    def refusals(self) -> list[str]:
        """What the client did and a real server refuses, or a lenient script did not expect."""
        return self._life.record.faults

    @property
    def races(self) -> list[str]:
        """Refusals that messages which cross each other can cause: no fault of the client."""
        return self._life.record.races

    @property
    def faults_done(self) -> list[Fault]:
        """The faults that have struck here."""
        return self._life.watch.done

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
        await self._life.wire.send_raw(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection from the server's side, after all that was sent before."""
        check_close(code, reason)
        await self._life.close(code, reason)

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
        return await self._life.received.claim(kind, where, timeout)

    async def wait_ended(self, timeout: float = 5.0) -> tuple[int, str]:
        """How it ended, when it has.

        Raises:
            Timeout: it did not end.
        """
        with anyio.move_on_after(timeout):
            await self._life.gone.wait()
        if self.ended is None:
            what = f"the end of connection {self.number}"
            raise Timeout(what, waited_s=timeout)
        return self.ended

    def release(self) -> None:
        """Let the answer go on that stopped in the middle."""
        if self._life.play is not None:
            self._life.play.release()

    def inject(self, fault: Fault) -> None:
        """Let something go wrong here, whatever number the fault names; without ``on`` at once.

        Raises:
            SessionClosed: the connection has ended.
        """
        _check_open(self)
        self._life.inject(fault)


def _check_open(connection: ServerConnection) -> None:
    if connection.ended is not None:
        message = f"connection {connection.number} has ended"
        raise SessionClosed(message)


def selected(log: Sequence[dict[str, Any]], kind: str | None) -> list[dict[str, Any]]:
    """The events of that type, or all but the audio."""
    if kind is None:
        return [event for event in log if event["type"] != "input_audio_buffer.append"]
    return [event for event in log if event["type"] == kind]
