"""Dialects: what one kind of server calls things, how it shapes them, and what it can do. Data only.

A dialect is a value. Nothing in the runtime asks which vendor it talks to: the codec reads the names and
shapes from here, the conversation core reads here what may be sent and what will be answered, and the
documentation's table of servers is made from the same values. A file can hold one, as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from ..errors import Unsupported

__all__ = ("Dialect", "Mode", "WireProtocol")

WireProtocol = Literal["realtime", "live", "translation"]
"""Which vocabulary is spoken: Realtime, GPT-Live, or Realtime translation."""
Mode = Literal["conversation", "transcription", "translation"]
"""What a session is for."""


class Dialect(BaseModel, frozen=True, extra="forbid"):
    """How a kind of server differs from OpenAI's Realtime GA, whose names ``rtagent.events`` uses.

    The defaults are OpenAI's; a dialect names only its differences.
    """

    name: str
    """How a program chooses it: ``Endpoint.url(…, profile=name)``."""
    title: str = ""
    """How people call it."""
    protocol: WireProtocol = "realtime"
    modes: frozenset[Mode] = frozenset({"conversation", "transcription"})

    # -- where it is ---------------------------------------------------------------------------------

    url: str = ""
    """What its addresses look like."""
    auth: Literal["bearer", "api-key", "basic", "none"] = "bearer"
    model_parameter: str | None = "model"
    """The query parameter that names the model; None where something else settles it."""
    default_model: str | None = None
    transcription_query: Literal["intent", "intent_and_model", "none"] = "intent"
    """What an address says to ask for a transcription session: ``intent=transcription``, without the model
    or with it; or nothing, where it is no other session than any."""
    transcription_model: str | None = "gpt-transcribe"
    """What writes the user's words down where a program names no model; None: it takes no such setting."""

    # -- names ---------------------------------------------------------------------------------------

    aliases: Mapping[str, str] = Field(default_factory=dict[str, str])
    """Incoming event types and the types of ours that they mean."""
    renamed_fields: Mapping[str, Mapping[str, str]] = Field(default_factory=dict[str, Mapping[str, str]])
    """For an incoming type (ours): fields of theirs and the fields of ours that they mean."""
    spellings: Mapping[str, str] = Field(default_factory=dict[str, str])
    """Outgoing event types of ours and how they are written."""
    extra_events: frozenset[str] = frozenset()
    """Types beyond the protocol that it is known to send; they arrive as ``UnknownEvent``."""
    missing_fields: frozenset[str] = frozenset()
    """Fields that it is known to leave out where the protocol has them: ``event_id``, ``response_id``, …"""

    # -- shapes --------------------------------------------------------------------------------------

    session_shape: Literal["nested", "flat", "voice_on_top", "model_on_top"] = "nested"
    """``nested``: ``session.audio.input…`` (GA). ``flat``: the older form, all on one level.
    ``voice_on_top``: nested, but voice and turn detection on the top level. ``model_on_top``: a
    ``session.update`` is the model's name beside the type and nothing else."""
    assistant_text: Literal["output_text", "text"] = "output_text"
    """How a text part of an assistant's message is spelled in an item."""
    pcm_name: str = "pcm16"
    """What ``flat`` sessions call 16-bit PCM."""
    error_shape: Literal["object", "string"] = "object"

    # -- sound ---------------------------------------------------------------------------------------

    input_rates: tuple[int, ...] = (24_000,)
    """PCM rates that it takes, in Hz; the first one holds where a session does not say."""
    output_rates: tuple[int, ...] = (24_000,)
    telephony: bool = True
    """Whether it speaks G.711 µ-law and A-law."""

    # -- turns ---------------------------------------------------------------------------------------

    turn_detections: tuple[str, ...] = ("server_vad", "semantic_vad")
    """What it can end a turn by; empty where turns are not detected."""
    default_turn_detection: str | None = "server_vad"
    """What holds where a session does not say; None: turns are the program's."""
    manual_turns: bool = True
    """Whether turn detection can be switched off."""
    manual_by: str | None = None
    """The kind of turn detection that switches it off, where null does not."""
    commits: Literal["turn", "stream"] = "turn"
    """``stream``: a first commit begins the hearing, and one with ``final`` ends it (vLLM)."""

    # -- what it does --------------------------------------------------------------------------------

    refused_events: frozenset[str] = frozenset()
    """Client events that it does not take: they are never sent, and a program that asks is told."""
    unanswered_events: frozenset[str] = frozenset()
    """Client events that it takes without an answer: nobody waits for one."""
    announces_items: Literal["added_done", "created"] = "added_done"
    idle_cancel: Literal["error", "silent"] = "error"
    """What a ``response.cancel`` meets when nothing runs."""
    out_of_band: bool = True
    """Whether a response with ``conversation="none"`` runs beside the conversation's."""
    echoes_metadata: bool = True
    """Whether a response carries the metadata that asked for it."""
    response_overrides: bool = True
    """Whether ``response.create`` may carry settings of its own."""
    functions: bool = True
    images: bool = True
    mcp: bool = True
    text_answers: bool = True
    """Whether it can answer in writing alone."""
    overlapping_speech: bool = False
    """Whether it listens while it speaks and decides itself when to stop."""
    input_must_flow: bool = False
    """Whether its time stands still while no audio comes in: silence is sent where nobody speaks."""
    resumes: bool = False
    """Whether it can take up an earlier conversation by itself."""

    # -- beginning and end ---------------------------------------------------------------------------

    greeting: tuple[str, ...] = ("session.created",)
    """The event types of ours that open a session; empty where the client speaks first."""
    farewell: str | None = None
    """A client event type that is sent before closing."""
    farewell_answer: str | None = None
    """The server event type that answers it."""
    max_session_s: int | None = None
    """How long a session may last, in seconds, where that is known."""
    max_message_bytes: int | None = None
    """The largest frame that it takes, where that is known."""
    notes: tuple[str, ...] = ()
    """What else a user should know, for the table of servers."""

    def takes(self, event_type: str) -> bool:
        """Whether it takes client events of that type."""
        return event_type not in self.refused_events

    def answers(self, event_type: str) -> bool:
        """Whether it answers client events of that type when they succeed."""
        return event_type not in self.unanswered_events

    @property
    def truncates(self) -> Literal["acknowledged", "silent", "none"]:
        """What happens to ``conversation.item.truncate``."""
        truncate = "conversation.item.truncate"
        if self.turnless or not self.takes(truncate):
            return "none"
        return "acknowledged" if self.answers(truncate) else "silent"

    @property
    def turnless(self) -> bool:
        """Whether there are no turns: both sides may speak at any time."""
        return self.protocol != "realtime"

    @property
    def mutable_context(self) -> bool:
        """Whether items can be taken out of the conversation."""
        return not self.turnless and self.takes("conversation.item.delete")

    def unsupported(self, feature: str, hint: str | None = None) -> Unsupported:
        """The error for what this dialect cannot do; raise it."""
        return Unsupported(feature, dialect=self.title or self.name, hint=hint)
