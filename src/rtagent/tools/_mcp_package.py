"""The packages ``mcp`` and ``httpx2``, loaded when the first server is opened: they take about a second."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import anyio

from ..errors import ConfigurationError

__all__ = ("McpPackage", "load_mcp")

_INSTALL = 'pip install "rtagent[mcp]"'


@dataclass(frozen=True, slots=True)
class McpPackage:
    """What we use of the packages, by module."""

    client: Any
    """``mcp.client.client``: a session over a transport, with the version of the protocol settled."""
    stdio: Any
    http: Any
    subscriptions: Any
    shared: Any
    """``mcp.shared.exceptions``."""
    types: Any
    """``mcp_types``: what goes over the wire."""
    versions: Any
    """``mcp_types.version``."""
    httpx: Any
    """``httpx2``, which ``mcp`` speaks HTTP with."""


async def load_mcp() -> McpPackage:
    """Import the packages on a worker thread, so that no sound waits for it.

    Raises:
        ConfigurationError: they are not installed.
    """
    return await anyio.to_thread.run_sync(_load)


def _load() -> McpPackage:
    try:
        importlib.import_module(
            "jsonschema"
        )  # mcp loads it at the first answer that it checks, on the event loop
        return McpPackage(
            client=importlib.import_module("mcp.client.client"),
            stdio=importlib.import_module("mcp.client.stdio"),
            http=importlib.import_module("mcp.client.streamable_http"),
            subscriptions=importlib.import_module("mcp.client.subscriptions"),
            shared=importlib.import_module("mcp.shared.exceptions"),
            types=importlib.import_module("mcp_types"),
            versions=importlib.import_module("mcp_types.version"),
            httpx=importlib.import_module("httpx2"),
        )
    except ImportError as problem:
        message = f"MCP servers need the package mcp, version 2: {problem}"
        raise ConfigurationError(message, hint=_INSTALL) from problem
