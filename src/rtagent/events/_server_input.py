"""Server events about the audio that comes in, and about audio that the server itself plays."""

from __future__ import annotations

from typing import Literal

from ._server import ServerEvent

__all__ = (
    "InputAudioBufferCleared",
    "InputAudioBufferCommitted",
    "InputAudioBufferDtmfEventReceived",
    "InputAudioBufferSpeechStarted",
    "InputAudioBufferSpeechStopped",
    "InputAudioBufferTimeoutTriggered",
    "OutputAudioBufferCleared",
    "OutputAudioBufferStarted",
    "OutputAudioBufferStopped",
)


class InputAudioBufferCommitted(ServerEvent, frozen=True):
    """What was appended becomes a user message."""

    type: Literal["input_audio_buffer.committed"] = "input_audio_buffer.committed"
    item_id: str | None = None
    previous_item_id: str | None = None


class InputAudioBufferCleared(ServerEvent, frozen=True):
    """What was appended is forgotten."""

    type: Literal["input_audio_buffer.cleared"] = "input_audio_buffer.cleared"


class InputAudioBufferSpeechStarted(ServerEvent, frozen=True):
    """The user began to speak."""

    type: Literal["input_audio_buffer.speech_started"] = "input_audio_buffer.speech_started"
    item_id: str | None = None
    """The user message that this speech will become."""
    audio_start_ms: int | None = None
    """Milliseconds of audio written to the buffer, the prefix padding included."""


class InputAudioBufferSpeechStopped(ServerEvent, frozen=True):
    """The user fell silent."""

    type: Literal["input_audio_buffer.speech_stopped"] = "input_audio_buffer.speech_stopped"
    item_id: str | None = None
    audio_end_ms: int | None = None
    """Milliseconds of audio written to the buffer, the silence that ended the speech included."""


class InputAudioBufferTimeoutTriggered(ServerEvent, frozen=True):
    """Nobody spoke for the configured time."""

    type: Literal["input_audio_buffer.timeout_triggered"] = "input_audio_buffer.timeout_triggered"
    item_id: str | None = None
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None


class InputAudioBufferDtmfEventReceived(ServerEvent, frozen=True):
    """The caller pressed a key of the telephone (SIP)."""

    type: Literal["input_audio_buffer.dtmf_event_received"] = "input_audio_buffer.dtmf_event_received"
    event: str = ""
    """``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``."""
    received_at: int | None = None
    """Unix seconds."""


class OutputAudioBufferStarted(ServerEvent, frozen=True):
    """The server began to play a response (WebRTC and SIP)."""

    type: Literal["output_audio_buffer.started"] = "output_audio_buffer.started"
    response_id: str | None = None


class OutputAudioBufferStopped(ServerEvent, frozen=True):
    """The server has played a response to its end (WebRTC and SIP)."""

    type: Literal["output_audio_buffer.stopped"] = "output_audio_buffer.stopped"
    response_id: str | None = None


class OutputAudioBufferCleared(ServerEvent, frozen=True):
    """The server stopped playing a response (WebRTC and SIP)."""

    type: Literal["output_audio_buffer.cleared"] = "output_audio_buffer.cleared"
    response_id: str | None = None
