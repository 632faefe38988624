"""Audio formats of the wire as audio formats of ours, and the settings that the core must know.

What counts is what ``session.updated`` says, not what was asked for (rule U4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from .. import events
from ..audio import AudioFormat

__all__ = ("Effective", "audio_format", "wire_format")

DEFAULT_SILENCE_MS = 500
"""``silence_duration_ms`` of server VAD where a snapshot does not say (protocol document, 5.2)."""


USABLE_RATES = range(1_000, 768_001)
"""Hz; a server that names another rate than these cannot mean it."""


def audio_format(wire: object, default_rate: int = 24_000) -> AudioFormat:
    """Our format for one of the wire's; PCM at the default rate for what is absent, unknown or cannot be."""
    match wire:
        case events.PcmuFormat():
            return AudioFormat.pcmu()
        case events.PcmaFormat():
            return AudioFormat.pcma()
        case events.PcmFormat(rate=int() as rate) if rate in USABLE_RATES:
            return AudioFormat.pcm16(rate)
        case _:
            return AudioFormat.pcm16(default_rate)


def wire_format(own: AudioFormat) -> events.PcmFormat | events.PcmuFormat | events.PcmaFormat:
    """The wire's object for a format of ours."""
    match own.encoding:
        case "pcmu":
            return events.PcmuFormat()
        case "pcma":
            return events.PcmaFormat()
        case "pcm16":
            return events.PcmFormat(rate=own.rate)
        case _:
            assert_never(own.encoding)


PCM_24K = AudioFormat.pcm16(24_000)
"""What a session speaks unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Effective:
    """What the server's snapshot of the session means for the core."""

    input_format: AudioFormat = PCM_24K
    output_format: AudioFormat = PCM_24K
    detects_turns: bool = False
    """The server hears by itself where a turn begins and ends."""
    server_interrupts: bool = False
    """The server hears speech and ends the running response itself."""
    server_answers: bool = False
    """The server hears the end of speech and starts a response itself."""
    silence_ms: float = 0.0
    """How much silence the reported end of speech includes."""

    @classmethod
    def of(cls, session: events.SessionConfig | None, dialect: events.Dialect = events.GA) -> Effective:
        """Read a snapshot; what it does not say is as the dialect has it."""
        audio = getattr(session, "audio", None)
        ear = audio.input if audio is not None else None
        mouth = getattr(audio, "output", None)
        detection = ear.turn_detection if ear is not None else None
        silence_ms = 0.0
        if isinstance(detection, events.ServerVad):
            silence_ms = float(detection.silence_duration_ms or DEFAULT_SILENCE_MS)
        unsaid = ear is None or "turn_detection" not in ear.model_fields_set
        detects = detection is not None or (unsaid and dialect.default_turn_detection is not None)
        speaks = not isinstance(session, events.TranscriptionSession)
        return cls(
            input_format=audio_format(ear.format if ear is not None else None, dialect.input_rates[0]),
            output_format=audio_format(mouth.format if mouth is not None else None, dialect.output_rates[0]),
            detects_turns=detects,
            server_interrupts=detects and getattr(detection, "interrupt_response", None) is not False,
            server_answers=detects and speaks and getattr(detection, "create_response", None) is not False,
            silence_ms=silence_ms,
        )
