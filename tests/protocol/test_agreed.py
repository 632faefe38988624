"""What a program has changed in its session."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.protocol import merged
from rtagent.protocol._agreed import KEPT_UPDATES, Agreed

FIRST = events.RealtimeSession(instructions="Be kind.", output_modalities=["audio"])


def saying(instructions: str) -> events.RealtimeSession:
    return events.RealtimeSession(instructions=instructions)


def instructions(agreed: Agreed) -> str | None:
    whole = agreed.over(FIRST, events.RealtimeSession)
    assert whole is not None
    assert whole.output_modalities == ("audio",)
    return whole.instructions


def test_without_changes_the_first_wish_stands() -> None:
    agreed = Agreed()
    assert agreed.over(FIRST, events.RealtimeSession) == FIRST
    assert agreed.over(None, events.RealtimeSession) is None
    agreed.updated()
    assert agreed.over(None, events.RealtimeSession) is None


def test_a_change_counts_when_the_server_has_taken_it() -> None:
    agreed = Agreed()
    agreed.asked("evt_1", saying("Be brief."))
    assert instructions(agreed) == "Be kind."
    agreed.updated()
    assert instructions(agreed) == "Be brief."
    assert agreed.over(None, events.RealtimeSession) == saying("Be brief.")


def test_changes_are_taken_in_the_order_of_asking() -> None:
    agreed = Agreed()
    agreed.asked("evt_1", saying("one"))
    agreed.asked("evt_2", saying("two"))
    agreed.updated()
    assert instructions(agreed) == "one"
    agreed.updated()
    assert instructions(agreed) == "two"


def test_a_refused_change_was_never_made() -> None:
    agreed = Agreed()
    agreed.asked("evt_1", saying("one"))
    agreed.asked("evt_2", saying("two"))
    agreed.refused("evt_1")
    agreed.refused("somebody else's")
    agreed.updated()
    assert instructions(agreed) == "two"


def test_what_was_not_answered_is_forgotten_with_the_connection() -> None:
    agreed = Agreed()
    agreed.asked("evt_1", saying("one"))
    agreed.lost()
    agreed.updated()
    assert instructions(agreed) == "Be kind."


def test_a_change_that_is_asked_for_again_counts_once_and_last() -> None:
    agreed = Agreed()
    agreed.asked("evt_1", saying("one"))
    agreed.asked("evt_2", saying("two"))
    agreed.asked("evt_1", saying("one"))
    agreed.updated()
    agreed.updated()
    assert instructions(agreed) == "one"


def test_a_server_that_answers_no_update_cannot_fill_the_memory() -> None:
    agreed = Agreed()
    for number in range(KEPT_UPDATES + 1):
        agreed.asked(f"evt_{number}", saying(str(number)))
    assert instructions(agreed) == "0"


SERVER_VAD = {"type": "server_vad", "threshold": 0.5}


@pytest.mark.parametrize(
    ("base", "top", "whole"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"vad": SERVER_VAD}, {"vad": {"type": "semantic_vad"}}, {"vad": {"type": "semantic_vad"}}),
    ],
    ids=[
        "both",
        "object into object",
        "taken away",
        "put where nothing was",
        "lists whole",
        "kinds replace each other",
    ],
)
def test_one_configuration_lies_on_top_of_another(
    base: dict[str, object], top: dict[str, object], whole: dict[str, object]
) -> None:
    before = repr(base)
    assert merged(base, top) == whole
    assert repr(base) == before
