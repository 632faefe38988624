"""Which class reads which event type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from ._client import (
    ClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    OutputAudioBufferClear,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
from ._server import ServerEvent
from ._server_conversation import (
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemInputAudioTranscriptionSegment,
    ConversationItemRetrieved,
    ConversationItemTruncated,
)
from ._server_extensions import ConversationItemInputAudioTranscriptionUpdated
from ._server_input import (
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferDtmfEventReceived,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    InputAudioBufferTimeoutTriggered,
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
)
from ._server_mcp import (
    McpListToolsCompleted,
    McpListToolsFailed,
    McpListToolsInProgress,
    ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
)
from ._server_response import (
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseCreated,
    ResponseDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
)
from ._server_session import ConversationCreated, Error, RateLimitsUpdated, SessionCreated, SessionUpdated

__all__ = ("CLIENT_EVENTS", "EXTENSION_EVENTS", "SERVER_EVENTS", "by_type")

EventT = TypeVar("EventT", ClientEvent, ServerEvent)


def by_type(classes: Iterable[type[EventT]]) -> Mapping[str, type[EventT]]:
    """Event classes by their wire types."""
    return MappingProxyType({cls.model_fields["type"].default: cls for cls in classes})


CLIENT_EVENTS: Mapping[str, type[ClientEvent]] = by_type(
    (
        SessionUpdate,
        InputAudioBufferAppend,
        InputAudioBufferCommit,
        InputAudioBufferClear,
        ConversationItemCreate,
        ConversationItemRetrieve,
        ConversationItemDelete,
        ConversationItemTruncate,
        ResponseCreate,
        ResponseCancel,
        OutputAudioBufferClear,
    )
)
"""The 11 events of a client, by wire type."""

SERVER_EVENTS: Mapping[str, type[ServerEvent]] = by_type(
    (
        Error,
        SessionCreated,
        SessionUpdated,
        ConversationCreated,
        RateLimitsUpdated,
        ConversationItemAdded,
        ConversationItemDone,
        ConversationItemCreated,
        ConversationItemRetrieved,
        ConversationItemDeleted,
        ConversationItemTruncated,
        ConversationItemInputAudioTranscriptionDelta,
        ConversationItemInputAudioTranscriptionCompleted,
        ConversationItemInputAudioTranscriptionFailed,
        ConversationItemInputAudioTranscriptionSegment,
        InputAudioBufferCommitted,
        InputAudioBufferCleared,
        InputAudioBufferSpeechStarted,
        InputAudioBufferSpeechStopped,
        InputAudioBufferTimeoutTriggered,
        InputAudioBufferDtmfEventReceived,
        OutputAudioBufferStarted,
        OutputAudioBufferStopped,
        OutputAudioBufferCleared,
        ResponseCreated,
        ResponseDone,
        ResponseOutputItemAdded,
        ResponseOutputItemDone,
        ResponseContentPartAdded,
        ResponseContentPartDone,
        ResponseOutputTextDelta,
        ResponseOutputTextDone,
        ResponseOutputAudioDelta,
        ResponseOutputAudioDone,
        ResponseOutputAudioTranscriptDelta,
        ResponseOutputAudioTranscriptDone,
        ResponseFunctionCallArgumentsDelta,
        ResponseFunctionCallArgumentsDone,
        McpListToolsInProgress,
        McpListToolsCompleted,
        McpListToolsFailed,
        ResponseMcpCallInProgress,
        ResponseMcpCallCompleted,
        ResponseMcpCallFailed,
        ResponseMcpCallArgumentsDelta,
        ResponseMcpCallArgumentsDone,
    )
)
"""The 46 events of a server, by wire type."""

EXTENSION_EVENTS: Mapping[str, type[ServerEvent]] = by_type((ConversationItemInputAudioTranscriptionUpdated,))
"""Events of other vendors that are read like the protocol's own, by wire type."""
