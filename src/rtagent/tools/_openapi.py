"""The operations of a web service as tools, from its OpenAPI document."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal, TypeAlias

from ..errors import ConfigurationError, ToolDefinitionError, ToolError
from ._faults import shortened
from ._mcp_names import cut_description
from ._openapi_document import OpenApiDocument
from ._openapi_operation import Operation, Parameter, chosen_operations, operations
from ._openapi_request import cookie_header, filled_path, header_values, path_problem, query_text
from ._tool import Tool
from ._web_address import WebAddress, WebRefused
from ._web_client import WebClient, WebRequest
from ._web_guard import WebGuard

__all__ = ("RequestHeaders", "openapi_tools")

RequestHeaders: TypeAlias = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]]
"""Headers of each request, or a function that gives them, asked for each request."""

_CALL_S = 30.0
_ANSWER_BYTES = 262_144
_FIRST_BAD_STATUS = 400
_ERROR_CHARS = 300


def openapi_tools(
    spec: Mapping[str, Any] | str | PathLike[str],
    *,
    only: Collection[str] | None = None,
    base_url: str | None = None,
    headers: RequestHeaders | None = None,
    client: Any | None = None,
    guard: WebGuard | None = None,
    prefix: str = "",
    approval: bool | Collection[str] = False,
    timeout: float | None = _CALL_S,
    on_interrupt: Literal["cancel", "keep"] = "cancel",
    max_bytes: int = _ANSWER_BYTES,
) -> tuple[Tool[..., Any], ...]:
    """Make a tool of each chosen operation of an OpenAPI document (3.0 or 3.1).

    The arguments of a tool are the operation's parameters by name and its JSON body as ``body``. A request
    goes to the document's own server and nowhere else, once, and is redirected only within that server.

    Args:
        spec: the document: a dict, the path of a JSON or YAML file, or its text.
        only: the operations to offer, by ``operationId``, as ``"POST /pets"``, or by the tool's name. Without
            it they are all that only read (GET); what changes something must be named.
        base_url: where the paths begin, instead of the document's first server.
        headers: for each request, such as ``Authorization``, or an (async) function that gives them. The model
            neither sees nor sets them.
        client: an ``httpx.AsyncClient`` of yours, for its settings and open connections. It connects where it
            likes; make it with ``transport=guard.transport()`` to keep it to checked addresses.
        guard: where requests may go; by default the server's host at public addresses.
        prefix: put before each name.
        approval: whether a person must agree to each call, or the names (as in ``only``) for which.
        timeout: seconds that a call may take.
        on_interrupt: what becomes of a running call when the user interrupts.
        max_bytes: the longest answer that is read.

    Raises:
        ConfigurationError: the document cannot be read, has no server, or not the operation.
        ToolDefinitionError: an operation cannot be a tool.
    """
    document = OpenApiDocument.load(spec)
    base = _base(base_url or document.server())
    own_guard = guard or WebGuard([_host_of(base)])
    _require_allowed(own_guard, base)
    web = WebClient(own_guard, within_s=timeout, most_bytes=max_bytes, client=client)
    fixed = () if headers is None or callable(headers) else headers.keys()
    tools: dict[str, Tool[..., Any]] = {}
    for operation in chosen_operations(list(operations(document, prefix)), only):
        call = _Call.of(operation, document, base, headers or {}, fixed, web)
        if operation.name in tools:
            raise ToolDefinitionError(operation.name, ["two operations would have this name; leave one out"])
        tools[operation.name] = Tool.from_schema(
            operation.name,
            call.schema,
            call.caller(),
            description=cut_description(operation.description),
            approval=approval if isinstance(approval, bool) else not {*approval}.isdisjoint(operation.names),
            timeout=timeout,
            on_interrupt=on_interrupt,
        )
    return tuple(tools.values())


@dataclass(frozen=True, slots=True)
class _Call:
    """How an operation is called."""

    operation: Operation
    parameters: list[Parameter]
    schema: dict[str, Any]
    body_type: str | None
    base: str
    headers: RequestHeaders = field(repr=False)
    web: WebClient

    @classmethod
    def of(
        cls,
        operation: Operation,
        document: OpenApiDocument,
        base: str,
        headers: RequestHeaders,
        fixed: Iterable[str],
        web: WebClient,
    ) -> _Call:
        """Read what a call needs.

        Raises:
            ToolDefinitionError: the operation cannot be a tool.
        """
        try:
            parameters = operation.parameters(document, list(fixed))
            schema = operation.schema(document, parameters)
            body = operation.body(document)
        except ConfigurationError as error:
            raise ToolDefinitionError(operation.names[0], [str(error)]) from error
        problem = path_problem(operation.path, parameters)
        if problem is not None:
            raise ToolDefinitionError(operation.names[0], [problem])
        return cls(operation, parameters, schema, body[1] if body else None, base, headers, web)

    def caller(self) -> Callable[..., Awaitable[Any]]:
        """The function of the tool."""

        async def call(**arguments: Any) -> Any:
            return await self.send(arguments)

        return call

    async def send(self, arguments: Mapping[str, Any]) -> Any:
        """Send the request of a call; what it answers.

        Raises:
            ToolError: there is no good answer.
        """
        answer = await self.web.send(self._request(arguments, await self._own_headers()))
        value = answer.value()
        if answer.status >= _FIRST_BAD_STATUS:
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            raise ToolError(f"the server answers {answer.status}: {shortened(said, _ERROR_CHARS)}")
        return value

    def _request(self, arguments: Mapping[str, Any], own: Mapping[str, str]) -> WebRequest:
        url = self.base + filled_path(self.operation.path, self.parameters, arguments)
        query = query_text(self.parameters, arguments)
        sent = header_values(self.parameters, arguments)
        cookies = cookie_header(self.parameters, arguments)
        if cookies is not None:
            sent["Cookie"] = cookies
        body: bytes | None = None
        if self.body_type is not None and "body" in arguments:
            body = _json(arguments["body"])
            sent["Content-Type"] = self.body_type
        ours = {name.lower() for name in own}
        kept = {name: value for name, value in sent.items() if name.lower() not in ours}
        accepted = {"Accept": "application/json, text/*;q=0.5"}
        return WebRequest(
            self.operation.method, f"{url}?{query}" if query else url, {**accepted, **kept, **own}, body
        )

    async def _own_headers(self) -> Mapping[str, str]:
        given = self.headers() if callable(self.headers) else self.headers
        return await given if inspect.isawaitable(given) else given


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:  # NaN and infinities, which our own reader takes and JSON does not have
        raise ToolError("body: holds a number that JSON does not have") from error


def _host_of(base: str) -> str:
    address = _read(base)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _require_allowed(guard: WebGuard, base: str) -> None:
    try:
        guard.check(base)
    except WebRefused as refused:
        hint = "give guard=WebGuard([...], allow_private=True) for a server of your own network"
        raise ConfigurationError(f"the server of the OpenAPI document: {refused}", hint=hint) from refused


def _read(base: str) -> WebAddress:
    try:
        return WebAddress.read(base)
    except WebRefused as refused:
        raise ConfigurationError(f"the server of the OpenAPI document: {refused}") from refused


def _base(url: str) -> str:
    """The base of all paths, without the slash at its end.

    Raises:
        ConfigurationError: it has a query or a fragment.
    """
    if "?" in url or "#" in url:
        raise ConfigurationError("the base_url of an OpenAPI server has neither query nor fragment")
    return url.rstrip("/")
