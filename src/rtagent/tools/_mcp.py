"""The tools of an MCP server, run by us: a local process or a remote URL."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Literal

import anyio
from anyio.abc import TaskGroup

from ..errors import ConfigurationError
from ._context import ToolContext
from ._mcp_connection import Headers, LocalServer, RemoteServer
from ._mcp_link import McpLink
from ._mcp_names import OfferedTool, ToolChoice, cut_description
from ._mcp_restarts import McpRestarts
from ._mcp_result import McpResult
from ._mcp_words import McpState
from ._tool import Tool

__all__ = ("McpTools",)

_START_S = 30.0
_CALL_S = 30.0
_ADDRESS = re.compile(r"https?://(?:[^/?#@]*@)?(?P<host>\[[^\]]+\]|[^/?#@:\s\[\]]+)", re.IGNORECASE)
_log = logging.getLogger("rtagent.tools")

Progress = Callable[[float, float | None, str | None], Awaitable[None]]


class McpTools:
    """The tools of an MCP server, as `Tool` values, while the block is open.

    Leaving the block ends a local server: its input is closed, after 2 seconds it is told to terminate, and
    after 2 more it is killed, with all that it started. A server that is lost is started again; calls in the
    meantime fail with words for the model, and no call is ever sent twice.

    Args:
        command: the program of a local server; it gets ``args``, ``env`` beside the few variables that are safe
            to inherit, and ``cwd``.
        args: its arguments.
        env: its environment, beside PATH, HOME and the like.
        cwd: its working directory.
        url: the address of a remote server (streamable HTTP), instead of a command.
        headers: for each request to it, or an (async) function that gives them, asked for each request.
        prefix: put before each name: ``prefix="files"`` makes ``read`` into ``files_read``.
        only: the server's names of the tools to offer; None is all.
        exclude: the server's names of the tools to leave out.
        approval: whether a person must agree to each call, or the server's names of the tools for which.
        timeout: seconds that a call may take.
        on_interrupt: what becomes of a running call when the user interrupts.
        start_timeout: seconds for start, handshake and list.
        restarts: when a lost server is started again.
        on_change: called with this object when the tools or the state have changed.

    Raises:
        ConfigurationError: what is given cannot work.
    """

    def __init__(
        self,
        command: str | None = None,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: str | PathLike[str] | None = None,
        url: str | None = None,
        headers: Headers | None = None,
        prefix: str = "",
        only: Collection[str] | None = None,
        exclude: Collection[str] = (),
        approval: bool | Collection[str] = False,
        timeout: float | None = _CALL_S,
        on_interrupt: Literal["cancel", "keep"] = "cancel",
        start_timeout: float = _START_S,
        restarts: McpRestarts | None = None,
        on_change: Callable[[McpTools], object] | None = None,
    ) -> None:
        if (command is None) == (url is None):
            raise ConfigurationError("an MCP server has either a command or a url=")
        self._label = prefix or (_program_of(command) if command else _host_of(url or ""))
        self._local = LocalServer(self._label, command, args, env, cwd) if command else None
        address = self._local or RemoteServer(self._label, url or "", headers or {})
        self._choice = ToolChoice(prefix, only, exclude)
        self._approval = approval
        self._timeout = timeout
        self._on_interrupt: Literal["cancel", "keep"] = on_interrupt
        self._on_change = on_change
        self._group: TaskGroup | None = None
        self._tools: tuple[Tool[..., Any], ...] | None = None
        self._link = McpLink(
            address,
            restarts=restarts or McpRestarts(),
            within_s=start_timeout,
            on_tools=self._take,
            on_state=self._tell,
        )

    async def __aenter__(self) -> McpTools:
        """Start the server and read its list.

        Raises:
            ConfigurationError: the package ``mcp`` is missing, or ``only`` names what is not there.
            ConnectionFailed: the server cannot be started or reached, with what it said.
            ToolDefinitionError: two of its tools would have one name.
        """
        if self._group is not None:
            raise ConfigurationError("an McpTools is entered once; make another one")
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        try:
            await self._group.start(self._link.run)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave()

    def __iter__(self) -> Iterator[Tool[..., Any]]:
        return iter(self.tools)

    def __len__(self) -> int:
        return len(self.tools)

    def __repr__(self) -> str:
        return f"McpTools({self._label!r}, {self.state}, {len(self)} tools)"

    @property
    def tools(self) -> tuple[Tool[..., Any], ...]:
        """The tools as they are now; one whose server has withdrawn it fails when it is called."""
        return self._tools or ()

    @property
    def state(self) -> McpState:
        """``connecting``, ``ready``, ``lost`` (being started again), ``failed`` (given up) or ``closed``."""
        return self._link.state

    @property
    def reason(self) -> str:
        """Why it is lost or failed, in one line; empty before."""
        return self._link.reason

    @property
    def instructions(self) -> str | None:
        """What the server says about its use, for the instructions of an agent."""
        return self._link.instructions

    def stderr(self) -> str:
        """The newest 16 KiB that a local server wrote to its standard error."""
        return "" if self._local is None else self._local.stderr.text()

    async def _leave(self) -> None:
        """End the link and what it holds. What the block raised goes its own way, not into a group."""
        self._link.close()
        if self._group is not None:
            self._group.cancel_scope.cancel()
            await self._group.__aexit__(None, None, None)

    def _take(self, offered: list[OfferedTool]) -> None:
        """Make tools of a list; the first one must have all that was asked for."""
        missing = self._choice.missing(offered)
        if missing and self._tools is None:
            known = ", ".join(tool.name for tool in offered) or "none"
            message = f"the MCP server {self._label} has no tool {', '.join(map(repr, missing))}"
            raise ConfigurationError(message, hint=f"its tools are: {known}")
        named = self._choice.named(offered)
        self._tools = tuple(self._tool(name, described) for name, described in named.items())

    def _tool(self, name: str, described: OfferedTool) -> Tool[..., Any]:
        needs_approval = (
            self._approval if isinstance(self._approval, bool) else described.name in self._approval
        )
        return Tool.from_schema(
            name,
            described.schema,
            _caller(self._link, described.name),
            description=cut_description(described.description),
            timeout=self._timeout,
            on_interrupt=self._on_interrupt,
            approval=needs_approval,
        )

    async def _tell(self) -> None:
        if self._on_change is None:
            return
        try:
            told = self._on_change(self)
            if inspect.isawaitable(told):
                await told
        except Exception:  # noqa: BLE001 - the program's code: reported, and the server goes on
            _log.exception("on_change of the MCP server %s raised", self._label)


def _caller(link: McpLink, name: str) -> Callable[..., Awaitable[McpResult | list[str | bytes]]]:
    """What a tool does when it is called."""

    # the name of the context's parameter is none that a server would give to an argument
    async def call(
        rtagent_tool_context__: ToolContext | None = None, **arguments: Any
    ) -> McpResult | list[str | bytes]:
        return await link.call(name, arguments, _progress_of(rtagent_tool_context__))

    return call


def _progress_of(context: ToolContext | None) -> Progress | None:
    """Where progress is told, if the call can be told of it."""
    tell = getattr(context, "progress", None)
    if not callable(tell):
        return None

    async def progress(done: float, total: float | None, message: str | None) -> None:
        share = f"{done:g}" if total is None else f"{done:g} of {total:g}"
        told = tell(f"{message} ({share})" if message else share)
        if inspect.isawaitable(told):
            await told

    return progress


def _program_of(command: str) -> str:
    return command.replace("\\", "/").rpartition("/")[2]


def _host_of(url: str) -> str:
    """The host of a server's address; the rest may hold secrets.

    Raises:
        ConfigurationError: this is no address of a server.
    """
    match = _ADDRESS.match(url)
    if match is None:
        raise ConfigurationError("the url of an MCP server is http:// or https:// with a host")
    return match["host"]
