"""The 11 events that a client sends (section 3.1)."""

from __future__ import annotations

from typing import Any, Literal, Self

from ._items import Item
from ._model import WireModel
from ._refusal import ClientEventError
from ._response import ResponseParams
from ._session import SessionConfig
from ._sound import from_base64, once, to_base64

__all__ = (
    "AudioEvent",
    "ClientEvent",
    "ConversationItemCreate",
    "ConversationItemDelete",
    "ConversationItemRetrieve",
    "ConversationItemTruncate",
    "InputAudioBufferAppend",
    "InputAudioBufferClear",
    "InputAudioBufferCommit",
    "OutputAudioBufferClear",
    "ResponseCancel",
    "ResponseCreate",
    "SessionUpdate",
)


class ClientEvent(WireModel, frozen=True, extra="forbid"):
    """Something that a client asks of the server."""

    type: str
    event_id: str | None = None
    """Comes back in the ``error`` that this event may cause; at most 512 characters."""

    def model_post_init(self, context: Any, /) -> None:
        """However it was made, an event says what it is."""
        self.model_fields_set.add("type")


class SessionUpdate(ClientEvent, frozen=True):
    """Change the configuration: what is left out stays, null switches off."""

    type: Literal["session.update"] = "session.update"
    session: SessionConfig


class AudioEvent(ClientEvent, frozen=True):
    """Carries samples."""

    audio: str
    """Base64."""

    @classmethod
    def of(cls, pcm: bytes, *, event_id: str | None = None) -> Self:
        """Wrap samples."""
        given = {} if event_id is None else {"event_id": event_id}
        return cls.model_validate({**given, "audio": to_base64(pcm)})

    @once
    def pcm(self) -> bytes:
        """The samples, decoded once.

        Raises:
            ClientEventError: ``audio`` is not base64.
        """
        pcm = from_base64(self.audio)
        if pcm is None:
            message = "audio is not valid base64"
            raise ClientEventError(message, code="invalid_value", param="audio", event_id=self.event_id)
        return pcm


class InputAudioBufferAppend(AudioEvent, frozen=True):
    """Here is more of what the microphone heard, in the session's input format."""

    type: Literal["input_audio_buffer.append"] = "input_audio_buffer.append"


class InputAudioBufferCommit(ClientEvent, frozen=True):
    """Make a user message of what was appended; this alone starts no response."""

    type: Literal["input_audio_buffer.commit"] = "input_audio_buffer.commit"
    final: bool | None = None
    """Whether no more audio will come: vLLM's word, unknown to the others and never written unless set."""


class InputAudioBufferClear(ClientEvent, frozen=True):
    """Forget what was appended and not committed."""

    type: Literal["input_audio_buffer.clear"] = "input_audio_buffer.clear"


class ConversationItemCreate(ClientEvent, frozen=True):
    """Put an item into the conversation."""

    type: Literal["conversation.item.create"] = "conversation.item.create"
    item: Item
    previous_item_id: str | None = None
    """``"root"`` puts it first; left out, it comes last."""


class ConversationItemRetrieve(ClientEvent, frozen=True):
    """Show an item as the server has it, with its audio."""

    type: Literal["conversation.item.retrieve"] = "conversation.item.retrieve"
    item_id: str


class ConversationItemDelete(ClientEvent, frozen=True):
    """Take an item out of the conversation."""

    type: Literal["conversation.item.delete"] = "conversation.item.delete"
    item_id: str


class ConversationItemTruncate(ClientEvent, frozen=True):
    """The user heard the assistant only up to here."""

    type: Literal["conversation.item.truncate"] = "conversation.item.truncate"
    item_id: str
    content_index: int
    audio_end_ms: int
    """Milliseconds of the item's own audio, inclusive."""


class ResponseCreate(ClientEvent, frozen=True):
    """Answer now."""

    type: Literal["response.create"] = "response.create"
    response: ResponseParams | None = None


class ResponseCancel(ClientEvent, frozen=True):
    """Stop generating a response; without an id, the one in the conversation."""

    type: Literal["response.cancel"] = "response.cancel"
    response_id: str | None = None


class OutputAudioBufferClear(ClientEvent, frozen=True):
    """Fall silent at once, where the server plays the audio (WebRTC and SIP)."""

    type: Literal["output_audio_buffer.clear"] = "output_audio_buffer.clear"
