from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rtagent import events
from rtagent.events._dialect import Dialect
from rtagent.events._normal import expected, left_out, normalise, standard_name
from rtagent.events._profiles import PROFILES

REALTIME = [pytest.param(one, id=name) for name, one in PROFILES.items() if one.protocol == "realtime"]
QWEN, XAI, VLLM, BETA, GA = (PROFILES[name] for name in ("qwen-omni", "xai", "vllm", "beta", "openai"))
VLLM_BARE = VLLM.model_copy(update={"missing_fields": VLLM.missing_fields | {"session", "usage"}})
KNOWN = events.SERVER_EVENTS
PCM = {"type": "audio/pcm", "rate": 24_000}
FLAT_SESSION: dict[str, Any] = {
    "id": "sess_1",
    "modalities": ["text", "audio"],
    "voice": "alloy",
    "input_audio_format": "pcm16",
    "output_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "m"},
    "turn_detection": None,
    "max_response_output_tokens": "inf",
    "temperature": 0.8,
}


def named(kind: str, dialect: Dialect = GA, **fields: Any) -> tuple[str, dict[str, Any], list[str]]:
    raw, departures = {"type": kind, **fields}, list[str]()
    return standard_name(raw, dialect, KNOWN, departures), raw, departures


def normal(raw: dict[str, Any], dialect: Dialect = GA) -> tuple[dict[str, Any], list[str]]:
    departures: list[str] = []
    normalise(raw, dialect, departures)
    return raw, departures


def session_of(session: dict[str, Any], dialect: Dialect = GA) -> tuple[dict[str, Any], list[str]]:
    raw, departures = normal({"type": "session.updated", "session": session}, dialect)
    return raw["session"], departures


@pytest.mark.parametrize(
    ("kind", "dialect", "name", "told"),
    [
        ("error", GA, "error", []),
        ("response.text.done", BETA, "response.output_text.done", []),
        ("response.output_text.done", BETA, "response.output_text.done", []),
        ("response.text.done", GA, "response.output_text.done", ["the type is written 'response.text.done'"]),
        (" error\n", GA, "error", ["there are blanks around the type"]),
        ("transcription.done", VLLM, "conversation.item.input_audio_transcription.completed", []),
        ("transcription.done", GA, "transcription.done", []),
        (" new ", GA, "new", []),
    ],
)
def test_names(kind, dialect, name, told):
    found, raw, departures = named(kind, dialect)
    assert (found, departures) == (name, told)
    assert raw["type"] == (name if name in KNOWN else kind)


@pytest.mark.parametrize(
    ("fields", "session", "told"),
    [
        ({"session": {"id": "s"}}, {"id": "s", "type": "transcription"}, []),
        ({"session": {"type": "other"}}, {"type": "other"}, []),
        ({"session": None}, {"type": "transcription"}, ["session is missing"]),
        ({"id": "s", "created": 1}, {"id": "s", "type": "transcription"}, ["session is missing"]),
        ({"session": 5}, 5, []),
    ],
)
def test_transcription_sessions_say_what_they_are(fields, session, told):
    name, raw, departures = named("transcription_session.updated", BETA, **fields)
    assert name == "session.updated"
    assert (raw["session"], departures) == (session, told)
    assert normal(raw, BETA)[1] == [], "what is missing is told once"


@pytest.mark.parametrize("dialect", REALTIME)
def test_flat_sessions_are_read_in_every_dialect(dialect):
    session, departures = session_of(dict(FLAT_SESSION), dialect)
    assert session == {
        "id": "sess_1",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "temperature": 0.8,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": dialect.input_rates[0]},
                "transcription": {"model": "m"},
                "turn_detection": None,
            },
            "output": {"voice": "alloy", "format": {"type": "audio/pcmu"}},
        },
    }
    told = {"flat": 0, "voice_on_top": 5}.get(dialect.session_shape, 7)
    assert len(departures) == len(set(departures)) == told


def test_departures_name_both_places():
    assert session_of({"voice": "a"})[1] == ["session.voice stands for session.audio.output.voice"]
    assert session_of({"voice": "a", "turn_detection": None}, XAI)[1] == []


