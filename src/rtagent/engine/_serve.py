"""The engine as a WebSocket server: a Realtime endpoint inside a program or a test."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import anyio
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as websocket_serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from ..errors import ConfigurationError
from ..transport import WebSocketTransport
from ._connection import EngineConnection
from ._connection_settings import AgentLike, EngineSettings
from ._serve_access import chosen_subprotocol, intent_of, is_realtime, is_translation, model_of, presents_key

__all__ = ("EngineServer", "EngineStatistics", "serve")

MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
"""A longer message ends the connection with code 1009."""
CLOSE_TIMEOUT_S: Final = 2.0
NO_TRANSLATION: Final = "The embedded engine cannot translate: it has no language model.\n"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """What has passed through a server until now."""

    connections: int
    """Clients that are connected now."""
    served: int
    """Clients that were ever let in."""
    turned_away: int
    """Clients that came when the server was full."""
    events_received: int
    """Frames of all clients."""
    events_sent: int
    """Events to all clients."""
    busy: bool
    """Whether any client is still to be sent something without asking."""


class EngineServer:
    """A running server: where it is, who is connected, whether it still has something to say."""

    def __init__(self, settings: EngineSettings, agent: AgentLike | None) -> None:
        self._settings = settings
        self._agent = agent
        self._connections: set[EngineConnection] = set()
        self._served = self._turned_away = 0
        self._past_received = self._past_sent = 0
        self.host = ""
        """Where it listens."""
        self.port = 0
        """On which port it listens."""

    @property
    def url(self) -> str:
        """What clients dial."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}/v1/realtime"

    @property
    def connections(self) -> frozenset[EngineConnection]:
        """The clients that are connected now."""
        return frozenset(self._connections)

    def statistics(self) -> EngineStatistics:
        """What has passed through until now."""
        now = [connection.statistics() for connection in self._connections]
        return EngineStatistics(
            connections=len(now),
            served=self._served,
            turned_away=self._turned_away,
            events_received=self._past_received + sum(each.events_received for each in now),
            events_sent=self._past_sent + sum(each.events_sent for each in now),
            busy=any(each.busy for each in now),
        )

    async def wait_idle(self) -> None:
        """Return when everything that clients have asked for until now is answered and sent."""
        while busy := [connection for connection in self._connections if connection.busy]:
            await busy[0].wait_idle()

    async def aclose(self) -> None:
        """Tell every client that the server leaves (1001)."""
        async with anyio.create_task_group() as tasks:
            for connection in self.connections:
                tasks.start_soon(connection.aclose)

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake that leads nowhere; None lets it pass."""
        if is_translation(request.path):
            return connection.respond(HTTPStatus.NOT_FOUND, NO_TRANSLATION)
        if not is_realtime(request.path):
            return connection.respond(HTTPStatus.NOT_FOUND, "The realtime endpoint is /v1/realtime.\n")
        key = self._settings.api_key
        if key is not None and not presents_key(request.headers, key):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "The key is missing or wrong.\n")
        return None

    async def handle(self, connection: ServerConnection) -> None:
        """Serve one client to its end."""
        if len(self._connections) >= self._settings.max_clients:
            self._turned_away += 1
            await connection.close(1013, "the server is full, try again later")
            return
        target = connection.request.path if connection.request is not None else ""
        engine = EngineConnection(
            WebSocketTransport(connection),
            self._settings,
            agent=self._agent,
            model=model_of(target),
            intent=intent_of(target),
        )
        self._connections.add(engine)
        self._served += 1
        try:
            await engine.run()
        finally:
            self._connections.discard(engine)
            past = engine.statistics()
            self._past_received += past.events_received
            self._past_sent += past.events_sent


@asynccontextmanager
async def serve(
    agent: AgentLike | None = None,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    settings: EngineSettings | None = None,
) -> AsyncGenerator[EngineServer, None]:
    """Serve the embedded engine until the block ends.

    Args:
        agent: gives every session its first instructions and tools.
        host: the address to listen on.
        port: the port to listen on; 0 takes any free one, see ``EngineServer.port``.
        settings: ears, brain, voice and limits.

    Raises:
        ConfigurationError: nothing can listen there.
    """
    server = EngineServer(settings or EngineSettings(), agent)
    try:
        listening = await websocket_serve(
            server.handle,
            host,
            port,
            process_request=server.admit,
            select_subprotocol=_select_subprotocol,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            close_timeout=CLOSE_TIMEOUT_S,
            logger=logger,
        )
    except OSError as problem:
        message = f"cannot listen on {host} port {port}: {problem.strerror or problem}"
        raise ConfigurationError(message, hint="choose another port, or 0 for any free one") from problem
    async with listening:
        server.host, server.port = host, _port_of(listening)
        try:
            yield server
        finally:
            listening.close(close_connections=False)
            await server.aclose()


def _port_of(listening: Server) -> int:
    port: int = next(iter(listening.sockets)).getsockname()[1]
    return port


def _select_subprotocol(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    chosen = chosen_subprotocol(offered)
    return None if chosen is None else Subprotocol(chosen)
