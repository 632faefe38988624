"""What happens to the session itself, as values: subscribe to these classes like to server events.

These are our own words, not the wire's. Each carries ``at``, the monotonic second at which it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = (
    "AgentChanged",
    "AudioDropped",
    "CallbackFailed",
    "Closed",
    "Connected",
    "DialectDeparted",
    "Interrupted",
    "LifecycleEvent",
    "PlaybackFinished",
    "PlaybackPaused",
    "PlaybackResumed",
    "PlaybackStarted",
    "Reconnected",
    "Reconnecting",
    "Renewed",
    "SessionState",
    "StateChanged",
    "ToolFinished",
    "ToolProgress",
    "ToolStarted",
    "TurnMeasured",
)

SessionState = Literal[
    "connecting", "listening", "thinking", "speaking", "tool_running", "reconnecting", "closed"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleEvent:
    """Something that happened to the session."""

    at: float
    """Monotonic seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(LifecycleEvent):
    """The session is open and configured."""

    endpoint: str
    """Where it leads, without any secret."""
    session_id: str | None = None
    model: str | None = None
    restored: int = 0
    """Items of an earlier conversation that the server took."""
    lost: int = 0
    """Items of it that it was not told, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectDeparted(LifecycleEvent):
    """The server did something in another way than its dialect says; each way is told once per session.

    Nothing was lost by it that could be read; ``session.metrics.departures`` counts them.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnecting(LifecycleEvent):
    """The connection was lost and will be dialled again."""

    attempt: int
    delay_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnected(LifecycleEvent):
    """A new connection took over."""

    restored: int
    """Items that the new conversation holds again."""
    lost: int
    """Items that could not be restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(LifecycleEvent):
    """A fresh connection replaced one that was near its maximum age."""

    restored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(LifecycleEvent):
    """The session's state moved."""

    state: SessionState
    previous: SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted(LifecycleEvent):
    """The first sample of an item was heard (``at`` is that moment)."""

    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackFinished(LifecycleEvent):
    """Everything that was queued has been heard; a voice that was cut ends with `Interrupted` instead."""

    item_id: str
    """The item that was heard last."""
    heard_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackPaused(LifecycleEvent):
    """The voice fell silent and keeps its place: somebody speaks, or the conversation was put on hold."""

    item_id: str | None
    """The item that was being heard, if any was."""
    heard_ms: float
    """How much of that item had been heard."""
    reason: Literal["speech", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackResumed(LifecycleEvent):
    """The voice goes on where it fell silent; after ``speech``, that was no interruption."""

    item_id: str | None
    heard_ms: float
    reason: Literal["speech", "hold"]
    paused_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(LifecycleEvent):
    """The voice was stopped before its end."""

    item_id: str | None
    """The item that was being heard, if any was."""
    heard_ms: float
    """How much of that item had been heard."""
    response_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(LifecycleEvent):
    """A tool began to run."""

    call_id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""
    response_id: str = ""
    """The response that asked for it."""
    background: bool = False
    """Whether the model has been answered already, and the result follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolProgress(LifecycleEvent):
    """A tool told how far it is, or something was asked or said while it runs."""

    call_id: str
    name: str
    text: str
    spoken: bool = False
    """Whether the assistant is to say it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(LifecycleEvent):
    """A tool ended, well or not."""

    call_id: str
    name: str
    output: str
    """What the model reads."""
    ok: bool
    took_ms: float
    kind: str = "ok"
    """How it ended, in one word: ``ok``, ``cancelled``, or another kind of a `ToolOutcome`."""
    error: str | None = None
    """What went wrong, in one line for a person."""
    kept: bool = False
    """Whether the user interrupted meanwhile, so that nothing is said about it before the next turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChanged(LifecycleEvent):
    """Another agent goes on with the conversation."""

    name: str
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDropped(LifecycleEvent):
    """Audio was thrown away because a bounded buffer was full or its time had passed."""

    ms: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnMeasured(LifecycleEvent):
    """How long one turn took, measured on the audio itself."""

    turn: int
    """Counts from 1."""
    response_id: str | None
    end_of_speech_to_first_heard_ms: float | None
    """From the last sample of the user's speech to the first sample heard of the answer."""
    interrupt_to_silence_ms: float | None
    """From the decision to interrupt to the last audible sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFailed(LifecycleEvent):
    """A callback of the program raised; the session goes on."""

    callback: str
    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(LifecycleEvent):
    """The session ended."""

    code: int | None
    reason: str
    error: BaseException | None = None
    """What ended it, unless it was closed on purpose."""
