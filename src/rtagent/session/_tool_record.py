"""What is known of one running call, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import anyio

from ..events.lifecycle import ToolFinished, ToolProgress, ToolStarted
from ..protocol import Call
from ..tools import RunningCall, Tool, ToolOutcome

__all__ = ("CallRecord",)


@dataclass(eq=False, slots=True)
class CallRecord:
    """One running call; its runner is the only one who changes it."""

    call: Call
    tool: Tool[..., Any] | None
    """None: there is no such tool."""
    began: float
    background: bool = False
    """Whether the model has been answered already."""
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    speech: list[anyio.CancelScope] = field(default_factory=list[anyio.CancelScope])
    """Of the tasks that wait to say something about it, or have said it."""
    asking: int = 0
    """Questions of it that the user has not answered."""
    kept: bool = False
    """Whether the user took the floor meanwhile."""
    called_off: str = "the user interrupted before the tool had finished"
    """What the model reads if it is cancelled."""

    def cancelled(self) -> ToolOutcome:
        """What comes of it when it is cancelled."""
        return ToolOutcome.failure("cancelled", self.call.name, self.called_off)

    def silence(self) -> None:
        """What waits to be said about it is not said any more."""
        while self.speech:
            self.speech.pop().cancel()

    def snapshot(self, now: float) -> RunningCall:
        """The call as it is seen by others."""
        return RunningCall(
            self.call.call_id,
            self.call.name,
            self.call.arguments,
            running_s=now - self.began,
            background=self.background,
        )

    def started(self) -> ToolStarted:
        """It has begun."""
        return ToolStarted(
            at=self.began,
            call_id=self.call.call_id,
            name=self.call.name,
            arguments=self.call.arguments,
            response_id=self.call.response_id,
            background=self.background,
        )

    def progress(self, text: str, now: float, *, spoken: bool) -> ToolProgress:
        """It goes on."""
        return ToolProgress(at=now, call_id=self.call.call_id, name=self.call.name, text=text, spoken=spoken)

    def finished(self, outcome: ToolOutcome, now: float) -> ToolFinished:
        """It has ended."""
        return ToolFinished(
            at=now,
            call_id=self.call.call_id,
            name=self.call.name,
            output=outcome.output,
            ok=outcome.ok,
            took_ms=(now - self.began) * 1000,
            kind=outcome.kind,
            error=outcome.error,
            kept=self.kept,
        )
