"""The session object: what a program asks for and what a server reports (sections 5.1 and 6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Tag

from ._audio_config import SessionAudio
from ._model import Many, WireModel, tag_by_type
from ._tool_config import ToolChoice, ToolConfig

__all__ = (
    "Prompt",
    "RealtimeSession",
    "Reasoning",
    "SessionConfig",
    "TokenLimits",
    "Tracing",
    "TranscriptionSession",
    "Truncation",
)


class Prompt(WireModel, frozen=True):
    """A stored prompt."""

    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class Reasoning(WireModel, frozen=True):
    """How long a reasoning model may think."""

    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | str | None = None


class Tracing(WireModel, frozen=True):
    """How the provider's trace of the session is named."""

    workflow_name: str | None = None
    group_id: str | None = None
    metadata: Any = None


class TokenLimits(WireModel, frozen=True):
    """Bounds on the context."""

    post_instructions: int | None = None


class Truncation(WireModel, frozen=True):
    """When the context is full, this share of it (0 to 1) is kept."""

    type: Literal["retention_ratio"] = "retention_ratio"
    retention_ratio: float
    token_limits: TokenLimits | None = None


class _Session(WireModel, frozen=True):
    """What both kinds of session have; ``id``, ``object`` and ``expires_at`` are the server's to fill in."""

    id: str | None = None
    object: str | None = None
    expires_at: int | None = None
    """Unix seconds."""
    audio: SessionAudio | None = None
    include: Many[Literal["item.input_audio_transcription.logprobs"] | str] | None = None


class RealtimeSession(_Session, frozen=True):
    """A conversation with a model that speaks."""

    type: Literal["realtime"] | str = "realtime"
    model: str | None = None
    instructions: str | None = None
    output_modalities: Many[Literal["audio", "text"] | str] | None = None
    """``["audio"]`` or ``["text"]``, never both."""
    tools: Many[ToolConfig] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: int | Literal["inf"] | None = None
    truncation: Literal["auto", "disabled"] | str | Truncation | None = None
    tracing: Literal["auto"] | str | Tracing | None = None
    prompt: Prompt | None = None


class TranscriptionSession(_Session, frozen=True):
    """Speech is written down and nothing answers; ``audio`` has an ear only."""

    type: Literal["transcription"] = "transcription"


SessionConfig: TypeAlias = Annotated[
    Annotated[RealtimeSession, Tag("RealtimeSession")]
    | Annotated[TranscriptionSession, Tag("TranscriptionSession")],
    Discriminator(tag_by_type({"transcription": "TranscriptionSession"}, otherwise="RealtimeSession")),
]
"""Either kind of session; kinds that this version does not know are read as the first."""