@pytest.mark.parametrize("dialect", REALTIME)
def test_todays_sessions_are_read_in_every_dialect(dialect):
    session = {"type": "realtime", "audio": {"input": {"format": dict(PCM)}, "output": {"voice": "a"}}}
    before = json.loads(json.dumps(session))
    assert session_of(session, dialect) == (before, [])


@pytest.mark.parametrize("session", [{}, {"audio": None}, {"audio": {"input": None}}, {"audio": 5}])
def test_nothing_is_invented(session):
    before = json.loads(json.dumps(session))
    assert session_of(session) == (before, [])


@pytest.mark.parametrize(
    ("dialect", "told"), [(GA, ["session.audio.output.format is a name"]), (BETA, [])], ids=["ga", "flat"]
)
def test_formats_that_are_names(dialect, told):
    session, departures = session_of({"audio": {"output": {"format": "audio/pcm"}}}, dialect)
    assert (session["audio"]["output"]["format"], departures) == (PCM, told)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "audio/pcm"}, {"type": "audio/pcm", "rate": 16_000}),
        ({"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcm", "rate": 24_000}),
        ({"type": "audio/pcm", "rate": None}, {"type": "audio/pcm", "rate": None}),
        ({"type": "audio/pcmu"}, {"type": "audio/pcmu"}),
        (None, None),
    ],
)
def test_a_format_without_a_rate_has_that_of_the_dialect(form, expected):
    session, _ = session_of({"audio": {"input": {"format": form}}}, QWEN)
    assert session["audio"]["input"]["format"] == expected


def test_a_format_without_a_rate_stays_where_the_protocols_rate_holds():
    assert session_of({"input_audio_format": {"type": "audio/pcm"}}, BETA)[0] == {
        "audio": {"input": {"format": {"type": "audio/pcm"}}}
    }


@pytest.mark.parametrize(
    ("detection", "expected"),
    [(None, None), ({"type": None}, None), ({}, {}), ({"type": "client_vad"}, {"type": "client_vad"})],
)
def test_turn_detection_of_no_kind_is_none(detection, expected):
    session, _ = session_of({"turn_detection": detection}, XAI)
    assert session["audio"]["input"]["turn_detection"] == expected


@pytest.mark.parametrize("missing", [{}, {"session": None}])
@pytest.mark.parametrize(("dialect", "told"), [(GA, ["session is missing"]), (VLLM_BARE, [])])
def test_a_session_on_the_level_of_its_event(missing, dialect, told):
    raw, departures = normal({"type": "session.created", "id": "s", "created": 1, **missing}, dialect)
    assert raw == {"type": "session.created", "created": 1, "session": {"id": "s"}}
    assert departures == told
    event = events.decode(json.dumps({"type": "session.created", "id": "s", "event_id": "e"}), dialect)
    assert event.departures == tuple(told)


def test_a_session_that_is_no_object_is_left_to_validation():
    assert normal({"type": "session.created", "session": "x"}) == (
        {"type": "session.created", "session": "x"},
        [],
    )


BETA_RESPONSE = {
    "id": "r",
    "modalities": ["audio", "text"],
    "voice": "a",
    "output_audio_format": "pcm16",
    "max_output_tokens": 9,
}


@pytest.mark.parametrize("dialect", REALTIME)
@pytest.mark.parametrize("kind", ["response.created", "response.done"])
def test_older_responses_are_read_in_every_dialect(dialect, kind):
    raw, departures = normal({"type": kind, "response": dict(BETA_RESPONSE)}, dialect)
    assert raw["response"] == {
        "id": "r",
        "max_output_tokens": 9,
        "output_modalities": ["audio"],
        "audio": {"output": {"voice": "a", "format": {"type": "audio/pcm", "rate": dialect.output_rates[0]}}},
    }
    assert len(departures) == {"flat": 0, "voice_on_top": 2}.get(dialect.session_shape, 3)


@pytest.mark.parametrize("response", [{}, {"response": 5}])
def test_a_response_that_is_none_is_left_to_validation(response):
    assert normal({"type": "response.done", **response}) == ({"type": "response.done", **response}, [])


@pytest.mark.parametrize(
    ("inside", "beside", "expected"),
    [({}, {"total_tokens": 1}, 1), ({"usage": {"total_tokens": 2}}, {"total_tokens": 1}, 2), ({}, "x", None)],
)
def test_usage_beside_the_response_is_not_lost(inside, beside, expected):
    event = events.decode(json.dumps({"type": "response.done", "response": inside, "usage": beside}))
    assert isinstance(event, events.ResponseDone)
    assert (event.response.usage and event.response.usage.total_tokens) == expected


