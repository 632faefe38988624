"""What a recording tells about a conversation: spans, marks and words on one time axis, nothing drawn yet.

A recording may come from any server and be cut anywhere, so no field is taken for granted: what is not
there, or is not what it should be, reads as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ..recording import RecordedEvent
from ._transcript import call_text, cut_text

__all__ = ("Facts", "Mark", "Span", "Turn", "Utterance", "facts_of")

Recorded = Sequence[RecordedEvent]


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted. Times are seconds since the recording began."""

    start: float
    end: float
    kind: str
    """Which of its lane's looks it has."""
    caption: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at once."""

    at: float
    kind: str
    caption: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words, at the time at which they began to sound."""

    at: float
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The figures of one ``TurnMeasured``, in milliseconds."""

    number: int
    at: float
    answered_ms: float | None
    silenced_ms: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole conversation, lane by lane."""

    duration_s: float
    states: tuple[Span, ...]
    speech: tuple[Span, ...]
    responses: tuple[Span, ...]
    tools: tuple[Span, ...]
    voice: tuple[Span, ...]
    marks: tuple[Mark, ...]
    utterances: tuple[Utterance, ...]
    turns: tuple[Turn, ...]


def facts_of(events: Iterable[RecordedEvent], duration_s: float = 0.0) -> Facts:
    """Read a recording; ``duration_s`` is how long its sound is."""
    recorded = sorted(events, key=lambda event: event.at)
    end = max((event.at for event in recorded), default=0.0)
    return Facts(
        duration_s=max(end, duration_s),
        states=tuple(_states(recorded, end)),
        speech=tuple(_speech(recorded, end)),
        responses=tuple(_responses(recorded, end)),
        tools=tuple(_tools(recorded, end)),
        voice=tuple(_voice(recorded, end)),
        marks=tuple(_marks(recorded)),
        utterances=tuple(sorted(_utterances(recorded), key=lambda said: said.at)),
        turns=tuple(_turns(recorded)),
    )


# -- lanes -----------------------------------------------------------------------------------------------


def _states(recorded: Recorded, end: float) -> Iterator[Span]:
    changes = [event for event in recorded if event.type == "rtagent.StateChanged"]
    if changes and (first := _text(changes[0].event, "previous")):
        yield Span(0.0, changes[0].at, first, first.replace("_", " "))
    ends = [*(change.at for change in changes[1:]), end]
    for change, until in zip(changes, ends, strict=False):  # without a change there is one end too many
        state = _text(change.event, "state")
        yield Span(change.at, until, state, state.replace("_", " "))


def _speech(recorded: Recorded, end: float) -> Iterator[Span]:
    started, stopped = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
    for first, last in _paired(recorded, started, {stopped}, lambda event: _text(event, "item_id")):
        until = end if last is None else last.at
        yield Span(first.at, until, "speech", f"spoke {until - first.at:.1f} s")


_ENDINGS = {"completed": "good", "cancelled": "cut", "failed": "bad", "incomplete": "bad"}


def _responses(recorded: Recorded, end: float) -> Iterator[Span]:
    pairs = _paired(
        recorded, "response.created", {"response.done"}, lambda event: _text(event, "response", "id")
    )
    for first, last in pairs:
        status = "in progress" if last is None else _text(last.event, "response", "status") or "done"
        yield Span(first.at, end if last is None else last.at, _ENDINGS.get(status, "plain"), status)


def _tools(recorded: Recorded, end: float) -> Iterator[Span]:
    pairs = _paired(
        recorded, "rtagent.ToolStarted", {"rtagent.ToolFinished"}, lambda event: _text(event, "call_id")
    )
    for first, last in pairs:
        call = call_text(_text(first.event, "name"), _text(first.event, "arguments"))
        if last is None:
            yield Span(first.at, end, "bad", f"{call}: no result")
        else:
            kind = "good" if last.event.get("ok") is True else "bad"
            took = _number(last.event, "took_ms") or 0.0
            yield Span(first.at, last.at, kind, f"{call} → {_text(last.event, 'output')} ({took:.0f} ms)")


def _voice(recorded: Recorded, end: float) -> Iterator[Span]:
    stops = {"rtagent.PlaybackFinished", "rtagent.Interrupted"}
    for first, last in _paired(
        recorded, "rtagent.PlaybackStarted", stops, lambda event: _text(event, "item_id")
    ):
        cut = last is not None and last.type == "rtagent.Interrupted"
        until = end if last is None else last.at
        heard = f"heard {until - first.at:.1f} s"
        yield Span(first.at, until, "cut" if cut else "voice", f"{heard}, cut" if cut else heard)


