"""Every event of a server, damaged in every way that a table can name, in every dialect of the protocol."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtagent import events
from rtagent.events._normal import expected
from rtagent.events._profiles import PROFILES
from rtagent.events._server import ALWAYS_SENT

CATALOGUE: dict[str, Any] = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))
REALTIME = [pytest.param(one, id=name) for name, one in PROFILES.items() if one.protocol == "realtime"]
KINDS = list(events.SERVER_EVENTS)
OTHER_TYPES: tuple[Any, ...] = ({"odd": True}, [["odd"]], 5.5, "odd")
SCALARS = {"integer": 7, "number": 0.5, "boolean": True, "any": {"a": 1}, "string": "x"}
AUDIO = "AAABAAIA"
"""Three samples."""


def sample(fields: dict[str, Any]) -> dict[str, Any]:
    """A wire object that has every field."""
    return {name: value_of(field) for name, field in fields.items()}


def value_of(field: dict[str, Any]) -> Any:
    kind: str = field["type"].split(" | ")[0]
    if kind.startswith("map<"):
        return {"key": "x"}
    if kind.startswith("array<"):
        return [value_of({**field, "type": kind.removeprefix("array<").removesuffix(">")})]
    if "enum" in field and kind == "string":
        return field["enum"][0]
    return sample(CATALOGUE["definitions"][kind]) if "#" in kind else SCALARS[kind]


def frame_of(kind: str) -> dict[str, Any]:
    frame = sample(CATALOGUE["server"][kind])
    if kind == "response.output_audio.delta":
        frame["delta"] = AUDIO
    if "part" in frame:
        frame["part"] = {"type": "audio", "transcript": "x"}
    return {**frame, "type": kind}


def read(frame: dict[str, Any], dialect: events.Dialect = events.GA) -> events.ServerEvent:
    event = events.decode(json.dumps(frame), dialect)
    if isinstance(event, events.MalformedFrame):
        assert event.head == json.dumps(frame)[:200]
        assert event.reason.startswith(f"{frame['type']}: ")
    else:
        assert type(event) is events.SERVER_EVENTS[frame["type"]]
    return event


def told(event: events.ServerEvent) -> list[str]:
    """Everything that was said about a frame; nothing is said twice."""
    said = [event.reason] if isinstance(event, events.MalformedFrame) else list(event.departures)
    assert len(said) == len(set(said))
    return said


def written(event: events.ServerEvent) -> Any:
    return json.loads(events.encode(event))


def damaged(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field but the type dropped, nulled, retyped."""
    frame = frame_of(kind)
    for name in frame.keys() - {"type"}:
        yield name, {key: value for key, value in frame.items() if key != name}
        for other in (None, *OTHER_TYPES):
            yield name, {**frame, name: other}


@pytest.mark.parametrize("kind", KINDS)
def test_whole_frames_are_no_departure(kind):
    event = read(frame_of(kind))
    assert told(event) == []
    assert written(event) == frame_of(kind)


@pytest.mark.parametrize("dialect", REALTIME)
def test_damage_is_survived_in_every_dialect(dialect):
    for kind in KINDS:
        for name, frame in damaged(kind):
            event = read(frame, dialect)
            assert all(name in what for what in told(event)), (frame, told(event))
            if isinstance(event, events.ResponseOutputAudioDelta) and name != "delta":
                assert event.audio == b"\0\0\1\0\2\0"


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_not_there_is_told_once(kind):
    model = events.SERVER_EVENTS[kind]
    for name, field in model.model_fields.items():
        if name == "type" or name not in frame_of(kind):
            continue
        event = read({key: value for key, value in frame_of(kind).items() if key != name})
        if field.is_required() or name in ALWAYS_SENT & set(expected(model)):
            assert len(told(event)) == 1
        elif name not in expected(model):
            assert told(event) == []


@pytest.mark.parametrize("kind", KINDS)
def test_null_is_absent(kind):
    for name in frame_of(kind).keys() - {"type", "error", "session"}:
        frame = {**frame_of(kind), name: None}
        event = read(frame)
        if isinstance(event, events.MalformedFrame):
            assert events.SERVER_EVENTS[kind].model_fields[name].is_required()
            continue
        assert told(event) == []
        rest = {key: value for key, value in frame.items() if key != name}
        assert {key: value for key, value in written(event).items() if value is not None} == rest


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_read_is_told_once_and_costs_itself_alone(kind):
    for name in frame_of(kind).keys() - {"type", "error"}:
        for other in OTHER_TYPES:
            frame = {**frame_of(kind), name: other}
            event = read(frame)
            lost = [
                key
                for key in frame
                if not isinstance(event, events.MalformedFrame) and key not in written(event)
            ]
            assert lost in ([], [name])
            if lost or isinstance(event, events.MalformedFrame):
                assert len(told(event)) == 1


@pytest.mark.parametrize("dialect", REALTIME)
def test_unknown_fields_are_kept_at_every_depth(dialect):
    for kind in KINDS:
        frame = with_more(frame_of(kind))
        event = read(frame, dialect)
        assert told(event) == [], kind
        assert written(event) == frame


