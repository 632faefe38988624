from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.errors import Unsupported
from rtagent.events._dialect import Dialect
from rtagent.events._flat import rate_of
from rtagent.events._normal import normalise, standard_name
from rtagent.events._profiles import PROFILES
from rtagent.events._shapes import is_standard, shaped

FLAT = Dialect(name="flat", session_shape="flat", assistant_text="text")
TOP = Dialect(name="top", session_shape="voice_on_top")
MODEL = Dialect(name="model", session_shape="model_on_top")
PLAIN = Dialect(name="plain", response_overrides=False)
RENAMED = Dialect(name="renamed", spellings={"response.cancel": "response.stop"})
REALTIME = [one for one in PROFILES.values() if one.protocol == "realtime"]

VAD = events.ServerVad(threshold=0.6)
SESSION = events.RealtimeSession(
    instructions="x",
    output_modalities=["audio"],
    max_output_tokens="inf",
    audio=events.SessionAudio(
        input=events.AudioInput(format=events.PcmFormat(), transcription=None, turn_detection=VAD),
        output=events.AudioOutput(voice="alloy", format=events.PcmuFormat()),
    ),
)
DETECTION = {"type": "server_vad", "threshold": 0.6}


def wire(event: events.ClientEvent, dialect: Dialect) -> Any:
    return json.loads(events.encode(event, dialect))


@pytest.mark.parametrize(
    ("dialect", "differs"),
    [
        (events.GA, set()),
        (FLAT, {"session.update", "response.create", "conversation.item.create"}),
        (Dialect(name="x", session_shape="flat"), {"session.update", "response.create"}),
        (Dialect(name="x", assistant_text="text"), {"response.create", "conversation.item.create"}),
        (TOP, {"session.update"}),
        (MODEL, {"session.update"}),
        (PLAIN, {"response.create"}),
        (RENAMED, {"response.cancel"}),
    ],
)
def test_what_is_written_as_the_protocol_does(dialect, differs):
    assert {kind for kind in events.CLIENT_EVENTS if not is_standard(kind, dialect)} == differs


def test_a_flat_session():
    assert wire(events.SessionUpdate(session=SESSION, event_id="e"), FLAT) == {
        "type": "session.update",
        "event_id": "e",
        "session": {
            "instructions": "x",
            "modalities": ["text", "audio"],
            "max_response_output_tokens": "inf",
            "input_audio_format": "pcm16",
            "input_audio_transcription": None,
            "turn_detection": DETECTION,
            "output_audio_format": "g711_ulaw",
            "voice": "alloy",
        },
    }


def test_voice_and_turn_detection_on_top():
    session = wire(events.SessionUpdate(session=SESSION), TOP)["session"]
    assert session == {
        "type": "realtime",
        "instructions": "x",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "voice": "alloy",
        "turn_detection": DETECTION,
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 24_000}, "transcription": None},
            "output": {"format": {"type": "audio/pcmu"}},
        },
    }


@pytest.mark.parametrize("dialect", [FLAT, TOP])
def test_manual_turns_are_said_and_silence_is_silence(dialect):
    manual = events.RealtimeSession(audio=events.SessionAudio(input=events.AudioInput(turn_detection=None)))
    assert wire(events.SessionUpdate(session=manual), dialect)["session"]["turn_detection"] is None
    silent = wire(events.SessionUpdate(session=events.RealtimeSession(instructions="")), dialect)["session"]
    assert {**silent, "type": "realtime"} == {"type": "realtime", "instructions": ""}


EAR = events.AudioInput(transcription=events.InputTranscription(model="ear"))
WRITING = events.TranscriptionSession(audio=events.SessionAudio(input=EAR))


def test_a_flat_transcription_session_has_an_event_of_its_own():
    expected = {
        "type": "transcription_session.update",
        "session": {"input_audio_transcription": {"model": "ear"}},
    }
    assert wire(events.SessionUpdate(session=WRITING), FLAT) == expected


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (events.RealtimeSession(model="m", instructions="x"), {"model": "m"}),
        (WRITING, {"model": "ear"}),
        (events.TranscriptionSession(), {}),
        (events.TranscriptionSession(audio=events.SessionAudio(input=events.AudioInput())), {}),
    ],
)
def test_a_model_and_nothing_else(session, expected):
    event = events.SessionUpdate(session=session, event_id="e")
    assert wire(event, MODEL) == {"type": "session.update", **expected}


def test_names_of_events():
    assert wire(events.ResponseCancel(), RENAMED) == {"type": "response.stop"}
    renamed = RENAMED.model_copy(update={"spellings": {"session.update": "session.change"}})
    assert wire(events.SessionUpdate(session=WRITING), renamed)["type"] == "session.change"
    live = Dialect(name="x", protocol="live", session_shape="flat")
    raw = {"type": "session.update", "session": {"max_output_tokens": 1}}
    assert shaped(raw, live) == raw


SAID = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "yes"}]}
ASKED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "is it?"}]}


def test_an_assistants_text_in_items_and_in_the_input_of_a_response():
    item = events.assistant_message("yes")
    assert wire(events.ConversationItemCreate(item=item), FLAT)["item"] == SAID
    question = events.user_message("is it?")
    assert wire(events.ConversationItemCreate(item=question), FLAT)["item"] == ASKED
    params = events.ResponseParams(input=[question, item, events.ItemReference(id="i")])
    context = wire(events.ResponseCreate(response=params), FLAT)["response"]["input"]
    assert context == [ASKED, SAID, {"type": "item_reference", "id": "i"}]