_MARKS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "error": ("trouble", lambda event: f"server error: {_text(event, 'error', 'message')}"),
    "rtagent.AudioDropped": (
        "trouble",
        lambda event: f"{_number(event, 'ms') or 0:.0f} ms of audio dropped: {_text(event, 'reason')}",
    ),
    "rtagent.CallbackFailed": ("trouble", lambda event: f"callback failed: {_text(event, 'error')}"),
    "rtagent.Closed": ("plain", lambda event: _text(event, "error") or _text(event, "reason") or "closed"),
    "rtagent.Connected": ("plain", lambda event: f"connected {_text(event, 'endpoint')}".rstrip()),
    "rtagent.Interrupted": ("interruption", lambda _: "interrupted"),
    "rtagent.Reconnected": ("plain", lambda _: "reconnected"),
    "rtagent.Reconnecting": ("trouble", lambda event: f"reconnecting: {_text(event, 'reason')}"),
    "rtagent.Renewed": ("plain", lambda _: "renewed"),
}


def _marks(recorded: Recorded) -> Iterator[Mark]:
    for event in recorded:
        if event.type in _MARKS:
            kind, caption = _MARKS[event.type]
            yield Mark(event.at, kind, caption(event.event))


def _turns(recorded: Recorded) -> Iterator[Turn]:
    for event in recorded:
        if event.type == "rtagent.TurnMeasured":
            yield Turn(
                number=int(_number(event.event, "turn") or 0),
                at=event.at,
                answered_ms=_number(event.event, "end_of_speech_to_first_heard_ms"),
                silenced_ms=_number(event.event, "interrupt_to_silence_ms"),
            )


# -- words -----------------------------------------------------------------------------------------------


_HEARD = "conversation.item.input_audio_transcription.completed"
_SAID = {"response.output_audio_transcript.done": "transcript", "response.output_text.done": "text"}


def _utterances(recorded: Recorded) -> Iterator[Utterance]:
    """The final words of both sides; they arrive later or earlier than they sound, so they are moved."""
    spoken_at = _first_times(recorded, "input_audio_buffer.speech_started")
    played_at = _first_times(recorded, "rtagent.PlaybackStarted")
    heard_ms = {
        _text(event.event, "item_id"): _number(event.event, "heard_ms") or 0.0
        for event in recorded
        if event.type == "rtagent.Interrupted"
    }
    for event in recorded:
        item_id = _text(event.event, "item_id")
        if event.type == _HEARD:
            yield Utterance(spoken_at.get(item_id, event.at), "caller", _text(event.event, "transcript"))
        elif event.type in _SAID:
            text = _text(event.event, _SAID[event.type])
            if item_id in heard_ms:
                text = cut_text(text, heard_ms[item_id])
            yield Utterance(played_at.get(item_id, event.at), "assistant", text)
        elif event.type == "conversation.item.added" and (typed := _typed(event.event)):
            yield Utterance(event.at, "caller", typed)


def _typed(event: Mapping[str, Any]) -> str:
    """What a user message says in writing."""
    if _text(event, "item", "role") != "user":
        return ""
    content = event["item"].get("content")
    parts = cast("Sequence[Any]", content) if isinstance(content, list) else ()
    return " ".join(_text({"part": part}, "part", "text") for part in parts).strip()


def _first_times(recorded: Recorded, kind: str) -> dict[str, float]:
    """When an event of that type came for each item, the first time."""
    return {_text(event.event, "item_id"): event.at for event in reversed(recorded) if event.type == kind}


# -- reading ---------------------------------------------------------------------------------------------


def _paired(
    recorded: Recorded, begins: str, ends: set[str], key: Callable[[Mapping[str, Any]], str]
) -> Iterator[tuple[RecordedEvent, RecordedEvent | None]]:
    """What began with what ended it, in the order of the ends; None for what never ended."""
    begun: dict[str, RecordedEvent] = {}
    for event in recorded:
        if event.type == begins:
            begun[key(event.event)] = event
        elif event.type in ends and (first := begun.pop(key(event.event), None)) is not None:
            yield first, event
    for first in begun.values():
        yield first, None


def _text(event: Mapping[str, Any], *path: str) -> str:
    """The string at a path of field names; empty if there is none."""
    value: Any = event
    for name in path:
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def _number(event: Mapping[str, Any], name: str) -> float | None:
    value = event.get(name)
    return float(value) if isinstance(value, int | float) else None
