"""Server events about the session as a whole, its sound and its words (section 7)."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field

from .._response import ErrorDetail as RealtimeErrorDetail
from .._server import ServerEvent
from .._server_session import Error as RealtimeError
from .._sound import from_base64, once, to_base64
from ._session import ContextWindow, SessionResource, SessionUsage

__all__ = (
    "CloseReason",
    "Error",
    "ErrorDetail",
    "Info",
    "LiveServerEvent",
    "SessionClosed",
    "SessionCommentaryAppended",
    "SessionInputAudioMuted",
    "SessionInputAudioReflected",
    "SessionInputAudioUnmuted",
    "SessionInputTranscriptDelta",
    "SessionInstructionsAppended",
    "SessionOutputAudioDelta",
    "SessionOutputAudioFixturePlayed",
    "SessionOutputAudioFixturePlaying",
    "SessionOutputTranscriptDelta",
    "SessionStarted",
    "SessionThinkingAppended",
    "SessionUpdated",
    "SessionUsageUpdated",
)


CloseReason: TypeAlias = (
    Literal["close_requested", "expired", "content", "remote_hangup", "connection_lost"] | str
)


class LiveServerEvent(ServerEvent, frozen=True):
    """A server event that may name the client event which caused it."""

    client_event_id: str | None = None


class ErrorDetail(RealtimeErrorDetail, frozen=True):
    """What went wrong. ``event_id`` reads the same as ``client_event_id``, the name that this wire has for it."""

    client_event_id: str | None = None

    def model_post_init(self, context: Any, /) -> None:
        """Let code that knows Realtime's errors find the event that caused this one."""
        _name_cause(self, self.client_event_id)


def _name_cause(detail: ErrorDetail, event_id: str | None) -> None:
    if detail.event_id is None:  # written past pydantic, which would otherwise put it on the wire
        vars(detail)["event_id"] = event_id


class Error(RealtimeError, LiveServerEvent, frozen=True):
    """Something went wrong; most errors leave the session open."""

    error: ErrorDetail

    def model_post_init(self, context: Any, /) -> None:
        """The cause may be named beside the error object and not within."""
        super().model_post_init(context)
        if self.error.event_id is None and self.client_event_id is not None:
            detail = self.error.model_copy()
            _name_cause(detail, self.client_event_id)
            vars(self)["error"] = detail


class Info(LiveServerEvent, frozen=True):
    """Something that the program should know and that is no error."""

    type: Literal["info"] = "info"
    code: str = ""
    message: str = ""


class _Snapshot(LiveServerEvent, frozen=True):
    session: SessionResource = Field(default_factory=SessionResource)
    """Empty where a server does not say."""


class SessionStarted(_Snapshot, frozen=True):
    """The session is there; from now on a client may send."""

    type: Literal["session.started"] = "session.started"


class SessionUpdated(_Snapshot, frozen=True):
    """The configuration changed; this is the whole of it as it is in force now."""

    type: Literal["session.updated"] = "session.updated"


class SessionClosed(_Snapshot, frozen=True):
    """The session ended in good order. A socket that closes without this did not."""

    type: Literal["session.closed"] = "session.closed"
    reason: CloseReason | None = None
    usage: SessionUsage | None = None


class SessionUsageUpdated(LiveServerEvent, frozen=True):
    """What the session cost so far, and how full the model's memory is."""

    type: Literal["session.usage.updated"] = "session.usage.updated"
    usage: SessionUsage | None = None
    context_window: ContextWindow | None = None


class SessionInputAudioMuted(LiveServerEvent, frozen=True):
    """The input is not listened to any more."""

    type: Literal["session.input_audio.muted"] = "session.input_audio.muted"


class SessionInputAudioUnmuted(LiveServerEvent, frozen=True):
    """The input is listened to again."""

    type: Literal["session.input_audio.unmuted"] = "session.input_audio.unmuted"


class SessionInputAudioReflected(ServerEvent, frozen=True):
    """What the user said, shown to an attached socket: PCM16 at 24 kHz whatever the session's format.

    The wire calls it ``session.input_audio.append``, as it calls the client's own event; that one has the
    name ``SessionInputAudioAppend``. Frames that were dropped leave gaps.
    """

    type: Literal["session.input_audio.append"] = "session.input_audio.append"
    audio: str = ""
    """Base64."""

    @classmethod
    def of(cls, *, pcm: bytes) -> SessionInputAudioReflected:
        """Wrap samples."""
        return cls(audio=to_base64(pcm))

    @once
    def pcm(self) -> bytes:
        """The samples, decoded once; empty if they are no base64."""
        return from_base64(self.audio) or b""

    @property
    def defects(self) -> tuple[str, ...]:
        """What had to be left out of the frame, and whether its audio is unreadable."""
        silent = bool(self.audio) and not self.pcm
        return (*super().defects, "audio: not base64") if silent else super().defects


class _Timed(LiveServerEvent, frozen=True):
    """Has a place in the session's time."""

    start_ms: int | None = None
    end_ms: int | None = None


class SessionOutputAudioDelta(ServerEvent, frozen=True):
    """More of the voice, in the session's format."""

    type: Literal["session.output_audio.delta"] = "session.output_audio.delta"
    delta: str = ""
    """Base64."""
    start_ms: int | None = None
    """Only on an attached socket."""
    end_ms: int | None = None

    @classmethod
    def of(
        cls, *, pcm: bytes, start_ms: int | None = None, end_ms: int | None = None
    ) -> SessionOutputAudioDelta:
        """Wrap samples; times that are not given are left out."""
        times = {"start_ms": start_ms, "end_ms": end_ms}
        given = {name: value for name, value in times.items() if value is not None}
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


class SessionOutputAudioFixturePlaying(LiveServerEvent, frozen=True):
    """The recording is being played; input is dropped."""

    type: Literal["session.output_audio.fixture.playing"] = "session.output_audio.fixture.playing"


class SessionOutputAudioFixturePlayed(LiveServerEvent, frozen=True):
    """The recording was played to its end."""

    type: Literal["session.output_audio.fixture.played"] = "session.output_audio.fixture.played"


class SessionInputTranscriptDelta(_Timed, frozen=True):
    """More of what the user said; no event says that it is the last."""

    type: Literal["session.input_transcript.delta"] = "session.input_transcript.delta"
    delta: str = ""


class SessionOutputTranscriptDelta(_Timed, frozen=True):
    """More of what the voice said; no event says that it is the last."""

    type: Literal["session.output_transcript.delta"] = "session.output_transcript.delta"
    delta: str = ""


class SessionInstructionsAppended(_Timed, frozen=True):
    """The model has the instructions."""

    type: Literal["session.instructions.appended"] = "session.instructions.appended"


class SessionThinkingAppended(_Timed, frozen=True):
    """The model has the thought."""

    type: Literal["session.thinking.appended"] = "session.thinking.appended"


class SessionCommentaryAppended(_Timed, frozen=True):
    """The model has the commentary."""

    type: Literal["session.commentary.appended"] = "session.commentary.appended"
