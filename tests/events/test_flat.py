from __future__ import annotations

import copy
from typing import Any

import pytest

from rtagent import events
from rtagent.errors import Unsupported
from rtagent.events._dialect import Dialect
from rtagent.events._flat import PLACES, RESPONSE_FIELDS, flatten, format_object, nest, own_places, rate_of

FLAT = Dialect(name="flat", session_shape="flat", input_rates=(16_000,), pcm_name="pcm")
TOP = Dialect(name="top", session_shape="voice_on_top")
NESTED = Dialect(name="nested")
PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"modalities": ["text", "audio"]}, {"output_modalities": ["audio"]}),
    ({"modalities": ["text"]}, {"output_modalities": ["text"]}),
    ({"modalities": None}, {"output_modalities": None}),
    ({"voice": {"id": "v"}}, {"audio": {"output": {"voice": {"id": "v"}}}}),
    ({"voice": "a", "speed": 1.5}, {"audio": {"output": {"voice": "a", "speed": 1.5}}}),
    ({"input_audio_format": "pcm"}, {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}}),
    (
        {"output_audio_format": "pcm"},
        {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 24_000}}}},
    ),
    ({"input_audio_format": "g711_ulaw"}, {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}),
    ({"output_audio_format": "g711_alaw"}, {"audio": {"output": {"format": {"type": "audio/pcma"}}}}),
    ({"output_audio_format": "opus"}, {"audio": {"output": {"format": {"type": "opus"}}}}),
    ({"input_audio_format": None}, {"audio": {"input": {"format": None}}}),
    ({"input_audio_transcription": {"model": "m"}}, {"audio": {"input": {"transcription": {"model": "m"}}}}),
    ({"input_audio_noise_reduction": None}, {"audio": {"input": {"noise_reduction": None}}}),
    ({"turn_detection": None}, {"audio": {"input": {"turn_detection": None}}}),
    ({"max_response_output_tokens": "inf"}, {"max_output_tokens": "inf"}),
    ({"tools": [], "temperature": 0.8}, {"tools": [], "temperature": 0.8}),
    ({}, {}),
]


@pytest.mark.parametrize(("flat", "nested"), PAIRS)
def test_both_directions(flat, nested):
    read = copy.deepcopy(flat)
    assert set(nest(read, PLACES, FLAT)) == flat.keys() & PLACES.keys()
    assert read == nested
    before = copy.deepcopy(nested)
    assert flatten(nested, PLACES, FLAT) == flat
    assert nested == before, "the input stays as it is"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pcm16", {"type": "audio/pcm", "rate": 16_000}),
        ("audio/pcm", {"type": "audio/pcm", "rate": 16_000}),
        ("pcm24", {"type": "audio/pcm", "rate": 24_000}),
        ("audio/pcmu", {"type": "audio/pcmu"}),
        ("g711_alaw", {"type": "audio/pcma"}),
    ],
)
def test_names_of_formats(name, expected):
    assert format_object(name, rate_of("input", FLAT)) == expected
    assert rate_of("output", FLAT) == 24_000


def test_only_what_a_dialect_has_on_top_is_its_own():
    assert own_places(FLAT) == set(PLACES)
    assert own_places(TOP) == {"voice", "turn_detection"}
    assert own_places(NESTED) == own_places(Dialect(name="x", session_shape="model_on_top")) == set()
    assert set(RESPONSE_FIELDS) < set(PLACES)


@pytest.mark.parametrize(("dialect", "kept"), [(NESTED, "inner"), (TOP, "outer"), (FLAT, "outer")])
def test_of_two_values_that_in_the_dialects_own_place_counts(dialect, kept):
    fields: dict[str, Any] = {"voice": "outer", "audio": {"output": {"voice": "inner"}}}
    assert nest(fields, PLACES, dialect) == ["voice"]
    assert fields["audio"]["output"]["voice"] == kept
    assert fields.get("voice") == ("outer" if kept == "inner" else None)


@pytest.mark.parametrize("audio", [5, {"output": "x"}])
def test_what_is_in_the_way_is_left_to_validation(audio):
    fields = {"voice": "a", "audio": audio}
    nest(fields, PLACES, FLAT)
    assert fields == {"voice": "a", "audio": audio}


def test_null_is_no_obstacle():
    fields: dict[str, Any] = {"voice": "a", "audio": None}
    nest(fields, PLACES, FLAT)
    assert fields == {"audio": {"output": {"voice": "a"}}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"audio": {"output": {"voice": "a", "x": 1}, "y": 2}},
            {"voice": "a", "audio": {"output": {"x": 1}, "y": 2}},
        ),
        ({"audio": {"input": {}, "output": None}}, {"audio": {"input": {}, "output": None}}),
        ({"audio": None}, {"audio": None}),
        ({"audio": {}}, {"audio": {}}),
        (
            {"audio": {"output": {"format": {"type": "opus", "x": 1}}}},
            {"output_audio_format": {"type": "opus", "x": 1}},
        ),
        ({"audio": {"output": {"format": {"type": "audio/pcm"}}}}, {"output_audio_format": "pcm"}),
        ({"output_modalities": ("audio",)}, {"modalities": ["text", "audio"]}),
    ],
)
def test_what_has_no_older_place_stays(fields, expected):
    assert flatten(fields, PLACES, FLAT) == expected


def test_a_rate_that_no_name_stands_for_is_refused():
    with pytest.raises(Unsupported, match="input of PCM at 24000 Hz"):
        flatten({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}}, PLACES, FLAT)


def test_the_map_covers_the_sessions_of_the_protocol():
    for path in PLACES.values():
        model: Any = events.RealtimeSession
        for step in path[:-1]:
            model = {"audio": events.SessionAudio, "input": events.AudioInput, "output": events.AudioOutput}[
                step
            ]
        assert path[-1] in model.model_fields


def test_only_what_is_named_is_moved():
    fields = {"max_output_tokens": 5, "audio": {"output": {"voice": "a", "speed": 1.5}}}
    assert flatten(fields, own_places(TOP), TOP) == {
        "max_output_tokens": 5,
        "voice": "a",
        "audio": {"output": {"speed": 1.5}},
    }
