"""A conversation as lines of text, while it happens."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO, cast

import anyio
from anyio.abc import TaskStatus

from .. import events
from ..errors import LocalProtocolError, RtagentError
from ..events import lifecycle
from ..tools import shown_arguments
from ._meter import Terminal, bar

if TYPE_CHECKING:
    from ..session import Session

__all__ = ("LiveLog", "printable", "spoken_call", "wants_colour")

KINDS = (
    events.Error,
    events.ResponseDone,
    events.ResponseOutputAudioTranscriptDone,
    events.ResponseOutputTextDone,
    events.ConversationItemInputAudioTranscriptionDelta,
    events.ConversationItemInputAudioTranscriptionCompleted,
    events.ConversationItemInputAudioTranscriptionFailed,
    lifecycle.LifecycleEvent,
)
BUFFER = 2048
"""Events; some minutes of a conversation behind a terminal that was stopped."""
REDRAW_S = 0.1
LONGEST = 300
"""Characters of a tool's arguments or output that are shown."""
_COLOURS = {"you": 36, "assistant": 32, "tool": 33, "state": 2, "error": 31, "interrupted": 35}
_LOUD = frozenset({"error", "interrupted"})

Line = tuple[str, str]
"""A label and a text."""


class LiveLog:
    """Writes what happens in a session, a line for each event, with the seconds since its beginning.

    Args:
        out: where to.
        colour: use ANSI colours; if absent, on terminals, unless NO_COLOR is set.
        clock_start: the beginning, in seconds of the clock; the moment of making this if absent.
        live: somebody watches: the state and what is being said stand in a status line, drawn over itself.
        states: write a line for each change of state; a status line shows them anyhow.
        partials: write what the user is being heard to say as a line of its own each time that it grows.
        now: the session's clock; the monotonic one if absent.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        colour: bool | None = None,
        clock_start: float | None = None,
        live: bool = False,
        states: bool = True,
        partials: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terminal = Terminal(out, live=live)
        self._states = states and not live
        self._partials = partials
        self._colour = colour if colour is not None else wants_colour(out)
        self._start = clock_start if clock_start is not None else now()
        self._now = now
        self._last = 0.0
        self._arguments: dict[str, str] = {}
        self._partial: tuple[str | None, str] = (None, "")

    async def follow(
        self, session: Session, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Write until the session ends; subscribed once ``task_status`` is started.

        How the session ended is for others to tell: this only stops.
        """
        async with session.subscribe(*KINDS, buffer=BUFFER) as stream:
            task_status.started()
            if self._states:
                await self.note("state", session.state)
            try:
                async for event in stream:
                    line = self._told(event)
                    if line is not None:
                        await self.note(*line, at=getattr(event, "at", None))
            except LocalProtocolError as behind:
                await self.note("error", f"{behind}; what follows is not shown")
            except RtagentError:
                return

    async def meter(
        self, session: Session, level: Callable[[], float], hint: Callable[[], str] = str
    ) -> None:
        """Keep the status line up to date: level, state, and what is being said. Ends by being cancelled."""
        while True:
            said = self._partial[1]
            tail = f"  you: {said}" if said else f"  {hint()}"
            await self._terminal.status(f"{bar(level())} {session.state}{tail}".rstrip())
            await anyio.sleep(REDRAW_S)

    async def note(self, label: str, text: str, *, at: float | None = None) -> None:
        """Write a line of one's own."""
        await self._terminal.line(self._line(label, text, at))

    def end(self, session: Session) -> None:
        """Write the totals; blocking, for the very end."""
        self._terminal.clear()
        for label, text in _totals(session):
            self._terminal.write_line(self._line(label, text, None))

    def _line(self, label: str, text: str, at: float | None) -> str:
        # What waited to be written is not told before what was written already.
        self._last = max(self._last, (self._now() if at is None else at) - self._start)
        text = printable(text)
        padded = f"{label:<9}"
        if self._colour and (code := _COLOURS.get(label)):
            padded = f"\x1b[{code}m{padded}\x1b[0m"
            text = f"\x1b[{code}m{text}\x1b[0m" if label in _LOUD else text
        return f"{self._last:7.2f} s  {padded} {text}".rstrip()

    def _told(self, event: object) -> Line | None:
        match event:
            case events.ConversationItemInputAudioTranscriptionDelta():
                item_id, said = self._partial
                said = said + event.delta if item_id == event.item_id else event.delta
                self._partial = (event.item_id, said)
                return ("you", f"{said.strip()} …") if self._partials and event.delta.strip() else None
            case events.ConversationItemInputAudioTranscriptionCompleted(transcript=said):
                self._partial = (None, "")
                return ("you", said.strip() or "(nothing that was understood)")
            case lifecycle.StateChanged(state=state):
                return ("state", state) if self._states and state != "closed" else None
            case lifecycle.ToolStarted(call_id=call_id, arguments=arguments):
                self._arguments[call_id] = arguments
                return None
            case lifecycle.ToolFinished():
                arguments = self._arguments.pop(event.call_id, "")
                return ("tool", spoken_call(event, arguments))
            case lifecycle.LifecycleEvent():
                return _happened(event)
            case _:
                return _answered(event)


