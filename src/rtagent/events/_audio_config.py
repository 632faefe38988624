"""How a session hears and speaks: formats, transcription, noise reduction, turn detection (section 5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Tag

from ._model import Many, WireModel, tag_by_type

__all__ = (
    "AudioInput",
    "AudioOutput",
    "InputTranscription",
    "NoiseReduction",
    "PcmFormat",
    "PcmaFormat",
    "PcmuFormat",
    "SemanticVad",
    "ServerVad",
    "SessionAudio",
    "TurnDetection",
    "UnknownFormat",
    "UnknownTurnDetection",
    "VoiceId",
    "WireFormat",
)


class PcmFormat(WireModel, frozen=True):
    """16-bit signed little-endian samples, mono."""

    always_written: ClassVar[frozenset[str]] = frozenset({"type", "rate"})

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: int | None = 24_000
    """Hz; OpenAI knows 24000 only."""


class PcmuFormat(WireModel, frozen=True):
    """G.711 µ-law at 8 kHz."""

    type: Literal["audio/pcmu"] = "audio/pcmu"


class PcmaFormat(WireModel, frozen=True):
    """G.711 A-law at 8 kHz."""

    type: Literal["audio/pcma"] = "audio/pcma"


class UnknownFormat(WireModel, frozen=True):
    """A format that this version does not know."""

    type: str = ""


WireFormat: TypeAlias = Annotated[
    Annotated[PcmFormat, Tag("PcmFormat")]
    | Annotated[PcmuFormat, Tag("PcmuFormat")]
    | Annotated[PcmaFormat, Tag("PcmaFormat")]
    | Annotated[UnknownFormat, Tag("UnknownFormat")],
    Discriminator(
        tag_by_type(
            {"audio/pcm": "PcmFormat", "audio/pcmu": "PcmuFormat", "audio/pcma": "PcmaFormat"},
            otherwise="UnknownFormat",
        )
    ),
]
"""An audio format as the wire writes it."""


class InputTranscription(WireModel, frozen=True):
    """How the user's speech is written down, beside the model that hears it."""

    model: str | None = None
    language: str | None = None
    languages: Many[str] | None = None
    keywords: Many[str] | None = None
    prompt: str | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | str | None = None


class NoiseReduction(WireModel, frozen=True):
    """What kind of noise is taken out of the input."""

    type: Literal["near_field", "far_field"] | str | None = None
    strength: float | None = None
    """Left out: the strength that is set already stays."""


class ServerVad(WireModel, frozen=True):
    """Turns end by silence; fields left out have the server's defaults."""

    type: Literal["server_vad"] = "server_vad"
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None
    idle_timeout_ms: int | None = None


class SemanticVad(WireModel, frozen=True):
    """Turns end by what was said; fields left out have the server's defaults."""

    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Literal["low", "medium", "high", "auto"] | str | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


class UnknownTurnDetection(WireModel, frozen=True):
    """A turn detection that this version does not know; its other fields are in ``model_extra``."""

    type: str = ""
    create_response: bool | None = None
    interrupt_response: bool | None = None


TurnDetection: TypeAlias = Annotated[
    Annotated[ServerVad, Tag("ServerVad")]
    | Annotated[SemanticVad, Tag("SemanticVad")]
    | Annotated[UnknownTurnDetection, Tag("UnknownTurnDetection")],
    Discriminator(
        # Snapshots of transcription sessions may show the fields of server VAD without a type.
        tag_by_type(
            {"server_vad": "ServerVad", "": "ServerVad", "semantic_vad": "SemanticVad"},
            otherwise="UnknownTurnDetection",
        )
    ),
]
"""How the server finds the end of a turn."""


class VoiceId(WireModel, frozen=True):
    """A voice that is more than a name: a custom one by its id, or one of a vendor's kinds."""

    id: str | None = None
    name: str | None = None
    type: str | None = None


class AudioInput(WireModel, frozen=True):
    """The ear of a session; null switches a part of it off, leaving it out changes nothing."""

    format: WireFormat | None = None
    transcription: InputTranscription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = None


class AudioOutput(WireModel, frozen=True):
    """The voice of a session."""

    format: WireFormat | None = None
    voice: str | VoiceId | None = None
    speed: float | None = None
    """0.25 to 1.5."""


class SessionAudio(WireModel, frozen=True):
    """Ear and voice."""

    input: AudioInput | None = None
    output: AudioOutput | None = None
