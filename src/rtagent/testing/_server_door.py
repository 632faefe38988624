"""Where clients come in: a port of this machine, or one half of a pair in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection as Socket
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from ..errors import ConnectionFailed
from ..transport._refusal import read_refusal
from ..transport._websocket import RETRYABLE_STATUS
from ._faults import Refuse
from ._server_link import SocketLink

__all__ = ("listening", "refusal")

MAX_FRAME_BYTES = 15 * 1024 * 1024
SUBPROTOCOL = Subprotocol("realtime")

Admit = Callable[[], Refuse | None]
"""Says how the next handshake is to be answered; None lets it in."""
Serve = Callable[[SocketLink, str, Mapping[str, str]], Awaitable[None]]
"""Plays a connection: its link, the path that was dialled, the headers."""


@asynccontextmanager
async def listening(admit: Admit, play: Serve) -> AsyncGenerator[str]:
    """Take WebSockets on a port of this machine for as long as the block lasts; gives ``ws://host:port``."""

    async def connected(socket: Socket) -> None:
        request = socket.request
        assert request is not None  # the handshake is over  # noqa: S101
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        await play(SocketLink(socket), request.path, headers)

    def answer(_: Socket, __: Request) -> Response | None:
        refuse = admit()
        return None if refuse is None else _response(refuse)

    async with serve(
        connected,
        "127.0.0.1",
        0,
        process_request=answer,
        select_subprotocol=_subprotocol,
        compression=None,
        max_size=MAX_FRAME_BYTES,
        ping_interval=None,  # a half-open connection must not be found out by the server's own pings
        close_timeout=2,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


def refusal(refuse: Refuse) -> ConnectionFailed:
    """What a client in memory is told instead of an HTTP answer."""
    said = read_refusal(refuse.headers.items(), refuse.body.encode(), now=datetime.now(UTC))
    return ConnectionFailed(
        f"the server in memory answered {refuse.status}",
        status=refuse.status,
        retryable=refuse.status in RETRYABLE_STATUS,
        code=said.code,
        retry_after_s=said.retry_after_s,
    )


def _response(refuse: Refuse) -> Response:
    body = refuse.body.encode()
    headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
    headers.update(refuse.headers)
    try:
        phrase = HTTPStatus(refuse.status).phrase
    except ValueError:
        phrase = "Unknown"
    return Response(refuse.status, phrase, headers, body)


def _subprotocol(_: Socket, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return SUBPROTOCOL if SUBPROTOCOL in offered else None
