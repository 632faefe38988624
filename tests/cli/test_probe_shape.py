from __future__ import annotations

import pytest

from rtagent.cli._probe_shape import ABSENT, as_list, as_mapping, read, response, session

DETECTION = {"type": "server_vad"}


@pytest.mark.parametrize(
    ("shape", "written"),
    [
        ("nested", {"type": "realtime", "audio": {"input": {"turn_detection": DETECTION, "format": "f"}}}),
        (
            "voice_on_top",
            {"type": "realtime", "turn_detection": DETECTION, "audio": {"input": {"format": "f"}}},
        ),
        ("flat", {"turn_detection": DETECTION, "input_audio_format": "f"}),
    ],
)
def test_a_setting_is_put_where_the_shape_has_it_and_found_there(shape, written):
    assert session(shape, detection=DETECTION, input_format="f") == written
    assert read(shape, written, "detection") == DETECTION
    assert read(shape, written, "input_format") == "f"
    assert read(shape, written, "output_format") is ABSENT


def test_what_has_one_name_everywhere_keeps_it():
    assert response("flat", metadata={"a": "b"}, max_tokens=3) == {
        "metadata": {"a": "b"},
        "max_response_output_tokens": 3,
    }


def test_null_is_not_nothing():
    assert read("flat", {"turn_detection": None}, "detection") is None
    assert read("nested", {"audio": "loud"}, "detection") is ABSENT
    assert repr(ABSENT) == "nothing"


def test_what_is_of_another_kind_is_empty():
    assert (as_mapping(["a"]), as_list({"a": 1})) == ({}, ())
    assert (as_mapping({"a": 1}), as_list(["a"])) == ({"a": 1}, ["a"])