def wants_colour(out: TextIO) -> bool:
    """Colour is for terminals, and only where nobody said otherwise (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def spoken_call(finished: lifecycle.ToolFinished, arguments: str) -> str:
    """A call as a programmer would write it, with what came of it and how long that took."""
    output = _shortened(json.dumps(finished.output, ensure_ascii=False))
    word = "->" if finished.ok else "failed:"
    return f"{finished.name}({_written(arguments)}) {word} {output} ({finished.took_ms:.0f} ms)"


def printable(text: str) -> str:
    """The text on one line without control characters: a transcript must not command the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _written(arguments: str) -> str:
    shown = shown_arguments(arguments or "{}")  # without secrets
    try:
        values: object = json.loads(shown)
    except ValueError:
        return _shortened(shown)
    if not isinstance(values, dict):
        return _shortened(shown)
    pairs = cast("dict[str, Any]", values).items()
    return _shortened(", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in pairs))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _answered(event: object) -> Line | None:
    match event:
        case (
            events.ResponseOutputAudioTranscriptDone(transcript=text)
            | events.ResponseOutputTextDone(text=text)
        ):
            return ("assistant", text)
        case events.ConversationItemInputAudioTranscriptionFailed():
            return ("you", "(could not be written down)")
        case events.ResponseDone(response=response) if response.status in ("failed", "incomplete"):
            return ("error", f"the response is {response.status}{_details(response)}")
        case events.Error(error=error):
            return ("error", f"{error.code or error.type or 'error'}: {error.message}")
        case _:
            return None


def _happened(event: lifecycle.LifecycleEvent) -> Line | None:
    match event:
        case lifecycle.Interrupted():
            return ("interrupted", f"after {event.heard_ms:.0f} ms of the answer")
        case lifecycle.PlaybackPaused(reason="speech"):
            return ("state", "somebody speaks: the voice waits")
        case lifecycle.PlaybackResumed(reason="speech"):
            return (
                "state",
                f"it was no interruption: the voice goes on after {event.paused_ms / 1000:.1f} s",
            )
        case lifecycle.TurnMeasured():
            return (f"turn {event.turn}", _measured(event))
        case lifecycle.AudioDropped():
            return ("error", f"{event.ms:.0f} ms of audio dropped: {event.reason}")
        case lifecycle.Reconnecting(attempt=1):
            return ("error", f"connection lost ({event.reason}); dialling again")
        case lifecycle.Reconnecting():
            return ("error", f"no connection yet ({event.reason}); attempt {event.attempt}")
        case lifecycle.Reconnected():
            return ("state", f"reconnected: {event.restored} items restored, {event.lost} lost")
        case lifecycle.Renewed():
            return ("state", f"moved to a fresh connection: {event.restored} items restored")
        case lifecycle.CallbackFailed():
            return ("error", f"{event.callback} failed: {event.error!r}")
        case _:
            return None


def _measured(turn: lifecycle.TurnMeasured) -> str:
    figures = (
        (turn.end_of_speech_to_first_heard_ms, "from the end of speech to the first sample heard"),
        (turn.interrupt_to_silence_ms, "from the interruption to silence"),
    )
    return "; ".join(f"{ms:.0f} ms {what}" for ms, what in figures if ms is not None)


def _details(response: events.RealtimeResponse) -> str:
    details = response.status_details
    if details is None:
        return ""
    error = details.error
    told = error.message or error.code if error is not None else details.reason
    return f": {told}" if told else ""


def _totals(session: Session) -> list[Line]:
    lines: list[Line] = []
    waits = [ms for turn in session.metrics.turns if (ms := turn.end_of_speech_to_first_heard_ms) is not None]
    if waits:
        middle = statistics.median(waits)
        lines.append(("turns", f"{len(waits)}, median {middle:.0f} ms to the first sample heard"))
    usage = session.usage
    if usage.total_tokens:
        cached = f" ({usage.cached_tokens} cached)" if usage.cached_tokens else ""
        told = f"{usage.total_tokens}: {usage.input_tokens} in{cached}, {usage.output_tokens} out"
        lines.append(("tokens", told))
    departures = len(session.metrics.departures)
    if departures:
        ways = "way" if departures == 1 else "ways"
        lines.append(("server", f"not as its profile says in {departures} {ways}; rtagent probe finds one"))
    return lines
