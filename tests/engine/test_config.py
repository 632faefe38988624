"""The effective session: merging, clearing, refusing, and what the core reads of it."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.audio import AudioFormat
from rtagent.engine._config import SessionConfig
from rtagent.engine._validation import Refusal


def config(**session: Any) -> SessionConfig:
    return SessionConfig(session_id="sess_1", model="rtagent-local", expires_at=123, **session)


def wire(session: SessionConfig) -> dict[str, Any]:
    return session.snapshot.model_dump(mode="json", exclude_unset=True)


def update(session: SessionConfig, *, voice_was_heard: bool = False, **change: Any) -> dict[str, Any]:
    session.update({"type": "realtime", **change}, voice_was_heard=voice_was_heard)
    return wire(session)


def test_a_fresh_session_is_complete():  # S3
    shown = wire(config(instructions="Be brief.", tools=[{"type": "function", "name": "f"}]))
    assert {key: shown[key] for key in ("type", "object", "id", "model", "expires_at")} == {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": "rtagent-local",
        "expires_at": 123,
    }
    assert shown["instructions"] == "Be brief."
    assert shown["tools"] == [{"type": "function", "name": "f"}]
    assert shown["output_modalities"] == ["audio"]
    assert shown["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert shown["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    assert shown["audio"]["output"]["voice"] == "alloy"


def test_an_update_merges_at_every_depth():
    session = config()
    update(session, audio={"input": {"turn_detection": {"silence_duration_ms": 200}}})
    shown = update(session, audio={"output": {"speed": 1.25}}, instructions="Sing.")
    assert shown["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    assert (shown["audio"]["output"]["speed"], shown["audio"]["output"]["voice"]) == (1.25, "alloy")


def test_another_kind_of_turn_detection_starts_from_its_defaults():
    session = config()
    shown = update(session, audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}})
    assert shown["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": True,
    }
    shown = update(session, audio={"input": {"turn_detection": {"type": "server_vad"}}})
    assert shown["audio"]["input"]["turn_detection"]["threshold"] == 0.5


@pytest.mark.parametrize(
    ("change", "path", "cleared"),
    [
        ({"audio": {"input": {"turn_detection": None}}}, ("audio", "input", "turn_detection"), None),
        ({"audio": {"input": {"transcription": None}}}, ("audio", "input", "transcription"), None),
        ({"audio": {"input": {"noise_reduction": None}}}, ("audio", "input", "noise_reduction"), None),
        ({"tracing": None}, ("tracing",), None),
        ({"tools": None}, ("tools",), []),
        ({"instructions": None}, ("instructions",), ""),
        ({"audio": {"output": {"speed": None}}}, ("audio", "output", "speed"), 1.0),
        (
            {"audio": {"input": {"turn_detection": {"silence_duration_ms": None}}}},
            ("audio", "input", "turn_detection", "silence_duration_ms"),
            500,
        ),
    ],
)
def test_null_clears(change: dict[str, Any], path: tuple[str, ...], cleared: object):
    session = config()
    update(
        session,
        tools=[{"type": "function", "name": "f"}],
        instructions="Sing.",
        tracing="auto",
        audio={
            "input": {
                "transcription": {"model": "x"},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": {"silence_duration_ms": 200},
            },
            "output": {"speed": 1.5},
        },
    )
    shown: Any = update(session, **change)
    for step in path:
        shown = shown[step]
    assert shown == cleared


def test_turn_detection_comes_back_after_null():
    session = config()
    update(session, audio={"input": {"turn_detection": None}})
    assert session.turn_taking is None
    update(session, audio={"input": {"turn_detection": {"create_response": False}}})
    assert session.turn_taking is not None
    assert session.turn_taking.create_response is False
    assert session.turn_taking.silence_duration_ms == 500


def test_what_is_only_approximated_is_accepted_and_echoed():  # S5
    shown = update(
        config(),
        tracing="auto",
        truncation={"type": "retention_ratio", "retention_ratio": 0.8},
        parallel_tool_calls=True,
        audio={
            "input": {
                "transcription": {"model": "gpt-4o-mini-transcribe", "language": "de"},
                "noise_reduction": {"type": "far_field"},
            },
            "output": {"voice": {"id": "voice_1"}},
        },
    )
    assert shown["tracing"] == "auto"
    assert shown["truncation"]["retention_ratio"] == 0.8
    assert shown["audio"]["input"]["transcription"] == {"model": "gpt-4o-mini-transcribe", "language": "de"}
    assert shown["audio"]["input"]["noise_reduction"] == {"type": "far_field"}
    assert shown["audio"]["output"]["voice"] == {"id": "voice_1"}


def test_an_update_with_nothing_but_tracing_is_fine():  # S5
    assert update(config(), tracing={"workflow_name": "w"})["tracing"] == {"workflow_name": "w"}


def test_model_and_identity_stay():
    shown = update(config(), model="gpt-realtime-2.1", id="sess_2", expires_at=9)
    assert (shown["model"], shown["id"], shown["expires_at"]) == ("rtagent-local", "sess_1", 123)


def test_pcm_without_a_rate_has_the_only_rate():  # S11
    shown = update(config(), audio={"input": {"format": {"type": "audio/pcm"}}})
    assert shown["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("audio/pcm", AudioFormat.pcm16(24_000)),
        ("audio/pcmu", AudioFormat.pcmu()),
        ("audio/pcma", AudioFormat.pcma()),
    ],
)
def test_formats_both_ways(name: str, layout: AudioFormat):
    session = config()
    chosen = {"format": {"type": name}}
    update(session, audio={"input": chosen, "output": chosen})
    assert session.input_format == layout
    assert session.for_response({}).format == layout


@pytest.mark.parametrize(
    ("change", "param"),
    [
        (
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
            "session.audio.input.format.rate",
        ),
        ({"audio": {"input": {"format": {"type": "audio/opus"}}}}, "session.audio.input.format"),
        ({"audio": {"output": {"speed": 2}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"voice": ""}}}, "session.audio.output.voice"),
        ({"audio": {"output": {"voice": 7}}}, "session.audio.output.voice.str"),
        ({"output_modalities": ["text", "audio"]}, "session.output_modalities"),
        ({"max_output_tokens": 0}, "session.max_output_tokens"),
        ({"max_output_tokens": 4097}, "session.max_output_tokens"),
        ({"tools": [{"type": "function", "name": "a b"}]}, "session.tools[0].name"),
        (
            {"tools": [{"type": "function", "name": "f"}, {"type": "function", "name": "f"}]},
            "session.tools[1].name",
        ),
        ({"tool_choice": "sometimes"}, "session.tool_choice"),
        (
            {"audio": {"input": {"turn_detection": {"type": "psychic"}}}},
            "session.audio.input.turn_detection.type",
        ),
        (
            {"audio": {"input": {"turn_detection": {"threshold": 1.5}}}},
            "session.audio.input.turn_detection.threshold",
        ),
    ],
)
def test_a_refused_update_changes_nothing(change: dict[str, Any], param: str):  # S4
    session = config()
    before = wire(session)
    with pytest.raises(Refusal) as refusal:
        update(session, instructions="must not stay", **change)
    assert refusal.value.param == param
    assert wire(session) == before


@pytest.mark.parametrize(
    ("kind", "code"), [(None, "missing_required_parameter"), ("transcription", "invalid_value")]
)
def test_the_type_is_mandatory(kind: str | None, code: str):
    with pytest.raises(Refusal) as refusal:
        config().update({"type": kind}, voice_was_heard=False)
    assert (refusal.value.code, refusal.value.param) == (code, "session.type")


def test_the_voice_is_frozen_once_it_was_heard():
    session = config()
    with pytest.raises(Refusal) as refusal:
        update(session, voice_was_heard=True, audio={"output": {"voice": "ash"}})
    assert refusal.value.code == "cannot_update_voice"
    assert update(session, voice_was_heard=True, audio={"output": {"voice": "alloy"}})
    assert update(session, voice_was_heard=False, audio={"output": {"voice": "ash"}})


@pytest.mark.parametrize(
    ("eagerness", "silence_ms"), [("low", 1200), ("medium", 700), ("auto", 700), ("high", 400)]
)
def test_semantic_turn_detection_is_approximated_by_patience(eagerness: str, silence_ms: int):
    session = config()
    update(session, audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}})
    taking = session.turn_taking
    assert taking is not None
    assert (taking.silence_duration_ms, taking.prefix_padding_ms, taking.threshold) == (silence_ms, 300, 0.5)


def test_a_response_has_the_settings_of_the_session():
    session = config(instructions="Be brief.", tools=[{"type": "function", "name": "f"}, {"type": "mcp"}])
    settings = session.for_response({})
    assert settings.spoken
    assert settings.instructions == "Be brief."
    assert [tool["name"] for tool in settings.tools] == ["f"]
    assert (settings.tool_choice, settings.max_output_tokens) == ("auto", None)
    assert (settings.voice, settings.speed) == ("alloy", 1.0)


def test_a_response_overrides_for_itself_only():
    session = config()
    settings = session.for_response(
        {
            "instructions": "Shout.",
            "output_modalities": ["text"],
            "max_output_tokens": 9,
            "tool_choice": "none",
            "tools": [{"type": "function", "name": "g"}],
            "metadata": {"k": "v"},
            "audio": {"output": {"voice": {"id": "v1"}, "format": {"type": "audio/pcmu"}}},
        }
    )
    assert not settings.spoken
    assert (settings.instructions, settings.max_output_tokens, settings.voice) == ("Shout.", 9, "v1")
    assert settings.format == AudioFormat.pcmu()
    assert settings.output == {"format": {"type": "audio/pcmu"}, "voice": {"id": "v1"}}
    assert settings.metadata == {"k": "v"}
    assert session.for_response({}).spoken


def test_a_response_cannot_override_with_nonsense():
    with pytest.raises(Refusal) as refusal:
        config().for_response({"output_modalities": []})
    assert refusal.value.param == "response.output_modalities"


def test_an_agent_that_cannot_work_is_refused_at_the_start():
    with pytest.raises(Refusal):
        config(tools=[{"type": "function", "name": "not a name"}])