@pytest.mark.parametrize(
    "item", [{"role": "assistant"}, {"role": "assistant", "content": [5, {"type": "audio"}]}, 5]
)
def test_other_items_pass(item):
    raw = {"type": "conversation.item.create", "item": item}
    assert shaped(raw, FLAT) == raw


PARAMS = events.ResponseParams(
    output_modalities=["text"],
    max_output_tokens=9,
    input=[],
    conversation="none",
    audio=events.SessionAudio(output=events.AudioOutput(voice="v", format=events.PcmFormat())),
)


def test_a_flat_response():
    assert wire(events.ResponseCreate(response=PARAMS), FLAT)["response"] == {
        "modalities": ["text"],
        "max_response_output_tokens": 9,
        "input": [],
        "conversation": "none",
        "voice": "v",
        "output_audio_format": "pcm16",
    }


@pytest.mark.parametrize("dialect", [FLAT, PLAIN])
def test_a_response_without_wishes(dialect):
    assert wire(events.ResponseCreate(), dialect) == {"type": "response.create"}


@pytest.mark.parametrize(
    "params",
    [
        events.ResponseParams(),
        events.ResponseParams(metadata={"a": "b"}, conversation="auto"),
        events.ResponseParams(instructions=None),
    ],
)
def test_what_says_nothing_is_dropped_where_responses_take_no_settings(params):
    assert wire(events.ResponseCreate(response=params, event_id="e"), PLAIN) == {
        "type": "response.create",
        "event_id": "e",
    }


@pytest.mark.parametrize(
    ("params", "name"),
    [
        (events.ResponseParams(instructions=""), "instructions"),
        (events.ResponseParams(input=[]), "input"),
        (events.ResponseParams(conversation="none"), "conversation"),
    ],
)
def test_what_says_something_is_refused_there(params, name):
    with pytest.raises(Unsupported, match=f"a response with its own {name}"):
        events.encode(events.ResponseCreate(response=params), PLAIN)


def formats(rate: int) -> st.SearchStrategy[Any]:
    known: list[Any] = [
        {"type": "audio/pcm", "rate": rate},
        {"type": "audio/pcmu"},
        {"type": "audio/pcma"},
        None,
    ]
    return st.sampled_from([*known, {"type": "opus"}, {"type": "opus", "kbps": 32}])


def some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def sides(dialect: Dialect) -> dict[str, st.SearchStrategy[Any]]:
    detection = st.none() | st.just({"type": "semantic_vad", "eagerness": "low"}) | st.just({"type": "new"})
    ear = {
        "format": formats(rate_of("input", dialect)),
        "transcription": st.none() | st.just({"model": "m"}),
        "noise_reduction": st.none() | st.just({"type": "near_field"}),
        "turn_detection": detection,
        "vendor": st.just(1),
    }
    voice = st.sampled_from(["alloy", {"id": "v"}])
    mouth = {"format": formats(rate_of("output", dialect)), "voice": voice, "speed": st.just(1.5)}
    return {"input": some(ear), "output": some(mouth)}


@st.composite
def configured(draw: st.DrawFn) -> tuple[Dialect, dict[str, Any]]:
    """A dialect and what a program could say in it."""
    dialect = draw(st.sampled_from([one for one in REALTIME if one.session_shape != "model_on_top"]))
    fields = {
        "output_modalities": st.sampled_from([["audio"], ["text"], None]),
        "max_output_tokens": st.sampled_from([5, "inf"]),
        "instructions": st.just(""),
        "tools": st.just([]),
        "temperature": st.just(0.8),
        "audio": some(sides(dialect)),
    }
    return dialect, draw(some(fields))


def without_emptied(value: Any) -> Any:
    """Objects that hold nothing say nothing."""
    if not isinstance(value, dict):
        return value
    inner = {key: without_emptied(one) for key, one in value.items()}
    return {key: one for key, one in inner.items() if one != {}}


def back(raw: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    departures: list[str] = []
    standard_name(raw, dialect, events.SERVER_EVENTS, departures)
    normalise(raw, dialect, departures)
    assert departures == []
    return raw


@given(configured(), st.sampled_from(["realtime", "transcription"]))
def test_a_session_comes_back_as_it_was_said(said, kind):
    dialect, fields = said
    raw = {"type": "session.update", "session": {**fields, "type": kind}}
    before = copy.deepcopy(raw)
    sent = shaped(raw, dialect)
    assert raw == before
    answer = back({**copy.deepcopy(sent), "type": f"{sent['type']}d"}, dialect)
    assert answer["session"].pop("type", "realtime") == kind
    assert without_emptied(answer["session"]) == without_emptied(fields)


@given(configured())
def test_a_response_comes_back_as_it_was_said(said):
    dialect, fields = said
    mouth = {"output": {k: v for k, v in fields.pop("audio", {}).get("output", {}).items() if k != "speed"}}
    raw = {"type": "response.create", "response": {**fields, "audio": mouth}}
    before = copy.deepcopy(raw)
    sent = shaped(raw, dialect)
    assert raw == before
    answer = back({"type": "response.created", "response": copy.deepcopy(sent["response"])}, dialect)
    assert without_emptied(answer["response"]) == without_emptied(before["response"])


def test_turn_detection_is_switched_off_by_the_dialects_own_word():
    glm = events.PROFILES["glm"]
    ear = events.AudioInput(turn_detection=None)
    update = events.SessionUpdate(session=events.RealtimeSession(audio=events.SessionAudio(input=ear)))
    wire = json.loads(events.encode(update, glm))
    assert wire["session"]["turn_detection"] == {"type": "client_vad"}
    event = events.decode(json.dumps({**wire, "type": "session.updated"}), glm)
    assert isinstance(event, events.SessionUpdated)
    assert event.session.audio is not None
    assert event.session.audio.input == ear
