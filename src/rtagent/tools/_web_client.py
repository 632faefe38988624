"""One request to the web, sent past a guard: bounded in time and size, redirected only within its server."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import anyio

from ..errors import ToolError
from ._faults import shortened
from ._web_address import WebAddress, WebRefused
from ._web_guard import WebGuard, load_httpx

__all__ = ("WebAnswer", "WebClient", "WebRequest")

_MOST_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_SECURE = ("https", 443)


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came back."""

    status: int
    content_type: str
    body: bytes = field(repr=False)

    def value(self) -> Any:
        """The body as JSON gives it, as text, or as a note of what it is; None when it is empty."""
        if not self.body:
            return None
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            try:
                return json.loads(self.body)
            except (ValueError, RecursionError):
                return self._text()
        if not kind or kind.startswith("text/") or kind.endswith(("xml", "javascript", "yaml", "urlencoded")):
            return self._text()
        return f"[{shortened(kind)}, {len(self.body)} bytes]"

    def _text(self) -> str:
        return self.body.decode("utf-8", "replace")


class WebClient:
    """Sends requests past a guard.

    Args:
        guard: where they may go.
        within_s: how long each step of a request may take, None for no limit; the whole has the deadline of
            its tool.
        most_bytes: the longest answer; a longer one is an error.
        client: an ``httpx.AsyncClient`` of the program, which it closes itself. The guard then checks the
            text of each URL, but where the client connects to is the client's affair, unless it has the
            guard's ``transport()``.
    """

    def __init__(
        self, guard: WebGuard, *, within_s: float | None, most_bytes: int, client: Any | None = None
    ) -> None:
        self._guard = guard
        self._within_s = within_s
        self._most_bytes = most_bytes
        self._given = client
        self._tls: ssl.SSLContext | None = None

    async def send(self, request: WebRequest) -> WebAnswer:
        """Send a request once, and read its answer.

        Raises:
            WebRefused: it would have gone where it may not go.
            ToolError: there is no answer, or too much of it.
        """
        httpx = await anyio.to_thread.run_sync(load_httpx)
        try:
            async with self._client(httpx) as client:
                return await self._follow(client, request)
        except httpx.HTTPError as error:
            words = f"{type(error).__name__}: {error}".removesuffix(": ")
            host = WebAddress.read(request.url).host
            raise ToolError(f"{host} did not answer: {shortened(words)}") from error

    async def _follow(self, client: Any, request: WebRequest) -> WebAnswer:
        """Follow redirects that stay on the server and change nothing there."""
        address = self._guard.check(request.url)
        for _ in range(_MOST_REDIRECTS + 1):
            made = client.build_request(
                request.method,
                str(address),
                headers={**request.headers, "Accept-Encoding": "identity"},
                content=request.body,
            )
            response = await client.send(made, stream=True, follow_redirects=False)
            try:
                if response.status_code not in _REDIRECTS or "location" not in response.headers:
                    return await self._read(response)
            finally:
                await response.aclose()
            if request.method not in {"GET", "HEAD"}:
                raise WebRefused("the server redirects a call that may change something; it is not repeated")
            address = self._redirected(address, response.headers["location"])
        raise WebRefused("the server redirects without end")

    def _redirected(self, address: WebAddress, location: str) -> WebAddress:
        there = self._guard.check(urljoin(str(address), location))
        made_secure = there.host == address.host and (there.scheme, there.port) == _SECURE
        if there.origin != address.origin and not made_secure:
            raise WebRefused(f"the server redirects to another one, {there.host}")
        return there

    async def _read(self, response: Any) -> WebAnswer:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":  # it was asked not to; a few bytes could unpack to very many
            raise ToolError(f"the answer is packed ({shortened(encoding)})")
        body = bytearray()
        async for piece in response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw():
            body += piece
            if len(body) > self._most_bytes:
                raise ToolError(f"the answer is longer than {self._most_bytes} bytes")
        return WebAnswer(response.status_code, response.headers.get("content-type", ""), bytes(body))

    @asynccontextmanager
    async def _client(self, httpx: Any) -> AsyncGenerator[Any]:
        """The program's client, or one for this request alone: tools have no end at which to close one."""
        if self._given is not None:
            yield self._given
            return
        if self._tls is None:
            self._tls = await anyio.to_thread.run_sync(httpx.create_ssl_context)  # it reads many files
        transport = self._guard.transport(verify=self._tls)
        async with httpx.AsyncClient(transport=transport, timeout=self._within_s, trust_env=False) as client:
            yield client
