"""MCP servers that the provider calls: their part of the session's configuration, and who agrees to a call.

The calls never reach this program. What does reach it is the question whether a call may be made
(``mcp_approval_request``); it is answered with an item of its own.
"""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import anyio

from ..errors import ConfigurationError
from ._faults import shortened
from ._json_schema import is_object

__all__ = ("McpAnswer", "McpApproval", "McpQuestion", "McpServer", "answer_question")

_LABEL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_URL = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)
_ANSWER_S = 120.0
_log = logging.getLogger("rtagent.tools")


@dataclass(frozen=True, slots=True)
class McpQuestion:
    """The model asks whether it may call a tool of a hosted MCP server."""

    request_id: str
    """The id of the ``mcp_approval_request`` item."""
    server: str
    """The server's label."""
    name: str
    """The server's name of the tool."""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def read(cls, request_id: str, server: str, name: str, arguments: str) -> McpQuestion | None:
        """The question of an item; None when its arguments are no JSON object, so that nobody can judge them."""
        try:
            values: Any = json.loads(arguments if arguments.strip() else "{}")
        except (ValueError, RecursionError):
            return None
        return cls(request_id, server, name, values) if is_object(values) else None


@dataclass(frozen=True, slots=True)
class McpAnswer:
    """The answer to a question."""

    approve: bool
    reason: str | None = None
    """Why not, for the model."""

    def item(self, request_id: str, *, item_id: str) -> dict[str, Any]:
        """The ``mcp_approval_response`` item that tells the server, for ``conversation.item.create``.

        Args:
            request_id: the id of the item that asked.
            item_id: an id for this item; the protocol demands one.
        """
        item = {
            "type": "mcp_approval_response",
            "id": item_id,
            "approval_request_id": request_id,
            "approve": self.approve,
        }
        return item if self.reason is None else {**item, "reason": self.reason}


McpApproval: TypeAlias = Literal["always", "never"] | Callable[[McpQuestion], bool | Awaitable[bool]]
"""Who agrees to the calls: everything, nothing, or a function; only True is a yes."""


@dataclass(frozen=True)
class McpServer:
    """An MCP server that the provider calls, as one of the ``tools`` of an agent.

    Raises:
        ConfigurationError: it is not described as it must be; every reason is listed.
    """

    label: str
    """What it is called in events; 1 to 64 letters, digits, underscores and hyphens."""
    url: str | None = field(default=None, repr=False)
    """Its address, which the provider must be able to reach."""
    connector: str | None = None
    """Instead of an address: a service that the provider knows, such as ``connector_googlecalendar``."""
    authorization: str | Callable[[], str] | None = field(default=None, repr=False)
    """The token that the provider shows to it, or a function that gives it, asked for each configuration."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Further headers that the provider sends to it."""
    allowed_tools: Sequence[str] | None = None
    """The tools that may be used; None is all."""
    read_only: bool | None = None
    """Whether only tools that change nothing may be used."""
    require_approval: Literal["always", "never"] | Mapping[str, Sequence[str]] = "always"
    """Which calls must be asked for: all, none, or names of tools by ``always`` and ``never``."""
    approve: McpApproval = "never"
    """Who answers when it is asked for; nobody is a no."""
    description: str | None = None
    """What the model is told about it."""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            message = f"the MCP server {shortened(self.label)!r} cannot be offered: {'; '.join(problems)}"
            raise ConfigurationError(message)

    def definition(self) -> dict[str, Any]:
        """The server as a Realtime session is told about it, secrets included."""
        given = {
            "server_url": self.url,
            "connector_id": self.connector,
            "server_description": self.description,
            "authorization": self.authorization() if callable(self.authorization) else self.authorization,
            "headers": None if self.headers is None else dict(self.headers),
            "allowed_tools": self._allowed(),
        }
        told = {key: value for key, value in given.items() if value is not None}
        return {
            "type": "mcp",
            "server_label": self.label,
            **told,
            "require_approval": self._required(),
        }

    def allows(self, name: str) -> bool:
        """Whether a tool may be used at all."""
        return self.allowed_tools is None or name in self.allowed_tools

    def _allowed(self) -> list[str] | dict[str, Any] | None:
        names = None if self.allowed_tools is None else list(self.allowed_tools)
        if self.read_only is None:
            return names
        return {"read_only": self.read_only, **({} if names is None else {"tool_names": names})}

    def _required(self) -> str | dict[str, Any]:
        if isinstance(self.require_approval, str):
            return self.require_approval
        return {when: {"tool_names": list(names)} for when, names in self.require_approval.items()}

    def _problems(self) -> Iterable[str]:
        if not _LABEL.fullmatch(self.label):
            yield "its label is not 1 to 64 letters, digits, underscores or hyphens"
        if (self.url is None) == (self.connector is None):
            yield "it has either a url or a connector"
        if self.url is not None and not _URL.match(self.url):
            yield "its url is not http:// or https:// with a host"
        if isinstance(self.allowed_tools, str):
            yield "allowed_tools is a list of names"
        required = self.require_approval
        known = {"always", "never"}
        if required not in known if isinstance(required, str) else not set(required) <= known:
            yield 'require_approval is "always", "never", or names of tools by these two words'
        if not callable(self.approve) and self.approve not in known:
            yield 'approve is "always", "never" or a function'


async def answer_question(
    servers: Iterable[McpServer], question: McpQuestion | None, *, within_s: float | None = _ANSWER_S
) -> McpAnswer:
    """Decide whether a call may be made. Nothing but cancellation is raised: in doubt it is a no.

    Args:
        servers: the hosted servers of the agent.
        question: what the model wants to call; None, as `McpQuestion.read` gives it, is a no.
        within_s: how long a function may take to decide; a synchronous one runs on a worker thread.
    """
    if question is None:
        return McpAnswer(approve=False, reason="the arguments are no JSON object")
    server = next((server for server in servers if server.label == question.server), None)
    if server is None or not server.allows(question.name):
        return McpAnswer(approve=False, reason="this tool is not allowed here")
    match server.approve:
        case "always":
            return McpAnswer(approve=True)
        case "never":
            return McpAnswer(approve=False, reason="approval is not given: there is nobody to ask")
        case ask:
            return await _asked(ask, question, within_s)


async def _asked(
    ask: Callable[[McpQuestion], bool | Awaitable[bool]], question: McpQuestion, within_s: float | None
) -> McpAnswer:
    try:
        with anyio.fail_after(within_s):
            if inspect.iscoroutinefunction(ask):
                answer: Any = await ask(question)
            else:
                answer = await anyio.to_thread.run_sync(ask, question, abandon_on_cancel=True)
                answer = await answer if inspect.isawaitable(answer) else answer
    except TimeoutError:
        return McpAnswer(approve=False, reason="approval is not given: nobody answered in time")
    except Exception:  # noqa: BLE001 - the program's code: a broken approver has not approved
        _log.warning("the approver of MCP server %s failed", question.server, exc_info=True)
        return McpAnswer(approve=False, reason="approval is not given: asking for it failed")
    return (
        McpAnswer(approve=True)
        if answer is True
        else McpAnswer(approve=False, reason="approval is not given")
    )
