"""One connection to an MCP server: a process that is spoken to over its pipes, or a URL.

All of it is entered and left in one task, which the task groups inside the ``mcp`` package demand. Calls come
from other tasks; that is allowed.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Any, Protocol, TypeAlias

import anyio

from ._faults import shortened
from ._mcp_names import OfferedTool
from ._mcp_package import McpPackage
from ._mcp_stderr import StderrTail

__all__ = ("Headers", "LocalServer", "McpServerAddress", "RemoteServer", "connected", "offered_tools")

Headers: TypeAlias = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]]
"""Headers of each request, or a function that gives them, asked for each request."""

_MOST_PAGES = 64
_MOST_TOOLS = 1024
_FIRST_BAD_STATUS = 400
_LINE_CHARS = 200
_CONNECT_S = 10.0
_READ_S = 300.0
"""A server may think for long before it answers; the deadline of a call is the tool's."""


class McpServerAddress(Protocol):
    """Where a server is, and how it is spoken to."""

    label: str
    """What the server is called in errors and logs; without secrets."""

    def transport(self, package: McpPackage) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        """The streams of a new connection, as ``mcp`` takes them."""
        ...

    def said(self) -> str:
        """What is known of why the server failed; empty when nothing is."""
        ...


@dataclass(slots=True)
class LocalServer:
    """A program on this machine, spoken to over its standard input and output."""

    label: str
    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] | None = field(default=None, repr=False)
    cwd: str | PathLike[str] | None = None
    stderr: StderrTail = field(default_factory=StderrTail, repr=False)

    @asynccontextmanager
    async def transport(self, package: McpPackage) -> AsyncGenerator[tuple[Any, Any]]:
        parameters = package.stdio.StdioServerParameters(
            command=self.command, args=list(self.args), env=dict(self.env or {}), cwd=self.cwd
        )
        with self.stderr.receiving() as errlog:
            async with package.stdio.stdio_client(parameters, errlog=errlog) as streams:
                yield streams

    def said(self) -> str:
        line = self.stderr.text().rpartition("\n")[2].strip()
        return f"its standard error ends with: {shortened(line, _LINE_CHARS)}" if line else ""


@dataclass(slots=True)
class RemoteServer:
    """A server at a URL (streamable HTTP)."""

    label: str
    url: str = field(repr=False)
    headers: Headers = field(default_factory=dict[str, str], repr=False)
    _bad_status: int | None = field(default=None, init=False)

    @asynccontextmanager
    async def transport(self, package: McpPackage) -> AsyncGenerator[tuple[Any, Any]]:
        make = partial(
            package.httpx.AsyncClient,
            timeout=package.httpx.Timeout(_CONNECT_S, read=_READ_S),
            event_hooks={"request": [self._authorize], "response": [self._note]},
        )
        client = await anyio.to_thread.run_sync(make)  # it reads the certificates of the system
        async with client, package.http.streamable_http_client(self.url, http_client=client) as streams:
            yield streams

    def said(self) -> str:
        return "" if self._bad_status is None else f"it answered with the HTTP status {self._bad_status}"

    async def _authorize(self, request: Any) -> None:
        headers = self.headers() if callable(self.headers) else self.headers
        request.headers.update(await headers if inspect.isawaitable(headers) else headers)

    async def _note(self, response: Any) -> None:
        status: int = response.status_code
        self._bad_status = status if status >= _FIRST_BAD_STATUS else None


@asynccontextmanager
async def connected(
    address: McpServerAddress,
    package: McpPackage,
    *,
    within_s: float,
    on_end: Callable[[], None],
    on_message: Callable[[Any], Awaitable[None]],
) -> AsyncGenerator[Any]:
    """A client whose handshake is done; what it raises while it lasts may come in an exception group.

    Args:
        address: where the server is.
        package: the ``mcp`` package.
        within_s: how long start and handshake may take.
        on_end: called when the server has nothing more to say, because it is gone.
        on_message: called with each notification.
    """
    watched = _Watched.transport(address.transport(package), on_end)
    client = package.client.Client(watched, cache=None, message_handler=on_message)
    with anyio.fail_after(within_s) as starting:
        async with client:
            starting.deadline = float("inf")
            yield client


async def offered_tools(client: Any, package: McpPackage) -> list[OfferedTool]:
    """All pages of the server's list of tools."""
    offered: list[OfferedTool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.session.list_tools(params=package.types.PaginatedRequestParams(cursor=cursor))
        offered += [_offered(tool) for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None or len(offered) > _MOST_TOOLS:
            break
    return offered[:_MOST_TOOLS]


def _offered(tool: Any) -> OfferedTool:
    schema = {key: value for key, value in tool.input_schema.items() if key != "$schema"}
    return OfferedTool(tool.name, tool.description or tool.title or "", {"type": "object", **schema})


class _Watched:
    """A stream to read from that tells when it has ended: the only sign of a process that is gone."""

    def __init__(self, stream: Any, on_end: Callable[[], None]) -> None:
        self._stream = stream
        self._on_end = on_end

    @classmethod
    @asynccontextmanager
    async def transport(
        cls, transport: AbstractAsyncContextManager[tuple[Any, Any]], on_end: Callable[[], None]
    ) -> AsyncGenerator[tuple[Any, Any]]:
        """The same transport, watched."""
        async with transport as (reading, writing):
            yield cls(reading, on_end), writing

    async def __aenter__(self) -> _Watched:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._on_end()
            raise
