"""Work that the speaking model hands over, and the function calls in it."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.events import live
from rtagent.protocol import CallDue
from rtagent.protocol._live_delegations import KEPT_DELEGATIONS, KEPT_RESPONSES, Delegations
from rtagent.protocol._live_memory import LONGEST_APPEND
from rtagent.protocol._outbox import Outbox


class Work:
    """Delegations with a short vocabulary: what the server says, what was sent, what must run."""

    def __init__(self) -> None:
        self.outbox = Outbox(lambda prefix: prefix)
        self.events: list[events.ClientEvent] = []
        self.delegations = Delegations(self.outbox, self.events.append)

    def created(self, delegation_id: str, target: str = "responses", response_id: str | None = None) -> None:
        self.delegations.created(live.Delegation(id=delegation_id, target=target, response_id=response_id))

    def stream(self, kind: str, delegation_id: str | None = None, **fields: Any) -> None:
        event = live.ResponseEvent(event={"type": kind, **fields}, delegation_id=delegation_id)
        self.delegations.wrapped(event)

    def begins(self, response_id: str, delegation_id: str | None = None) -> None:
        self.stream("response.created", delegation_id, response={"id": response_id})

    def ends(self, response_id: str, kind: str = "completed", delegation_id: str | None = None) -> None:
        self.stream(f"response.{kind}", delegation_id, response={"id": response_id, "output": []})

    def calls(self, *call_ids: str, delegation_id: str | None = None, **more: Any) -> None:
        for index, call_id in enumerate(call_ids):
            item = {"type": "function_call", "call_id": call_id, "name": "look_up", "arguments": "{}", **more}
            self.stream("response.output_item.done", delegation_id, output_index=index, item=item)

    def finish(self, call_id: str, output: str = "done", *, follow_up: bool = True) -> None:
        self.delegations.tool_finished(call_id, output, follow_up=follow_up)

    def open(self) -> list[str]:
        return list(self.delegations.open)

    def due(self) -> list[str]:
        return [due.call.call_id for due in self.outbox.take_happenings() if isinstance(due, CallDue)]

    def sent(self) -> list[str]:
        """Outputs by their call, and ``go on`` for a ``response.create``."""
        said: list[str] = []
        for event in self.events:
            if isinstance(event, live.ResponseItemCreate):
                assert isinstance(event.item, live.FunctionCallOutputItem)
                said.append(event.item.call_id)
            else:
                assert isinstance(event, live.ResponseCreate)
                said.append("go on")
        self.events.clear()
        return said


# -- calls ----------------------------------------------------------------------------------------


def test_a_call_is_run_its_output_sent_and_the_backing_model_goes_on_once() -> None:
    work = Work()
    work.begins("r1")
    work.stream("response.output_item.done", output_index=0, item={"type": "reasoning", "id": "rs_1"})
    work.calls("c1", id="fc_1")
    (due,) = work.outbox.take_happenings()
    assert isinstance(due, CallDue)
    assert (due.call.call_id, due.call.name, due.call.item_id) == ("c1", "look_up", "fc_1")
    assert due.call.response_id == "r1"
    work.ends("r1")
    assert work.sent() == []
    work.delegations.tool_finished("c1", "42", follow_up=True)
    output, go_on = work.events
    assert isinstance(output, live.ResponseItemCreate)
    assert output.item.model_dump(exclude_unset=True) == {
        "type": "function_call_output",
        "call_id": "c1",
        "output": "42",
    }
    assert isinstance(go_on, live.ResponseCreate)
    work.events.clear()
    work.ends("r1")
    assert work.sent() == []


def test_outputs_keep_the_order_of_the_calls_and_one_response_follows_them_all() -> None:
    work = Work()
    work.begins("r1")
    work.calls("c1", "c2")
    work.finish("c2")
    work.ends("r1")
    assert work.sent() == []
    work.finish("c1")
    assert work.sent() == ["c1", "c2", "go on"]


def test_a_tool_may_be_faster_than_the_response() -> None:
    work = Work()
    work.begins("r1")
    work.calls("c1")
    work.finish("c1")
    assert work.sent() == ["c1"]
    work.ends("r1")
    assert work.sent() == ["go on"]


def test_a_call_that_is_announced_again_does_not_run_again() -> None:
    work = Work()
    work.calls("c1", "c1")
    assert work.due() == ["c1"]
    with pytest.raises(LocalProtocolError):
        work.finish("c2")


@pytest.mark.parametrize(
    "item",
    [
        {"type": "function_call", "call_id": "c1", "name": "f", "status": "incomplete"},
        {"type": "function_call", "call_id": "", "name": "f"},
        {"type": "function_call", "name": "f"},
        {"type": "message", "role": "assistant"},
        "nothing",
    ],
)
def test_what_is_no_finished_call_does_not_run(item: object) -> None:
    work = Work()
    work.stream("response.output_item.done", item=item)
    assert work.due() == []


def test_a_call_is_put_in_front_where_its_place_is_not_known() -> None:
    work = Work()
    work.stream(
        "response.output_item.done",
        output_index="second",
        item={"type": "function_call", "call_id": "c1", "name": "f"},
    )
    (due,) = work.outbox.take_happenings()
    assert isinstance(due, CallDue)
    assert (due.call.output_index, due.call.item_id) == (0, "c1")


@pytest.mark.parametrize("ending", ["failed", "incomplete", "cancelled"])
def test_a_broken_response_starts_nothing_more_and_is_not_followed(ending: str) -> None:
    work = Work()
    work.begins("r1")
    work.calls("early")
    work.ends("r1", ending)
    work.begins("r1")
    work.calls("late")
    work.ends("r1")
    assert work.due() == ["early"]
    work.finish("early")
    assert work.sent() == ["early"], "the call ran, so it has its output"


def test_a_stream_that_breaks_ends_its_response() -> None:
    work = Work()
    work.begins("r1")
    work.calls("c1")
    work.stream("error", code="server_error")
    work.finish("c1")
    assert work.sent() == ["c1"]


def test_nothing_follows_where_nobody_wants_it() -> None:
    work = Work()
    work.begins("r1")
    work.calls("c1")
    work.ends("r1")
    work.finish("c1", follow_up=False)
    assert work.sent() == ["c1"]


def test_two_delegations_do_not_mix() -> None:
    work = Work()
    work.created("d1")
    work.created("d2")
    work.begins("r1", "d1")
    work.begins("r2", "d2")
    work.calls("c1", delegation_id="d1")
    work.calls("c2", delegation_id="d2")
    work.ends("r1", delegation_id="d1")
    work.finish("c1")
    assert work.sent() == ["c1", "go on"]
    work.finish("c2")
    assert work.sent() == ["c2"]
    work.ends("r2", delegation_id="d2")
    assert work.sent() == ["go on"]


def test_a_stream_that_names_no_response_has_one_after_the_other() -> None:
    work = Work()
    for call_id in ("c1", "c2"):
        work.calls(call_id)
        work.finish(call_id)
        work.stream("response.completed")
        assert work.sent() == [call_id, "go on"]


def test_a_stream_that_is_joined_midway_tells_its_name_at_its_end() -> None:
    work = Work()
    work.calls("c1")
    work.finish("c1")
    work.ends("r1")
    assert work.sent() == ["c1", "go on"]
    work.calls("c2")
    work.finish("c2")
    work.ends("r1")
    assert work.sent() == ["c2"], "of one that has ended already there is no second end"


def test_a_name_at_the_beginning_is_that_of_the_next_response() -> None:
    work = Work()
    work.calls("c1")
    work.begins("r1")
    work.calls("c2")
    work.ends("r1")
    work.finish("c2")
    assert work.sent() == ["c2", "go on"]


# -- what is open ---------------------------------------------------------------------------------


def test_a_delegation_is_open_until_its_last_response_has_ended() -> None:
    work = Work()
    work.created("d1", response_id="r1")
    work.calls("c1", delegation_id="d1")
    work.ends("r1", delegation_id="d1")
    work.finish("c1")
    assert work.sent() == ["c1", "go on"]
    assert work.open() == ["d1"]
    work.begins("r2", "d1")
    work.ends("r2", delegation_id="d1")
    assert work.open() == []


def test_a_delegation_whose_calls_need_no_more_words_is_done() -> None:
    work = Work()
    work.created("d1")
    work.begins("r1", "d1")
    work.calls("c1", delegation_id="d1")
    work.ends("r1", delegation_id="d1")
    assert work.open() == ["d1"]
    work.finish("c1", follow_up=False)
    assert work.open() == []


def test_a_stream_that_names_no_delegation_works_for_the_oldest() -> None:
    work = Work()
    work.created("mine", target="client")
    work.created("d1", response_id="r1")
    work.begins("r1")
    work.calls("c1")
    work.ends("r1")
    work.finish("c1")
    work.begins("r2")
    work.ends("r2")
    assert work.open() == ["mine"]
    work.begins("r3")
    work.ends("r3")
    assert work.open() == ["mine"]


@pytest.mark.parametrize("begun", [True, False])
def test_a_stream_that_names_its_delegation_ends_no_other(begun: bool) -> None:
    work = Work()
    work.created("d1")
    work.created("d2")
    if begun:
        work.begins("r2", "d2")
    work.ends("r2", delegation_id="d2")
    assert work.open() == ["d1"]


def test_a_follow_up_without_any_delegation_is_sent_all_the_same() -> None:
    work = Work()
    work.calls("c1")
    work.finish("c1")
    work.stream("response.completed")
    assert work.sent() == ["c1", "go on"]
    assert work.open() == []


def test_an_answer_closes_what_it_names() -> None:
    work = Work()
    work.created("d1", target="client")
    work.created("d2", target="decisions")
    work.delegations.answered(None)
    work.delegations.answered("unknown")
    work.delegations.answered("d1")
    assert work.open() == ["d2"]
    work.delegations.end()
    assert work.open() == []


def test_what_is_remembered_is_bounded() -> None:
    work = Work()
    for number in range(KEPT_DELEGATIONS + 5):
        work.created(f"d{number}", response_id=f"r{number}")
        work.begins(f"s{number}", f"e{number}")
    assert len(work.delegations.open) == KEPT_DELEGATIONS
    assert len(work.delegations._current) == KEPT_DELEGATIONS
    for number in range(KEPT_RESPONSES + 5):
        work.ends(f"t{number}")
    assert len(work.delegations._ended) == KEPT_RESPONSES


def test_a_tool_that_outlives_its_session_tells_the_next_one_in_words() -> None:
    work = Work()
    work.created("d1")
    work.begins("r1", "d1")
    work.calls("c1", "c2", delegation_id="d1")
    work.finish("c2", "late")
    work.delegations.lost()
    assert work.open() == []
    work.finish("c1", "x" * 2 * LONGEST_APPEND)
    first, second = work.events
    assert isinstance(first, live.SessionCommentaryAppend)
    assert isinstance(second, live.SessionCommentaryAppend)
    assert first.content.startswith("look_up({}), called before the connection was lost, has returned: x")
    assert len(first.content) == LONGEST_APPEND
    assert second.content.endswith("has returned: late")


def test_calls_of_the_next_session_are_answered_as_ever() -> None:
    work = Work()
    work.begins("r1")
    work.calls("c1")
    work.delegations.lost()
    work.begins("r2")
    work.calls("c2")
    work.finish("c2")
    work.ends("r2")
    assert work.sent() == ["c2", "go on"]
