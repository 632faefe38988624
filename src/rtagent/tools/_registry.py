"""The tools of an agent, by name, and the calls of a model to them."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import ModuleType
from typing import Any, TypeGuard

from ..errors import ConfigurationError, ToolDefinitionError
from ._call import Means, perform
from ._context import CallDesk, ToolContext
from ._faults import shortened
from ._outcome import ToolOutcome
from ._permission import AfterCall, Approver, BeforeCall, Permission
from ._processes import ProcessStatistics, WorkerProcesses
from ._threads import ThreadStatistics, WorkerThreads
from ._tool import Tool

__all__ = ("ToolRegistry",)

_MOST_NAMED = 50
_MAX_THREADS = 8
_MAX_PROCESSES = 4


class ToolRegistry:
    """Tools by name; it owns the threads and the processes that they run on.

    Args:
        tools: tools, or functions to make tools of. Another registry gives its approver and guards too.
        approver: asked before each call of a tool that needs approval; without one such calls are denied.
        before: looks at each call before anything else does; may change its arguments, or refuse it.
        after: looks at what came of each call before the model does; may change that.
        max_threads: synchronous calls that may run at once; further ones wait within their deadline.
        max_processes: the same for calls in processes.

    Raises:
        ToolDefinitionError: something is no tool, or two tools have one name.
    """

    def __init__(
        self,
        tools: Iterable[Tool[..., Any] | Callable[..., object]] = (),
        *,
        approver: Approver | None = None,
        before: BeforeCall | None = None,
        after: AfterCall | None = None,
        max_threads: int = _MAX_THREADS,
        max_processes: int = _MAX_PROCESSES,
    ) -> None:
        self._tools: dict[str, Tool[..., Any]] = {}
        if isinstance(tools, ToolRegistry):
            asked = tools.permission
            before, after = before or asked.before, after or asked.after
            approver = approver or asked.approver
        threads = WorkerThreads(max_threads)
        self.permission: Permission = Permission(threads, before=before, after=after, approver=approver)
        """Who is asked about calls."""
        self._means = Means(threads, WorkerProcesses(max_processes), self.permission)
        for tool in tools:
            self.add(tool)

    def __iter__(self) -> Iterator[Tool[..., Any]]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __repr__(self) -> str:
        return f"ToolRegistry({', '.join(self._tools)})"

    def names(self) -> tuple[str, ...]:
        """The names of the tools, in the order in which they came."""
        return tuple(self._tools)

    def get(self, name: str) -> Tool[..., Any] | None:
        """The tool of that name, if there is one."""
        return self._tools.get(name)

    def add(self, tool: Tool[..., Any] | Callable[..., object]) -> Tool[..., Any]:
        """Add a tool, or a function as a tool, and return it.

        Raises:
            ToolDefinitionError: it cannot be a tool, or its name is taken.
        """
        added: Tool[..., Any] = tool if _is_tool(tool) else Tool.from_function(tool)
        if added.name in self._tools:
            raise ToolDefinitionError(added.name, ["another tool of this registry has the same name"])
        self._tools[added.name] = added
        return added

    def discover(self, module: ModuleType | str) -> tuple[Tool[..., Any], ...]:
        """Add every `Tool` at the top level of a module; what is here already is left alone.

        Args:
            module: the module, or its dotted name.

        Returns:
            The tools that were added.

        Raises:
            ConfigurationError: the module cannot be imported.
            ToolDefinitionError: a name is taken by another tool.
        """
        known = {id(tool) for tool in self}
        found = {id(value): value for value in vars(_imported(module)).values() if _is_tool(value)}
        return tuple(self.add(tool) for tool in found.values() if id(tool) not in known)

    def definitions(self) -> tuple[dict[str, Any], ...]:
        """All tools as a Realtime session is told about them."""
        return tuple(tool.definition() for tool in self)

    def statistics(self) -> ThreadStatistics:
        """How busy the threads of synchronous tools are."""
        return self._means.threads.statistics()

    def process_statistics(self) -> ProcessStatistics:
        """How busy the processes of tools with ``run_in="process"`` are."""
        return self._means.processes.statistics()

    def hold(self) -> None:
        """Calls will come: processes are kept from now on, until ``release`` was called as often as this."""
        self._means.processes.hold()

    async def release(self) -> None:
        """No more calls will come from whoever called ``hold``; after the last one the processes end."""
        await self._means.processes.release()

    async def call(
        self,
        name: str,
        arguments: str,
        *,
        call_id: str,
        session: Any = None,
        state: Any = None,
        caller: Any = None,
        desk: CallDesk | None = None,
        approver: Approver | None = None,
    ) -> ToolOutcome:
        """Call a tool as a model asks for it. Nothing but cancellation is raised: the outcome tells it all.

        Args:
            name: the tool's name, as the model wrote it.
            arguments: JSON text of an object, as the model wrote it.
            call_id: the wire's id of the call.
            session: handed to the tool in its `ToolContext`, as are ``state``, ``caller`` and ``desk``.
            state: what the program keeps for the session.
            caller: who is on the other side.
            desk: what the session does for the call.
            approver: asked instead of the registry's own.
        """
        tool = self._tools.get(name)
        if tool is None:
            return self._unknown(name)
        context = partial(ToolContext, session, call_id, name, state, caller, arguments, desk)
        return await perform(tool, arguments, context, self._means, approver)

    def _unknown(self, name: str) -> ToolOutcome:
        asked = shortened(name)
        message = f'there is no tool "{asked}"'
        close = difflib.get_close_matches(asked, self._tools, n=1)
        if close:
            message = f'{message}; did you mean "{close[0]}"?'
        return ToolOutcome.failure("unknown_tool", asked, message, known=list(self._tools)[:_MOST_NAMED])


def _is_tool(value: Any) -> TypeGuard[Tool[..., Any]]:
    return isinstance(value, Tool)


def _imported(module: ModuleType | str) -> ModuleType:
    if isinstance(module, ModuleType):
        return module
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"the tools of {module!r} cannot be loaded: {error}"
        raise ConfigurationError(message, hint="give a module that can be imported from here") from error
