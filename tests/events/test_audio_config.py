from __future__ import annotations

import pytest

from rtagent import events


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"type": "audio/pcm", "rate": 24_000}, events.PcmFormat()),
        ({"type": "audio/pcm", "rate": 16_000}, events.PcmFormat(rate=16_000)),
        ({"type": "audio/pcmu"}, events.PcmuFormat()),
        ({"type": "audio/pcma"}, events.PcmaFormat()),
        ({"type": "audio/opus"}, events.UnknownFormat(type="audio/opus")),
    ],
)
def test_formats(wire, expected):
    ear = events.AudioInput.model_validate({"format": wire})
    assert ear.format == expected
    assert events.AudioInput(format=expected).model_dump(exclude_unset=True) == {"format": wire}


def test_the_rate_of_pcm_is_always_written():
    assert events.PcmFormat().model_dump(exclude_unset=True) == {"type": "audio/pcm", "rate": 24_000}


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "server_vad", "threshold": 0.5, "idle_timeout_ms": None}, events.ServerVad),
        ({"type": "semantic_vad", "eagerness": "extreme"}, events.SemanticVad),
        (
            {"type": "azure_semantic_vad", "create_response": True, "languages": ["en"]},
            events.UnknownTurnDetection,
        ),
        ({"threshold": 0.5, "silence_duration_ms": 200}, events.ServerVad),
    ],
)
def test_turn_detection(wire, model):
    ear = events.AudioInput.model_validate({"turn_detection": wire})
    assert type(ear.turn_detection) is model
    assert ear.model_dump(exclude_unset=True) == {"turn_detection": wire}


@pytest.mark.parametrize("name", ["transcription", "noise_reduction", "turn_detection"])
def test_null_switches_off_and_leaving_out_does_not(name):
    assert events.AudioInput(**{name: None}).model_dump(exclude_unset=True) == {name: None}
    assert events.AudioInput().model_dump(exclude_unset=True) == {}


def test_untouched_turn_detection_is_written_with_its_type_alone():
    ear = events.AudioInput(turn_detection=events.ServerVad())
    assert ear.model_dump(exclude_unset=True) == {"turn_detection": {"type": "server_vad"}}


@pytest.mark.parametrize(("wire", "voice"), [("marin", "marin"), ({"id": "v1"}, events.VoiceId(id="v1"))])
def test_a_voice_is_a_name_or_an_id(wire, voice):
    assert events.AudioOutput.model_validate({"voice": wire}).voice == voice
