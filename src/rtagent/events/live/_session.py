"""The session object of GPT-Live: what a program asks for, what it may change, what the server reports."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Tag

from .._audio_config import PcmaFormat as RealtimePcmaFormat
from .._audio_config import PcmFormat, UnknownFormat, VoiceId
from .._audio_config import PcmuFormat as RealtimePcmuFormat
from .._model import Many, WireModel, tag_by_type
from ._decisions import DecisionTrigger
from ._delegation import DelegationConfig
from ._items import InputMessageItem

__all__ = (
    "AudioOutput",
    "ClientConfig",
    "ContextWindow",
    "DataChannelConfig",
    "PcmaFormat",
    "PcmuFormat",
    "ServerEventSelector",
    "SessionAudio",
    "SessionConfig",
    "SessionResource",
    "SessionUpdateConfig",
    "SessionUsage",
    "WireFormat",
)


class PcmuFormat(RealtimePcmuFormat, frozen=True):
    """G.711 µ-law; here the rate is always named."""

    always_written: ClassVar[frozenset[str]] = frozenset({"type", "rate"})

    rate: int | None = 8_000
    """Hz."""


class PcmaFormat(RealtimePcmaFormat, frozen=True):
    """G.711 A-law; here the rate is always named."""

    always_written: ClassVar[frozenset[str]] = frozenset({"type", "rate"})

    rate: int | None = 8_000
    """Hz."""


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
"""An audio format as the wire writes it; PCM has 16000 or 24000 Hz."""


class AudioOutput(WireModel, frozen=True):
    """The voice."""

    voice: str | VoiceId | None = None


class SessionAudio(WireModel, frozen=True):
    """Sound: one format for both directions, and the voice."""

    format: WireFormat | None = None
    output: AudioOutput | None = None


class ServerEventSelector(WireModel, frozen=True):
    """Server events of one type; of ``response.event``, those that wrap one type."""

    type: str
    response_event: str | None = None


class DataChannelConfig(WireModel, frozen=True):
    """What passes over the data channel of a browser."""

    allowed_client_events: Literal["all"] | str | Many[str] | None = None
    allowed_server_events: Literal["all"] | str | Many[ServerEventSelector] | None = None


class ClientConfig(WireModel, frozen=True):
    """What the client at the media end may do, where that is not the program itself."""

    data_channel: DataChannelConfig | None = None


class _Changeable(WireModel, frozen=True):
    delegation: DelegationConfig | None = None
    """Its kind stays what it was at the start."""
    triggers: Many[DecisionTrigger] | None = None


class SessionUpdateConfig(_Changeable, frozen=True):
    """All that can change after the start; everything else stays for the life of the session."""


class _Session(_Changeable, frozen=True):
    """What a program asks for and the server reports."""

    audio: SessionAudio | None = None
    client: ClientConfig | None = None
    input: Many[InputMessageItem] | None = None
    """What was said before the session."""
    instructions: str | None = None
    safety_identifier: str | None = None
    """Stands for the end user, so that abuse can be told apart; no name or address."""
    store: bool | None = None


class SessionConfig(_Session, frozen=True):
    """How a session is to start."""

    model: Literal["gpt-live-1"] | str | None = None
    """Needed for a new session; a fork keeps the model of the session that it goes on with."""


class SessionResource(_Session, frozen=True):
    """A session as the server has it."""

    id: str | None = None
    model: Literal["gpt-live-1"] | str | None = None
    status: Literal["active"] | str | None = None
    expires_at: int | None = None
    """Unix seconds."""


class SessionUsage(WireModel, frozen=True):
    """What the session cost so far; it is charged by time."""

    seconds: float | None = None


class ContextWindow(WireModel, frozen=True):
    """How full the model's memory is."""

    usage_ratio: float | None = None
    """0 to 1."""
