"""Server events about the items of the conversation and the words of the user."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ._items import Item
from ._model import Many
from ._response import DetectedLanguage, ErrorDetail, LogProb, TranscriptionUsage
from ._server import ServerEvent

__all__ = (
    "ConversationItemAdded",
    "ConversationItemCreated",
    "ConversationItemDeleted",
    "ConversationItemDone",
    "ConversationItemInputAudioTranscriptionCompleted",
    "ConversationItemInputAudioTranscriptionDelta",
    "ConversationItemInputAudioTranscriptionFailed",
    "ConversationItemInputAudioTranscriptionSegment",
    "ConversationItemRetrieved",
    "ConversationItemTruncated",
)


class _Placed(ServerEvent, frozen=True):
    item: Item
    previous_item_id: str | None = None
    """Null: it is the first, or its place is unknown; left out: the server does not say."""


class ConversationItemAdded(_Placed, frozen=True):
    """An item entered the conversation; it may still grow."""

    type: Literal["conversation.item.added"] = "conversation.item.added"


class ConversationItemDone(_Placed, frozen=True):
    """An item is complete."""

    type: Literal["conversation.item.done"] = "conversation.item.done"


class ConversationItemCreated(_Placed, frozen=True):
    """An item entered the conversation and is complete (the older form of added and done)."""

    type: Literal["conversation.item.created"] = "conversation.item.created"


class ConversationItemRetrieved(ServerEvent, frozen=True):
    """An item as the server has it, audio included."""

    type: Literal["conversation.item.retrieved"] = "conversation.item.retrieved"
    item: Item


class ConversationItemDeleted(ServerEvent, frozen=True):
    """An item left the conversation."""

    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"
    item_id: str


class ConversationItemTruncated(ServerEvent, frozen=True):
    """An item was cut to what the user heard."""

    type: Literal["conversation.item.truncated"] = "conversation.item.truncated"
    item_id: str
    content_index: int = 0
    audio_end_ms: int | None = None


class _Transcription(ServerEvent, frozen=True):
    item_id: str
    content_index: int = 0


class ConversationItemInputAudioTranscriptionDelta(_Transcription, frozen=True):
    """More of what the user said."""

    type: Literal["conversation.item.input_audio_transcription.delta"] = (
        "conversation.item.input_audio_transcription.delta"
    )
    delta: str = ""
    logprobs: Many[LogProb] | None = None


class ConversationItemInputAudioTranscriptionCompleted(_Transcription, frozen=True):
    """All that the user said; it replaces the deltas."""

    type: Literal["conversation.item.input_audio_transcription.completed"] = (
        "conversation.item.input_audio_transcription.completed"
    )
    transcript: str = ""
    usage: TranscriptionUsage | None = None
    languages: Many[DetectedLanguage] | None = None
    logprobs: Many[LogProb] | None = None


class ConversationItemInputAudioTranscriptionFailed(_Transcription, frozen=True):
    """What the user said could not be written down; the model may have understood it all the same."""

    type: Literal["conversation.item.input_audio_transcription.failed"] = (
        "conversation.item.input_audio_transcription.failed"
    )
    error: ErrorDetail = Field(default_factory=ErrorDetail)


class ConversationItemInputAudioTranscriptionSegment(_Transcription, frozen=True):
    """What one of several speakers said."""

    type: Literal["conversation.item.input_audio_transcription.segment"] = (
        "conversation.item.input_audio_transcription.segment"
    )
    id: str | None = None
    speaker: str | None = None
    start: float | None = None
    """Seconds."""
    end: float | None = None
    """Seconds."""
    text: str = ""
