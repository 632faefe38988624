from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtagent import events
from rtagent.errors import LocalProtocolError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
DELTA = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
MESSAGE = {
    "id": "i",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_audio", "transcript": "hello"}],
}
VALID: list[dict[str, Any]] = [
    {"type": "error", "error": {"type": "server_error", "message": "no"}},
    {
        "type": "session.updated",
        "session": {"type": "realtime", "tools": [{"type": "function", "name": "f"}]},
    },
    {"type": "conversation.item.done", "item": MESSAGE, "previous_item_id": None},
    {"type": "response.done", "response": {"output": [MESSAGE], "usage": {"total_tokens": 3}}},
    {"type": "response.content_part.added", **DELTA, "part": {"type": "audio", "transcript": ""}},
    {"type": "response.output_audio.delta", **DELTA, "delta": "AAAA"},
    {"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "limit": 1}]},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [deeper for key, one in inner for deeper in ((*path, key), *places(one, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event in which a few values were replaced, removed or added."""
    frame: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    for _ in range(draw(st.integers(1, 3))):
        *above, key = draw(st.sampled_from(places(frame)))
        owner: Any = frame
        for step in above:
            owner = owner[step]
        if draw(st.booleans()):
            owner[key] = draw(JSON)
        else:
            del owner[key]
        if not places(frame):
            break
    return frame


def check_reading(frame: str | bytes) -> None:
    event = events.decode(frame)
    assert isinstance(event, events.ServerEvent)
    assert all(isinstance(defect, str) for defect in event.defects)
    if not isinstance(event, events.MalformedFrame):
        again = events.decode(events.encode(event))
        assert type(again) is type(event)


@given(JSON)
def test_any_json_can_be_read(value):
    check_reading(json.dumps(value))


@given(mutated())
def test_damaged_events_can_be_read(frame):
    check_reading(json.dumps(frame))


@given(st.sampled_from(VALID), st.data())
def test_cut_frames_can_be_read(event, data):
    frame = json.dumps(event).encode()
    check_reading(frame[: data.draw(st.integers(0, len(frame)))])


@given(st.binary() | st.text(st.characters()))
@example("\ud800")
@example("[" * 10_000)
@example('{"type": "x", "n": ' + "9" * 5_000 + "}")
@example('{"type": "response.output_text.delta", "output_index": 1e999}')
@example('{"type": "new", "n": NaN}')
def test_any_frame_can_be_read(frame):
    check_reading(frame)


@given(mutated() | st.dictionaries(st.sampled_from(["type", "event_id", "audio"]), JSON))
def test_a_client_is_refused_and_never_crashes_the_server(frame):
    for kind in events.CLIENT_EVENTS:
        try:
            event = events.decode_client(json.dumps({**frame, "type": kind}))
        except events.ClientEventError:
            continue
        assert events.decode_client(events.encode(event)) == event


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff", "not JSON"),
        ("\ud800", "not JSON"),
        ("[1]", "not a JSON object with a type"),
        ('"error"', "not a JSON object with a type"),
        ("{}", "not a JSON object with a type"),
        ('{"type": 5}', "not a JSON object with a type"),
        ('{"type": "response.done"}', "response.done: response: Field required"),
    ],
)
def test_what_is_no_event_is_reported(frame, reason):
    event = events.decode(frame)
    assert isinstance(event, events.MalformedFrame)
    assert event.reason.startswith(reason)


def test_a_report_shows_only_the_beginning():
    event = events.decode(b"{" + b"x" * 1_000)
    assert isinstance(event, events.MalformedFrame)
    assert event.head == "{" + "x" * 199


@pytest.mark.parametrize("extra", [{}, {"event_id": "e"}, {"event_id": 5}])
def test_unknown_types_pass_as_they_came(extra):
    raw = {"type": "conversation.item.speaker", "speaker": {"name": "x"}, **extra}
    event = events.decode(json.dumps(raw))
    assert isinstance(event, events.UnknownEvent)
    assert (event.type, event.raw) == ("conversation.item.speaker", raw)
    assert event.event_id == ("e" if extra.get("event_id") == "e" else None)
    assert json.loads(events.encode(event)) == raw


