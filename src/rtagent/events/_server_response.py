"""Server events about a response: its life, its items, its words and its voice."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from ._items import Item
from ._parts import OutputAudio, OutputText, Part
from ._response import RealtimeResponse
from ._server import DEFECTS, ServerEvent
from ._sound import from_base64, once, to_base64

__all__ = (
    "ResponseContentPartAdded",
    "ResponseContentPartDone",
    "ResponseCreated",
    "ResponseDone",
    "ResponseFunctionCallArgumentsDelta",
    "ResponseFunctionCallArgumentsDone",
    "ResponseOutputAudioDelta",
    "ResponseOutputAudioDone",
    "ResponseOutputAudioTranscriptDelta",
    "ResponseOutputAudioTranscriptDone",
    "ResponseOutputItemAdded",
    "ResponseOutputItemDone",
    "ResponseOutputTextDelta",
    "ResponseOutputTextDone",
)


class ResponseCreated(ServerEvent, frozen=True):
    """A response began."""

    type: Literal["response.created"] = "response.created"
    response: RealtimeResponse


class ResponseDone(ServerEvent, frozen=True):
    """A response ended, whatever its status; its voice may still be playing."""

    type: Literal["response.done"] = "response.done"
    response: RealtimeResponse


class _OutputItem(ServerEvent, frozen=True):
    response_id: str | None = None
    output_index: int = 0
    item: Item


class ResponseOutputItemAdded(_OutputItem, frozen=True):
    """A response began an item."""

    type: Literal["response.output_item.added"] = "response.output_item.added"


class ResponseOutputItemDone(_OutputItem, frozen=True):
    """A response finished an item; a function call may be run now."""

    type: Literal["response.output_item.done"] = "response.output_item.done"


class _InItem(ServerEvent, frozen=True):
    """About one item of a response."""

    response_id: str | None = None
    item_id: str | None = None
    output_index: int = 0


class _InPart(_InItem, frozen=True):
    """About one content part of one item of a response."""

    content_index: int = 0


class _ContentPart(_InPart, frozen=True):
    part: Part

    @field_validator("part", mode="before")
    @classmethod
    def _spell_for_this_place(cls, part: Any) -> Any:
        """A part that a program built is spelled as this event spells it; one that was read stays."""
        match part:
            case OutputText():
                return part.model_copy(update={"type": "text"})
            case OutputAudio():
                return part.model_copy(update={"type": "audio"})
            case _:
                return part


class ResponseContentPartAdded(_ContentPart, frozen=True):
    """An item of a response began a content part."""

    type: Literal["response.content_part.added"] = "response.content_part.added"


class ResponseContentPartDone(_ContentPart, frozen=True):
    """A content part is complete."""

    type: Literal["response.content_part.done"] = "response.content_part.done"


class ResponseOutputTextDelta(_InPart, frozen=True):
    """More of the written answer."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    delta: str = ""


class ResponseOutputTextDone(_InPart, frozen=True):
    """The whole written answer; it replaces the deltas."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    text: str = ""


class ResponseOutputAudioTranscriptDelta(_InPart, frozen=True):
    """More of the words that the voice says."""

    type: Literal["response.output_audio_transcript.delta"] = "response.output_audio_transcript.delta"
    delta: str = ""


class ResponseOutputAudioTranscriptDone(_InPart, frozen=True):
    """All the words that the voice says; they replace the deltas."""

    type: Literal["response.output_audio_transcript.done"] = "response.output_audio_transcript.done"
    transcript: str = ""


class ResponseOutputAudioDelta(_InPart, frozen=True):
    """More of the voice."""

    type: Literal["response.output_audio.delta"] = "response.output_audio.delta"
    delta: str = ""
    """Base64, in the output format of the response."""

    @classmethod
    def of(
        cls,
        *,
        pcm: bytes,
        response_id: str | None = None,
        item_id: str | None = None,
        output_index: int = 0,
        content_index: int = 0,
        event_id: str | None = None,
    ) -> ResponseOutputAudioDelta:
        """Wrap samples; ids that are not given are left out, the indexes are always written."""
        ids = {"response_id": response_id, "item_id": item_id, "event_id": event_id}
        given = {name: value for name, value in ids.items() if value is not None}
        place = {"output_index": output_index, "content_index": content_index}
        return cls.model_validate({**given, **place, "delta": to_base64(pcm)})

    @once
    def audio(self) -> bytes:
        """The bytes of the voice, decoded once; empty if they are no base64. May end within a sample."""
        return from_base64(self.delta) or b""

    @property
    def defects(self) -> tuple[str, ...]:
        """What had to be left out of the frame, and whether its audio is unreadable."""
        defects = super().defects if DEFECTS in vars(self) else ()
        return (*defects, "delta: not base64") if self.delta and not self.audio else defects


class ResponseOutputAudioDone(_InPart, frozen=True):
    """The voice of a content part is complete (or was stopped)."""

    type: Literal["response.output_audio.done"] = "response.output_audio.done"


class ResponseFunctionCallArgumentsDelta(_InItem, frozen=True):
    """More of the JSON text of a function call's arguments."""

    type: Literal["response.function_call_arguments.delta"] = "response.function_call_arguments.delta"
    call_id: str | None = None
    delta: str = ""


class ResponseFunctionCallArgumentsDone(_InItem, frozen=True):
    """The whole arguments of a function call; they replace the deltas."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
