"""The whole: real servers over pipes and over HTTP on loopback."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rtagent.errors import ConfigurationError, ConnectionFailed, ToolDefinitionError
from rtagent.tools import McpRestarts, McpTools, ToolOutcome, ToolRegistry

pytest.importorskip("mcp")

RAW = str(Path(__file__).with_name("mcp_raw_server.py"))
REAL = str(Path(__file__).with_name("mcp_server.py"))
FAST = McpRestarts(attempts=100, first_s=0.05, longest_s=0.1)


def raw(*options: str, **more: Any) -> McpTools:
    return McpTools(sys.executable, args=[RAW, *options], restarts=FAST, **more)


async def call(server: McpTools, name: str, /, **arguments: Any) -> ToolOutcome:
    return await ToolRegistry(server).call(name, json.dumps(arguments), call_id="call_1")


class Changes:
    """What ``on_change`` told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self._news = anyio.Event()

    async def __call__(self, server: McpTools) -> None:
        self.told.append((server.state, len(server)))
        self._news.set()

    async def until(self, state: str, tools: int) -> None:
        while (state, tools) not in self.told:
            self._news = anyio.Event()
            await self._news.wait()
        self.told.clear()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_tools_are_named_chosen_and_described() -> None:
    async with raw(
        "names=a.b", prefix="r", only=["echo", "pid", "a.b"], exclude=["pid"], approval=["echo"]
    ) as server:
        assert [tool.name for tool in server] == ["r_echo", "r_a_b"]
        assert [tool.approval for tool in server] == [True, False]
        assert len(server.tools[0].description) == 1024
        assert server.tools[0].parameters == {"type": "object"}
        assert repr(server) == "McpTools('r', ready, 2 tools)"
        assert (await call(server, "r_echo")).kind == "denied"
        assert (await call(server, "r_a_b", x="1")).output == '{"x": "1"}'
    assert (server.state, len(server)) == ("closed", 2)
    assert "is closed; nothing was done" in (await call(server, "r_a_b")).output


async def test_a_tool_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r"python\S* has no tool 'fly', 'swim' .*its tools are: echo, pid"
    ):
        async with raw(only=["fly", "echo", "swim"]):
            pass


async def test_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ToolDefinitionError, match=r"'a\.b' and 'a/b' .* would both be called 'a_b'"):
        async with raw("names=a.b,a/b"):
            pass


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"command": "x", "url": "http://x"},
        {"url": "ftp://x"},
        {"url": "http://"},
        {"url": "x"},
        {"url": "http://[x"},
    ],
)
def test_what_is_no_server_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        McpTools(**wrong)


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("http://a.example:8/mcp?key=secret", "a.example"),
        ("HTTPS://me:secret@b.example/x", "b.example"),
        ("http://[::1]:8/", "[::1]"),
    ],
)
def test_a_remote_server_is_called_by_its_host(url: str, label: str) -> None:
    assert repr(McpTools(url=url)) == f"McpTools({label!r}, connecting, 0 tools)"


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(
        ConnectionFailed, match="the MCP server no-such-program cannot be used: FileNotFoundError"
    ):
        async with McpTools("/nowhere/no-such-program"):
            pass


async def test_it_is_entered_once() -> None:
    async with raw() as server:
        with pytest.raises(ConfigurationError, match="entered once"):
            await server.__aenter__()
        assert server.state == "ready"


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match=r"^mine$"):
        async with raw():
            raise ValueError("mine")


async def test_the_process_ends_with_the_block() -> None:
    async with raw() as server:
        pid = int((await call(server, "pid")).output)
        assert is_alive(pid)
    assert not is_alive(pid)


@pytest.mark.parametrize("by_asyncio", [True, False])
async def test_the_process_ends_when_the_program_is_cancelled(by_asyncio: bool) -> None:
    started = asyncio.get_running_loop().create_future()

    async def program() -> None:
        async with raw() as server:
            started.set_result(int((await call(server, "pid")).output))
            await call(server, "hang")

    if by_asyncio:
        task = asyncio.get_running_loop().create_task(program())
        pid = await started
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(program)
            pid = await started
            group.cancel_scope.cancel()
    assert not is_alive(pid)


async def test_the_process_ends_when_its_start_is_cancelled(tmp_path: Path) -> None:
    async def program() -> None:
        async with raw("deaf", f"pid={tmp_path / 'pid'}"):
            raise AssertionError("there was no handshake")

    async with anyio.create_task_group() as group:
        group.start_soon(program)
        pid = int(await written(tmp_path / "pid", "\n"))
        assert is_alive(pid)
        group.cancel_scope.cancel()
    assert not is_alive(pid)


async def test_a_stubborn_process_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcp.client import stdio

    monkeypatch.setattr(stdio, "PROCESS_TERMINATION_TIMEOUT", 0.1)
    monkeypatch.setattr(stdio, "FORCE_KILL_TIMEOUT", 0.1)
    async with raw("stubborn") as server:
        pid = int((await call(server, "pid")).output)
    assert not is_alive(pid)


