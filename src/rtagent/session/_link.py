"""One connection while it is in use: one task reads it, one writes it, and both end with it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
import anyio.lowlevel

from .. import events
from ..errors import ConnectionLost, EndOfStream, SessionClosed
from ..transport import Transport
from ._wire import Wire

__all__ = ("Link", "LinkEnd")

LinkEnd = ConnectionLost | EndOfStream | SessionClosed

logger = logging.getLogger(__name__)


class Link:
    """Owns the reading and writing of one open connection.

    Args:
        transport: the connection.
        dialect: what its server speaks.
        wire: what is to be written.
    """

    def __init__(self, transport: Transport, dialect: events.Dialect, wire: Wire) -> None:
        self.transport = transport
        self._decoder = events.Decoder(dialect)
        self._wire = wire
        self._scope: anyio.CancelScope | None = None

    async def run(self, take: Callable[[events.ServerEvent], bool]) -> LinkEnd | None:
        """Carry events both ways until the connection ends, and say how; None after ``leave``.

        Args:
            take: is given every event; True when it let somebody who waited go on.
        """
        end: LinkEnd | None = None
        with anyio.CancelScope() as self._scope:
            async with anyio.create_task_group() as group:
                group.start_soon(self._write, name="session writer")
                end = await self._read(take)
                group.cancel_scope.cancel()
        return end

    def leave(self) -> None:
        """Use the connection no more; it stays open."""
        if self._scope is not None:
            self._scope.cancel()

    async def _read(self, take: Callable[[events.ServerEvent], bool]) -> LinkEnd:
        try:
            while True:
                frame = await self.transport.receive()
                if take(self._decoder.decode(frame)):
                    # Let the one who waited go on before the next event is read, so that a
                    # subscription made right after an answer misses nothing.
                    await anyio.lowlevel.checkpoint()
        except (ConnectionLost, EndOfStream, SessionClosed) as end:
            return end

    async def _write(self) -> None:
        try:
            await self._wire.run(self.transport)
        except (ConnectionLost, SessionClosed) as end:
            logger.debug("writing ended: %s", end)  # the reader reports the end, with its code
