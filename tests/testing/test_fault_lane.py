"""Frames in, acts out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtagent.testing import (
    Close,
    Delay,
    Drop,
    Duplicate,
    Expire,
    Fault,
    HalfOpen,
    LateTranscripts,
    Malformed,
    RateLimit,
    Reorder,
    SilentTruncate,
    SlowRead,
    SlowWrite,
    TooBig,
)
from rtagent.testing._fault_lane import (
    HELD_FRAMES,
    Act,
    FaultLane,
    Freeze,
    Leave,
    Pace,
    Wait,
    Write,
)

SPOKEN = "conversation.item.input_audio_transcription.completed"


@pytest.fixture
def lane() -> FaultLane:
    return FaultLane(lambda reason: [f"error {reason}"])


def carry(lane: FaultLane, kind: str, **fields: Any) -> list[Act]:
    return lane.carry(f"{kind} {fields.get('item_id', '')}".strip(), {"type": kind, **fields})


def written(acts: list[Act]) -> list[str]:
    assert all(isinstance(act, Write) for act in acts)
    return [act.frame for act in acts if isinstance(act, Write)]


def test_without_faults_everything_passes(lane: FaultLane) -> None:
    assert written(carry(lane, "a") + carry(lane, "b")) == ["a", "b"]
    assert lane.carry("{", {}) == [Write("{")]


@pytest.mark.parametrize(
    ("fault", "acts"),
    [
        (Drop(), [Leave()]),
        (Close(1011, "no"), [Leave(1011, "no")]),
        (TooBig(), [Leave(1009, "message too big")]),
        (Expire("time"), [Write("error time"), Leave(1001, "time")]),
        (HalfOpen(), [Freeze()]),
    ],
)
def test_an_end_is_the_last_act(lane: FaultLane, fault: Fault, acts: list[Act]) -> None:
    assert lane.strike(fault) == acts
    assert lane.over
    assert carry(lane, "a") == []
    assert lane.strike(Malformed()) == []


@pytest.mark.parametrize(
    ("fault", "acts"),
    [
        (Delay(2), [Wait(2)]),
        (Delay(2, by="client"), []),
        (SlowWrite(10), [Pace(10)]),
        (SlowRead(10), []),
        (RateLimit(), []),
    ],
)
def test_what_slows_the_writer_and_what_is_none_of_its_business(
    lane: FaultLane, fault: Fault, acts: list[Act]
) -> None:
    assert lane.strike(fault) == acts
    assert written(carry(lane, "a")) == ["a"]


def test_broken_json_goes_before(lane: FaultLane) -> None:
    (broken,) = written(lane.strike(Malformed()))
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    assert written(carry(lane, "a")) == ["a"]


def test_the_next_event_comes_twice(lane: FaultLane) -> None:
    assert lane.strike(Duplicate()) == []
    assert written(carry(lane, "a") + carry(lane, "b")) == ["a", "a", "b"]


def test_the_next_event_comes_after_the_one_behind_it(lane: FaultLane) -> None:
    lane.strike(Reorder())
    assert written(carry(lane, "a") + carry(lane, "b") + carry(lane, "c")) == ["b", "a", "c"]


def test_two_that_change_places(lane: FaultLane) -> None:
    lane.strike(Reorder())
    lane.strike(Duplicate())
    assert carry(lane, "a") == []
    lane.strike(Reorder())
    assert carry(lane, "b") == []
    assert written(carry(lane, "c")) == ["c", "b", "a", "a"]


def test_truncates_are_not_answered_any_more(lane: FaultLane) -> None:
    lane.strike(SilentTruncate())
    truncated = "conversation.item.truncated"
    assert carry(lane, truncated) + carry(lane, truncated) == []
    assert written(carry(lane, "a")) == ["a"]


def test_transcripts_come_after_the_answer_the_newest_first(lane: FaultLane) -> None:
    lane.strike(LateTranscripts())
    assert written(carry(lane, "response.done")) == ["response.done"]  # none was late yet
    for item in ("one", "two", "one"):
        assert carry(lane, SPOKEN, item_id=item) == []
    assert written(carry(lane, "response.done")) == [
        "response.done",
        f"{SPOKEN} two",
        f"{SPOKEN} one",
        f"{SPOKEN} one",
    ]
    assert written(carry(lane, SPOKEN, item_id="three")) == [f"{SPOKEN} three"]


def test_late_transcripts_are_bounded(lane: FaultLane) -> None:
    lane.strike(LateTranscripts())
    for _ in range(HELD_FRAMES):
        assert carry(lane, SPOKEN, item_id="one") == []
    assert written(carry(lane, SPOKEN, item_id="two")) == [f"{SPOKEN} two"]
