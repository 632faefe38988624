"""The tool-call ledger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.errors import LocalProtocolError
from rtagent.protocol._calls import KEPT_CALLS, Call, CallLedger, SettledGroup


def call(call_id: str, *, response_id: str = "resp_1", index: int = 0) -> Call:
    return Call(call_id, "tool", "{}", response_id, f"item_{call_id}", index)


def outputs(ledger: CallLedger) -> list[tuple[str, str]]:
    return [(finished.call.call_id, finished.output) for finished in ledger.take_outputs()]


def test_a_call_runs_once_however_often_it_is_announced() -> None:
    ledger = CallLedger()
    assert ledger.announce(call("a"))
    assert not ledger.announce(call("a"))
    assert [running.call_id for running in ledger.running] == ["a"]


def test_outputs_go_out_in_the_order_of_the_items() -> None:
    ledger = CallLedger()
    ledger.announce(call("b", index=1))
    ledger.announce(call("a", index=0))
    ledger.finish("b", "B")
    assert outputs(ledger) == []
    ledger.finish("a", "A")
    assert outputs(ledger) == [("a", "A"), ("b", "B")]
    assert outputs(ledger) == []


def test_one_follow_up_after_all_outputs_and_the_end_of_the_response() -> None:
    ledger = CallLedger()
    for call_id in "ab":
        ledger.announce(call(call_id))
        ledger.finish(call_id, "ok")
    ledger.take_outputs()
    assert ledger.take_settled() == []
    assert ledger.open_for("resp_1")
    ledger.response_done("resp_1", completed=True)
    assert ledger.take_settled() == [SettledGroup("resp_1", follow_up=True)]
    assert ledger.take_settled() == []
    assert not ledger.open_for("resp_1")


@pytest.mark.parametrize(("completed", "wanted", "expected"), [(False, True, False), (True, False, False)])
def test_no_follow_up_when_the_response_was_cut_or_nothing_is_to_be_said(
    completed: bool, wanted: bool, expected: bool
) -> None:
    ledger = CallLedger()
    ledger.announce(call("a"))
    ledger.response_done("resp_1", completed=completed)
    ledger.finish("a", "ok", follow_up=wanted)
    assert outputs(ledger) == [("a", "ok")]
    assert ledger.take_settled() == [SettledGroup("resp_1", follow_up=expected)]


@pytest.mark.parametrize("first", [True, False])
def test_no_follow_up_when_the_user_has_interrupted_one_of_the_calls(first: bool) -> None:
    ledger = CallLedger()
    for call_id in "ab":
        ledger.announce(call(call_id))
    ledger.response_done("resp_1", completed=True)
    ledger.finish("a", "ok", follow_up=first)
    ledger.finish("b", "ok", follow_up=not first)
    assert outputs(ledger) == [("a", "ok"), ("b", "ok")]
    assert ledger.take_settled() == [SettledGroup("resp_1", follow_up=False)]


def test_a_response_without_calls_never_settles() -> None:
    ledger = CallLedger()
    ledger.response_done("resp_1", completed=True)
    assert ledger.take_settled() == []


def test_finishing_what_does_not_run_is_the_callers_error() -> None:
    ledger = CallLedger()
    with pytest.raises(LocalProtocolError, match="no call 'a' is running"):
        ledger.finish("a", "ok")
    ledger.announce(call("a"))
    ledger.finish("a", "ok")
    with pytest.raises(LocalProtocolError, match="it is finished"):
        ledger.finish("a", "again")


def test_old_call_ids_are_forgotten() -> None:
    ledger = CallLedger()
    for number in range(KEPT_CALLS + 1):
        ledger.announce(call(f"call_{number}"))
    assert ledger.announce(call("call_0"))
    assert not ledger.announce(call("call_2"))


@given(st.data())
def test_every_order_of_finishing_gives_each_output_once_and_one_follow_up(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    ledger = CallLedger()
    for index in range(count):
        ledger.announce(call(str(index), index=index))
    steps = data.draw(st.permutations([*map(str, range(count)), "done"]))
    sent: list[str] = []
    settled: list[SettledGroup] = []
    for step in steps:
        if step == "done":
            ledger.response_done("resp_1", completed=True)
        else:
            ledger.finish(step, step)
        sent += [call_id for call_id, _ in outputs(ledger)]
        settled += ledger.take_settled()
    assert sent == [str(index) for index in range(count)]
    assert settled == [SettledGroup("resp_1", follow_up=True)]


def test_what_is_not_sent_yet_is_known() -> None:
    ledger = CallLedger()
    for index, call_id in enumerate("ab"):
        ledger.announce(call(call_id, index=index))
    ledger.finish("b", "B")
    assert ledger.unsent == {"a", "b"}
    ledger.finish("a", "A")
    assert ledger.unsent == {"a", "b"}
    ledger.take_outputs()
    assert ledger.unsent == frozenset()
