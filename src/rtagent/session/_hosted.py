"""MCP servers that the provider calls: their questions are answered, and their failures are told.

The calls themselves never come here (protocol document, M2). What comes is the question whether a call may be made;
it is answered with an item of its own, and if the server then says nothing by itself, a response is asked for (M3, M4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from uuid import uuid4

import anyio
import anyio.abc

from .. import events
from ..errors import RtagentError
from ..tools import McpQuestion, McpServer, answer_question
from ._pump import Pump

__all__ = ("HostedServers",)

GRACE_S = 1.0
"""So long the server may take to go on by itself after the last answer."""
KEPT = 256
"""Questions remembered, so that none is answered twice."""

logger = logging.getLogger(__name__)

_Heard = (
    events.ResponseOutputItemDone
    | events.ConversationItemAdded
    | events.McpListToolsFailed
    | events.ResponseCreated
)


class HostedServers:
    """Owns the questions that are not answered yet.

    Args:
        servers: gives the servers of the agent that speaks now.
        pump: moves the conversation.
    """

    def __init__(self, servers: Callable[[], Iterable[McpServer]], pump: Pump) -> None:
        self._servers = servers
        self._pump = pump
        self._running = False
        self._asked: dict[str, None] = {}
        self._open = 0
        self._responses = 0
        self._labels: dict[str, str] = {}

    def start(self, group: anyio.abc.TaskGroup) -> None:
        """From now on answer, in the group, if there is anything to answer for."""
        if not self._running and any(True for _ in self._servers()):
            self._running = True
            group.start_soon(self.run, name="session MCP approvals")

    async def run(self) -> None:
        """Answer until cancelled, or until the session ends."""
        try:
            async with (
                self._pump.fanout.subscribe(
                    events.ResponseOutputItemDone,
                    events.ConversationItemAdded,
                    events.McpListToolsFailed,
                    events.ResponseCreated,
                    buffer=KEPT,
                ) as stream,
                anyio.create_task_group() as group,
            ):
                async for event in stream:
                    self._hear(event, group)
        except* RtagentError as ended:  # what ended the session is told by it
            logger.debug("hosted servers are asked about no more: %s", ended)

    def _hear(self, event: _Heard, group: anyio.abc.TaskGroup) -> None:
        match event:
            case events.ResponseCreated():
                self._responses += 1
            case events.ConversationItemAdded(item=events.McpListTools() as listing):
                self._labels[listing.id or ""] = listing.server_label
                if len(self._labels) > KEPT:
                    del self._labels[next(iter(self._labels))]
            case events.McpListToolsFailed():
                label = self._labels.pop(event.item_id or "", "")
                logger.warning(
                    "the tools of the MCP server %s cannot be used: they could not be listed", label
                )
            case events.ResponseOutputItemDone(item=events.McpApprovalRequest() as request):
                if request.id is not None and request.id not in self._asked:
                    self._asked[request.id] = None
                    if len(self._asked) > KEPT:
                        del self._asked[next(iter(self._asked))]
                    self._open += 1
                    group.start_soon(self._answer, request.id, request, name="MCP approval")
            case _:
                pass

    async def _answer(self, request_id: str, request: events.McpApprovalRequest) -> None:
        question = McpQuestion.read(request_id, request.server_label, request.name, request.arguments)
        answer = await answer_question(self._servers(), question)
        if not answer.approve:
            logger.info("%s of the MCP server %s: %s", request.name, request.server_label, answer.reason)
        item = answer.item(request_id, item_id=f"mcpr_{uuid4().hex[:24]}")
        begun = self._responses
        try:
            self._pump.post(
                events.ConversationItemCreate(item=events.McpApprovalResponse.model_validate(item))
            )
            self._open -= 1
            if self._open:
                return
            await self._pump.clock.sleep_until(self._pump.clock.now() + GRACE_S)
            if self._responses == begun and self._pump.core.quiet:
                self._pump.post(events.ResponseCreate())
        except RtagentError as ended:
            logger.debug("an answer about an MCP call came to nothing: %s", ended)
