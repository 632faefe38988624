"""What is refused, with which code and which field."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rtagent import events
from rtagent.engine._config import SessionConfig
from rtagent.engine._validation import (
    MAX_ITEM_AUDIO_BYTES,
    Refusal,
    check_item,
    check_item_id,
    check_metadata,
    check_session,
    decoded_audio,
)


def session(**change: Any) -> dict[str, Any]:
    config = SessionConfig(session_id="s", model="m", expires_at=1)
    return {**config.snapshot.model_dump(mode="json", exclude_unset=True), **change}


def turn_detection(**change: Any) -> dict[str, Any]:
    wire = session()
    wire["audio"]["input"]["turn_detection"].update(change)
    return wire


@pytest.mark.parametrize("item_id", ["a", "item_1-B", "x" * 32])
def test_good_ids(item_id: str):
    check_item_id(item_id)


@pytest.mark.parametrize(
    ("item_id", "code"),
    [
        ("x" * 33, "string_above_max_length"),
        ("", "invalid_value"),
        ("a b", "invalid_value"),
        ("a\n", "invalid_value"),
    ],
)
def test_bad_ids(item_id: str, code: str):
    with pytest.raises(Refusal) as refusal:
        check_item_id(item_id)
    assert (refusal.value.code, refusal.value.param) == (code, "item.id")


@pytest.mark.parametrize(
    "item",
    [
        events.SystemMessage(content=[events.InputText(text="a")]),
        events.UserMessage(content=[events.InputText(text="a"), events.InputAudio(audio="AAAA")]),
        events.UserMessage(content=[events.InputImage(image_url="data:image/png;base64,AAAA")]),
        events.AssistantMessage(content=[events.OutputText(text="a")]),
        events.FunctionCall(name="f", arguments="{}", call_id="c"),
        events.FunctionCallOutput(call_id="c", output=""),
    ],
)
def test_good_items(item: events.Item):
    check_item(item)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (events.AssistantMessage(content=[events.OutputAudio(audio="AAAA")]), "item.content[0].type"),
        (events.AssistantMessage(content=[events.InputText(text="a")]), "item.content[0].type"),
        (
            events.UserMessage(content=[events.InputText(text="a"), events.OutputText(text="a")]),
            "item.content[1].type",
        ),
        (events.SystemMessage(content=[events.InputAudio(audio="AAAA")]), "item.content[0].type"),
        (events.ItemReference(id="a"), "item.type"),
        (events.McpApprovalResponse(id="a", approval_request_id="b", approve=True), "item.type"),
        (events.UnknownItem.model_validate({"type": "hologram"}), "item.type"),
    ],
)
def test_bad_items(item: events.Item, param: str):
    with pytest.raises(Refusal) as refusal:
        check_item(item)
    assert refusal.value.param == param


def test_audio_of_an_item():
    assert decoded_audio(base64.b64encode(b"abcd").decode(), "p") == b"abcd"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not base64!", "invalid_value"),
        ("AAA", "invalid_value"),
        ("ä", "invalid_value"),
        ("", "missing_required_parameter"),
        (None, "missing_required_parameter"),
        (base64.b64encode(bytes(MAX_ITEM_AUDIO_BYTES + 1)).decode(), "invalid_value"),
    ],
    ids=["alphabet", "padding", "not ascii", "empty", "absent", "too long"],
)
def test_audio_that_is_none(text: str | None, code: str):
    with pytest.raises(Refusal) as refusal:
        decoded_audio(text, "item.content[0].audio")
    assert (refusal.value.code, refusal.value.param) == (code, "item.content[0].audio")


@pytest.mark.parametrize("metadata", [None, {}, {"k" * 64: "v" * 512}, {str(n): "" for n in range(16)}])
def test_good_metadata(metadata: dict[str, str] | None):
    check_metadata(metadata)


@pytest.mark.parametrize(
    "metadata", [{str(n): "" for n in range(17)}, {"k" * 65: ""}, {"k": "v" * 513}, {"k": 1}]
)
def test_bad_metadata(metadata: dict[str, Any]):
    with pytest.raises(Refusal) as refusal:
        check_metadata(metadata)
    assert refusal.value.param == "response.metadata"


def audio(side: str, **change: Any) -> dict[str, Any]:
    wire = session()
    wire["audio"][side].update(change)
    return wire


@pytest.mark.parametrize(
    "good",
    [
        session(),
        session(max_output_tokens=4096),
        audio("input", turn_detection=None),
        turn_detection(type="semantic_vad", eagerness="high"),
        audio("output", voice={"id": "voice_1"}, format={"type": "audio/pcmu"}, speed=0.25),
        session(tool_choice={"type": "function", "name": "f"}),
        session(tools=[{"type": "mcp", "server_label": "x"}]),
        turn_detection(idle_timeout_ms=5000),
        turn_detection(threshold=0),
    ],
)
def test_good_sessions(good: dict[str, Any]):
    check_session(good)


@pytest.mark.parametrize(
    ("bad", "param"),
    [
        (turn_detection(idle_timeout_ms=4999), "session.audio.input.turn_detection.idle_timeout_ms"),
        (turn_detection(idle_timeout_ms=30001), "session.audio.input.turn_detection.idle_timeout_ms"),
        (turn_detection(prefix_padding_ms=-1), "session.audio.input.turn_detection.prefix_padding_ms"),
        (turn_detection(silence_duration_ms=True), "session.audio.input.turn_detection.silence_duration_ms"),
        (turn_detection(create_response="yes"), "session.audio.input.turn_detection.create_response"),
        (turn_detection(interrupt_response=None), "session.audio.input.turn_detection.interrupt_response"),
        (
            turn_detection(type="semantic_vad", eagerness="wild"),
            "session.audio.input.turn_detection.eagerness",
        ),
        (turn_detection(type="psychic"), "session.audio.input.turn_detection.type"),
        (audio("input", format={"type": "audio/opus"}), "session.audio.input.format"),
        (audio("output", format={"type": "audio/pcm", "rate": 16_000}), "session.audio.output.format.rate"),
        (audio("output", format="pcm16"), "session.audio.output.format"),
        (audio("output", voice=""), "session.audio.output.voice"),
        (audio("output", speed=0.2), "session.audio.output.speed"),
        (session(output_modalities=["text", "audio"]), "session.output_modalities"),
        (
            session(tools=[{"type": "mcp"}, *[{"type": "function", "name": "f"}] * 2]),
            "session.tools[2].name",
        ),
        (session(instructions=3), "session.instructions"),
        (session(tools=[{"type": "function"}]), "session.tools[0].name"),
        (session(max_output_tokens="many"), "session.max_output_tokens"),
        (session(max_output_tokens=True), "session.max_output_tokens"),
        (session(tool_choice={"type": "hologram"}), "session.tool_choice"),
    ],
)
def test_bad_sessions(bad: dict[str, Any], param: str):
    with pytest.raises(Refusal) as refusal:
        check_session(bad)
    assert refusal.value.param == param
    assert refusal.value.code == "invalid_value"
    assert refusal.value.kind == "invalid_request_error"
