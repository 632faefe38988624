"""Dialects: what another generation of the protocol calls the same events. Data only, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = ("BETA", "GA", "Dialect")

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a kind of server names events, against the GA names that ``rtagent.events`` uses."""

    name: str
    aliases: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Incoming event types and the GA types that they mean."""
    spellings: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """GA event types and how they are written when they are sent."""


_BETA_OUTPUT = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}

GA = Dialect("ga")
"""The protocol as OpenAI speaks it."""

BETA = Dialect(
    "beta",
    aliases=MappingProxyType(
        {
            **_BETA_OUTPUT,
            # ``conversation.item.created`` keeps its name: it says "added" and "done" at once.
            "transcription_session.created": "session.created",
            "transcription_session.updated": "session.updated",
        }
    ),
    spellings=MappingProxyType({ga: beta for beta, ga in _BETA_OUTPUT.items()}),
)
"""The event names before GA, which Azure's preview and several compatible servers still use."""
