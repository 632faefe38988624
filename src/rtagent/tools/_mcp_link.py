"""The link to an MCP server: connected, lost, connected again, and calls in the meantime.

One task owns the connection (`McpLink.run`): it opens it, reads the list of tools, waits until it is lost or the
list changes, and closes it, all in itself. Calls come from any task. A call is sent once: when its answer
cannot come any more, it fails, and nobody but the model may ask again. A call while there is no connection
fails at once, because a caller waits at the other end.

```
connecting -> ready -> lost -> ready ...      lost -> failed      (any) -> closed
```
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.abc import TaskStatus

from ..errors import ToolError
from ._mcp_connection import McpServerAddress, connected, offered_tools
from ._mcp_names import OfferedTool
from ._mcp_package import McpPackage, load_mcp
from ._mcp_restarts import McpRestarts
from ._mcp_result import McpResult, result_of
from ._mcp_words import McpState, McpWords

__all__ = ("McpLink",)

_CHANGED = "notifications/tools/list_changed"
_SESSION_GONE = "Session terminated"
"""How ``mcp`` says that an HTTP server has forgotten our session, as it does when it was restarted."""
_LISTEN_AGAIN_S = 5.0
_BURST_S = 0.1

_log = logging.getLogger("rtagent.tools")


class McpLink:
    """The connection to one server, and its list of tools.

    Args:
        address: where the server is.
        restarts: when a lost server is started again.
        within_s: how long start, handshake and first list may take.
        on_tools: told the list whenever it was read; what it raises on the first one ends the link.
        on_state: told each change of the state.
    """

    def __init__(
        self,
        address: McpServerAddress,
        *,
        restarts: McpRestarts,
        within_s: float,
        on_tools: Callable[[list[OfferedTool]], None],
        on_state: Callable[[], Awaitable[None]],
    ) -> None:
        self._address = address
        self._words = McpWords(address, within_s)
        self._restarts = restarts
        self._within_s = within_s
        self._on_tools = on_tools
        self._on_state = on_state
        self._package: McpPackage | None = None
        self._client: Any = None
        self._signal = anyio.Event()
        self._ended = False
        self._changed = False
        self._was_ready = False
        self.state: McpState = "connecting"
        self.reason = ""
        """Why it is lost or failed, in one line."""
        self.instructions: str | None = None
        """What the server says about its use."""

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Hold the link until cancelled, or until it is given up; started once the first list was read.

        Raises:
            ConfigurationError: the package is missing, or the tools cannot be offered as asked.
            ConnectionFailed: the first connection failed.
        """
        self._package = await load_mcp()
        failures = 0
        while True:
            since = anyio.current_time()
            try:
                await self._hold_one(self._package, task_status)
            except Exception as error:
                if not self._was_ready:
                    raise self._words.first_failure(error) from error
                self.reason = self._words.reason_of(error)
            held_s = anyio.current_time() - since
            failures = 1 if held_s >= self._restarts.stable_after_s else failures + 1
            # spreads attempts; nothing secret about it
            delay_s = self._restarts.delay_s(failures, random.random())  # noqa: S311
            if delay_s is None:
                _log.warning("MCP server %s is given up: %s", self._address.label, self.reason)
                await self._move_to("failed")
                return
            _log.warning(
                "MCP server %s is lost: %s; next attempt in %.1f s", self._address.label, self.reason, delay_s
            )
            await self._move_to("lost")
            await anyio.sleep(delay_s)

    async def call(
        self, name: str, arguments: dict[str, Any], progress: Callable[..., Awaitable[None]] | None
    ) -> McpResult | list[str | bytes]:
        """Call a tool of the server, once.

        Raises:
            ToolError: there is no answer, or the answer is that it failed.
        """
        client, package = self._client, self._package
        if client is None or package is None:
            raise ToolError(self._words.unreachable(self.state))
        try:
            answer = await client.session.call_tool(name, arguments, progress_callback=progress)
        except package.shared.MCPError as error:
            if error.message == _SESSION_GONE and client is self._client:
                self._note_end()
            elif error.code == package.types.HEADER_MISMATCH:
                self._note_change()  # the tool is not what was listed, and did not run
            raise self._call_failure(error, package) from error
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise ToolError(self._words.lost_in_call()) from error
        except (RuntimeError, ValueError) as error:
            # it breaks the protocol or the tool's own schema, or asks for a person's input
            raise ToolError(f"the answer cannot be used: {error}") from error
        return result_of(answer)

    def close(self) -> None:
        """The link was ended by the program."""
        self._client = None
        self.state = "closed"

    async def _hold_one(self, package: McpPackage, task_status: TaskStatus[None]) -> None:
        """One connection, from its opening to its loss."""
        self._ended = self._changed = False
        opening = connected(
            self._address,
            package,
            within_s=self._within_s,
            on_end=self._note_end,
            on_message=self._on_message,
        )
        async with opening as client:
            with anyio.fail_after(self._within_s):
                offered = await offered_tools(client, package)
            if self._was_ready:
                self._take(offered)
            else:
                self._on_tools(offered)
            self._client, self.instructions = client, client.instructions
            try:
                await self._move_to("ready")
                if not self._was_ready:
                    self._was_ready = True
                    task_status.started()
                async with anyio.create_task_group() as listening:
                    listening.start_soon(self._listen, client, package)
                    await self._follow(client, package)
                    listening.cancel_scope.cancel()
            finally:
                self._client = None

    async def _follow(self, client: Any, package: McpPackage) -> None:
        """Read the list again whenever it changes; returns when the connection has ended."""
        while not self._ended:
            await self._signal.wait()
            self._signal = anyio.Event()
            if self._changed and not self._ended:
                await anyio.sleep(_BURST_S)  # changes come in bursts, and from some servers without end
                self._changed = False
                with anyio.fail_after(self._within_s):
                    self._take(await offered_tools(client, package))
                await self._on_state()
        self.reason = self._words.ended()

    def _take(self, offered: list[OfferedTool]) -> None:
        """Take over a later list; one that cannot be used is no reason to lose the tools that there are."""
        try:
            self._on_tools(offered)
        except Exception as error:  # noqa: BLE001 - whatever a server may describe: told, and left
            _log.warning(
                "the changed tools of MCP server %s are not taken over: %s", self._address.label, error
            )

    async def _listen(self, client: Any, package: McpPackage) -> None:
        """Subscribe to changes of the list, which servers of 2026 and later tell only to who asks."""
        while client.protocol_version in package.versions.MODERN_PROTOCOL_VERSIONS:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._note_change()
            except package.shared.MCPError:
                return  # this server does not tell
            except package.subscriptions.SubscriptionLost:
                self._note_change()  # what happens meanwhile is not told again
            await anyio.sleep(_LISTEN_AGAIN_S)

    async def _on_message(self, message: Any) -> None:
        if getattr(message, "method", None) == _CHANGED:
            self._note_change()

    def _note_change(self) -> None:
        self._changed = True
        self._signal.set()

    def _note_end(self) -> None:
        self._ended = True
        self._client = None
        if self.state == "ready":  # the end of a link that was closed is no loss
            self.state = "lost"
        self._signal.set()

    async def _move_to(self, state: McpState) -> None:
        self.state = state
        await self._on_state()

    def _call_failure(self, error: Any, package: McpPackage) -> ToolError:
        if error.code == package.types.CONNECTION_CLOSED:
            return ToolError(self._words.lost_in_call())
        if error.message == _SESSION_GONE:
            return ToolError(self._words.forgotten())
        return ToolError(self._words.refused(error.message))
