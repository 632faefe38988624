from __future__ import annotations

import pytest

from rtagent.errors import ToolError
from rtagent.tools._faults import ArgumentsRefused, Fault, bad_json


@pytest.mark.parametrize(
    ("fault", "text", "told"),
    [
        (Fault("on", "is required"), "on: is required", {"field": "on", "reason": "is required"}),
        (
            Fault("on", "should be a bool", "3"),
            "on: should be a bool (got 3)",
            {"field": "on", "reason": "should be a bool", "got": "3"},
        ),
        (
            Fault("", "should be an object", "[]"),
            "should be an object (got [])",
            {"field": "", "reason": "should be an object", "got": "[]"},
        ),
    ],
)
def test_a_fault_says_where_and_why(fault, text, told):
    assert str(fault) == text
    assert fault.to_dict() == told


def test_a_refusal_names_every_fault():
    refusal = ArgumentsRefused.because([Fault("a", "is required"), Fault("b", "is required")])
    assert isinstance(refusal, ToolError)
    assert refusal.kind == "bad_arguments"
    assert str(refusal) == "2 arguments cannot be used; a: is required; b: is required"


def test_one_fault_is_spoken_of_as_one():
    assert ArgumentsRefused.because([Fault("a", "is required")]).message == "1 argument cannot be used"


def test_a_refusal_is_bounded():
    refusal = ArgumentsRefused.because([Fault("f" * 1000, "r" * 1000)] * 100)
    assert refusal.message == "100 arguments cannot be used, the first 16 are listed"
    assert len(refusal.faults) == 16
    assert {(len(fault.field), len(fault.reason)) for fault in refusal.faults} == {(300, 300)}


def test_bad_json_says_where():
    refusal = bad_json('{"a":' + "x" * 200, "expected value at line 1 column 6")
    assert refusal.kind == "bad_json"
    assert "line 1 column 6" in refusal.message
    assert "x" * 75 not in refusal.message


def test_not_every_one_of_very_many_faults_is_counted():
    refusal = ArgumentsRefused.because([Fault("f", "r")] * 500)
    assert refusal.message == "at least 500 arguments cannot be used, the first 16 are listed"


@pytest.mark.parametrize("text", ['{"api_key": "sk-123"', "{'password': 'sk-123'}", 'wifiToken: "sk-123"'])
def test_broken_json_with_a_secret_in_it_is_not_repeated(text):
    refusal = bad_json(text, "it ends too early")
    assert "sk-123" not in str(refusal)
    assert refusal.message == "the arguments are not valid JSON: it ends too early (got <hidden>)"


def test_names_that_are_secret_by_their_type_count_too():
    assert "4711" not in bad_json('{"door": 4711', "it ends too early", {"door"}).message
