"""A decoder that remembers the last delta reads every stream as ``decode`` reads each frame of it."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.events import Decoder
from rtagent.events import _decoder as module

PLACE = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}


def delta(
    event_id: str | None = "event_1", pcm: bytes = b"\x01\x02\x03\x04", **changes: Any
) -> dict[str, Any]:
    audio = base64.b64encode(pcm).decode()
    return {"type": "response.output_audio.delta", "event_id": event_id, **PLACE, "delta": audio, **changes}


def assert_same(one: events.ServerEvent, other: events.ServerEvent, dialect: events.Dialect) -> None:
    assert type(one) is type(other)
    assert one == other
    assert other == one
    assert getattr(one, "audio", None) == getattr(other, "audio", None)
    assert repr(one) == repr(other)
    assert one.model_fields_set == other.model_fields_set
    assert one.model_extra == other.model_extra
    assert (one.defects, one.departures) == (other.defects, other.departures)
    assert list(one) == list(other)
    if not isinstance(one, events.MalformedFrame):
        assert events.encode(one, dialect) == events.encode(other, dialect)
    assert pickle.loads(pickle.dumps(one)) == other  # noqa: S301
    assert copy.deepcopy(one) == other


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The frames that were parsed."""
    frames: list[str] = []

    def decode(frame: str, dialect: events.Dialect) -> events.ServerEvent:
        frames.append(frame)
        return events.decode(frame, dialect)

    monkeypatch.setattr(module, "decode", decode)
    return frames


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_what_resembles_the_last_delta_is_not_parsed_again(
    parsed: list[str], separators: tuple[str, str]
) -> None:
    decoder = Decoder()
    for number in range(1, 10):
        wire = delta(f"event_{number}", bytes([number, 0]) * number)
        frame = json.dumps(wire, separators=separators)
        assert_same(decoder.decode(frame), events.decode(frame), events.GA)
    assert len(parsed) == 1


def test_another_item_is_another_likeness(parsed: list[str]) -> None:
    decoder = Decoder()
    for item_id in ("a", "a", "b", "b"):
        event = decoder.decode(json.dumps(delta(item_id=item_id)))
        assert isinstance(event, events.ResponseOutputAudioDelta)
        assert event.item_id == item_id
    assert len(parsed) == 2


def test_an_older_name_has_its_likeness_too(parsed: list[str]) -> None:
    decoder = Decoder(events.BETA)
    for number in range(4):
        frame = json.dumps(delta(f"event_{number}", type="response.audio.delta"))
        assert_same(decoder.decode(frame), events.decode(frame, events.BETA), events.BETA)
    assert len(parsed) == 1


def test_an_event_of_a_likeness_stands_alone() -> None:
    decoder = Decoder()
    first, second, third = (decoder.decode(json.dumps(delta(f"event_{number}"))) for number in range(3))
    second.model_fields_set.discard("item_id")
    assert first.model_fields_set == third.model_fields_set
    changed = second.model_copy(update={"item_id": "other"})
    assert (changed.item_id, third.item_id) == ("other", "item_1")  # type: ignore[attr-defined]


ODD = [
    delta(event_id='quote " inside'),
    delta(event_id="back\\slash"),
    delta(event_id="event 1"),
    delta(event_id="item_1"),
    delta(event_id="delta"),
    delta(event_id="AQIDBA"),
    delta(event_id=""),
    delta(event_id=":"),
    delta(event_id='":"'),
    {"type": "response.output_audio.delta", "vendor": None, **delta(event_id="null")},
    delta(event_id="ünïcode"),
    delta(item_id="ünïcode"),
    delta(event_id=None),
    delta(delta="%%%"),
    delta(delta=""),
    delta(delta="A-_A"),
    delta(delta="AAA"),
    delta(delta='AAAA","extra":"'),
    delta(delta=5),
    delta(vendor="x"),
    delta(response_id=None),
    {key: value for key, value in delta().items() if key != "output_index"},
    dict(reversed(delta().items())),
    {"type": "response.output_text.delta", "event_id": "event_1", **PLACE, "delta": "AQIDBA=="},
    {"type": "error", "event_id": "event_1", "error": {"type": "t", "message": "m"}},
]
FRAMES = st.builds(
    lambda wire, spaced, escaped: json.dumps(
        wire, separators=None if spaced else (",", ":"), ensure_ascii=escaped
    ),
    st.one_of(
        st.builds(delta, st.sampled_from(("event_1", "event_2", "evt")), st.binary(max_size=8)),
        st.builds(delta, st.text(max_size=9), item_id=st.sampled_from(("item_1", "item_2"))),
        st.builds(delta, delta=st.text('AB/+=-_"\\ ', max_size=8)),
        st.sampled_from(ODD),
    ),
    st.booleans(),
    st.booleans(),
)


@given(
    st.lists(st.one_of(FRAMES, FRAMES.map(str.encode), st.text(max_size=20)), max_size=12),
    st.sampled_from([known for known in events.PROFILES.values() if known.protocol == "realtime"]),
)
def test_every_stream_is_read_as_its_frames_are(frames: list[str | bytes], dialect: events.Dialect) -> None:
    decoder = Decoder(dialect)
    for frame in (delta() for _ in range(1)):
        decoder.decode(json.dumps(frame, separators=(",", ":")))
    for frame_of_stream in frames:
        assert_same(decoder.decode(frame_of_stream), events.decode(frame_of_stream, dialect), dialect)


@pytest.mark.parametrize("wire", ODD)
def test_odd_frames_among_ordinary_ones(wire: dict[str, Any]) -> None:
    decoder = Decoder()
    for one in (wire, delta(), wire, delta("event_2"), wire, wire):
        frame = json.dumps(one, separators=(",", ":"))
        assert_same(decoder.decode(frame), events.decode(frame), events.GA)
        assert_same(decoder.decode(frame.encode()), events.decode(frame.encode()), events.GA)
