from __future__ import annotations

import json

import pytest

from rtagent.cli._probe_frame import read_frame, short
from tests.cli.probe_servers import frames


@pytest.mark.parametrize("data", ["{", "[1]", "7", b"\xff\xfe"])
def test_what_is_no_object_is_kept_as_text(data):
    frame = read_frame(data, at_s=1.5)
    assert (frame.raw, frame.type, frame.kind, frame.at_s) == ({}, "", "", 1.5)
    assert frame.text


def test_the_kind_is_the_type_as_the_protocol_names_it():
    (beta,) = frames({"type": " response.audio.delta", "delta": "A" * 500})
    assert (beta.type, beta.kind) == (" response.audio.delta", "response.output_audio.delta")
    assert len(beta.raw["delta"]) < 50


def test_a_type_that_is_no_text_is_none():
    (odd,) = frames({"type": 7})
    assert odd.type == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"code": "c", "message": "m"}, "c: m"),
        ({"message": "m\n  n"}, "m n"),
        ({"kind": 7}, json.dumps({"kind": 7})),
        ("broken", "broken"),
    ],
)
def test_what_an_error_says(error, said):
    (frame,) = frames({"type": "error", "error": error})
    assert frame.complaint == said


def test_an_error_without_an_error_says_what_it_has():
    first, second = frames({"type": "error", "message": "no"}, {"type": "error"})
    assert first.complaint == "no"
    assert second.complaint == '{"type": "error"}'


def test_whom_an_error_blames():
    named, unnamed = frames(
        {"type": "error", "error": {"event_id": "probe_1"}}, {"type": "error", "error": "no"}
    )
    assert (named.blames, unnamed.blames) == ("probe_1", None)


def test_long_texts_are_cut():
    assert len(short("word " * 100)) == 100