async def test_a_server_that_died_is_back(tmp_path: Path) -> None:
    changes = Changes()
    async with raw(f"log={tmp_path / 'log'}", "say=hello", on_change=changes) as server:
        assert server.reason == ""
        first = (await call(server, "pid")).output
        assert "it is not repeated" in (await call(server, "die")).output
        assert "is being started again" in (await call(server, "echo")).output
        await changes.until("ready", 9)
        await changes.until("ready", 9)
        assert (await call(server, "pid")).output != first
        assert server.reason == "it has ended; its standard error ends with: the end"
        assert server.stderr() == "hello\nthe end\nhello"


async def test_what_on_change_raises_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: McpTools) -> None:
        raise ValueError("mine")

    async with raw(on_change=broken) as server:
        assert (await call(server, "echo")).ok
    assert "on_change of the MCP server" in caplog.text


async def test_a_call_has_a_deadline_of_its_own() -> None:
    async with raw(timeout=0.05) as server:
        assert (await call(server, "hang")).kind == "timeout"
        assert next(iter(server)).timeout == 0.05


async def test_progress_goes_to_the_context() -> None:
    told: list[str] = []

    async def tell(text: str) -> None:
        told.append(text)

    async with raw() as server:
        progress = next(tool for tool in server if tool.name == "progress")
        for context in (
            SimpleNamespace(progress=tell),
            SimpleNamespace(progress=told.append),
            SimpleNamespace(),
        ):
            await progress(**dict.fromkeys(progress.contexts, context))
    assert told == ["reading (1 of 4)", "2"] * 2


async def test_a_real_server_over_pipes(tmp_path: Path) -> None:
    changes = Changes()
    log = tmp_path / "log"
    local = McpTools(
        sys.executable, args=[REAL], env={"WHO": "me"}, cwd=tmp_path, on_change=changes, restarts=FAST
    )
    async with local as server:
        assert server.instructions == "Ask for the weather first."
        await everything_works(server, changes, log)
        assert (await call(server, "environment", name="WHO")).output == "me"
        assert "a line on standard error" in server.stderr()
        assert "it is not repeated" in (await call(server, "die", log=str(log))).output
        await changes.until("ready", 9)
        assert (await call(server, "add", a=1)).output == "2"
    assert log.read_text().split() == ["started", "cancelled", "died"]


async def test_the_environment_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "sesame")
    async with McpTools(sys.executable, args=[REAL], only=["environment"]) as server:
        assert (await call(server, "environment", name="A_SECRET")).output == "not set"


async def everything_works(server: McpTools, changes: Changes, log: Path) -> None:
    assert (await call(server, "add", a=1, b=2)).output == "3"
    assert "should be of type integer" in (await call(server, "add", a="one")).output
    weather = await call(server, "weather", city="Oslo")
    assert weather.value.structured == {"city": "Oslo", "degrees": 21}
    failed = await call(server, "fail", why="no wind")
    assert (failed.kind, failed.error) == ("failed", "Error executing tool fail: no wind")
    picture = await call(server, "picture")
    text, image = picture.value
    assert (text, image[:4]) == ("a red dot", b"\x89PNG")
    files = await call(server, "files")
    assert files.output == "remember the milk\n[resource: file:///big.txt]\nthat is all"
    assert (await call(server, "learn", name="dance")).output == "learned"
    await changes.until("ready", 10)
    assert (await call(server, "dance")).output == "dance"
    async with anyio.create_task_group() as calling:
        calling.start_soon(partial(call, server, "wait", log=str(log)))
        await written(log, "started")
        calling.cancel_scope.cancel()
    await written(log, "cancelled")


async def written(path: Path, text: str) -> str:
    """What the file holds, once it holds the text."""
    while not path.exists() or text not in path.read_text():  # noqa: ASYNC110, ASYNC240 - a file tells nobody
        await anyio.sleep(0.01)
    return path.read_text()  # noqa: ASYNC240 - a few bytes


@asynccontextmanager
async def http_server(port: int) -> AsyncIterator[Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, REAL, str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while True:
            try:
                await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
                break
            except OSError:
                await anyio.sleep(0.02)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.network
async def test_a_real_server_over_http(port: int, tmp_path: Path) -> None:
    changes = Changes()
    log = tmp_path / "log"

    async def headers() -> dict[str, str]:
        return {"Authorization": "Bearer sesame"}

    remote = McpTools(url=f"http://127.0.0.1:{port}/mcp", headers=headers, on_change=changes, restarts=FAST)
    async with http_server(port) as process:
        async with remote as server:
            await everything_works(server, changes, log)
            assert "it is not repeated" in (await call(server, "die", log=str(log))).output
            await process.wait()
            async with http_server(port):
                await changes.until("ready", 9)
                assert (await call(server, "add", a=1)).output == "2"
                assert server.stderr() == ""
    assert log.read_text().split() == ["started", "cancelled", "died"]


@pytest.mark.network
async def test_a_server_that_lets_us_not_in(port: int) -> None:
    async with http_server(port):
        with pytest.raises(
            ConnectionFailed, match=r"127\.0\.0\.1 cannot be used: .*it answered with the HTTP status 401$"
        ):
            async with McpTools(url=f"http://127.0.0.1:{port}/mcp", headers={"Authorization": "Bearer x"}):
                pass


async def test_nothing_is_left_behind() -> None:
    async with raw() as server:
        await call(server, "echo")
    gc.collect()  # what was not closed would warn, and warnings are errors
    assert len(asyncio.all_tasks()) == 1
