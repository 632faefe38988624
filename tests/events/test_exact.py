from __future__ import annotations

import copy
import json
import pickle
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import from_json

from rtagent import events
from rtagent.events._codec import _carefully
from rtagent.events._exact import exact_reader
from rtagent.events._profiles import PROFILES
from rtagent.events._vocabulary import vocabulary

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    NoneType: st.none(),
    Any: st.none() | st.integers() | st.lists(st.text(max_size=2), max_size=2),
}
VENDOR = st.dictionaries(st.sampled_from(["vendor", "obfuscation", "trace"]), PLAIN[Any], max_size=1)
PROTOCOLS = ("realtime", "live", "translation")
CLASSES = [
    (protocol, cls) for protocol in PROTOCOLS for cls in dict.fromkeys(vocabulary(protocol).server.values())
]
ANY_CLASS = st.sampled_from(CLASSES)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON values that a field of this type may hold."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([values(member) for member in arguments])
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    if isinstance(origin, type):  # a sequence
        return st.lists(values(arguments[0]), max_size=2)
    assert issubclass(annotation, BaseModel)
    return st.deferred(lambda: objects(annotation))


def objects(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects that a model reads, with or without what is optional, in any order."""
    fields = model.model_fields
    required = {name: values(field.annotation) for name, field in fields.items() if field.is_required()}
    optional = {name: values(field.annotation) for name, field in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def fits(annotation: Any) -> bool:
    """Whether a field holds text, numbers and the like, and nothing made of parts."""
    members = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return all(member in PLAIN or get_origin(member) is Literal for member in members)


@st.composite
def frames(draw: st.DrawFn) -> tuple[Any, type[events.ServerEvent], dict[str, Any]]:
    protocol, cls = draw(ANY_CLASS)
    whole = {name: values(field.annotation) for name, field in cls.model_fields.items()}
    fields = draw(st.fixed_dictionaries(whole) if draw(st.booleans()) else objects(cls))
    names = draw(st.permutations([*fields, "type"] if "type" not in fields else [*fields]))
    fields["type"] = cls.model_fields["type"].default
    return protocol, cls, {**{name: fields[name] for name in names}, **draw(VENDOR)}


def assert_same(event: events.ServerEvent, careful: events.ServerEvent) -> None:
    assert type(event) is type(careful)
    assert event == careful
    assert repr(event) == repr(careful)
    assert event.model_fields_set == careful.model_fields_set
    assert event.model_extra == careful.model_extra
    assert (event.defects, event.departures) == (careful.defects, careful.departures)
    if not isinstance(event, events.MalformedFrame):
        assert events.encode(event) == events.encode(careful)
    unpickled = pickle.loads(pickle.dumps(event))  # noqa: S301 -- our own
    assert unpickled == copy.copy(event) == copy.deepcopy(event) == careful


@given(frames(), st.data())
def test_the_short_way_and_the_careful_way_end_at_the_same_event(drawn, data):
    protocol, _, fields = drawn
    spoken = [dialect for dialect in PROFILES.values() if dialect.protocol == protocol]
    frame, dialect = json.dumps(fields), data.draw(st.sampled_from(spoken))
    assert_same(events.decode(frame, dialect), _carefully(frame, dialect))


FLAT = [
    (protocol, cls)
    for protocol, cls in CLASSES
    if all(fits(field.annotation) for field in cls.model_fields.values())
]


@pytest.mark.parametrize(("protocol", "cls"), FLAT)
@given(data=st.data())
@settings(max_examples=5)
def test_a_flat_frame_that_has_every_field_takes_the_short_way(protocol, cls, data):
    fields = {name: data.draw(values(field.annotation)) for name, field in cls.model_fields.items()}
    assert type(vocabulary(protocol).read_exactly(json.dumps(fields))) is cls


DELTA = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0, "event_id": "e"}
EXACT = {"type": "response.output_text.delta", **DELTA, "delta": "a"}


@pytest.fixture
def read():
    return exact_reader([events.ResponseOutputTextDelta, events.Error])


@pytest.mark.parametrize(
    "frame", [json.dumps(EXACT), json.dumps(EXACT).encode(), json.dumps(EXACT, indent=1)]
)
def test_text_and_bytes_are_read(read, frame):
    assert read(frame) == events.ResponseOutputTextDelta.model_validate(EXACT)


@pytest.mark.parametrize(
    "frame",
    [
        json.dumps({name: value for name, value in EXACT.items() if name != "item_id"}),
        json.dumps({**EXACT, "vendor": 1}),
        json.dumps({**EXACT, "delta": 5}),
        json.dumps({**EXACT, "type": "response.output_text.done"}),
        json.dumps({**EXACT, "type": None}),
        json.dumps({**DELTA, "type": "error", "error": {"message": "no"}}),
        '{"type": "response.output_text.delta"',
        "[]",
        "",
        "\ud800",
        b"\xff",
    ],
)
def test_whatever_departs_is_left_to_be_read_carefully(read, frame):
    assert read(frame) is None


@given(st.text())
@example('{"type": "response.output_text.delta", "type": "response.output_text.done", "text": "a"}')
@example('{"type":"response.output_audio.delta","delta":"AAAA","delta":5}')
def test_odd_texts_are_read_the_same_both_ways(frame):
    assert_same(events.decode(frame), _carefully(frame, events.GA))


def test_what_is_read_carefully_is_parsed_as_the_short_way_parses():
    frame = json.dumps({**EXACT, "output_index": 2**70})
    event = events.decode(frame)
    assert isinstance(event, events.ResponseOutputTextDelta)
    assert event.output_index == from_json(frame)["output_index"]


def test_a_response_of_another_generation_is_read_carefully():
    response = {"id": "r", "status": "completed"}
    frame = {"type": "response.done", "event_id": "e"}
    read = vocabulary("realtime").read_exactly
    assert read(json.dumps({**frame, "response": response})) is not None
    older = json.dumps({**frame, "response": {**response, "modalities": ["text", "audio"]}})
    assert read(older) is None
    event = events.decode(older)
    assert isinstance(event, events.ResponseDone)
    assert event.response.output_modalities == ("audio",)
