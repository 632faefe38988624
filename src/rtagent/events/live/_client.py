"""The 16 events that a client of GPT-Live sends (section 7); one of them only over an attached socket."""

from __future__ import annotations

from typing import Any, Literal

from .._client import AudioEvent, ClientEvent
from ._items import Item
from ._session import SessionConfig, SessionUpdateConfig

__all__ = (
    "DecisionCreate",
    "DecisionItemCreate",
    "DecisionItemDelete",
    "ResponseCreate",
    "ResponseItemCreate",
    "SessionClose",
    "SessionCommentaryAppend",
    "SessionInputAudioAppend",
    "SessionInputAudioMute",
    "SessionInputAudioUnmute",
    "SessionInstructionsAppend",
    "SessionOutputAudioFixturePlay",
    "SessionStart",
    "SessionThinkingAppend",
    "SessionUpdate",
    "TransportDtmfSend",
)


class SessionStart(ClientEvent, frozen=True):
    """Begin; the first event of a session, and the only one before ``session.started``."""

    type: Literal["session.start"] = "session.start"
    session: SessionConfig


class SessionUpdate(ClientEvent, frozen=True):
    """Change what can change."""

    type: Literal["session.update"] = "session.update"
    session: SessionUpdateConfig


class SessionInputAudioAppend(AudioEvent, frozen=True):
    """Here is more of what the microphone heard, in the session's format; it is never acknowledged."""

    type: Literal["session.input_audio.append"] = "session.input_audio.append"


class SessionInputAudioMute(ClientEvent, frozen=True):
    """Take no more notice of the input."""

    type: Literal["session.input_audio.mute"] = "session.input_audio.mute"


class SessionInputAudioUnmute(ClientEvent, frozen=True):
    """Listen again."""

    type: Literal["session.input_audio.unmute"] = "session.input_audio.unmute"


class SessionOutputAudioFixturePlay(AudioEvent, frozen=True):
    """Play this recording to the user: PCM16 at 24 kHz, at most 30 s, one at a time.

    The input is dropped meanwhile.
    """

    type: Literal["session.output_audio.fixture.play"] = "session.output_audio.fixture.play"


class _Append(ClientEvent, frozen=True):
    """Adds to what the model knows; at most 500 tokens."""

    content: str
    delegation_id: str | None = None
    """Which delegation this answers, or null; always written, as the server wants it (rule L3)."""

    def model_post_init(self, context: Any, /) -> None:
        """However it was made, it says whether it answers a delegation."""
        super().model_post_init(context)
        self.model_fields_set.add("delegation_id")


class SessionInstructionsAppend(_Append, frozen=True):
    """Tell the model what to do from here on."""

    type: Literal["session.instructions.append"] = "session.instructions.append"


class SessionThinkingAppend(_Append, frozen=True):
    """Let the model know something that it does not say by itself."""

    type: Literal["session.thinking.append"] = "session.thinking.append"


class SessionCommentaryAppend(_Append, frozen=True):
    """Give the model something that it may say."""

    type: Literal["session.commentary.append"] = "session.commentary.append"


class DecisionCreate(ClientEvent, frozen=True):
    """Ask the decisions' questions now."""

    type: Literal["decision.create"] = "decision.create"
    event_id: str  # pyright: ignore[reportGeneralTypeIssues] - required here, and pydantic says so
    """Here it must be there: the outcome names it as its source."""


class DecisionItemCreate(ClientEvent, frozen=True):
    """Give the decision model something to read."""

    type: Literal["decision.item.create"] = "decision.item.create"
    item: Item


class DecisionItemDelete(ClientEvent, frozen=True):
    """Take that away again."""

    type: Literal["decision.item.delete"] = "decision.item.delete"
    item_id: str


class ResponseItemCreate(ClientEvent, frozen=True):
    """Put an item into the backing model's context, such as the output of a function call."""

    type: Literal["response.item.create"] = "response.item.create"
    item: Item


class ResponseCreate(ClientEvent, frozen=True):
    """Let the backing model go on; for Responses delegation only."""

    type: Literal["response.create"] = "response.create"


class SessionClose(ClientEvent, frozen=True):
    """End the session; ``session.closed`` answers."""

    type: Literal["session.close"] = "session.close"


class TransportDtmfSend(ClientEvent, frozen=True):
    """Press a key of the telephone; only over a socket that is attached to a call."""

    type: Literal["transport.dtmf.send"] = "transport.dtmf.send"
    event: str
    """The key: ``0`` to ``9``, ``*``, ``#``, ``A`` to ``D`` (RFC 4733)."""