def with_more(value: Any) -> Any:
    """The same, each object of the protocol with a field of a vendor's."""
    if isinstance(value, list):
        return [with_more(one) for one in value]
    if not isinstance(value, dict):
        return value
    more = {key: with_more(one) for key, one in value.items()}
    return more if set(value) <= {"key", "a"} else {**more, "x_vendor": {"deep": [1, None]}}


ENUMS = [
    ("response.done", ("response", "status")),
    ("response.done", ("response", "status_details", "type")),
    ("response.done", ("response", "status_details", "reason")),
    ("response.done", ("response", "output_modalities", 0)),
    ("response.done", ("response", "output", 0, "type")),
    ("response.done", ("response", "output", 0, "role")),
    ("response.done", ("response", "output", 0, "status")),
    ("response.done", ("response", "audio", "output", "format", "type")),
    ("response.done", ("response", "audio", "output", "voice")),
    ("response.content_part.done", ("part", "type")),
    ("session.updated", ("session", "type")),
    ("session.updated", ("session", "model")),
    ("session.updated", ("session", "audio", "input", "format", "type")),
    ("session.updated", ("session", "audio", "input", "turn_detection", "type")),
    ("session.updated", ("session", "audio", "input", "noise_reduction", "type")),
    ("session.updated", ("session", "tools", 0, "type")),
    ("session.updated", ("session", "tool_choice")),
    ("session.updated", ("session", "truncation")),
    ("rate_limits.updated", ("rate_limits", 0, "name")),
    ("conversation.item.input_audio_transcription.completed", ("usage", "type")),
]


@pytest.mark.parametrize(
    ("kind", "path"),
    ENUMS,
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value,
)
@pytest.mark.parametrize("dialect", REALTIME)
def test_words_of_the_future_are_read(kind, path, dialect):
    frame = copy.deepcopy(frame_of(kind))
    owner: Any = frame
    for step in path[:-1]:
        owner = owner[step]
    owner[path[-1]] = "word_of_the_future"
    event = read(frame, dialect)
    assert told(event) == []
    assert written(event) == frame


@pytest.mark.parametrize("dialect", REALTIME)
@pytest.mark.parametrize("kind", ["text", "output_text", "audio", "output_audio"])
def test_both_spellings_of_parts_are_read_everywhere(dialect, kind):
    part = {"type": kind, ("text" if "text" in kind else "transcript"): "hello"}
    item = {"id": "i", "type": "message", "role": "assistant", "content": [part]}
    place = {"event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    model = events.OutputText if "text" in kind else events.OutputAudio
    frames: list[dict[str, Any]] = [
        *(
            {"type": f"conversation.item.{name}", "item": item}
            for name in ("added", "created", "done", "retrieved")
        ),
        *({"type": f"response.output_item.{name}", "item": item} for name in ("added", "done")),
        *({"type": f"response.content_part.{name}", "part": part} for name in ("added", "done")),
        {"type": "response.done", "response": {"output": [item]}},
    ]
    for frame in frames:
        event: Any = read({**place, **frame}, dialect)
        item_read = event.response.output[0] if hasattr(event, "response") else getattr(event, "item", None)
        assert type(event.part if item_read is None else item_read.content[0]) is model
        assert event.departures == ()


@pytest.mark.parametrize("dialect", REALTIME)
@pytest.mark.parametrize("session", [{"voice": {"id": "v"}}, {"audio": {"output": {"voice": {"id": "v"}}}}])
def test_custom_voices_are_read_in_every_place(dialect, session):
    event = read({"type": "session.updated", "event_id": "e", "session": session}, dialect)
    assert isinstance(event, events.SessionUpdated)
    assert event.session.audio is not None
    assert event.session.audio.output is not None
    assert event.session.audio.output.voice == events.VoiceId(id="v")
    assert event.defects == ()


@pytest.mark.parametrize("dialect", REALTIME)
@pytest.mark.parametrize(
    "name", ["response.audio.delta", "response.output_audio.delta", " response.output_audio.delta"]
)
@pytest.mark.parametrize(
    "more", [{}, {"response_id": None, "output_index": None}, {"item_id": 5, "content_index": {}, "x": 1}]
)
def test_audio_is_never_lost(dialect, name, more):
    event = events.decode(json.dumps({"type": name, "delta": AUDIO, **more}), dialect)
    assert isinstance(event, events.ResponseOutputAudioDelta)
    assert event.audio == b"\0\0\1\0\2\0"
    assert len(event.defects) == sum(value is not None for key, value in more.items() if key != "x")


def test_audio_that_is_none_is_told_once():
    assert read({**frame_of("response.output_audio.delta"), "delta": "!"}).departures == (
        "delta: not base64",
    )


@pytest.mark.parametrize("dialect", REALTIME)
def test_transcripts_that_grow_replace_each_other(dialect):
    kind = "conversation.item.input_audio_transcription.updated"
    heard = ["turn of", "turn off the", "turn on the light"]
    frames = [json.dumps({"type": kind, "transcript": text}) for text in heard]
    assert [getattr(events.decode(frame, dialect), "transcript", None) for frame in frames] == heard
