"""Endpoints and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from ._credentials import Credentials, Secret, find_credentials
    from ._endpoint import Endpoint
    from ._memory import MemoryTransport, memory_pair
    from ._port import Transport
    from ._profile_file import load_profile, write_profile
    from ._websocket import WebSocketTransport, connect_websocket

__all__ = (
    "Credentials",
    "Endpoint",
    "MemoryTransport",
    "Secret",
    "Transport",
    "WebSocketTransport",
    "connect_websocket",
    "find_credentials",
    "load_profile",
    "memory_pair",
    "write_profile",
)

__getattr__, __dir__ = lazily(
    __name__,
    {
        "Credentials": "._credentials",
        "Endpoint": "._endpoint",
        "MemoryTransport": "._memory",
        "Secret": "._credentials",
        "Transport": "._port",
        "WebSocketTransport": "._websocket",
        "connect_websocket": "._websocket",
        "find_credentials": "._credentials",
        "load_profile": "._profile_file",
        "memory_pair": "._memory",
        "write_profile": "._profile_file",
    },
)
