"""A guard for tools that fetch from the web: what a model or a document asks for is not where they go."""

from __future__ import annotations

import importlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeAlias

import anyio

from ..errors import ConfigurationError
from ._web_address import InternetAddress, WebAddress, WebRefused, refusal_of_address

__all__ = ("Resolve", "WebGuard", "load_httpx")

_INSTALL = 'pip install "rtagent[openapi]"'
_MOST_TRIED = 4

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks up the addresses of a host, given with the port."""


def load_httpx() -> Any:
    """The package ``httpx``.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        return importlib.import_module("httpx")
    except ImportError as problem:
        message = f"tools that fetch from the web need the package httpx: {problem}"
        raise ConfigurationError(message, hint=_INSTALL) from problem


class WebGuard:
    """Allows requests to some hosts only, and only at public addresses.

    A name is looked up once for each request, all of its addresses are checked, and the connection goes to one
    of these very addresses: a name server that answers differently the second time changes nothing.

    Args:
        hosts: the hosts that may be asked, as names or addresses, with a port where it is not the usual one
            (``api.example.com``, ``localhost:8080``, ``[::1]:8080``).
        allow_private: whether hosts on this machine and in private networks are allowed. Link-local
            addresses and those where clouds hand out credentials never are.
        resolve: looks up addresses; the system's resolver by default.

    Raises:
        ConfigurationError: a host is none.
    """

    def __init__(
        self, hosts: Iterable[str], *, allow_private: bool = False, resolve: Resolve | None = None
    ) -> None:
        self._allowed = frozenset(_allowed(hosts))
        self._allow_private = allow_private
        self._resolve = resolve or _resolved

    def __repr__(self) -> str:
        hosts = ", ".join(sorted({f"{host}:{port}" for host, port in self._allowed}))
        return f"WebGuard({hosts}{', allow_private=True' if self._allow_private else ''})"

    def check(self, url: str) -> WebAddress:
        """Read a URL and check it as far as its text goes.

        Raises:
            WebRefused: it is no plain URL, or not of an allowed host.
        """
        address = WebAddress.read(url)
        if (address.host, address.port) not in self._allowed:
            raise WebRefused(f"the host {address.host} with port {address.port} is not allowed")
        literal = address.literal
        if literal is not None:
            self._check_address(address.host, literal)
        return address

    async def locate(self, address: WebAddress) -> list[str]:
        """The internet addresses to connect to, best first; each of them was checked.

        Raises:
            WebRefused: the host is not found, or one of its addresses is not allowed.
        """
        try:
            found = await self._resolve(address.host, address.port)
        except OSError as error:
            raise WebRefused(f"the host {address.host} is not found") from error
        if not found:
            raise WebRefused(f"the host {address.host} is not found")
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
        for each in addresses:
            self._check_address(address.host, each)
        return list(dict.fromkeys(map(str, addresses)))[:_MOST_TRIED]

    def transport(self, **options: Any) -> Any:
        """A transport for ``httpx.AsyncClient(transport=...)`` that sends nothing past this guard.

        Args:
            options: as for ``httpx.AsyncHTTPTransport``, such as ``verify``.

        Raises:
            ConfigurationError: httpx is not installed.
        """
        return _GuardedTransport(self, options)

    def _check_address(self, host: str, address: InternetAddress) -> None:
        reason = refusal_of_address(address, allow_private=self._allow_private)
        if reason is not None:
            raise WebRefused(f"the host {host} is not allowed: {address} {reason}")


class _GuardedTransport:
    """Connects to the address that was checked, while TLS and the server see the name.

    Each host has connections of its own: two names at one address must not share one.
    """

    def __init__(self, guard: WebGuard, options: dict[str, Any]) -> None:
        self._guard = guard
        self._options = options
        self._httpx = load_httpx()
        self._by_host: dict[str, Any] = {}

    async def __aenter__(self) -> _GuardedTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def handle_async_request(self, request: Any) -> Any:
        """Send one request of httpx."""
        checked = self._guard.check(str(request.url))
        connections = self._connections_of(checked.host)
        *others, last = await self._guard.locate(checked)
        for address in others:
            try:
                return await connections.handle_async_request(_pinned(request, address, checked.host))
            except (self._httpx.ConnectError, self._httpx.ConnectTimeout):
                continue  # nothing was sent yet: the next address may answer
        return await connections.handle_async_request(_pinned(request, last, checked.host))

    async def aclose(self) -> None:
        """Close all connections."""
        while self._by_host:
            _, connections = self._by_host.popitem()
            await connections.aclose()

    def _connections_of(self, host: str) -> Any:
        if host not in self._by_host:
            self._by_host[host] = self._httpx.AsyncHTTPTransport(**self._options)
        return self._by_host[host]


def _pinned(request: Any, address: str, host: str) -> Any:
    """The same request to an address; its Host header has the name already."""
    return type(request)(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _allowed(hosts: Iterable[str]) -> Iterable[tuple[str, int]]:
    if isinstance(hosts, str):
        raise ConfigurationError("the hosts of a guard are a list", hint=f'hosts=["{hosts}"]')
    for host in hosts:
        for scheme in ("http", "https"):
            try:
                address = WebAddress.read(f"{scheme}://{host}/")
            except WebRefused as refused:
                raise ConfigurationError(f"{host!r} is no host: {refused}") from refused
            if address.rest != "/":
                raise ConfigurationError(f"{host!r} is no host: it has a path")
            yield address.host, address.port


async def _resolved(host: str, port: int) -> list[str]:
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
