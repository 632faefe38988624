"""The effective session: what `session.updated` shows, and the plain values that the rest of the core reads.

The configuration is kept in its wire form (a tree of plain values), because partial updates, nulls and
snapshots are defined on that form. It is checked whole before it takes effect, so a refused update leaves
everything as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from .. import events
from ..audio import AudioFormat
from ._config_kinds import (
    FROZEN,
    TURN_DETECTION,
    SessionKind,
    check_fields,
    check_kind,
    conversation_tree,
    session_of,
    transcription_tree,
)
from ._validation import Refusal, check_overrides, check_session, json_object

__all__ = ("ResponseSettings", "SessionConfig", "TurnTaking")

_MERGED: Final = frozenset(
    {"audio", "input", "output", "turn_detection", "transcription", "noise_reduction", "reasoning"}
)
"""The nested objects of which an update may name a part; every other value is replaced whole."""

_PATIENCE_MS: Final = {"low": 1200, "medium": 700, "auto": 700, "high": 400}
"""Semantic turn detection is approximated by how long a silence has to be."""


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """How the server finds turns in the input audio, and what it does with them."""

    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    idle_timeout_ms: int | None
    """How long nobody speaks after an answer until the server takes the word again; None for ever."""
    create_response: bool
    interrupt_response: bool


@dataclass(frozen=True, slots=True)
class ResponseSettings:
    """What one response is made with: the session's settings and the response's own over them."""

    spoken: bool
    """Audio with a transcript, or text."""
    instructions: str
    tools: tuple[Mapping[str, Any], ...]
    tool_choice: str | Mapping[str, Any]
    max_output_tokens: int | None
    voice: str
    speed: float
    format: AudioFormat
    output: Mapping[str, Any]
    """``audio.output`` as the response object shows it."""
    metadata: Mapping[str, str] | None


class SessionConfig:
    """Owns the effective configuration of one session."""

    def __init__(
        self,
        *,
        session_id: str,
        model: str,
        expires_at: int,
        kind: SessionKind = "realtime",
        instructions: str = "",
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._model = model
        self._wire = (
            conversation_tree(session_id, model, expires_at, instructions=instructions, tools=tools)
            if kind == "realtime"
            else transcription_tree(session_id, model, expires_at)
        )
        check_session(self._wire)
        self._defaults = self._wire
        """What a null goes back to. Updates build new trees, so this one stays as it is."""

    @property
    def snapshot(self) -> events.RealtimeSession | events.TranscriptionSession:
        """The whole effective configuration as the wire shows it."""
        return session_of(self._wire)

    @property
    def kind(self) -> SessionKind:
        """Whether the session converses, or writes down what is said and never answers."""
        kind: SessionKind = self._wire["type"]
        return kind

    @property
    def input_format(self) -> AudioFormat:
        """The layout of the audio that the client appends."""
        return _audio_format(self._input["format"])

    @property
    def transcribes(self) -> bool:
        """Whether the client wants to read what the user said."""
        return self._input["transcription"] is not None

    @property
    def tools(self) -> Sequence[Mapping[str, Any]]:
        """The session's function tools."""
        return _functions(self._wire.get("tools", ()))

    @property
    def turn_taking(self) -> TurnTaking | None:
        """How turns are found; None when the client commits them by itself."""
        wire = self._input["turn_detection"]
        if wire is None:
            return None
        semantic = wire["type"] == "semantic_vad"
        answers = self.kind == "realtime"
        defaults = TURN_DETECTION["server_vad"]
        return TurnTaking(
            threshold=float(defaults["threshold"] if semantic else wire["threshold"]),
            prefix_padding_ms=int(defaults["prefix_padding_ms"] if semantic else wire["prefix_padding_ms"]),
            silence_duration_ms=(
                _PATIENCE_MS[wire["eagerness"]] if semantic else int(wire["silence_duration_ms"])
            ),
            idle_timeout_ms=wire.get("idle_timeout_ms") if answers else None,
            create_response=answers and wire["create_response"],
            interrupt_response=answers and wire["interrupt_response"],
        )

    @property
    def _input(self) -> Mapping[str, Any]:
        wire: Mapping[str, Any] = self._wire["audio"]["input"]
        return wire

    def update(self, change: Mapping[str, Any], *, voice_was_heard: bool, settled: bool = True) -> None:
        """Merge a partial configuration: null clears to the default, what is absent stays.

        Args:
            change: the ``session`` of a ``session.update``, with only the fields that the client set.
            voice_was_heard: output audio was sent already, so that the voice is frozen.
            settled: the session has begun, so that its kind is frozen.

        Raises:
            Refusal: something in it cannot be; nothing has changed.
        """
        kind = check_kind(change, self.kind, settled=settled or voice_was_heard)
        check_fields(change, kind)
        current, defaults = self._wire, self._defaults
        if kind != self.kind:
            current = defaults = transcription_tree(current["id"], self._model, current["expires_at"])
        merged = _merged(
            current, {key: value for key, value in change.items() if key not in FROZEN}, defaults
        )
        _check_shape(merged)
        check_session(merged)
        if voice_was_heard and merged["audio"]["output"]["voice"] != self._wire["audio"]["output"]["voice"]:
            message = "the voice cannot change after the session's first output audio"
            raise Refusal(message, code="cannot_update_voice", param="session.audio.output.voice")
        self._wire, self._defaults = merged, defaults

    def for_response(self, params: Mapping[str, Any]) -> ResponseSettings:
        """The settings of one response.

        Args:
            params: the ``response`` of a ``response.create``, with only the fields that the client set.

        Raises:
            Refusal: an override that cannot be.
        """
        shared = ("instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens", "audio")
        merged = _merged(
            {key: self._wire[key] for key in shared},
            {key: params[key] for key in shared if params.get(key) is not None},
            self._defaults,
        )
        check_overrides(merged, "response")
        output = merged["audio"]["output"]
        voice, limit = output["voice"], merged["max_output_tokens"]
        return ResponseSettings(
            spoken=merged["output_modalities"] == ["audio"],
            instructions=merged["instructions"],
            tools=_functions(merged["tools"]),
            tool_choice=merged["tool_choice"],
            max_output_tokens=None if limit == "inf" else limit,
            voice=voice if isinstance(voice, str) else voice["id"],
            speed=float(output["speed"]),
            format=_audio_format(output["format"]),
            output={"format": output["format"], "voice": voice},
            metadata=params.get("metadata"),
        )


