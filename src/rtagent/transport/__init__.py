"""Endpoints and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._credentials import Credentials, Secret, find_credentials
    from ._endpoint import DEFAULT_MODEL, Endpoint
    from ._memory import MemoryTransport, memory_pair
    from ._port import Transport
    from ._websocket import WebSocketTransport, connect_websocket

__all__ = (
    "DEFAULT_MODEL",
    "Credentials",
    "Endpoint",
    "MemoryTransport",
    "Secret",
    "Transport",
    "WebSocketTransport",
    "connect_websocket",
    "find_credentials",
    "memory_pair",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "DEFAULT_MODEL": "._endpoint",
        "Credentials": "._credentials",
        "Endpoint": "._endpoint",
        "MemoryTransport": "._memory",
        "Secret": "._credentials",
        "Transport": "._port",
        "WebSocketTransport": "._websocket",
        "connect_websocket": "._websocket",
        "find_credentials": "._credentials",
        "memory_pair": "._memory",
    },
)
