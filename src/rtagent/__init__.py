"""rtagent: a realtime voice agent runtime over WebSockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import lazily

if TYPE_CHECKING:
    from . import audio, engine, events, protocol, session, testing, tools, transport
    from ._connect import Connecting, connect, connect_sync
    from .agent import Agent, handoff
    from .errors import (
        AudioFileError,
        AudioUnavailable,
        ConfigurationError,
        ConnectionFailed,
        ConnectionLost,
        EndOfStream,
        LocalProtocolError,
        ProtocolError,
        RemoteProtocolError,
        RtagentError,
        ServerError,
        SessionClosed,
        Timeout,
        ToolDefinitionError,
        ToolError,
        Unsupported,
    )
    from .protocol import History, HistoryEntry, Response, Usage
    from .session import (
        BargeIn,
        LocalTurns,
        ReconnectPolicy,
        Session,
        Sounds,
        SyncSession,
        Transcriber,
        Translator,
    )
    from .tools import Tool, ToolContext, ToolRegistry, tool
    from .transport import Endpoint

__all__ = (
    "Agent",
    "AudioFileError",
    "AudioUnavailable",
    "BargeIn",
    "ConfigurationError",
    "Connecting",
    "ConnectionFailed",
    "ConnectionLost",
    "EndOfStream",
    "Endpoint",
    "History",
    "HistoryEntry",
    "LocalProtocolError",
    "LocalTurns",
    "ProtocolError",
    "ReconnectPolicy",
    "RemoteProtocolError",
    "Response",
    "RtagentError",
    "ServerError",
    "Session",
    "SessionClosed",
    "Sounds",
    "SyncSession",
    "Timeout",
    "Tool",
    "ToolContext",
    "ToolDefinitionError",
    "ToolError",
    "ToolRegistry",
    "Transcriber",
    "Translator",
    "Unsupported",
    "Usage",
    "__version__",
    "audio",
    "connect",
    "connect_sync",
    "engine",
    "events",
    "handoff",
    "protocol",
    "session",
    "testing",
    "tool",
    "tools",
    "transport",
)

__version__ = "0.1.0"

_ERRORS = (
    "AudioFileError",
    "AudioUnavailable",
    "ConfigurationError",
    "ConnectionFailed",
    "ConnectionLost",
    "EndOfStream",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "RtagentError",
    "ServerError",
    "SessionClosed",
    "Timeout",
    "ToolDefinitionError",
    "ToolError",
    "Unsupported",
)
_ROOMS = ("audio", "engine", "events", "protocol", "session", "testing", "tools", "transport")

__getattr__, __dir__ = lazily(
    __name__,
    {
        **dict.fromkeys(_ERRORS, ".errors"),
        **{room: f".{room}" for room in _ROOMS},
        "Agent": ".agent",
        "BargeIn": ".session",
        "Connecting": "._connect",
        "Endpoint": ".transport",
        "History": ".protocol",
        "HistoryEntry": ".protocol",
        "LocalTurns": ".session",
        "ReconnectPolicy": ".session",
        "Response": ".protocol",
        "Session": ".session",
        "Sounds": ".session",
        "SyncSession": ".session",
        "Tool": ".tools",
        "ToolContext": ".tools",
        "ToolRegistry": ".tools",
        "Transcriber": ".session",
        "Translator": ".session",
        "Usage": ".protocol",
        "connect": "._connect",
        "connect_sync": "._connect",
        "handoff": ".agent",
        "tool": ".tools",
    },
)