def _check_shape(wire: Mapping[str, Any]) -> None:
    """Values of a wrong type are found by the model of the snapshot."""
    try:
        session_of(wire)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(["session", *(str(step) for step in first["loc"])])
        raise Refusal(f"{where}: {first['msg']}", code="invalid_value", param=where) from problem


def _merged(
    current: Mapping[str, Any], change: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    result = dict(current)
    for key, value in change.items():
        if key == "turn_detection":
            result[key] = None if value is None else _merged_turn_detection(current.get(key), value)
        elif value is None:
            result[key] = defaults.get(key)
        elif key == "format":
            result[key] = _with_rate(value)
        elif key in _MERGED:
            result[key] = _merged(
                *(json_object(tree) for tree in (current.get(key), value, defaults.get(key)))
            )
        else:
            result[key] = value
    return result


def _merged_turn_detection(current: Mapping[str, Any] | None, change: Mapping[str, Any]) -> dict[str, Any]:
    """The same kind of detection keeps what is not named; another kind starts from its defaults."""
    kind = change.get("type") or (current["type"] if current else "server_vad")
    defaults = TURN_DETECTION.get(kind)
    if defaults is None:
        message = "turn_detection is server_vad, semantic_vad or null"
        raise Refusal(message, code="invalid_value", param="session.audio.input.turn_detection.type")
    start = current if current is not None and current["type"] == kind else defaults
    return {**start, **{key: defaults.get(key) if value is None else value for key, value in change.items()}}


def _with_rate(layout: Mapping[str, Any]) -> Mapping[str, Any]:
    """``audio/pcm`` without a rate means the only rate there is."""
    return {"rate": 24_000, **layout} if layout.get("type") == "audio/pcm" else layout


def _audio_format(wire: Mapping[str, Any]) -> AudioFormat:
    match wire["type"]:
        case "audio/pcmu":
            return AudioFormat.pcmu()
        case "audio/pcma":
            return AudioFormat.pcma()
        case _:
            return AudioFormat.pcm16(24_000)


def _functions(tools: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(tool for tool in tools if tool.get("type") == "function")