@pytest.mark.parametrize(
    ("error", "ga", "vllm"),
    [
        ({"error": {"type": "t", "message": "m"}}, [], []),
        ({"error": "busy"}, ["error is not an object"], []),
        ({"error": 5}, ["error is not an object"], ["error is not an object"]),
        ({"error": {"message": "m"}}, ["error.type is missing"], []),
        ({"error": {"type": "t", "message": None}}, ["error.message is missing"], []),
        ({"error": None}, ["error is not an object"], ["error is not an object"]),
        ({}, ["error is missing"], ["error is missing"]),
    ],
)
def test_unusual_errors(error, ga, vllm):
    for dialect, told in ((GA, ga), (VLLM, vllm)):
        event = events.decode(json.dumps({"type": "error", "event_id": "e", **error}), dialect)
        assert isinstance(event, events.Error)
        assert list(event.departures) == told


def test_renamed_fields_do_not_hide_ours():
    kind = "input_audio_buffer.dtmf_event_received"
    assert normal({"type": kind, "digit": "5"}, XAI)[0] == {"type": kind, "event": "5"}
    both = {"type": kind, "digit": "5", "event": "6"}
    assert normal(dict(both), XAI)[0] == both


def test_words_without_an_item_are_kept_where_a_server_names_none():
    event = events.decode('{"type": "transcription.done", "text": "hello", "usage": {}}', VLLM)
    assert isinstance(event, events.ConversationItemInputAudioTranscriptionCompleted)
    assert (event.transcript, event.item_id, event.departures) == ("hello", "", ())
    assert isinstance(
        events.decode('{"type": "conversation.item.input_audio_transcription.completed", "transcript": "x"}'),
        events.MalformedFrame,
    )


def test_other_protocols_have_shapes_of_their_own():
    raw = {"type": "session.created", "session": {"voice": "a"}}
    assert normal(dict(raw), PROFILES["translation"]) == (raw, [])


@pytest.mark.parametrize(
    ("kind", "raw", "dialect", "told"),
    [
        ("input_audio_buffer.speech_started", {}, GA, ["event_id", "item_id", "audio_start_ms"]),
        ("input_audio_buffer.speech_started", {"item_id": "i"}, XAI, []),
        ("input_audio_buffer.dtmf_event_received", {"event": "1", "received_at": 1}, GA, []),
        ("conversation.item.input_audio_transcription.delta", {"event_id": "e", "item_id": "i"}, GA, []),
        ("conversation.item.added", {"event_id": "e", "item": {}}, GA, []),
        ("input_audio_buffer.cleared", {"event_id": None}, GA, []),
        ("response.output_audio.delta", dict.fromkeys(("event_id", "response_id", "item_id", "output_index"), 0), GA,
         ["content_index", "delta"]),
    ],
)  # fmt: skip
def test_what_a_frame_leaves_out(kind, raw, dialect, told):
    assert sorted(left_out(raw, KNOWN[kind], dialect)) == sorted(f"{name} is missing" for name in told)


def test_a_call_without_its_name_is_expected_of_inworld():
    frame = {"type": "response.function_call_arguments.done", "event_id": "e", "response_id": "r", "item_id": "i",
             "output_index": 0, "call_id": "c", "arguments": "{}"}  # fmt: skip
    assert left_out(frame, events.ResponseFunctionCallArgumentsDone, GA) == ["name is missing"]
    event = events.decode(json.dumps(frame), PROFILES["inworld"])
    assert isinstance(event, events.ResponseFunctionCallArgumentsDone)
    assert (event.name, event.arguments, event.departures) == (None, "{}", ())


def test_what_is_expected_is_what_the_catalogue_requires():
    catalogue = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))["server"]
    for kind, model in KNOWN.items():
        required = {name for name, field in catalogue[kind].items() if field["required"]} - {"type"}
        assert set(expected(model)) == required, kind


def test_events_beyond_the_catalogue_are_only_asked_for_their_place():
    model = next(iter(events.EXTENSION_EVENTS.values()))
    assert left_out({"item_id": "i"}, model, GA) == ["event_id is missing", "content_index is missing"]
