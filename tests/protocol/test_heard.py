"""The heard ledger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.protocol._heard import KEPT_ITEMS, Cut, HeardLedger, heard_text


def ledger_with(*voices: tuple[str, float]) -> HeardLedger:
    ledger = HeardLedger()
    for item_id, ms in voices:
        ledger.received(item_id, 0, "resp_1", ms, in_conversation=True)
    return ledger


def test_the_item_being_heard_is_cut_and_the_one_behind_it_is_deleted() -> None:
    ledger = ledger_with(("A", 2000.0), ("B", 800.0))
    assert ledger.cut({"A": 400.7}) == [Cut("A", 0, "resp_1", 400), Cut("B", 0, "resp_1", None)]


def test_what_was_heard_to_its_end_is_left_alone_once_its_response_is_done() -> None:
    ledger = ledger_with(("A", 500.0))
    ledger.completed("resp_1")
    assert ledger.cut({"A": 500.0}) == []


def test_what_was_heard_so_far_is_cut_while_more_was_to_come() -> None:
    ledger = ledger_with(("A", 500.0))
    assert ledger.cut({"A": 500.0}) == [Cut("A", 0, "resp_1", 500)]


def test_heard_is_clamped_to_received() -> None:
    ledger = ledger_with(("A", 300.0))
    assert ledger.cut({"A": 9999.0}) == [Cut("A", 0, "resp_1", 300)]


def test_less_than_a_millisecond_counts_as_never_heard() -> None:
    assert ledger_with(("A", 300.0)).cut({"A": 0.6}) == [Cut("A", 0, "resp_1", None)]


def test_nothing_is_cut_twice() -> None:
    ledger = ledger_with(("A", 300.0))
    ledger.cut({"A": 100.0})
    assert ledger.cut({"A": 100.0}) == []
    assert not ledger.unsettled


def test_an_item_beside_the_conversation_is_never_cut() -> None:
    ledger = HeardLedger()
    ledger.received("X", 0, "resp_2", 300.0, in_conversation=False)
    assert ledger.cut({"X": 100.0}) == []


def test_settling_needs_the_end_of_the_response() -> None:
    ledger = ledger_with(("A", 300.0))
    ledger.settle()
    assert ledger.unsettled
    ledger.completed("resp_1")
    ledger.settle()
    assert not ledger.unsettled


def test_the_item_being_heard_is_the_last_one_that_sounded() -> None:
    ledger = ledger_with(("A", 300.0), ("B", 300.0))
    assert ledger.being_heard() is None
    ledger.progress({"A": 300.0, "B": 20.0, "unknown": 5.0})
    assert ledger.being_heard() == "B"
    assert ledger.heard_ms("B") == 20.0
    assert ledger.received_ms("B") == 300.0


def test_the_end_of_one_response_says_nothing_about_another() -> None:
    ledger = ledger_with(("A", 300.0))
    ledger.received("B", 0, "resp_2", 300.0, in_conversation=True)
    ledger.completed("resp_2")
    assert ledger.cut({"A": 300.0, "B": 300.0}) == [Cut("A", 0, "resp_1", 300)]


def test_a_voice_knows_its_response() -> None:
    ledger = ledger_with(("A", 300.0))
    assert ledger.response_of("A") == "resp_1"
    assert ledger.response_of("nobody") is None


def test_forgotten_and_unknown_items_have_no_voice() -> None:
    ledger = ledger_with(("A", 300.0))
    ledger.forget("A")
    ledger.forget("A")
    assert ledger.received_ms("A") is None
    assert ledger.heard_ms("A") is None


def test_old_items_are_forgotten() -> None:
    ledger = HeardLedger()
    for number in range(KEPT_ITEMS + 5):
        ledger.received(f"item_{number}", 0, None, 1.0, in_conversation=True)
    assert ledger.received_ms("item_4") is None
    assert ledger.received_ms("item_5") == 1.0


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 5000)), max_size=12),
    st.lists(st.dictionaries(st.sampled_from("ABCD"), st.floats(-10, 9000)), max_size=6),
)
def test_heard_never_passes_received_and_never_goes_back(
    received: list[tuple[str, float]], reports: list[dict[str, float]]
) -> None:
    ledger = ledger_with(*received)
    before = dict.fromkeys("ABC", 0.0)
    for report in reports:
        ledger.progress(report)
        for item_id in before:
            now = ledger.heard_ms(item_id) or 0.0
            assert before[item_id] <= now <= (ledger.received_ms(item_id) or 0.0)
            before[item_id] = now
    for cut in ledger.cut({}):
        assert cut.audio_end_ms is None or 1 <= cut.audio_end_ms <= (ledger.received_ms(cut.item_id) or 0.0)


@pytest.mark.parametrize(
    ("heard", "received", "expected"),
    [
        (0.0, 1000.0, ""),
        (1000.0, 1000.0, "one two three"),
        (2000.0, 1000.0, "one two three"),
        (500.0, 1000.0, "one"),
        (560.0, 1000.0, "one two"),
        (100.0, 1000.0, ""),
        (0.0, 0.0, "one two three"),
    ],
)
def test_heard_text_ends_at_a_word(heard: float, received: float, expected: str) -> None:
    assert heard_text("one two three", heard, received) == expected


def test_the_voices_that_are_remembered_are_known() -> None:
    ledger = ledger_with(("A", 300.0), ("B", 300.0))
    ledger.forget("A")
    assert ledger.known() == ("B",)
