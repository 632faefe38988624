"""Whether a call may run: the program's guards, and the people whom it asks."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from ..errors import ToolError
from ._context import ToolContext
from ._excuses import place_of, words_of
from ._outcome import ToolOutcome
from ._threads import WorkerThreads
from ._tool import Tool

__all__ = ("AfterCall", "Approver", "BeforeCall", "CallRefused", "Permission")

Approver: TypeAlias = Callable[[Tool[..., Any], Mapping[str, Any], ToolContext[Any]], bool | Awaitable[bool]]
"""Answers whether a call may run, given the tool, its checked arguments and the call; only True is a yes."""
BeforeCall: TypeAlias = Callable[
    [Tool[..., Any], Mapping[str, Any], ToolContext[Any]],
    Mapping[str, Any] | Awaitable[Mapping[str, Any] | None] | None,
]
"""Looks at a call before anything else does. It returns other arguments, or None to leave them; a `ToolError`
refuses the call, in words for the model."""
AfterCall: TypeAlias = Callable[
    [Tool[..., Any], ToolOutcome, ToolContext[Any]], ToolOutcome | Awaitable[ToolOutcome | None] | None
]
"""Looks at what came of a call before the model does. It returns another outcome, or None to leave it; a
`ToolError` takes its place, in words for the model."""

_log = logging.getLogger("rtagent.tools")


class CallRefused(ToolError):
    """A guard let a call, or what came of it, not through."""


class Permission:
    """The guards of a registry. A guard or an approver that breaks has said no.

    Args:
        threads: on which those run that are not asynchronous, since they may block.
        before: looks at each call that could run.
        after: looks at what came of each of them.
        approver: is asked where a call names nobody else.
    """

    def __init__(
        self,
        threads: WorkerThreads,
        *,
        before: BeforeCall | None = None,
        after: AfterCall | None = None,
        approver: Approver | None = None,
    ) -> None:
        self.before = before
        self.after = after
        self.approver = approver
        self._threads = threads

    async def arguments(
        self, tool: Tool[..., Any], keywords: dict[str, Any], context: ToolContext[Any]
    ) -> dict[str, Any]:
        """The arguments that the guard lets through.

        Raises:
            CallRefused: it lets nothing through.
        """
        if self.before is None:
            return keywords
        changed = await self._asked(self.before, tool, keywords, context, of="before")
        return keywords if changed is None else dict(changed)

    async def outcome(
        self, tool: Tool[..., Any], outcome: ToolOutcome, context: ToolContext[Any]
    ) -> ToolOutcome:
        """The outcome that the guard lets through."""
        if self.after is None:
            return outcome
        try:
            changed = await self._asked(self.after, tool, outcome, context, of="after")
        except CallRefused as refusal:
            return ToolOutcome.failure("denied", tool.name, str(refusal))
        return outcome if changed is None else changed

    async def approve(
        self,
        tool: Tool[..., Any],
        keywords: Mapping[str, Any],
        context: ToolContext[Any],
        approver: Approver | None,
    ) -> None:
        """Return when somebody has agreed to the call, or nobody has to.

        Raises:
            CallRefused: nobody has.
        """
        if not await self._needed(tool, keywords, context):
            return
        approver = approver or self.approver
        if approver is None:
            message = "approval is not given: this tool needs it, and there is nobody to ask"
            raise CallRefused(message)
        try:
            approved = await self._answer(approver, tool, dict(keywords), context)
        except Exception as error:
            _log.warning(
                "the approver of tool %s raised %s at %s", tool.name, words_of(error), place_of(error)
            )
            message = "approval is not given: asking for it failed"
            raise CallRefused(message) from error
        if approved is not True:
            message = "approval is not given"
            raise CallRefused(message)

    async def _needed(
        self, tool: Tool[..., Any], keywords: Mapping[str, Any], context: ToolContext[Any]
    ) -> bool:
        if isinstance(tool.approval, bool):
            return tool.approval
        try:
            return bool(await self._answer(tool.approval, dict(keywords), context))
        except Exception as error:  # noqa: BLE001 - the program's code: when in doubt, a person is asked
            _log.warning("the test of tool %s raised %s at %s", tool.name, words_of(error), place_of(error))
            return True

    async def _asked(
        self,
        guard: Callable[..., Any],
        tool: Tool[..., Any],
        seen: Any,
        context: ToolContext[Any],
        *,
        of: str,
    ) -> Any:
        try:
            return await self._answer(guard, tool, seen, context)
        except ToolError as refusal:
            raise CallRefused(str(refusal)) from refusal
        except Exception as error:
            _log.warning(
                "the guard %s tool %s raised %s at %s", of, tool.name, words_of(error), place_of(error)
            )
            message = "the call is refused: checking it failed"
            raise CallRefused(message) from error

    async def _answer(self, question: Callable[..., Any], *given: Any) -> Any:
        ask = partial(question, *given)
        answer = ask() if inspect.iscoroutinefunction(question) else await self._threads.run(ask)
        return await answer if inspect.isawaitable(answer) else answer
