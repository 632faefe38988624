"""What the core tells its shell: carry these out, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .. import events
from ..audio import PlaybackItem
from ._calls import Call
from ._response import Response

__all__ = (
    "Answered",
    "CallDue",
    "CallsInterrupted",
    "Happening",
    "InputTurn",
    "PlayDue",
    "Refused",
    "ResponseFinished",
    "StopDue",
    "Undelivered",
    "VoiceCut",
    "VoiceEnded",
)


@dataclass(frozen=True, slots=True)
class PlayDue:
    """Play this audio of an item."""

    item: PlaybackItem
    pcm: bytes


@dataclass(frozen=True, slots=True)
class StopDue:
    """Silence the voice at once, then call ``playback_stopped`` with what was heard."""

    reason: Literal["speech", "program"]


@dataclass(frozen=True, slots=True)
class VoiceEnded:
    """The server has sent all the audio of this response: watch for the end of playback."""

    response_id: str


@dataclass(frozen=True, slots=True)
class VoiceCut:
    """The voice was stopped before its end."""

    item_id: str | None
    heard_ms: float
    response_id: str | None


@dataclass(frozen=True, slots=True)
class CallDue:
    """Run this function call and call ``tool_finished`` with its output."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallsInterrupted:
    """The user took the floor while these calls run: cancel those whose tool says so."""

    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A server event answers the send with this id (None: it is known to need no answer)."""

    event_id: str
    event: events.ServerEvent | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused the send with this id, or did not answer it in time (``error`` None)."""

    event_id: str
    error: events.ErrorDetail | None


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A connection was lost before the send with this id was answered, and it is not sent again."""

    event_id: str
    type: str
    """What it was, as on the wire."""


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    """A response ended.

    One whose calls are still to be answered is announced with ``final`` False; what it served is then
    finished by the follow-up response, or by the same response once more when none is due.
    """

    response: Response
    serves: tuple[str, ...]
    """The ids of the program's requests that it answers."""
    final: bool


@dataclass(frozen=True, slots=True)
class InputTurn:
    """The user's turn moved."""

    kind: Literal["started", "stopped", "taken", "words"]
    """``taken``: the server has it and will answer; ``words``: some came while the voice sounds."""
    item_id: str | None
    ended_at: float | None = None
    """``stopped``: when the last word was captured, if that is known."""


Happening = (
    PlayDue
    | StopDue
    | VoiceEnded
    | VoiceCut
    | CallDue
    | CallsInterrupted
    | Answered
    | Refused
    | Undelivered
    | ResponseFinished
    | InputTurn
)
