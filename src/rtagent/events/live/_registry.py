"""Which class reads which event type of GPT-Live, and what an attached socket may carry."""

from __future__ import annotations

from collections.abc import Mapping

from .._client import ClientEvent
from .._registry import by_type
from .._server import ServerEvent
from ._client import (
    DecisionCreate,
    DecisionItemCreate,
    DecisionItemDelete,
    ResponseCreate,
    ResponseItemCreate,
    SessionClose,
    SessionCommentaryAppend,
    SessionInputAudioAppend,
    SessionInputAudioMute,
    SessionInputAudioUnmute,
    SessionInstructionsAppend,
    SessionOutputAudioFixturePlay,
    SessionStart,
    SessionThinkingAppend,
    SessionUpdate,
    TransportDtmfSend,
)
from ._server import (
    Error,
    Info,
    SessionClosed,
    SessionCommentaryAppended,
    SessionInputAudioMuted,
    SessionInputAudioReflected,
    SessionInputAudioUnmuted,
    SessionInputTranscriptDelta,
    SessionInstructionsAppended,
    SessionOutputAudioDelta,
    SessionOutputAudioFixturePlayed,
    SessionOutputAudioFixturePlaying,
    SessionOutputTranscriptDelta,
    SessionStarted,
    SessionThinkingAppended,
    SessionUpdated,
    SessionUsageUpdated,
)
from ._server_delegation import (
    DecisionEvent,
    DecisionItemCreated,
    DecisionItemDeleted,
    ResponseEvent,
    SessionDelegationCreated,
)
from ._server_transport import (
    TransportAnswered,
    TransportDtmfReceived,
    TransportDtmfSending,
    TransportDtmfSent,
    TransportFailed,
    TransportRinging,
)

__all__ = ("CLIENT_EVENTS", "SERVER_EVENTS", "SIDEBAND_CLIENT_EVENTS", "SIDEBAND_SERVER_EVENTS")

CLIENT_EVENTS: Mapping[str, type[ClientEvent]] = by_type(
    (
        SessionStart,
        SessionUpdate,
        SessionInputAudioAppend,
        SessionInputAudioMute,
        SessionInputAudioUnmute,
        SessionOutputAudioFixturePlay,
        SessionInstructionsAppend,
        SessionThinkingAppend,
        SessionCommentaryAppend,
        DecisionCreate,
        DecisionItemCreate,
        DecisionItemDelete,
        ResponseItemCreate,
        ResponseCreate,
        SessionClose,
        TransportDtmfSend,
    )
)
"""The 15 events of a client, and the one of an attached socket, by wire type."""

SERVER_EVENTS: Mapping[str, type[ServerEvent]] = by_type(
    (
        Error,
        Info,
        SessionStarted,
        SessionUpdated,
        SessionClosed,
        SessionUsageUpdated,
        SessionInputAudioMuted,
        SessionInputAudioUnmuted,
        SessionInputAudioReflected,
        SessionOutputAudioDelta,
        SessionOutputAudioFixturePlaying,
        SessionOutputAudioFixturePlayed,
        SessionInputTranscriptDelta,
        SessionOutputTranscriptDelta,
        SessionInstructionsAppended,
        SessionThinkingAppended,
        SessionCommentaryAppended,
        SessionDelegationCreated,
        DecisionEvent,
        DecisionItemCreated,
        DecisionItemDeleted,
        ResponseEvent,
        TransportDtmfReceived,
        TransportDtmfSending,
        TransportDtmfSent,
        TransportRinging,
        TransportAnswered,
        TransportFailed,
    )
)
"""The 28 events of a server, by wire type."""

SIDEBAND_CLIENT_EVENTS: frozenset[str] = frozenset(CLIENT_EVENTS) - {
    "session.start",
    "session.input_audio.append",
}
"""What may be sent over a socket that is attached to a running session: it neither starts it nor speaks."""

SIDEBAND_SERVER_EVENTS: frozenset[str] = frozenset(SERVER_EVENTS)
"""What an attached socket may be sent."""
