"""The vocabulary of Realtime translation, both ways."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rtagent import events
from rtagent.events import TRANSLATION, translation

REFERENCE = Path(__file__).parents[3] / "shared/reference/realtime_events.json"
SNAPSHOT: dict[str, Any] = {
    "id": "sess_1",
    "type": "translation",
    "expires_at": 1_800_000_000,
    "model": "gpt-realtime-translate",
    "audio": {
        "input": {"transcription": {"model": "gpt-transcribe"}, "noise_reduction": {"type": "near_field"}},
        "output": {"language": "es"},
    },
}
SERVER: list[dict[str, Any]] = [
    {"type": "error", "event_id": "e", "error": {"type": "invalid_request_error", "message": "no"}},
    {"type": "session.created", "event_id": "e", "session": SNAPSHOT},
    {"type": "session.updated", "event_id": "e", "session": SNAPSHOT},
    {"type": "session.closed", "event_id": "e"},
    {"type": "session.input_transcript.delta", "event_id": "e", "delta": "Hello", "elapsed_ms": 200},
    {"type": "session.output_transcript.delta", "event_id": "e", "delta": "Hola", "elapsed_ms": None},
    {
        "type": "session.output_audio.delta",
        "event_id": "e",
        "delta": "AAAA",
        "channels": 1,
        "format": "pcm16",
        "sample_rate": 24_000,
        "elapsed_ms": 400,
    },
]
CLIENT: list[tuple[events.ClientEvent, dict[str, Any]]] = [
    (translation.SessionClose(), {"type": "session.close"}),
    (
        translation.SessionInputAudioBufferAppend.of(b"\x01\x02\x03"),
        {"type": "session.input_audio_buffer.append", "audio": "AQID"},
    ),
    (
        translation.SessionUpdate(session=translation.TranslationSession.into("es"), event_id="e"),
        {"type": "session.update", "event_id": "e", "session": {"audio": {"output": {"language": "es"}}}},
    ),
    (
        translation.SessionUpdate(
            session=translation.TranslationSession(
                audio=translation.TranslationAudio(
                    input=translation.TranslationInput(
                        transcription=translation.SourceTranscription(model="m"), noise_reduction=None
                    )
                )
            )
        ),
        {
            "type": "session.update",
            "session": {"audio": {"input": {"transcription": {"model": "m"}, "noise_reduction": None}}},
        },
    ),
]


def read(wire: dict[str, Any]) -> events.ServerEvent:
    return events.decode(json.dumps(wire), TRANSLATION)


def written(event: events.ClientEvent | events.ServerEvent) -> Any:
    return json.loads(events.encode(event, TRANSLATION))


@pytest.mark.parametrize("wire", SERVER, ids=lambda wire: str(wire["type"]))
def test_server_events_round_trip(wire: dict[str, Any]) -> None:
    event = read(wire)
    assert type(event) is translation.SERVER_EVENTS[wire["type"]]
    assert written(event) == wire
    assert event.departures == ()


@pytest.mark.parametrize(("event", "wire"), CLIENT, ids=lambda value: getattr(value, "type", ""))
def test_client_events_write_only_what_was_set(event: events.ClientEvent, wire: dict[str, Any]) -> None:
    assert written(event) == wire
    assert type(event) is translation.CLIENT_EVENTS[wire["type"]]
    assert type(event).model_validate(wire) == event


def test_the_tables_hold_every_event_of_the_protocol() -> None:
    assert [wire["type"] for wire in SERVER] == list(translation.SERVER_EVENTS)
    assert {wire["type"] for _, wire in CLIENT} == set(translation.CLIENT_EVENTS)
    with pytest.raises(TypeError):
        translation.SERVER_EVENTS["error"] = events.Error  # type: ignore[index]


def test_the_tables_hold_what_the_machine_readable_reference_holds() -> None:
    if not REFERENCE.exists():
        pytest.skip("the machine-readable reference is not on this machine")
    catalogue = json.loads(REFERENCE.read_text(encoding="utf-8"))["translation"]
    for side, known in (("client", translation.CLIENT_EVENTS), ("server", translation.SERVER_EVENTS)):
        assert set(catalogue[side]) == set(known)
        for kind, entry in catalogue[side].items():
            assert set(entry["fields"]) <= set(known[kind].model_fields)


def test_the_snapshot_is_read_whole() -> None:
    event = read(SERVER[1])
    assert isinstance(event, translation.SessionCreated)
    session = event.session
    assert (session.id, session.model, session.expires_at) == (
        "sess_1",
        "gpt-realtime-translate",
        1_800_000_000,
    )
    assert session.audio is not None
    assert session.audio.input is not None
    assert session.audio.output is not None
    assert session.audio.input.transcription == translation.SourceTranscription(model="gpt-transcribe")
    assert session.audio.input.noise_reduction == translation.NoiseReduction(type="near_field")
    assert session.audio.output.language == "es"


@pytest.mark.parametrize("kind", ["session.created", "session.updated"])
def test_a_snapshot_that_is_left_out_is_empty(kind: str) -> None:
    event = read({"type": kind})
    assert getattr(event, "session", None) == translation.TranslationSession()
    assert event.departures == ("event_id is missing",)


def test_the_voice_is_decoded_once() -> None:
    event = translation.SessionOutputAudioDelta.of(pcm=b"\x01\x02\x03", elapsed_ms=20, event_id="e")
    assert event.audio == b"\x01\x02\x03"
    assert event.audio is event.audio
    assert (event.channels, event.sample_rate, event.elapsed_ms, event.event_id) == (1, 24_000, 20, "e")
    assert written(translation.SessionOutputAudioDelta.of(pcm=b"\x01\x02\x03")) == {
        "type": "session.output_audio.delta",
        "delta": "AQID",
    }


def test_a_voice_that_is_no_base64_is_silent_and_says_so() -> None:
    event = read({"type": "session.output_audio.delta", "event_id": "e", "delta": "!"})
    assert isinstance(event, translation.SessionOutputAudioDelta)
    assert event.audio == b""
    assert event.defects == ("delta: not base64",)
    assert translation.SessionOutputAudioDelta.of(pcm=b"").defects == ()


def test_an_append_holds_samples() -> None:
    pcm = bytes(range(256))
    append = translation.SessionInputAudioBufferAppend.of(pcm, event_id="e")
    assert append.audio == base64.b64encode(pcm).decode()
    assert append.pcm == pcm
    assert append.pcm is append.pcm
    assert append.event_id == "e"
    assert written(append)["type"] == json.loads(events.encode_append(pcm, TRANSLATION))["type"]


def test_an_append_that_is_no_base64_is_refused() -> None:
    append = translation.SessionInputAudioBufferAppend(audio="!", event_id="e")
    with pytest.raises(events.ClientEventError, match="base64") as refused:
        _ = append.pcm
    assert (refused.value.code, refused.value.param, refused.value.event_id) == (
        "invalid_value",
        "audio",
        "e",
    )


def test_settings_of_other_sessions_are_refused_at_once() -> None:
    with pytest.raises(ValidationError, match="instructions"):
        translation.TranslationSession(instructions="Be brief.")
    with pytest.raises(ValidationError, match="voice"):
        translation.TranslationOutput(voice="marin")
