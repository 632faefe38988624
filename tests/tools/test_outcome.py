from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from rtagent.tools import ToolOutcome
from rtagent.tools._faults import ArgumentsRefused, Fault, bad_json


class Place(BaseModel):
    name: str
    floor: int | None = None


@dataclass
class Reading:
    at: date
    celsius: float


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "output"),
    [
        (None, "done"),
        ("the light is on", "the light is on"),
        ([Place(name="attic", floor=3)], '[{"name":"attic","floor":3}]'),
        (Reading(date(2026, 8, 1), 21.5), '{"at":"2026-08-01","celsius":21.5}'),
        (Colour.RED, '"red"'),
    ],
)
def test_what_a_function_returned_becomes_text(value: Any, output: str):
    outcome = ToolOutcome.success(value)
    assert outcome.output == output
    assert (outcome.ok, outcome.error, outcome.kind, outcome.images) == (True, None, "ok", ())
    assert outcome.value is value


def test_pictures_stand_beside_the_output():
    png = b"\x89PNG\r\n\x1a\n"
    outcome = ToolOutcome.success(["the door", png])
    assert outcome.output == "the door\n[picture 1 follows: image/png, 8 bytes]"
    assert outcome.images == ("data:image/png;base64,iVBORw0KGgo=",)


@pytest.mark.parametrize("value", ["x" * 500, ["x" * 500]])
def test_a_caller_chooses_the_longest_output(value):
    outcome = ToolOutcome.success(value, max_output_chars=200)
    assert len(outcome.output) <= 200
    assert "[cut here: 40" in outcome.output


def test_a_long_output_is_cut_and_says_so():
    outcome = ToolOutcome.success("x" * 40_000)
    assert len(outcome.output) <= 32_000
    assert outcome.output.endswith("\n[cut here: 8100 of 40000 characters are left out]")
    assert outcome.value == "x" * 40_000


def test_the_longest_output_is_whole():
    assert ToolOutcome.success("x" * 32_000).output == "x" * 32_000


def test_a_failure_is_json_for_the_model_and_a_line_for_people():
    outcome = ToolOutcome.failure("unknown_tool", "fly", 'there is no tool "fly"', known=["walk"])
    assert json.loads(outcome.output) == {
        "error": {
            "kind": "unknown_tool",
            "tool": "fly",
            "message": 'there is no tool "fly"',
            "known": ["walk"],
        }
    }
    assert (outcome.ok, outcome.error, outcome.kind) == (False, 'there is no tool "fly"', "unknown_tool")


def test_a_refusal_names_its_fields():
    outcome = ToolOutcome.refused(
        "walk", ArgumentsRefused.because([Fault("far", "should be a number", '"x"')])
    )
    error = json.loads(outcome.output)["error"]
    assert error["fields"] == [{"field": "far", "reason": "should be a number", "got": '"x"'}]
    assert outcome.kind == error["kind"] == "bad_arguments"
    assert outcome.error == '1 argument cannot be used; far: should be a number (got "x")'


def test_bad_json_has_no_fields():
    outcome = ToolOutcome.refused("walk", bad_json("{", "it ends at line 1 column 1"))
    assert "fields" not in json.loads(outcome.output)["error"]
    assert outcome.kind == "bad_json"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_every_output_can_be_sent(value):
    ToolOutcome.success(value).output.encode()
