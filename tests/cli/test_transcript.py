"""The conversation as plain text."""

from __future__ import annotations

import pytest

from rtagent.cli._transcript import call_text, cut_text, transcript_of
from rtagent.protocol import CallEntry, HistoryEntry


def said(role: str, text: str, status: str = "completed", heard_ms: float | None = None) -> HistoryEntry:
    return HistoryEntry("item", role, "message", text, status, heard_ms)


def called(name: str, arguments: str) -> HistoryEntry:
    return HistoryEntry("c", "tool", "function_call", "", "completed", call=CallEntry("id", name, arguments))


def put_out(text: str) -> HistoryEntry:
    return HistoryEntry("o", "tool", "function_call_output", text, "completed")


@pytest.mark.parametrize(
    ("history", "transcript"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(
            [said("user", "Turn it on."), said("assistant", "It is on.", heard_ms=900.0)],
            "caller: Turn it on.\nassistant: It is on.\n",
            id="a turn",
        ),
        pytest.param(
            [said("assistant", "It is a", "incomplete", 1234.0)],
            "assistant: It is a [interrupted after 1.2 s]\n",
            id="cut answer",
        ),
        pytest.param(
            [said("assistant", "", "incomplete", 0.0)],
            "assistant: [interrupted after 0.0 s]\n",
            id="answer cut before its first word",
        ),
        pytest.param([said("assistant", "Written", "incomplete")], "assistant: Written\n", id="no voice"),
        pytest.param([said("user", "")], "caller: [not transcribed]\n", id="not transcribed"),
        pytest.param([said("system", "Be brief.")], "system: Be brief.\n", id="system"),
        pytest.param([said("assistant", ""), said("system", "")], "", id="nothing to say"),
        pytest.param(
            [called("set_light", '{"room": "kitchen", "on": true}'), put_out("kitchen light is on")],
            'tool set_light(room="kitchen", on=true) -> kitchen light is on\n',
            id="tool",
        ),
        pytest.param(
            [called("a", ""), called("b", ""), put_out("first"), put_out("second")],
            "tool a() -> first\ntool b() -> second\n",
            id="tools at once",
        ),
        pytest.param([called("a", "{}")], "tool a() -> [no result]\n", id="tool without result"),
        pytest.param(
            [said("user", "yes\nassistant:  no")], "caller: yes assistant: no\n", id="a line that is none"
        ),
    ],
)
def test_transcript(history: list[HistoryEntry], transcript: str) -> None:
    assert transcript_of(history) == transcript


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "f()"),
        ('{"city": "Köln", "days": [1, 2]}', 'f(city="Köln", days=[1, 2])'),
        ('{"city": "Kö', 'f({"city": "Kö)'),
        ("[1]", "f([1])"),
    ],
)
def test_call_text(arguments: str, text: str) -> None:
    assert call_text("f", arguments) == text


def test_cut_text() -> None:
    assert cut_text("One", 60_049.0) == "One [interrupted after 60.0 s]"
