"""The WebSocket shell against real servers on loopback."""

from __future__ import annotations

import inspect
import json
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import anyio
import anyio.abc
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from rtagent import Endpoint, ReconnectPolicy
from rtagent.errors import ConfigurationError, ConnectionFailed, ConnectionLost, EndOfStream, SessionClosed
from rtagent.protocol import Loss, verdict_on
from rtagent.transport import WebSocketTransport, connect_websocket
from rtagent.transport import _websocket as module

KEY = "sk-very-secret"

Handle = Callable[[ServerConnection], Awaitable[None]]


async def until_closed(connection: ServerConnection) -> None:
    await connection.wait_closed()


@asynccontextmanager
async def listening(handle: Handle = until_closed, **options: Any) -> AsyncIterator[str]:
    """A WebSocket server; gives its URL."""
    async with serve(handle, "127.0.0.1", 0, close_timeout=1, **options) as server:
        yield f"ws://127.0.0.1:{port_of(server)}/v1/realtime"


@asynccontextmanager
async def raw_server(handle: Callable[[anyio.abc.SocketStream], Awaitable[None]]) -> AsyncIterator[str]:
    """A TCP server that speaks something else; gives its address without a scheme."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - no database
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield f"127.0.0.1:{port}/v1/realtime"
        group.cancel_scope.cancel()


@asynccontextmanager
async def connected(
    handle: Handle = until_closed, server: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[WebSocketTransport]:
    async with listening(handle, **(server or {})) as url:
        transport = await connect_websocket(Endpoint.url(url, api_key=KEY), **options)
        try:
            yield transport
        finally:
            await transport.aclose()


def port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


# -- frames -------------------------------------------------------------------------------------------


async def test_text_goes_out_as_text_and_comes_in_as_it_was_sent() -> None:
    arrived: list[str | bytes] = []

    async def handle(connection: ServerConnection) -> None:
        arrived.extend([await connection.recv(), await connection.recv()])
        await connection.send("text ü")
        await connection.send(b"\x00\xff")
        await connection.wait_closed()

    async with connected(handle) as transport:
        await transport.send("one")
        await transport.send('{"two":"ü"}'.encode())
        assert [await transport.receive() for _ in range(2)] == ["text ü", b"\x00\xff"]
        assert arrived == ["one", '{"two":"ü"}']


async def test_the_request_says_who_we_are_and_asks_for_no_compression() -> None:
    requests: list[Request] = []

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        requests.append(connection.request)
        await connection.send("seen")
        await connection.wait_closed()

    async with connected(handle, model="mine", extra_headers={"X-More": "1"}) as transport:
        assert await transport.receive() == "seen"
    (request,) = requests
    assert request.path == "/v1/realtime?model=mine"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["X-More"] == "1"
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_a_callable_key_is_asked_on_each_dial() -> None:
    keys = iter(["first", "second"])
    seen: list[str] = []

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers["Authorization"])
        await connection.wait_closed()

    async with listening(handle) as url:
        endpoint = Endpoint.url(url, api_key=lambda: next(keys))
        for _ in range(2):
            await (await connect_websocket(endpoint)).aclose()
    assert seen == ["Bearer first", "Bearer second"]


async def test_a_frame_that_is_too_large_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FRAME_BYTES", 1000)

    async def handle(connection: ServerConnection) -> None:
        await connection.send("x" * 1000)
        await connection.send("x" * 1001)
        await connection.wait_closed()

    async with connected(handle) as transport:
        assert len(await transport.receive()) == 1000
        with pytest.raises(ConnectionLost) as caught:
            await transport.receive()
        assert caught.value.code == 1009


async def test_pings_are_sent_as_asked_and_measured() -> None:
    pinged = anyio.Event()

    class Listening(ServerConnection):
        def data_received(self, data: bytes) -> None:
            if data[0] == 0x89:
                pinged.set()
            super().data_received(data)

    async with connected(server={"create_connection": Listening}, ping_interval_s=0.01) as transport:
        assert transport.latency_s == 0.0
        with anyio.fail_after(5):
            await pinged.wait()
            while transport.latency_s == 0.0:  # noqa: ASYNC110 - the library has no event for it
                await anyio.sleep(0.001)


async def test_a_server_that_answers_no_ping_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.05)

    class Deaf(ServerConnection):
        def data_received(self, data: bytes) -> None:
            if self.request is None:
                super().data_received(data)

    async with listening(create_connection=Deaf) as url:
        transport = await connect_websocket(Endpoint.url(url), ping_interval_s=0.01, ping_timeout_s=0.01)
        with pytest.raises(ConnectionLost, match="keepalive ping timeout") as caught:
            await transport.receive()
        assert caught.value.code == 1011
        await transport.aclose()


async def test_a_connection_that_is_half_open_is_found_within_interval_and_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.05)

    async def handle(connection: ServerConnection) -> None:
        connection.transport.pause_reading()  # it stays open, and reads and answers nothing more
        await connection.send("still here")
        await connection.wait_closed()

    async with connected(handle, ping_interval_s=0.2, ping_timeout_s=0.2) as transport:
        assert await transport.receive() == "still here"
        began = anyio.current_time()
        with anyio.fail_after(5), pytest.raises(ConnectionLost) as caught:
            await transport.receive()
    assert caught.value.code == 1011
    assert anyio.current_time() - began < 4


def test_unless_told_otherwise_it_is_found_within_20_seconds() -> None:
    parameters = inspect.signature(connect_websocket).parameters
    assert parameters["ping_interval_s"].default + parameters["ping_timeout_s"].default == 20.0
    policy = ReconnectPolicy()
    assert policy.ping_interval_s + policy.ping_timeout_s == 20.0


# -- the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1000, EndOfStream),
        (1001, EndOfStream),
        (1011, ConnectionLost),
        (1013, ConnectionLost),
        (4000, ConnectionLost),
    ],
)
async def test_the_close_code_decides_between_an_end_and_a_loss(code: int, error: type[Exception]) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.send("last")
        await connection.close(code, "because")

    async with connected(handle) as transport:
        assert await transport.receive() == "last"
        for _ in range(2):
            with pytest.raises(error) as caught:
                await transport.receive()
            assert (caught.value.code, caught.value.reason) == (code, "because")  # type: ignore[attr-defined]
        with pytest.raises(ConnectionLost) as lost:
            await transport.send("too late")
        assert lost.value.code == code


async def test_a_socket_that_just_vanishes_is_a_loss_without_a_code() -> None:
    async def handle(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with connected(handle) as transport:
        with pytest.raises(ConnectionLost, match="the connection was lost: ") as caught:
            await transport.receive()
        assert caught.value.code is None


async def test_closing_wakes_who_receives_and_may_be_repeated() -> None:
    closes: list[tuple[int | None, str | None]] = []

    async def handle(connection: ServerConnection) -> None:
        await connection.wait_closed()
        closes.append((connection.close_code, connection.close_reason))

    async with connected(handle) as transport:

        async def receive() -> None:
            with pytest.raises(SessionClosed):
                await transport.receive()

        async with anyio.create_task_group() as group:
            group.start_soon(receive)
            await anyio.wait_all_tasks_blocked()
            await transport.aclose(4001, "bye")
        await transport.aclose()
        with pytest.raises(SessionClosed):
            await transport.send("x")
    assert closes == [(4001, "bye")]


async def test_closing_is_bounded_when_the_other_side_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.05)

    async def handle(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with connected(handle) as transport, anyio.create_task_group() as group:

        async def send_for_ever() -> None:
            while True:
                await transport.send("x" * 1_000_000)

        async def send() -> None:
            with pytest.raises(SessionClosed):
                await send_for_ever()

        group.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(2):
            await transport.aclose()
            with pytest.raises(SessionClosed):
                await transport.receive()


async def test_closing_is_bounded_under_cancellation_too() -> None:
    async with connected() as transport:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await transport.aclose()
        with pytest.raises(SessionClosed):
            await transport.receive()


# -- handshakes that fail -----------------------------------------------------------------------------


def answering(status: int, headers: dict[str, str] | None = None) -> dict[str, Any]:
    def process(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), f"you sent {request.headers['Authorization']}")
        response.headers.update(headers or {})
        return response

    return {"process_request": process}


async def mail_server(stream: anyio.abc.SocketStream) -> None:
    async with stream:
        await stream.receive()
        await stream.send(b"220 mail.example ESMTP\r\n")


async def refused(url: str, **options: Any) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught:
        await connect_websocket(Endpoint.url(url, api_key=KEY), **options)
    assert KEY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "retryable", "meaning"),
    [
        (400, False, "does not accept"),
        (401, False, "key is missing or wrong"),
        (403, False, "may not do this"),
        (404, False, "no realtime endpoint"),
        (418, False, "handshake was rejected"),
        (429, True, "too many requests"),
        (500, True, "handshake was rejected"),
        (503, True, "handshake was rejected"),
    ],
)
async def test_a_rejected_handshake_says_why_and_whether_to_try_again(
    status: int, retryable: bool, meaning: str
) -> None:
    async with listening(**answering(status)) as url:
        failure = await refused(f"{url}?token={KEY}")
    assert (failure.status, failure.retryable, failure.url) == (status, retryable, url)
    assert str(failure).startswith(f"{url} answered {status}: ")
    assert meaning in str(failure)


def saying(status: int, body: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    def process(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), body)
        response.headers.update(headers or {})
        return response

    return {"process_request": process}


async def test_the_body_of_a_refusal_says_which_error_it_is_and_the_header_when_to_come_back() -> None:
    body = json.dumps({"error": {"code": "rate_limit_exceeded", "message": f"Too fast,\n{KEY}!"}})
    async with listening(**saying(429, body, {"Retry-After": "7"})) as url:
        failure = await refused(url)
    assert (failure.status, failure.code, failure.retry_after_s) == (429, "rate_limit_exceeded", 7.0)
    assert failure.retryable
    assert str(failure).endswith("too many requests, or no quota left (Too fast, <hidden>!)")
    assert Loss.of(failure).decisive_code == "rate_limit_exceeded"


async def test_a_refusal_for_lack_of_quota_is_final_although_it_has_the_status_of_a_rate_limit() -> None:
    body = json.dumps({"error": {"code": "insufficient_quota", "message": "Pay first"}})
    async with listening(**saying(429, body)) as url:
        failure = await refused(url)
    assert (failure.code, failure.retry_after_s, failure.retryable) == ("insufficient_quota", None, False)
    assert verdict_on(Loss.of(failure)).why == "the account has no quota left"


@pytest.mark.parametrize("body", ["", "<html>no</html>", "[" * 60_000, '{"error": 3}', "x" * 100_000])
async def test_a_refusal_without_a_body_that_can_be_read_is_told_by_its_status(body: str) -> None:
    async with listening(**saying(503, body, {"Retry-After": "soon"})) as url:
        failure = await refused(url)
    assert (failure.status, failure.code, failure.retry_after_s) == (503, None, None)
    assert str(failure) == f"{url} answered 503: the handshake was rejected"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed_because_the_key_is_meant_for_this_host(status: int) -> None:
    reached: list[Request] = []

    def elsewhere(connection: ServerConnection, request: Request) -> None:
        reached.append(request)

    async with (
        listening(process_request=elsewhere) as other,
        listening(**answering(status, {"Location": other})) as url,
    ):
        failure = await refused(url)
    assert (failure.status, failure.retryable) == (status, False)
    assert reached == []


async def test_a_closed_port() -> None:
    async with listening() as url:
        pass
    failure = await refused(url)
    assert (failure.status, failure.retryable) == (None, True)
    assert str(failure).startswith(f"{url} cannot be reached: ")
    assert failure.__cause__ is not None


async def test_a_server_that_never_answers() -> None:
    async def silent(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async with raw_server(silent) as address:
        failure = await refused(f"ws://{address}", open_timeout_s=0.05)
    assert str(failure) == f"ws://{address} did not complete the handshake within 0.05 s"
    assert failure.retryable


@pytest.mark.parametrize(
    "reply", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"]
)
async def test_a_server_of_another_kind(reply: bytes) -> None:
    async def other(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(reply)

    async with raw_server(other) as address:
        failure = await refused(f"ws://{address}")
    assert "does not speak WebSocket" in str(failure)
    assert not failure.retryable


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 101 Swit"])
async def test_a_server_that_hangs_up_during_the_handshake_may_come_back(reply: bytes) -> None:
    async def restarting(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            if reply:
                await stream.send(reply)

    async with raw_server(restarting) as address:
        failure = await refused(f"ws://{address}")
    assert str(failure) == f"ws://{address} hung up before it answered the handshake"
    assert failure.retryable


async def test_a_server_without_tls() -> None:
    async with raw_server(mail_server) as address:
        failure = await refused(f"wss://{address}")
    assert "does not speak TLS" in str(failure)
    assert not failure.retryable


def test_a_certificate_that_is_not_trusted() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"
    failure = module._failure(error, Endpoint.url("wss://h/v1"), 10.0)
    assert isinstance(failure, ConnectionFailed)
    assert str(failure) == "wss://h/v1: the TLS certificate was not accepted: self-signed certificate"
    assert not failure.retryable


def test_an_error_of_the_network_without_a_text_is_named_all_the_same() -> None:
    endpoint = Endpoint.url("ws://h/v1")
    several = module._failure(OSError("Multiple exceptions: a, b"), endpoint, 10.0)
    assert str(several) == "ws://h/v1 cannot be reached: Multiple exceptions: a, b"
    assert str(module._failure(ConnectionResetError(), endpoint, 10.0)).endswith(": ConnectionResetError")


@pytest.mark.parametrize("endpoint", [Endpoint.local(), Endpoint.url(f"ws://{'a' * 70}.ü/v1")])
async def test_an_address_that_cannot_be_dialled(endpoint: Endpoint) -> None:
    with pytest.raises(ConfigurationError, match="is not a WebSocket address"):
        await connect_websocket(endpoint)


async def test_a_key_that_cannot_be_sent_dials_nobody() -> None:
    with pytest.raises(ConfigurationError, match="empty or holds characters"):
        await connect_websocket(Endpoint.url("ws://127.0.0.1:1", api_key="\n"))


async def test_a_tls_context_is_used_for_a_tls_address_only() -> None:
    context = ssl.create_default_context()
    async with listening() as url:
        await (await connect_websocket(Endpoint.url(url), tls=context)).aclose()
    async with raw_server(mail_server) as address:
        failure = await refused(f"wss://{address}", tls=context)
    assert "does not speak TLS" in str(failure)


# -- the log ------------------------------------------------------------------------------------------


async def test_the_debug_log_holds_neither_keys_nor_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("confidential answer")
        await connection.close(4000, "enough")

    caplog.set_level(logging.DEBUG)
    async with listening(handle, logger=logging.getLogger("quiet")) as url:
        logging.getLogger("quiet").setLevel(logging.ERROR)
        for endpoint in (
            Endpoint.url(f"{url}?token={KEY}", api_key=KEY),
            Endpoint(kind="websocket", address=url, _secret=KEY, _scheme="api-key"),
        ):
            transport = await connect_websocket(endpoint, extra_headers={"Cookie": KEY, "X-Shown": "yes"})
            await transport.send("confidential question")
            assert await transport.receive() == "confidential answer"
            with pytest.raises(ConnectionLost):
                await transport.receive()
            await transport.aclose()
    log = caplog.text
    assert KEY not in log
    assert "confidential" not in log
    for useful in ("GET /v1/realtime", "Authorization: <hidden>", "X-Shown: yes", "TEXT [21 bytes]", "4000"):
        assert useful in log
