"""Server events beyond the protocol that carry what must not be lost."""

from __future__ import annotations

from typing import Literal

from ._server import ServerEvent

__all__ = ("ConversationItemInputAudioTranscriptionUpdated",)


class ConversationItemInputAudioTranscriptionUpdated(ServerEvent, frozen=True):
    """All that the user said so far; it replaces what was there and may rewrite it (xAI)."""

    type: Literal["conversation.item.input_audio_transcription.updated"] = (
        "conversation.item.input_audio_transcription.updated"
    )
    item_id: str = ""
    content_index: int = 0
    transcript: str = ""
