"""What a client may ask for: each check is silent or raises the `Refusal` that becomes an ``error`` event."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from .. import events

__all__ = (
    "MAX_APPEND_BYTES",
    "MAX_ITEM_AUDIO_BYTES",
    "Refusal",
    "check_item",
    "check_item_id",
    "check_metadata",
    "check_overrides",
    "check_session",
    "decoded_audio",
    "json_object",
)

MAX_APPEND_BYTES: Final = 15 * 1024 * 1024 * 3 // 4
"""Audio of one ``input_audio_buffer.append``, decoded. The protocol's 15 MiB do not say before or after
base64: the encoded text is held to them, so that a message that is refused still fits into a frame."""
MAX_ITEM_AUDIO_BYTES: Final = MAX_APPEND_BYTES
"""Audio of one content part of a created item, decoded."""

_ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_PARTS = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text",),
}
_FORMATS = ("audio/pcm", "audio/pcmu", "audio/pcma")
_CHOICES = ("auto", "none", "required")


class Refusal(Exception):
    """The client's event cannot be honoured; nothing has changed."""

    def __init__(
        self, message: str, *, code: str, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        """The path of the offending field."""
        self.kind = kind
        """The ``type`` of the error object."""


def _invalid(message: str, param: str) -> Refusal:
    return Refusal(message, code="invalid_value", param=param)


def json_object(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def check_item_id(item_id: str, param: str = "item.id") -> None:
    """Ids are 1 to 32 characters of letters, digits, ``_`` and ``-``."""
    if len(item_id) > 32:
        message = f"an item id has at most 32 characters, this one has {len(item_id)}"
        raise Refusal(message, code="string_above_max_length", param=param)
    if _ITEM_ID.match(item_id) is None:
        message = "an item id consists of letters, digits, '_' and '-'"
        raise _invalid(message, param)


def check_item(item: events.Item) -> None:
    """Only messages, function calls and their outputs can be created, each with the parts of its role."""
    if isinstance(item, (events.FunctionCall, events.FunctionCallOutput)):
        return
    if not isinstance(item, (events.SystemMessage, events.UserMessage, events.AssistantMessage)):
        message = f"items of type {item.type!r} cannot be created here"
        raise _invalid(message, "item.type")
    allowed = _PARTS[item.role]
    for index, part in enumerate(item.content):
        if part.type not in allowed:
            message = f"a {item.role} message takes {' or '.join(allowed)}, not {part.type!r}"
            raise _invalid(message, f"item.content[{index}].type")


def decoded_audio(text: str | None, param: str) -> bytes:
    """The bytes of an ``input_audio`` part."""
    try:
        audio = base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError) as problem:
        message = "the audio is not valid base64"
        raise _invalid(message, param) from problem
    if not audio:
        message = "an input_audio part needs audio"
        raise Refusal(message, code="missing_required_parameter", param=param)
    if len(audio) > MAX_ITEM_AUDIO_BYTES:
        message = f"an item holds at most {MAX_ITEM_AUDIO_BYTES} bytes of audio"
        raise _invalid(message, param)
    return audio


def check_metadata(metadata: Mapping[str, Any] | None) -> None:
    """At most 16 pairs, keys up to 64 and string values up to 512 characters."""
    pairs = metadata or {}
    if len(pairs) > 16:
        message = f"metadata has at most 16 pairs, not {len(pairs)}"
        raise _invalid(message, "response.metadata")
    for key, value in pairs.items():
        if len(key) > 64 or not isinstance(value, str) or len(value) > 512:
            message = (
                f"metadata {key[:64]!r}: keys have at most 64 characters, values are strings of at most 512"
            )
            raise _invalid(message, "response.metadata")


def check_session(session: Mapping[str, Any]) -> None:
    """Check a whole effective configuration, as it would be after an update."""
    audio = session["audio"]
    _check_turn_detection(audio["input"]["turn_detection"])
    _check_format(audio["input"]["format"], "session.audio.input.format")
    if session["type"] == "transcription":
        return
    _check_number(audio["output"]["speed"], "session.audio.output.speed", 0.25, 1.5)
    if not isinstance(session["instructions"], str):
        message = "instructions are a text"
        raise _invalid(message, "session.instructions")
    check_overrides(session, "session")


def check_overrides(settings: Mapping[str, Any], where: str) -> None:
    """Check what a session and a response have in common."""
    _check_format(settings["audio"]["output"]["format"], f"{where}.audio.output.format")
    _check_voice(settings["audio"]["output"]["voice"], f"{where}.audio.output.voice")
    if settings["output_modalities"] not in (["audio"], ["text"]):
        message = 'output_modalities is ["audio"] or ["text"]'
        raise _invalid(message, f"{where}.output_modalities")
    limit = settings["max_output_tokens"]
    if limit != "inf" and not (type(limit) is int and 1 <= limit <= 4096):
        message = 'max_output_tokens is 1 to 4096 or "inf"'
        raise _invalid(message, f"{where}.max_output_tokens")
    _check_tools(settings["tools"], where)
    _check_tool_choice(settings["tool_choice"], f"{where}.tool_choice")


def _check_number(value: object, param: str, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        message = f"{param.rpartition('.')[2]} is a number from {low:g} to {high:g}"
        raise _invalid(message, param)


def _check_format(value: Any, param: str) -> None:
    kind = json_object(value).get("type")
    if kind not in _FORMATS:
        message = f"an audio format is one of {', '.join(_FORMATS)}"
        raise _invalid(message, param)
    if kind == "audio/pcm" and json_object(value).get("rate") != 24_000:
        message = "audio/pcm has a rate of 24000"
        raise _invalid(message, f"{param}.rate")


def _check_voice(value: Any, param: str) -> None:
    name = json_object(value).get("id", value)
    if not isinstance(name, str) or not name:
        message = 'a voice is a name or {"id": name}'
        raise _invalid(message, param)


def _check_turn_detection(value: Mapping[str, Any] | None) -> None:
    where = "session.audio.input.turn_detection"
    if value is None:
        return
    for flag in ("create_response", "interrupt_response"):
        if not isinstance(value[flag], bool):
            message = f"{flag} is true or false"
            raise _invalid(message, f"{where}.{flag}")
    if value["type"] == "semantic_vad":
        if value["eagerness"] not in ("low", "medium", "high", "auto"):
            message = "eagerness is low, medium, high or auto"
            raise _invalid(message, f"{where}.eagerness")
        return
    if value["type"] != "server_vad":
        message = "turn_detection is server_vad, semantic_vad or null"
        raise _invalid(message, f"{where}.type")
    _check_number(value["threshold"], f"{where}.threshold", 0, 1)
    _check_number(value["prefix_padding_ms"], f"{where}.prefix_padding_ms", 0, 10_000)
    _check_number(value["silence_duration_ms"], f"{where}.silence_duration_ms", 0, 10_000)
    if value["idle_timeout_ms"] is not None:
        _check_number(value["idle_timeout_ms"], f"{where}.idle_timeout_ms", 5_000, 30_000)


def _check_tools(tools: Sequence[Mapping[str, Any]], where: str) -> None:
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        if tool.get("type") != "function":
            continue
        name = tool.get("name")
        if not isinstance(name, str) or _TOOL_NAME.match(name) is None:
            message = "a function's name has 1 to 64 letters, digits, '_', '-' or '.'"
            raise _invalid(message, f"{where}.tools[{index}].name")
        if name in seen:
            message = f"two functions are called {name!r}"
            raise _invalid(message, f"{where}.tools[{index}].name")
        seen.add(name)


def _check_tool_choice(choice: Any, param: str) -> None:
    if choice not in _CHOICES and json_object(choice).get("type") not in ("function", "mcp"):
        message = "tool_choice is auto, none, required or names one tool"
        raise _invalid(message, param)
