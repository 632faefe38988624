"""The two kinds of session: what each begins with, what an update may name, and what is shown of it.

A conversation hears, thinks and speaks. A transcription session has an ear only: it writes down what is
said, and nothing ever answers (protocol document, sections 5.1 and 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from .. import events
from ._validation import Refusal, json_object

__all__ = (
    "FROZEN",
    "TURN_DETECTION",
    "SessionKind",
    "check_fields",
    "check_kind",
    "conversation_tree",
    "session_of",
    "transcription_tree",
)

SessionKind: TypeAlias = Literal["realtime", "transcription"]
Tree: TypeAlias = Mapping[str, Any]
"""A configuration in its wire form."""

FROZEN: Final = frozenset({"id", "object", "expires_at", "model"})
"""What no update changes: the snapshot says what really runs."""

TURN_DETECTION: Final[Mapping[str, Tree]] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}
"""The defaults of each kind of turn detection."""

_ANSWERING: Final = frozenset({"idle_timeout_ms", "create_response", "interrupt_response"})
"""What of turn detection is about answers: a transcription session takes it and does nothing with it."""


def conversation_tree(
    session_id: str, model: str, expires_at: int, *, instructions: str, tools: Sequence[Tree]
) -> dict[str, Any]:
    """What a session of type ``realtime`` begins with."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "expires_at": expires_at,
        "output_modalities": ["audio"],
        "instructions": instructions,
        "tools": [dict(tool) for tool in tools],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "audio": {
            "input": _ear(transcription=None),
            "output": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "voice": "alloy",
                "speed": 1.0,
            },
        },
    }


def transcription_tree(session_id: str, model: str, expires_at: int) -> dict[str, Any]:
    """What a session of type ``transcription`` begins with; its model is the one that writes down."""
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session_id,
        "expires_at": expires_at,
        "audio": {"input": _ear(transcription={"model": model})},
        "include": None,
    }


def session_of(tree: Tree) -> events.RealtimeSession | events.TranscriptionSession:
    """The configuration as an event shows it.

    Raises:
        pydantic.ValidationError: a value of a wrong type.
    """
    if tree["type"] == "realtime":
        return events.RealtimeSession.model_validate(tree)
    ear = tree["audio"]["input"]
    detection = json_object(ear["turn_detection"])
    shown = {name: value for name, value in detection.items() if name not in _ANSWERING}
    audio = {"input": {**ear, "turn_detection": shown or None}}
    return events.TranscriptionSession.model_validate({**tree, "audio": audio})


def check_kind(change: Tree, current: SessionKind, *, settled: bool) -> SessionKind:
    """The kind of session that an update asks for.

    Args:
        change: the ``session`` of a ``session.update``.
        current: the kind that the session has.
        settled: something was said or asked already, so that the kind cannot change any more.

    Raises:
        Refusal: it names none, or one that this session cannot become.
    """
    kind = change.get("type")
    if kind == current:
        return current
    param = "session.type"
    if kind is None:
        message = "session.type is required"
        raise Refusal(message, code="missing_required_parameter", param=param)
    if kind not in ("realtime", "transcription"):
        message = f"this server holds sessions of type 'realtime' or 'transcription', not {kind!r}"
        raise Refusal(message, code="invalid_value", param=param)
    if kind == "realtime":
        message = "a transcription session stays one: open another session to converse"
        raise Refusal(message, code="invalid_value", param=param)
    if settled:
        message = (
            "a session becomes one for transcription before its first audio and its first item, not later"
        )
        raise Refusal(message, code="invalid_value", param=param)
    return "transcription"


def check_fields(change: Tree, kind: SessionKind) -> None:
    """A transcription session has no voice; its other fields are held to by the codec already.

    Raises:
        Refusal: the update configures one.
    """
    foreign = [name for name in json_object(change.get("audio")) if name != "input"]
    if kind == "transcription" and foreign:
        param = f"session.audio.{foreign[0]}"
        message = f"a transcription session has an ear only: it takes no {param}"
        raise Refusal(message, code="unknown_parameter", param=param)


def _ear(transcription: Tree | None) -> dict[str, Any]:
    return {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": transcription,
        "noise_reduction": None,
        "turn_detection": dict(TURN_DETECTION["server_vad"]),
    }
