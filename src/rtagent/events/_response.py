"""Responses, their usage, and errors (sections 5.4 and 5.5)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Tag, model_validator

from ._audio_config import SessionAudio
from ._items import Item
from ._model import Many, WireModel, tag_by_type
from ._session import Prompt, Reasoning
from ._tool_config import ToolChoice, ToolConfig

__all__ = (
    "CachedTokensDetails",
    "DetectedLanguage",
    "ErrorDetail",
    "InputTokenDetails",
    "LogProb",
    "OutputTokenDetails",
    "RateLimit",
    "RealtimeConversation",
    "RealtimeResponse",
    "ResponseParams",
    "ResponseStatus",
    "ResponseStatusDetails",
    "ResponseUsage",
    "TranscriptionDurationUsage",
    "TranscriptionTokenUsage",
    "TranscriptionUsage",
)

ResponseStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "failed", "incomplete"] | str


class ErrorDetail(WireModel, frozen=True):
    """What went wrong; an error that came as a bare string is read as its message."""

    always_written: ClassVar[frozenset[str]] = frozenset({"type", "message"})

    type: str = "unknown_error"
    message: str = ""
    code: str | None = None
    param: str | None = None
    event_id: str | None = None
    """The client event that caused it, if the server names one."""

    @model_validator(mode="before")
    @classmethod
    def _read_string(cls, value: Any) -> Any:
        return {"message": value} if isinstance(value, str) else value


class CachedTokensDetails(WireModel, frozen=True):
    """Input tokens that were read from the cache, by modality."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class InputTokenDetails(WireModel, frozen=True):
    """Input tokens by modality; the cached ones are a part of them, not an addition."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    cached_tokens: int | None = None
    cached_tokens_details: CachedTokensDetails | None = None


class OutputTokenDetails(WireModel, frozen=True):
    """Output tokens by modality."""

    text_tokens: int | None = None
    audio_tokens: int | None = None


class ResponseUsage(WireModel, frozen=True):
    """Tokens that a response cost."""

    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: InputTokenDetails | None = None
    output_token_details: OutputTokenDetails | None = None


class ResponseStatusDetails(WireModel, frozen=True):
    """Why a response ended as it did."""

    type: Literal["completed", "cancelled", "incomplete", "failed"] | str | None = None
    reason: (
        Literal["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"] | str | None
    ) = None
    error: ErrorDetail | None = None


class _ResponseFields(WireModel, frozen=True):
    """What a request for a response and the response have in common."""

    audio: SessionAudio | None = None
    """Its ``output`` only."""
    max_output_tokens: int | Literal["inf"] | None = None
    metadata: dict[str, str] | None = None
    output_modalities: Many[Literal["audio", "text"] | str] | None = None


class ResponseParams(_ResponseFields, frozen=True):
    """What this one response does differently from its session."""

    conversation: Literal["auto", "none"] | str | None = None
    """``"none"`` makes it out of band: nothing of it enters the conversation."""
    input: Many[Item] | None = None
    """Replaces the conversation as context; an empty list empties it."""
    instructions: str | None = None
    tools: Many[ToolConfig] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    prompt: Prompt | None = None


class RealtimeResponse(_ResponseFields, frozen=True):
    """A response as the server reports it."""

    id: str | None = None
    object: Literal["realtime.response"] | str | None = None
    status: ResponseStatus | None = None
    status_details: ResponseStatusDetails | None = None
    output: Many[Item] | None = None
    """Its items, without audio."""
    usage: ResponseUsage | None = None
    conversation_id: str | None = None
    """None when it is out of band."""


class RealtimeConversation(WireModel, frozen=True):
    """The conversation that a session holds."""

    id: str | None = None
    object: Literal["realtime.conversation"] | str | None = None


class RateLimit(WireModel, frozen=True):
    """What is left of one allowance."""

    name: Literal["requests", "tokens"] | str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


class LogProb(WireModel, frozen=True):
    """How sure the transcription is of one token (natural logarithm)."""

    token: str
    logprob: float
    bytes: Many[int] | None = None


class DetectedLanguage(WireModel, frozen=True):
    """A language that the transcription heard."""

    code: str


class TranscriptionTokenUsage(WireModel, frozen=True):
    """What a transcription cost, in tokens of its model."""

    type: Literal["tokens"] | str = "tokens"
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_token_details: InputTokenDetails | None = None


class TranscriptionDurationUsage(WireModel, frozen=True):
    """What a transcription cost, in seconds of audio."""

    type: Literal["duration"] = "duration"
    seconds: float | None = None


TranscriptionUsage: TypeAlias = Annotated[
    Annotated[TranscriptionTokenUsage, Tag("TranscriptionTokenUsage")]
    | Annotated[TranscriptionDurationUsage, Tag("TranscriptionDurationUsage")],
    Discriminator(
        tag_by_type({"duration": "TranscriptionDurationUsage"}, otherwise="TranscriptionTokenUsage")
    ),
]
"""What a transcription cost."""
