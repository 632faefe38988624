"""The history as a value: what its snapshot holds, and what is said of one that cannot be read."""

from __future__ import annotations

import json

import pytest

from rtagent.errors import ConfigurationError
from rtagent.protocol import CallEntry, History, HistoryEntry

TALK = History(
    (
        HistoryEntry("u1", "user", "message", "¿Qué hora es?", "completed"),
        HistoryEntry("f1", "tool", "function_call", "", "completed", call=CallEntry("c1", "clock", "{}")),
        HistoryEntry("o1", "tool", "function_call_output", "noon", "completed", call=CallEntry("c1")),
        HistoryEntry("a1", "assistant", "message", "It is", "incomplete", heard_ms=420.5),
    )
)


def test_a_snapshot_is_json_and_is_read_back_as_it_was() -> None:
    kept = json.dumps(TALK.snapshot())
    assert History.load(json.loads(kept)) == TALK
    assert isinstance(History.load(json.loads(kept)), History)


def test_the_form_of_a_snapshot_is_settled() -> None:
    """What a program has kept must be readable tomorrow: a change here needs a new version."""
    assert TALK.snapshot() == {
        "version": 1,
        "items": [
            {
                "id": "u1",
                "role": "user",
                "type": "message",
                "text": "¿Qué hora es?",
                "status": "completed",
            },
            {
                "id": "f1",
                "role": "tool",
                "type": "function_call",
                "text": "",
                "status": "completed",
                "call": {"call_id": "c1", "name": "clock", "arguments": "{}"},
            },
            {
                "id": "o1",
                "role": "tool",
                "type": "function_call_output",
                "text": "noon",
                "status": "completed",
                "call": {"call_id": "c1", "name": "", "arguments": ""},
            },
            {
                "id": "a1",
                "role": "assistant",
                "type": "message",
                "text": "It is",
                "status": "incomplete",
                "heard_ms": 420.5,
            },
        ],
    }


def test_it_is_a_tuple_of_entries() -> None:
    assert tuple(TALK) == TALK
    assert [entry.id for entry in TALK[1:3]] == ["f1", "o1"]


def test_what_a_newer_release_added_to_an_entry_is_passed_over() -> None:
    snapshot = TALK.snapshot()
    snapshot["items"][0]["mood"] = "curious"
    assert History.load(snapshot) == TALK


@pytest.mark.parametrize("given", [None, [], "history.json", {}, {"items": []}, {"version": 1}])
def test_what_is_no_snapshot_is_said(given: object) -> None:
    with pytest.raises(ConfigurationError, match="no snapshot") as refused:
        History.load(given)
    assert "session.history.snapshot()" in str(refused.value.hint)


def test_a_version_that_is_not_known_is_said() -> None:
    with pytest.raises(ConfigurationError, match="version 2, not 1"):
        History.load({"version": 2, "items": []})


@pytest.mark.parametrize(
    ("items", "named"),
    [
        ("all of them", r"items\.: "),
        ([{"id": "u1"}], r"items\.0\.role: .*items\.0\.type: .*items\.0\.text: "),
        ([{**TALK.snapshot()["items"][0], "heard_ms": "long"}], r"items\.0\.heard_ms: "),
    ],
)
def test_what_is_wrong_in_a_snapshot_is_named(items: object, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        History.load({"version": 1, "items": items})
