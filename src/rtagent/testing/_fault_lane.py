"""What becomes of the frames to a client when faults strike: a machine without a wire and without a clock.

``strike`` takes a fault that is due, ``carry`` takes a frame; both say what is to be done now, as a list
of acts in their order. Once something has ended the lane it gives no more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._faults import (
    Close,
    Delay,
    Drop,
    Duplicate,
    Expire,
    Fault,
    HalfOpen,
    LateTranscripts,
    Malformed,
    Reorder,
    SilentTruncate,
    SlowWrite,
)

__all__ = ("Act", "FaultLane", "Freeze", "Leave", "Pace", "Wait", "Write")

BROKEN = '{"type": "response.output_text.delta", "delta": "bro'
TRANSCRIPTION = "conversation.item.input_audio_transcription."
HELD_FRAMES = 1_000
"""Late transcripts that are held back at most; what is more comes in time."""


@dataclass(frozen=True, slots=True)
class Write:
    frame: str


@dataclass(frozen=True, slots=True)
class Wait:
    """All that follows comes so much later than it was decided."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Leave:
    """End the connection; without a code it is dropped."""

    code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing passes any more."""


Act = Write | Wait | Pace | Leave | Freeze


class FaultLane:
    """The frames of one connection on their way to the client.

    Args:
        expired: makes the frames of the error that a session's end is announced by.
    """

    def __init__(self, expired: Callable[[str], Sequence[str]]) -> None:
        self.over = False
        """Whether nothing will be sent any more."""
        self._expired = expired
        self._twice = False
        self._later = False
        self._held: list[str] = []
        self._mute = False
        self._late = False
        self._transcripts: dict[str, list[str]] = {}

    def strike(self, fault: Fault) -> list[Act]:
        """Take a fault that is due; those that do nothing to these frames are passed over."""
        acts: list[Act] = []
        match fault:
            case Drop():
                acts = [Leave()]
            case Close():
                acts = [Leave(fault.code, fault.reason)]
            case Expire():
                acts = [*map(Write, self._expired(fault.reason)), Leave(1001, fault.reason)]
            case HalfOpen():
                acts = [Freeze()]
            case Delay(by="server"):
                acts = [Wait(fault.seconds)]
            case SlowWrite():
                acts = [Pace(fault.bytes_per_s)]
            case Malformed():
                acts = [Write(BROKEN)]
            case Duplicate():
                self._twice = True
            case Reorder():
                self._later = True
            case SilentTruncate():
                self._mute = True
            case LateTranscripts():
                self._late = True
            case _:
                pass
        return self._given(acts)

    def carry(self, frame: str, event: Mapping[str, Any]) -> list[Act]:
        """Take a frame, and the event that it is; empty if it is none."""
        kind = str(event.get("type"))
        if self._mute and kind == "conversation.item.truncated":
            return []
        if self._late and kind.startswith(TRANSCRIPTION) and self._hold(frame, event):
            return []
        frames = [frame, frame] if self._twice else [frame]
        self._twice = False
        if self._later:
            self._later = False
            self._held = [*frames, *self._held]
            return []
        frames += self._held
        self._held = []
        if kind == "response.done" and self._transcripts:
            frames += [late for item in reversed(self._transcripts.values()) for late in item]
            self._transcripts.clear()
            self._late = False
        return self._given([*map(Write, frames)])

    def _hold(self, frame: str, event: Mapping[str, Any]) -> bool:
        if sum(map(len, self._transcripts.values())) >= HELD_FRAMES:
            return False
        self._transcripts.setdefault(str(event.get("item_id")), []).append(frame)
        return True

    def _given(self, acts: list[Act]) -> list[Act]:
        if self.over:
            return []
        self.over = any(isinstance(act, Leave | Freeze) for act in acts)
        return acts
