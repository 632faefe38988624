"""Scripts: what is expected, what is done, what is left."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.errors import ConfigurationError
from rtagent.testing import End, Expect, Pause, Send
from rtagent.testing._script import UNREAD, Script, Where, matches

AUDIO = {"type": "input_audio_buffer.append", "audio": "AAAA"}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def test_the_server_speaks_when_the_client_has() -> None:
    send, pause, end = Send({"type": "b"}), Pause(1), End(1001, "bye")
    script = Script([Expect("a"), send, pause, end])
    assert script.advance() is None
    script.receive(event("a", event_id="1"))
    assert [script.advance(), script.advance(), script.advance(), script.advance()] == [
        send,
        pause,
        end,
        None,
    ]
    assert script.received == event("a", event_id="1")
    assert script.problems == []
    assert script.unfinished() is None


def test_what_comes_early_waits_for_its_step() -> None:
    script = Script([Pause(1), Expect("a"), Expect("b")])
    script.receive(event("a"))
    script.receive(event("b"))
    assert script.advance() == Pause(1)
    assert script.advance() is None
    assert script.unfinished() is None


def test_another_event_is_a_problem_and_the_step_still_waits() -> None:
    script = Script([Pause(0), Expect("a", {"x": 1})], "connection 2")
    script.advance()
    script.receive(event("b", long="x" * 1_000))
    script.receive(event("a", x=2))
    assert script.advance() is None
    first, second = script.problems
    assert first.startswith("connection 2: step 2 of 2, Expect(kind='a'")
    assert '"type": "b"' in first
    assert first.endswith("… came")
    assert '"x": 2' in second
    assert script.unfinished() is not None
    script.receive(event("a", x=1))
    script.advance()
    assert script.unfinished() is None


def test_input_audio_is_never_unexpected() -> None:
    script = Script([Expect("a")])
    script.receive(AUDIO)
    script.receive(event("a"))
    script.receive(AUDIO)
    assert script.advance() is None
    assert script.problems == []
    assert script.unfinished() is None


def test_input_audio_can_be_expected() -> None:
    script = Script([Expect("input_audio_buffer.append")])
    script.receive(AUDIO)
    script.advance()
    assert script.received == AUDIO


def test_more_than_the_script_has_is_a_problem_unless_the_server_has_gone() -> None:
    script = Script([Expect("a")])
    script.receive(event("a"))
    script.receive(event("b"))
    script.advance()
    assert ["nothing more was expected" in problem for problem in script.problems] == [True]
    script = Script([End()])
    script.advance()
    script.receive(event("b"))
    script.advance()
    assert script.problems == []


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ([Expect("a")], "script: step 1 of 1, Expect(kind='a', where=None) was never done"),
        (
            [Pause(2), Expect("a"), End()],
            "script: step 1 of 3, Pause(seconds=2) was never done, nor any of the 2",
        ),
    ],
)
def test_what_is_left_is_said(steps, left) -> None:
    said = Script(steps).unfinished()
    assert said is not None
    assert said.startswith(left)


def test_what_waits_is_bounded() -> None:
    script = Script([Expect("a")])
    for number in range(UNREAD + 1):
        script.receive(event("b", number=number))
    script.advance()
    assert len(script.problems) == UNREAD


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        (None, True),
        ({}, True),
        ({"response": {"metadata": {"a": "b"}}}, True),
        ({"response": {"tools": []}}, True),
        ({"response": {"tools": ["x"]}}, False),
        ({"response": {"voice": None}}, False),
        ({"type": {"a": "b"}}, False),
        (lambda given: given["response"]["tools"] == [], True),
        (lambda given: False, False),
    ],
)
def test_what_an_event_must_hold(where: Where | None, fits: bool) -> None:
    given = event("response.create", response={"metadata": {"a": "b", "c": "d"}, "tools": []})
    assert matches(given, where) is fits


def test_a_frame_may_be_made_of_what_came() -> None:
    assert Send("{").frame({}) == "{"
    assert Send({"type": "a"}).frame({}) == {"type": "a"}
    echo = Send(lambda received: {"type": "a", "id": received["id"]})
    assert echo.frame({"id": "7"}) == {"type": "a", "id": "7"}


def test_an_end_that_no_close_frame_can_say() -> None:
    with pytest.raises(ConfigurationError):
        End(1006)
