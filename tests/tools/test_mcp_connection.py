from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from rtagent.tools._mcp_connection import LocalServer, RemoteServer, connected, offered_tools
from rtagent.tools._mcp_package import McpPackage, load_mcp

pytest.importorskip("mcp")

SERVER = str(Path(__file__).with_name("mcp_raw_server.py"))


@pytest.fixture
async def package() -> McpPackage:
    return await load_mcp()


def nothing() -> None:
    pass


async def ignore(_: object) -> None:
    pass


def local(*options: str, **more: Any) -> LocalServer:
    return LocalServer("raw", sys.executable, [SERVER, *options], **more)


async def test_a_local_server_is_spoken_to(package: McpPackage) -> None:
    async with connected(local(), package, within_s=10, on_end=nothing, on_message=ignore) as client:
        offered = await offered_tools(client, package)
    echo = offered[0]
    assert (echo.name, echo.schema) == ("echo", {"type": "object"})
    assert echo.description.startswith("echo it. ")


async def test_the_end_of_a_local_server_is_told(package: McpPackage) -> None:
    ended = anyio.Event()
    server = local()
    async with connected(server, package, within_s=10, on_end=ended.set, on_message=ignore) as client:
        with pytest.raises(package.shared.MCPError):
            await client.session.call_tool("die")
        await ended.wait()
    assert server.said() == "its standard error ends with: the end"


async def test_notifications_are_told(package: McpPackage) -> None:
    told: list[str] = []
    heard = anyio.Event()

    async def note(message: Any) -> None:
        told.append(message.method)
        heard.set()

    async with connected(local(), package, within_s=10, on_end=nothing, on_message=note) as client:
        await client.session.call_tool("learn", {"name": "x"})
        await heard.wait()
    assert told == ["notifications/tools/list_changed"]


async def test_the_handshake_has_a_deadline_and_the_connection_has_none(package: McpPackage) -> None:
    with pytest.raises(TimeoutError):
        async with connected(local("deaf"), package, within_s=0.3, on_end=nothing, on_message=ignore):
            raise AssertionError("there was no handshake")
    async with connected(local(), package, within_s=1.5, on_end=nothing, on_message=ignore) as client:
        await anyio.sleep(1.6)
        assert (await client.session.call_tool("echo")).content[0].text == "{}"


class Listing:
    """A client whose list never ends."""

    def __init__(self) -> None:
        self.session = self
        self.pages = 0

    async def list_tools(self, *, params: Any) -> Any:
        assert params.cursor == (str(self.pages) if self.pages else None)
        self.pages += 1
        described = {"name": "t", "description": None, "title": "Titled"}
        tool = SimpleNamespace(**described, input_schema={"$schema": "x", "properties": {"a": {}}})
        return SimpleNamespace(tools=[tool] * 100, next_cursor=str(self.pages))


async def test_a_list_without_end_is_cut(package: McpPackage) -> None:
    listing = Listing()
    offered = await offered_tools(listing, package)
    assert (len(offered), listing.pages) == (1024, 11)
    assert offered[0].schema == {"type": "object", "properties": {"a": {}}}
    assert offered[0].description == "Titled"


async def test_few_tools_on_pages_without_end_are_cut_too(package: McpPackage) -> None:
    class Empty(Listing):
        async def list_tools(self, *, params: Any) -> Any:
            self.pages += 1
            return SimpleNamespace(tools=[], next_cursor="more")

    listing = Empty()
    assert await offered_tools(listing, package) == []
    assert listing.pages == 64


async def headers_of(server: RemoteServer) -> dict[str, str]:
    headers: dict[str, str] = {}
    await server._authorize(SimpleNamespace(headers=headers))
    return headers


async def test_headers_are_given_or_asked_for() -> None:
    asked: list[int] = []

    async def ask() -> dict[str, str]:
        asked.append(1)
        return {"Authorization": f"Bearer {len(asked)}"}

    given = RemoteServer("x", "http://x", {"A": "1"})
    assert await headers_of(given) == {"A": "1"}
    assert await headers_of(RemoteServer("x", "http://x", lambda: {"B": "2"})) == {"B": "2"}
    asking = RemoteServer("x", "http://x", ask)
    assert await headers_of(asking) == {"Authorization": "Bearer 1"}
    assert await headers_of(asking) == {"Authorization": "Bearer 2"}
    assert "Bearer" not in repr(RemoteServer("x", "http://x", {"Authorization": "Bearer 1"}))


async def test_the_status_of_a_refusal_is_remembered() -> None:
    server = RemoteServer("x", "http://x")
    assert server.said() == ""
    await server._note(SimpleNamespace(status_code=401))
    assert server.said() == "it answered with the HTTP status 401"
    await server._note(SimpleNamespace(status_code=200))
    assert server.said() == ""


async def test_a_remote_server_that_is_not_there(package: McpPackage) -> None:
    with pytest.RaisesGroup(package.httpx.ConnectError, flatten_subgroups=True):
        server = RemoteServer("x", "http://127.0.0.1:9/mcp")
        async with connected(server, package, within_s=5, on_end=nothing, on_message=ignore):
            raise AssertionError("nobody listens there")
