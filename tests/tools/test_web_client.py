from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rtagent.errors import ToolError
from rtagent.tools import WebGuard, WebRefused
from rtagent.tools._web_client import WebAnswer, WebClient, WebRequest
from tests.tools.web_server import WebServer, answer, web_server

httpx = pytest.importorskip("httpx")
pytestmark = pytest.mark.network


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with web_server() as running:
        yield running


def client_of(server: WebServer, **more: Any) -> WebClient:
    guard = WebGuard([server.host], allow_private=True)
    return WebClient(guard, **{"within_s": 5, "most_bytes": 1000, **more})


async def get(server: WebServer, path: str = "/", **more: Any) -> WebAnswer:
    return await client_of(server, **more).send(WebRequest("GET", server.url + path))


async def test_a_request_is_sent_and_answered(server: WebServer) -> None:
    server.answers["/a"] = answer(201, b'{"n": 1}', "application/json")
    request = WebRequest("POST", f"{server.url}/a?b=c", {"X-Key": "sesame"}, b"body")
    found = await client_of(server).send(request)
    assert (found.status, found.value()) == (201, {"n": 1})
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/a?b=c", b"body")
    assert asked.headers["x-key"] == "sesame"
    assert asked.headers["accept-encoding"] == "identity"
    assert "sesame" not in repr(request)


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (b"", "application/json", None),
        (b'{"a": 1}', "application/problem+json; charset=utf-8", {"a": 1}),
        (b"{broken", "application/json", "{broken"),
        (b"[" * 100_000, "application/json", "[" * 100_000),
        (b"gr\xc3\xbc\xdf", "text/plain", "grü�"),
        (b"plain", "", "plain"),
        (b"<a/>", "application/xml", "<a/>"),
        (b"\x89PNG", "image/png", "[image/png, 4 bytes]"),
    ],
)
def test_the_value_of_an_answer(body: bytes, kind: str, value: Any) -> None:
    assert WebAnswer(200, kind, body).value() == value


async def test_an_answer_that_is_too_long_is_refused(server: WebServer) -> None:
    server.answers["/"] = answer(body=b"x" * 1000)
    assert len((await get(server)).body) == 1000
    server.answers["/"] = answer(body=b"x" * 1001)
    with pytest.raises(ToolError, match="longer than 1000 bytes"):
        await get(server)


async def test_a_packed_answer_is_refused(server: WebServer) -> None:
    server.answers["/"] = answer(body=gzip.compress(b"x" * 10_000_000)[:500], Content_Encoding="gzip")
    with pytest.raises(ToolError, match=r"is packed \(gzip\)"):
        await get(server)


async def test_redirects_within_the_server_are_followed(server: WebServer) -> None:
    server.answers["/a"] = answer(302, Location="/b?c=d")
    server.answers["/b"] = answer(307, Location="c")
    server.answers["/c"] = answer(body=b"here")
    assert (await get(server, "/a")).value() == "here"
    assert [asked.target for asked in server.asked] == ["/a", "/b?c=d", "/c"]


@pytest.mark.parametrize(
    "location",
    [
        "http://evil.example/",
        "//evil.example/",
        "https://127.0.0.1/",
        "http://127.0.0.1:1/",
        "http://2130706433/",
        "http://me@127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://[::ffff:127.0.0.1]/",
        "\\\\evil.example\\",
    ],
)
async def test_redirects_to_elsewhere_are_refused(server: WebServer, location: str) -> None:
    server.answers["/"] = answer(302, Location=location)
    with pytest.raises(WebRefused):
        await get(server)
    assert len(server.asked) == 1


async def test_redirects_to_another_allowed_server_are_refused(server: WebServer) -> None:
    async with web_server() as other:
        guard = WebGuard([server.host, other.host], allow_private=True)
        server.answers["/"] = answer(302, Location=f"{other.url}/")
        with pytest.raises(WebRefused, match=r"redirects to another one, 127\.0\.0\.1"):
            await WebClient(guard, within_s=5, most_bytes=10).send(WebRequest("GET", f"{server.url}/"))
        assert other.asked == []


async def test_redirects_without_end_are_left(server: WebServer) -> None:
    server.answers["/"] = answer(302, Location="/")
    with pytest.raises(WebRefused, match="without end"):
        await get(server)
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [301, 303, 307, 308])
async def test_what_may_change_something_is_not_repeated(server: WebServer, status: int) -> None:
    server.answers["/"] = answer(status, Location="/b")
    with pytest.raises(WebRefused, match="it is not repeated"):
        await client_of(server).send(WebRequest("POST", f"{server.url}/"))
    assert len(server.asked) == 1


async def test_a_redirect_that_says_no_place_is_an_answer(server: WebServer) -> None:
    server.answers["/"] = answer(304)
    assert (await get(server)).status == 304
    server.answers["/"] = answer(302)
    assert (await get(server)).status == 302


def redirecting_to(location: str) -> Any:
    """A client of the program that answers by itself."""

    def reply(request: Any) -> Any:
        if str(request.url) == "http://a.example/":
            return httpx.Response(301, headers={"Location": location})
        return httpx.Response(200, text=f"at {request.url}")

    return httpx.AsyncClient(transport=httpx.MockTransport(reply))


async def test_a_redirect_from_http_to_https_is_followed() -> None:
    async with redirecting_to("https://a.example/x") as client:
        web = WebClient(WebGuard(["a.example"]), within_s=5, most_bytes=100, client=client)
        assert (await web.send(WebRequest("GET", "http://a.example/"))).value() == "at https://a.example/x"


async def test_a_client_of_the_program_is_used_and_left_open(server: WebServer) -> None:
    server.answers["/"] = answer(body=b"hi")
    guard = WebGuard([server.host], allow_private=True)
    async with httpx.AsyncClient(transport=guard.transport(), headers={"X-Mine": "1"}) as client:
        web = WebClient(guard, within_s=5, most_bytes=100, client=client)
        for _ in range(2):
            assert (await web.send(WebRequest("GET", f"{server.url}/"))).value() == "hi"
        assert not client.is_closed
    assert [asked.headers["x-mine"] for asked in server.asked] == ["1", "1"]


async def test_nothing_is_sent_to_where_the_guard_does_not_let_it(server: WebServer) -> None:
    web = WebClient(WebGuard([server.host]), within_s=5, most_bytes=100)
    with pytest.raises(WebRefused, match="on this machine"):
        await web.send(WebRequest("GET", f"{server.url}/"))
    with pytest.raises(WebRefused, match="is not allowed"):
        await client_of(server).send(WebRequest("GET", "http://evil.example/"))
    assert server.asked == []


async def test_no_answer_is_a_tool_error(server: WebServer) -> None:
    server.answers["/"] = b""
    with pytest.raises(ToolError, match=r"127\.0\.0\.1 did not answer: RemoteProtocolError"):
        await get(server)


async def test_a_proxy_of_the_environment_is_not_used(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers["/"] = answer(body=b"direct")
    assert (await get(server)).value() == "direct"
