"""The link, with a raw server of the year 2025 over its pipes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from rtagent.errors import ConnectionFailed, ToolDefinitionError, ToolError
from rtagent.tools import McpRestarts, _mcp_link
from rtagent.tools._mcp_connection import LocalServer
from rtagent.tools._mcp_link import McpLink
from rtagent.tools._mcp_names import OfferedTool
from rtagent.tools._mcp_words import McpState

pytest.importorskip("mcp")

SERVER = str(Path(__file__).with_name("mcp_raw_server.py"))
FAST = McpRestarts(attempts=3, first_s=0.001, longest_s=0.001)


class Watch:
    """What a link told, and a way to wait for it."""

    def __init__(self) -> None:
        self.link: McpLink
        self.states: list[McpState] = []
        self.lists: list[list[str]] = []
        self.refuse_from = 99
        self._news = anyio.Event()

    def on_tools(self, offered: list[OfferedTool]) -> None:
        self.lists.append([tool.name for tool in offered])
        if len(self.lists) >= self.refuse_from:
            raise ToolDefinitionError("x", ["not this list"])

    async def on_state(self) -> None:
        self.states.append(self.link.state)
        self._news.set()

    async def until(self, told: int) -> McpState:
        """The state once so many changes were told."""
        while len(self.states) < told:
            self._news = anyio.Event()
            await self._news.wait()
        return self.states[-1]


@asynccontextmanager
async def linked(
    *options: str, within_s: float = 10, restarts: McpRestarts = FAST, refuse_from: int = 99
) -> AsyncIterator[tuple[McpLink, Watch]]:
    watch = Watch()
    watch.refuse_from = refuse_from
    watch.link = McpLink(
        LocalServer("raw", sys.executable, [SERVER, *options]),
        restarts=restarts,
        within_s=within_s,
        on_tools=watch.on_tools,
        on_state=watch.on_state,
    )
    async with anyio.create_task_group() as group:
        await group.start(watch.link.run)
        yield watch.link, watch
        watch.link.close()
        group.cancel_scope.cancel()


async def test_calls_are_answered() -> None:
    async with linked() as (link, watch):
        assert link.state == "ready"
        assert await link.call("echo", {"a": [1]}, None) == '{"a": [1]}'
        assert watch.lists[0][:2] == ["echo", "pid"]
    assert str(link.state) == "closed"
    with pytest.raises(ToolError, match="the MCP server raw is closed; nothing was done"):
        await link.call("echo", {}, None)


async def test_all_pages_of_the_list_are_read() -> None:
    async with linked("pages=2") as (_, watch):
        assert len(watch.lists[0]) == 9


async def test_a_changed_list_is_read_again() -> None:
    async with linked() as (link, watch):
        await link.call("learn", {"name": "dance"}, None)
        await watch.until(2)
        assert [len(names) for names in watch.lists] == [9, 10]
        assert watch.lists[1][-1] == "dance"


async def test_a_changed_list_that_cannot_be_taken_over_is_left(caplog: pytest.LogCaptureFixture) -> None:
    async with linked(refuse_from=2) as (link, watch):
        await link.call("learn", {"name": "dance"}, None)
        await watch.until(2)
        assert "changed tools of MCP server raw are not taken over: x cannot become a tool" in caplog.text
        assert await link.call("echo", {}, None) == "{}"


async def test_a_list_after_a_restart_that_cannot_be_taken_over_is_left() -> None:
    async with linked(refuse_from=2) as (link, watch):
        with pytest.raises(ToolError):
            await link.call("die", {}, None)
        assert await watch.until(3) == "ready"
        assert await link.call("echo", {}, None) == "{}"


async def test_progress_is_told() -> None:
    told: list[Any] = []

    async def progress(*report: Any) -> None:
        told.append(report)

    async with linked() as (link, _):
        await link.call("progress", {}, progress)
    assert told == [(1, 4, "reading"), (2, None, None)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("refuse", "the MCP server raw refused the call: not like this"),
        ("lie", "the answer cannot be used: .*'one' is not of type 'integer'"),
    ],
)
async def test_what_goes_wrong_is_a_tool_error(name: str, words: str) -> None:
    async with linked() as (link, _):
        with pytest.raises(ToolError, match=words.replace(".*", r"[\s\S]*")):
            await link.call(name, {}, None)
        assert link.state == "ready"


async def test_lines_that_are_no_json_are_skipped() -> None:
    async with linked() as (link, _):
        assert await link.call("garbage", {}, None) == "{}"


async def test_a_server_that_dies_is_started_again_and_no_call_is_repeated(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with linked(f"log={log}") as (link, watch):
        with pytest.raises(
            ToolError, match="lost during the call, which may have been carried out; it is not repeated"
        ):
            await link.call("die", {}, None)
        with pytest.raises(ToolError, match="is being started again; nothing was done"):
            await link.call("echo", {}, None)
        await watch.until(3)
        assert watch.states == ["ready", "lost", "ready"]
        assert link.reason == "it has ended; its standard error ends with: the end"
        assert await link.call("echo", {}, None) == "{}"
    assert log.read_text().split("\n") == ["start", "call die", "start", "call echo", ""]


async def test_a_server_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    async with linked(f"log={tmp_path / 'log'}", "mortal=2") as (link, watch):
        with pytest.raises(ToolError, match="lost during the call"):
            await link.call("die", {}, None)
        await watch.until(5)
        assert watch.states == ["ready", "lost", "lost", "lost", "failed"]
        with pytest.raises(ToolError, match="is not available any more; nothing was done"):
            await link.call("echo", {}, None)


async def test_a_connection_that_held_long_enough_begins_the_count_anew(tmp_path: Path) -> None:
    restarts = McpRestarts(attempts=1, first_s=0.001, longest_s=0.001, stable_after_s=0)
    async with linked(f"log={tmp_path / 'log'}", restarts=restarts) as (link, watch):
        for told in (3, 5):
            with pytest.raises(ToolError):
                await link.call("die", {}, None)
            assert await watch.until(told) == "ready"


async def test_a_changed_list_that_does_not_come_is_a_loss(tmp_path: Path) -> None:
    async with linked("lists=1", within_s=2) as (link, watch):
        await link.call("learn", {"name": "dance"}, None)
        assert await watch.until(2) == "lost"
        assert link.reason == "it did not answer within 2 s"
        assert await watch.until(3) == "ready"


async def test_a_cancelled_call_is_cancelled_at_the_server(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with linked(f"log={log}") as (link, _):
        async with anyio.create_task_group() as calling:
            calling.start_soon(link.call, "hang", {}, None)
            while "call hang" not in await anyio.Path(log).read_text():  # noqa: ASYNC110 - a file tells nobody
                await anyio.sleep(0.005)
            calling.cancel_scope.cancel()
        await link.call("echo", {}, None)
    assert log.read_text().split() == ["start", "call", "hang", "cancelled", "call", "echo"]


async def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    with pytest.RaisesGroup(
        pytest.RaisesExc(ConnectionFailed, match=r"raw cannot be used: it did not answer within 0\.5 s")
    ):
        async with linked("deaf", within_s=0.5):
            pass


async def test_a_server_that_ends_at_once_is_reported_with_its_words(tmp_path: Path) -> None:
    words = r"raw cannot be used: .*; its standard error ends with: no licence$"
    with pytest.RaisesGroup(pytest.RaisesExc(ConnectionFailed, match=words)):
        async with linked("mortal=1", f"log={tmp_path / 'log'}", "say=no licence"):
            pass


class Listening:
    """A client of a server that tells changes to who asks."""

    protocol_version = "2026-07-28"

    def __init__(self, *streams: Any) -> None:
        self._streams = iter(streams)

    @asynccontextmanager
    async def listen(self, *, tools_list_changed: bool) -> AsyncIterator[Any]:
        assert tools_list_changed
        stream = next(self._streams)
        if isinstance(stream, Exception):
            raise stream
        yield stream()


async def test_a_lost_subscription_is_taken_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mcp_link, "_LISTEN_AGAIN_S", 0)

    async def one_change() -> AsyncIterator[str]:
        yield "changed"

    async with linked() as (link, watch):
        package = link._package
        assert package is not None
        lost = package.subscriptions.SubscriptionLost("gone")
        refused = package.shared.MCPError(-32601, "no such method")
        await link._listen(Listening(one_change, lost, refused), package)
        await watch.until(2)
        assert len(watch.lists) == 2


class Broken:
    """A client whose calls fail."""

    def __init__(self, error: Exception) -> None:
        self.session = self
        self._error = error

    async def call_tool(self, *_: object, **__: object) -> None:
        raise self._error


async def test_an_http_server_that_has_forgotten_us_is_dialled_again() -> None:
    async with linked() as (link, watch):
        assert link._package is not None
        error = link._package.shared.MCPError(-32600, "Session terminated")
        link._client = Broken(error)
        with pytest.raises(ToolError, match="was restarted and did not take the call; try again in a moment"):
            await link.call("echo", {}, None)
        await watch.until(3)
        assert watch.states == ["ready", "lost", "ready"]


async def test_a_tool_that_is_not_what_was_listed_is_read_again() -> None:
    async with linked() as (link, watch):
        assert link._package is not None
        link._client = Broken(
            link._package.shared.MCPError(link._package.types.HEADER_MISMATCH, "other headers")
        )
        with pytest.raises(ToolError, match="refused the call: other headers"):
            await link.call("echo", {}, None)
        await watch.until(2)
        assert len(watch.lists) == 2


async def test_a_call_that_meets_a_closing_connection_is_a_loss() -> None:
    async with linked() as (link, _):
        link._client = Broken(anyio.ClosedResourceError())
        with pytest.raises(ToolError, match="was lost during the call"):
            await link.call("echo", {}, None)