@pytest.mark.parametrize("kind", [" input_audio_buffer.cleared", "input_audio_buffer.cleared\n"])
def test_stray_blanks_around_a_type_are_ignored(kind):
    event = events.decode(json.dumps({"type": kind}))
    assert event == events.InputAudioBufferCleared()
    assert json.loads(events.encode(event)) == {"type": "input_audio_buffer.cleared"}


def test_unknown_fields_survive_a_round_trip():
    wire = {
        "type": "response.done",
        "vendor": {"a": [1, None]},
        "response": {"id": "r", "vendor": 1, "output": [{**MESSAGE, "vendor": True}]},
    }
    assert json.loads(events.encode(events.decode(json.dumps(wire)))) == wire


def test_a_damaged_event_is_read_as_far_as_it_goes():
    event = events.decode('{"type": "response.output_text.delta", "delta": "a", "response_id": 5}')
    assert event == events.ResponseOutputTextDelta(delta="a")
    assert event.defects == ("response_id: Input should be a valid string",)


CREATE = {"type": "conversation.item.create", "event_id": "e"}


@pytest.mark.parametrize(
    ("frame", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("\ud800", "invalid_json", None),
        ("[]", "invalid_json", None),
        ({"event_id": "e"}, "missing_required_parameter", "type"),
        ({"type": "session.start", "event_id": "e"}, "invalid_value", "type"),
        ({"type": ["x"], "event_id": "e"}, "invalid_value", "type"),
        ({"type": "response.cancel", "id": 1, "event_id": "e"}, "unknown_parameter", "id"),
        (CREATE, "missing_required_parameter", "item"),
        ({**CREATE, "item": 5}, "invalid_value", "item"),
        ({**CREATE, "item": {"type": "poem", "lines": []}}, "invalid_value", "item.type"),
        (
            {
                **CREATE,
                "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "txt": ""}]},
            },
            "unknown_parameter",
            "item.content[0].txt",
        ),
        (
            {**CREATE, "item": {"type": "function_call_output", "output": ""}},
            "missing_required_parameter",
            "item.call_id",
        ),
        (
            {
                "type": "session.update",
                "event_id": "e",
                "session": {"tools": [{"type": "function", "name": 5}]},
            },
            "invalid_value",
            "session.tools[0].name",
        ),
        ({"type": "input_audio_buffer.append", "event_id": "e", "audio": "!"}, "invalid_value", "audio"),
    ],
)
def test_a_server_refuses_in_the_words_of_the_protocol(frame, code, param):
    text = frame if isinstance(frame, str) else json.dumps(frame)
    with pytest.raises(events.ClientEventError) as refused:
        events.decode_client(text)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert refused.value.event_id == (None if isinstance(frame, str) else "e")


def test_an_event_id_that_is_no_text_is_not_echoed():
    with pytest.raises(events.ClientEventError) as refused:
        events.decode_client('{"type": "x", "event_id": {}}')
    assert refused.value.event_id is None


def test_a_session_update_without_a_type_is_left_to_the_server():
    event = events.decode_client('{"type": "session.update", "session": {"instructions": "x"}}')
    assert isinstance(event, events.SessionUpdate)
    assert event.session.model_dump(exclude_unset=True) == {"instructions": "x"}


@given(st.binary())
def test_the_short_way_of_an_append_is_the_long_one(pcm):
    assert json.loads(events.encode_append(pcm)) == json.loads(
        events.encode(events.InputAudioBufferAppend.of(pcm))
    )
    event = events.decode_client(events.encode_append(pcm))
    assert isinstance(event, events.InputAudioBufferAppend)
    assert event.pcm == pcm


def test_a_dialect_renames_both_ways():
    event = events.ResponseOutputTextDone(text="a")
    frame = events.encode(event, events.BETA)
    assert json.loads(frame) == {"type": "response.text.done", "text": "a"}
    assert events.decode(frame, events.BETA) == event


def test_a_report_cannot_be_sent():
    with pytest.raises(LocalProtocolError):
        events.encode(events.MalformedFrame(head="", reason=""))


def test_a_session_is_read_carefully_and_is_no_departure_for_that():
    session = {"type": "realtime", "id": "sess_1", "audio": {"input": {"turn_detection": None}}}
    event = events.decode(json.dumps({"type": "session.created", "event_id": "e", "session": session}))
    assert isinstance(event, events.SessionCreated)
    assert event.departures == ()
