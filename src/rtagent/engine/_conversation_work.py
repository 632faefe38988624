"""What the pure conversation asks its shell to do, and the one place where it leaves that and its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import events
from ..audio import AudioFormat
from ._brain import BrainInput

__all__ = (
    "Conclude",
    "Decide",
    "Feed",
    "Forget",
    "LearnTools",
    "Outlet",
    "PartKey",
    "Recognise",
    "Speak",
    "Stop",
    "Work",
)


class PartKey(NamedTuple):
    """One content part of one conversation item; recognition is asked for and answered by it."""

    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class Feed:
    """Let the live recogniser hear more of an utterance; the first piece begins it."""

    part: PartKey
    format: AudioFormat
    audio: bytes


@dataclass(frozen=True, slots=True)
class Conclude:
    """The utterance is complete: answer with ``Conversation.recognised`` or ``unheard``."""

    part: PartKey


@dataclass(frozen=True, slots=True)
class Forget:
    """The utterance became void: no answer is wanted."""

    part: PartKey


@dataclass(frozen=True, slots=True)
class Recognise:
    """Recognise audio that came whole, beside the live utterance; answered like ``Conclude``."""

    part: PartKey
    format: AudioFormat
    audio: bytes


@dataclass(frozen=True, slots=True)
class LearnTools:
    """The session's tools changed: the live recogniser may listen for their words."""

    tools: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask the brain: answer with ``Conversation.decided`` or ``failed``."""

    response_id: str
    input: BrainInput


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak a text: answer with ``Conversation.spoken`` for each piece, then ``spoken_out`` or ``failed``."""

    response_id: str
    text: str
    voice: str
    speed: float
    format: AudioFormat


@dataclass(frozen=True, slots=True)
class Stop:
    """Whatever runs for that response is no longer wanted."""

    response_id: str


Work = Feed | Conclude | Forget | Recognise | LearnTools | Decide | Speak | Stop


class Outlet:
    """Collects what one step of the conversation produced; the only writer of event ids.

    Owns the two hand-over lists. The machines of the conversation share it, the shell empties it.
    """

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id
        """Makes an unused id (32 characters at most) that begins with the given prefix."""
        self._events: list[events.ServerEvent] = []
        self._work: list[Work] = []

    def send(self, event: events.ServerEvent) -> None:
        """Put an event behind those that are already there, under an id of its own (S6)."""
        self._events.append(event.model_copy(update={"event_id": self.new_id("event")}))

    def order(self, work: Work) -> None:
        """Put work behind what is already asked for."""
        self._work.append(work)

    def take_events(self) -> list[events.ServerEvent]:
        """The events since the last call."""
        taken, self._events = self._events, []
        return taken

    def take_work(self) -> list[Work]:
        """The work since the last call."""
        taken, self._work = self._work, []
        return taken
