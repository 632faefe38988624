"""The WebSocket shell: how rtagent dials, and what both sides make of an open WebSocket."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
from websockets.asyncio.client import connect as websocket_connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.frames import Frame, Opcode
from websockets.http11 import Response

from ..errors import ConfigurationError, ConnectionFailed, ConnectionLost, EndOfStream, SessionClosed
from ._endpoint import Endpoint
from ._refusal import read_refusal, secrets_of

__all__ = ("WebSocketTransport", "connect_websocket")

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""A retrieved item of some minutes of PCM must pass (protocol document, section 2); more is refused."""
CLOSE_TIMEOUT_S = 2.0
CLEAN_CODES = frozenset({1000, 1001})
RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
SECRET_HEADERS = ("authorization", "api-key", "proxy-authorization", "cookie")
STATUS_MEANING = {
    400: "the server does not accept this request",
    401: "the key is missing or wrong",
    403: "the key may not do this",
    404: "there is no realtime endpoint at this address, or the model is not known",
    429: "too many requests, or no quota left",
}

logger = logging.getLogger(__name__)


class WebSocketTransport:
    """One open WebSocket, from either side, as a ``Transport``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._closed_by_us = False

    async def send(self, frame: str | bytes) -> None:
        """Send one text frame; see ``Transport.send``."""
        try:
            await self._connection.send(frame, text=True)
        except ConnectionClosed as error:
            raise self._ended(error, sending=True) from error

    async def receive(self) -> str | bytes:
        """The next frame; see ``Transport.receive``."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise self._ended(error, sending=False) from error

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """Close, at most ``CLOSE_TIMEOUT_S`` long."""
        self._closed_by_us = True
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True) as scope:
            await self._connection.close(code, reason)
        if scope.cancelled_caught:  # the other side reads nothing any more: also frees a blocked send
            self._connection.transport.abort()

    @property
    def latency_s(self) -> float:
        """Round trip of the last ping, in seconds; 0.0 before the first."""
        return self._connection.latency

    def _ended(self, error: ConnectionClosed, *, sending: bool) -> Exception:
        if self._closed_by_us:
            return SessionClosed()
        # Without a close frame of theirs, one of ours says why the library gave up: a frame that is
        # too large (1009), a ping without an answer (1011).
        frame = error.rcvd if error.rcvd is not None else error.sent
        code, reason = (frame.code, frame.reason) if frame is not None else (None, str(error))
        # The library calls 1001 clean although it is how a duration cap ends a call (14), so the
        # code travels with the end of the stream; for a send even a clean end is a loss.
        if code in CLEAN_CODES and not sending:
            return EndOfStream(code, reason)
        return ConnectionLost(code, reason)


async def connect_websocket(
    endpoint: Endpoint,
    model: str | None = None,
    *,
    open_timeout_s: float = 10.0,
    ping_interval_s: float | None = 10.0,
    ping_timeout_s: float | None = 10.0,
    tls: ssl.SSLContext | None = None,
    extra_headers: Mapping[str, str] | None = None,
) -> WebSocketTransport:
    """Dial an endpoint.

    A connection that is open at one end only (a network that went away, a server that hangs) is found
    within ``ping_interval_s + ping_timeout_s`` and 2 s for closing it, 22 s unless told otherwise:
    ``receive`` then raises ``ConnectionLost`` with code 1011.

    Args:
        endpoint: where to; its secret is asked for now.
        model: the model, unless the URL settles it.
        open_timeout_s: how long the whole handshake may take.
        ping_interval_s: seconds between keepalive pings; None sends none.
        ping_timeout_s: how long a pong may take before the connection counts as lost; None waits for ever.
        tls: a TLS context of your own, for private certificate authorities; ``wss`` addresses only.
        extra_headers: more headers for the handshake.

    Raises:
        ConnectionFailed: refused, unreachable, timed out, redirected or rejected.
        ConfigurationError: the secret cannot be sent.
    """
    url = endpoint.address_for(model)
    headers = {**(await endpoint.authorization()), **(extra_headers or {})}
    try:
        connection = await _Dial(
            url,
            additional_headers=headers,
            compression=None,  # base64 PCM does not compress: deflate costs 160-265 % CPU for nothing
            max_size=MAX_FRAME_BYTES,
            open_timeout=open_timeout_s,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            logger=_quiet_logger(),
            **_tls(tls, url),
        )
    except (WebSocketException, OSError, UnicodeError) as error:
        raise _failure(error, endpoint, open_timeout_s, secrets_of(url, headers)) from error
    return WebSocketTransport(connection)


def _tls(context: ssl.SSLContext | None, url: str) -> dict[str, Any]:
    return {"ssl": context} if context is not None and url.startswith("wss:") else {}


class _Dial(websocket_connect):
    """A dial that follows no redirect: the key was meant for this host and for no other."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _failure(
    error: Exception, endpoint: Endpoint, open_timeout_s: float, secrets: Iterable[str] = ()
) -> Exception:
    where = str(endpoint)
    match error:
        case InvalidStatus():
            return _refused(error.response, where, secrets)
        case InvalidMessage(__cause__=EOFError()):  # such as a proxy whose server is just being restarted
            return ConnectionFailed(
                f"{where} hung up before it answered the handshake", url=where, retryable=True
            )
        case InvalidURI() | UnicodeError():  # such as a host name with an impossible label
            return ConfigurationError(f"{where} is not a WebSocket address")
        case TimeoutError():
            return ConnectionFailed(
                f"{where} did not complete the handshake within {open_timeout_s:g} s",
                url=where,
                retryable=True,
            )
        case ssl.SSLCertVerificationError():
            return ConnectionFailed(
                f"{where}: the TLS certificate was not accepted: {error.verify_message}", url=where
            )
        case ssl.SSLError():
            return ConnectionFailed(f"{where} does not speak TLS: {error.reason}", url=where)
        case OSError():
            detail = error.strerror or str(error) or error.__class__.__name__
            return ConnectionFailed(f"{where} cannot be reached: {detail}", url=where, retryable=True)
        case _:
            return ConnectionFailed(f"{where} does not speak WebSocket: {error}", url=where)


def _refused(response: Response, where: str, secrets: Iterable[str]) -> ConnectionFailed:
    status = response.status_code
    refusal = read_refusal(
        response.headers.raw_items(), bytes(response.body), now=datetime.now(UTC), secrets=secrets
    )
    meaning = STATUS_MEANING.get(status, "the handshake was rejected")
    said = "" if refusal.message is None else f" ({refusal.message})"
    return ConnectionFailed(
        f"{where} answered {status}: {meaning}{said}",
        url=where,
        status=status,
        retryable=status in RETRYABLE_STATUS and refusal.code != "insufficient_quota",
        code=refusal.code,
        retry_after_s=refusal.retry_after_s,
    )


class _HideSecrets(logging.Filter):
    """The library logs all that passes at debug level; keys, queries and what was said are blanked here."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.args:
            case (str() as name, _) if name.lower() in SECRET_HEADERS:
                record.args = (name, "<hidden>")
            case (str() as path,):
                record.args = (path.partition("?")[0],)
            case (Frame(opcode=Opcode.TEXT | Opcode.BINARY | Opcode.CONT) as frame,):
                record.args = (f"{frame.opcode.name} [{len(frame.data)} bytes]",)
            case _:
                pass
        return True


def _quiet_logger() -> logging.Logger:
    if not any(isinstance(known, _HideSecrets) for known in logger.filters):
        logger.addFilter(_HideSecrets())
    return logger
