"""The vocabulary of Realtime translation (protocol document, section 6).

Speech goes in, the same speech comes out in another language, without turns, items or responses. Several
wire types have the names of the Realtime protocol and other objects behind them, so the classes live here::

    from rtagent.events import translation

    translation.SessionUpdate(session=translation.TranslationSession.into("es"))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from ._audio_config import NoiseReduction
from ._client import AudioEvent, ClientEvent
from ._model import WireModel
from ._registry import by_type
from ._server import ServerEvent
from ._server_session import Error
from ._sound import from_base64, once, to_base64

__all__ = (
    "CLIENT_EVENTS",
    "SERVER_EVENTS",
    "Error",
    "NoiseReduction",
    "SessionClose",
    "SessionClosed",
    "SessionCreated",
    "SessionInputAudioBufferAppend",
    "SessionInputTranscriptDelta",
    "SessionOutputAudioDelta",
    "SessionOutputTranscriptDelta",
    "SessionUpdate",
    "SessionUpdated",
    "SourceTranscription",
    "TranslationAudio",
    "TranslationInput",
    "TranslationOutput",
    "TranslationSession",
)


class SourceTranscription(WireModel, frozen=True):
    """What writes down the speech that is translated."""

    model: str


class TranslationInput(WireModel, frozen=True):
    """The ear: null switches a part of it off, leaving it out changes nothing."""

    transcription: SourceTranscription | None = None
    noise_reduction: NoiseReduction | None = None


class TranslationOutput(WireModel, frozen=True):
    """The voice."""

    language: str | None = None
    """The language to translate into, such as ``es``."""


class TranslationAudio(WireModel, frozen=True):
    """Ear and voice; both are 24 kHz mono PCM, which is not negotiated."""

    input: TranslationInput | None = None
    output: TranslationOutput | None = None


class TranslationSession(WireModel, frozen=True):
    """The session object. Only ``audio`` can be asked for; the rest is the server's to fill in."""

    always_written: ClassVar[frozenset[str]] = frozenset()
    """An update names no ``type``: this vocabulary has one kind of session."""

    type: Literal["translation"] | str = "translation"
    id: str | None = None
    expires_at: int | None = None
    """Unix seconds."""
    model: str | None = None
    audio: TranslationAudio | None = None

    @classmethod
    def into(cls, language: str) -> TranslationSession:
        """A session that translates into that language."""
        return cls(audio=TranslationAudio(output=TranslationOutput(language=language)))


# -- client ------------------------------------------------------------------------------------------


class SessionUpdate(ClientEvent, frozen=True):
    """Change language, transcription or noise reduction: what is left out stays, null switches off."""

    type: Literal["session.update"] = "session.update"
    session: TranslationSession


class SessionInputAudioBufferAppend(AudioEvent, frozen=True):
    """Here is more of what the microphone heard.

    The server works on pieces of 200 ms. Silence has to be sent as well: speech after a gap is taken to
    follow directly on what came before it.
    """

    type: Literal["session.input_audio_buffer.append"] = "session.input_audio_buffer.append"


class SessionClose(ClientEvent, frozen=True):
    """No more speech will come: translate what is left, then say `SessionClosed`."""

    type: Literal["session.close"] = "session.close"


# -- server ------------------------------------------------------------------------------------------


class SessionCreated(ServerEvent, frozen=True):
    """The session is open; this is its configuration."""

    type: Literal["session.created"] = "session.created"
    session: TranslationSession = Field(default_factory=TranslationSession)
    """Empty where a server does not say."""


class SessionUpdated(ServerEvent, frozen=True):
    """The configuration changed; this is the whole of it as it is in force now."""

    type: Literal["session.updated"] = "session.updated"
    session: TranslationSession = Field(default_factory=TranslationSession)


class SessionClosed(ServerEvent, frozen=True):
    """Everything that was heard has been translated and sent; nothing follows."""

    type: Literal["session.closed"] = "session.closed"


class _Aligned(ServerEvent, frozen=True):
    delta: str = ""
    elapsed_ms: int | None = None
    """Where in the stream this belongs, to align voice and texts; not an id, and it may repeat."""


class SessionInputTranscriptDelta(_Aligned, frozen=True):
    """More of what was said, in its own language."""

    type: Literal["session.input_transcript.delta"] = "session.input_transcript.delta"


class SessionOutputTranscriptDelta(_Aligned, frozen=True):
    """More of the translation, in writing."""

    type: Literal["session.output_transcript.delta"] = "session.output_transcript.delta"


class SessionOutputAudioDelta(_Aligned, frozen=True):
    """More of the translation, spoken; ``delta`` is base64."""

    type: Literal["session.output_audio.delta"] = "session.output_audio.delta"
    channels: int | None = 1
    format: Literal["pcm16"] | str | None = None
    sample_rate: int | None = 24_000
    """Hz."""

    @classmethod
    def of(
        cls, *, pcm: bytes, elapsed_ms: int | None = None, event_id: str | None = None
    ) -> SessionOutputAudioDelta:
        """Wrap samples of 24 kHz mono PCM; what is not given is left out."""
        optional = {"elapsed_ms": elapsed_ms, "event_id": event_id}
        given = {name: value for name, value in optional.items() if value is not None}
        return cls.model_validate({**given, "delta": to_base64(pcm)})

    @once
    def audio(self) -> bytes:
        """The bytes of the voice, decoded once; empty if they are no base64. May end within a sample."""
        return from_base64(self.delta) or b""

    @property
    def defects(self) -> tuple[str, ...]:
        """What had to be left out of the frame, and whether its audio is unreadable."""
        silent = bool(self.delta) and not self.audio
        return (*super().defects, "delta: not base64") if silent else super().defects


CLIENT_EVENTS: Mapping[str, type[ClientEvent]] = by_type(
    (SessionUpdate, SessionInputAudioBufferAppend, SessionClose)
)
"""The 3 events of a client, by wire type."""

SERVER_EVENTS: Mapping[str, type[ServerEvent]] = by_type(
    (
        Error,
        SessionCreated,
        SessionUpdated,
        SessionClosed,
        SessionInputTranscriptDelta,
        SessionOutputTranscriptDelta,
        SessionOutputAudioDelta,
    )
)
"""The 7 events of a server, by wire type."""
