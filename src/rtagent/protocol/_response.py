"""A finished response, as the program sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import events
from ._items import HistoryEntry

__all__ = ("Response", "Usage")


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server counted: tokens, or seconds where a session is billed by time.

    Cached tokens are a part of the input tokens.
    """

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    cached_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, usage: events.ResponseUsage | None) -> Usage:
        """Read the wire's usage object; whatever is absent counts as zero."""
        if usage is None:
            return cls()
        inputs, outputs = usage.input_token_details, usage.output_token_details
        return cls(
            total_tokens=usage.total_tokens or 0,
            input_tokens=usage.input_tokens or 0,
            output_tokens=usage.output_tokens or 0,
            input_text_tokens=(inputs.text_tokens if inputs else 0) or 0,
            input_audio_tokens=(inputs.audio_tokens if inputs else 0) or 0,
            cached_tokens=(inputs.cached_tokens if inputs else 0) or 0,
            output_text_tokens=(outputs.text_tokens if outputs else 0) or 0,
            output_audio_tokens=(outputs.audio_tokens if outputs else 0) or 0,
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Response:
    """What the model answered."""

    id: str
    status: str
    """``completed``, ``cancelled``, ``failed`` or ``incomplete``."""
    text: str
    """Spoken or written, the texts of its messages joined."""
    items: tuple[HistoryEntry, ...] = ()
    audio_ms: float = 0.0
    """Milliseconds of voice that the server sent."""
    usage: Usage = field(default_factory=Usage)
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str | None = None
    """Why it is not complete, such as ``turn_detected``, ``client_cancelled`` or ``max_output_tokens``."""
    error: events.ErrorDetail | None = None
    """What failed, when ``status`` is ``failed``."""
