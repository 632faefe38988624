"""The response gate."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.protocol._gate import (
    METADATA_PAIRS,
    REQUEST_KEY,
    Gate,
    GateMove,
    GateState,
    LostResponse,
    ResponseRequest,
)

BESIDE = events.ResponseParams(conversation="none")


def created(response_id: str, request_id: str | None = None, **fields: object) -> events.RealtimeResponse:
    if request_id is not None:
        fields["metadata"] = {REQUEST_KEY: request_id}
    return events.RealtimeResponse.model_validate({"id": response_id, **fields})


def ids(requests: list[ResponseRequest]) -> list[str]:
    return [request.request_id for request in requests]


def asked(*request_ids: str) -> Gate:
    gate = Gate()
    for request_id in request_ids:
        gate.request(ResponseRequest(request_id, serves=(request_id,)))
    assert ids(gate.take(0.0)) == list(request_ids[:1])
    return gate


def test_requests_go_out_one_at_a_time_in_their_order() -> None:
    gate = asked("a", "b")
    assert gate.take(0.0) == []
    assert gate.created(created("r1", "a")).request_id == "a"  # type: ignore[union-attr]
    assert gate.take(0.0) == []
    assert gate.done("r1").request_id == "a"  # type: ignore[union-attr]
    assert ids(gate.take(0.0)) == ["b"]
    assert gate.busy


def test_requests_after_tools_melt_into_one_that_serves_all() -> None:
    gate = asked("a")
    gate.request(ResponseRequest("t1", origin="tools", serves=("x",)))
    gate.request(ResponseRequest("t2", origin="tools", serves=("y",)))
    gate.created(created("r1", "a"))
    gate.done("r1")
    (follow_up,) = gate.take(0.0)
    assert (follow_up.request_id, follow_up.serves) == ("t1", ("x", "y"))


def test_a_response_of_the_servers_own_occupies_the_slot() -> None:
    gate = Gate()
    assert gate.created(created("vad")) is None
    gate.request(ResponseRequest("a"))
    assert gate.take(0.0) == []
    assert gate.done("vad") is None
    assert ids(gate.take(0.0)) == ["a"]


def test_a_crossing_with_the_servers_own_response_is_asked_again() -> None:
    gate = asked("seed")
    gate.created(created("r0", "seed"))  # the server is now known to echo metadata
    gate.done("r0")
    gate.request(ResponseRequest("a"))
    gate.take(0.0)
    assert gate.created(created("vad")) is None
    assert gate.state is GateState.CROSSED
    assert gate.refused("a", 0.0, occupied=True) is None
    assert gate.take(0.0) == []
    gate.done("vad")
    assert ids(gate.take(0.0)) == ["a"]


def test_refused_as_occupied_by_something_unannounced_waits_for_it() -> None:
    gate = asked("a")
    assert gate.refused("a", 5.0, occupied=True) is None
    assert gate.state is GateState.BLOCKED
    assert gate.next_deadline() == 7.0
    gate.done("whatever")
    assert ids(gate.take(5.5)) == ["a"]


def test_what_blocks_and_never_shows_up_lapses() -> None:
    gate = asked("a")
    gate.refused("a", 5.0, occupied=True)
    assert gate.expired(6.9) == []
    assert gate.take(6.9) == []
    assert gate.expired(7.0) == []
    assert ids(gate.take(7.0)) == ["a"]


def test_a_refusal_for_another_reason_is_final() -> None:
    gate = asked("a", "b")
    assert gate.refused("b", 0.0, occupied=False) is None
    assert gate.refused("a", 0.0, occupied=False).request_id == "a"  # type: ignore[union-attr]
    assert ids(gate.take(0.0)) == ["b"]


def test_out_of_band_requests_pass_beside_the_slot() -> None:
    gate = asked("a")
    beside = events.ResponseParams(conversation="none")
    gate.request(ResponseRequest("x", beside))
    assert ids(gate.take(0.0)) == ["x"]
    assert gate.is_asked("x")
    gate.created(created("r1", "a"))
    assert gate.created(created("rx", "x")).request_id == "x"  # type: ignore[union-attr]
    assert gate.active_id == "r1"
    assert gate.done("rx").request_id == "x"  # type: ignore[union-attr]
    assert gate.active_id == "r1"


def test_out_of_band_without_an_echo_is_known_by_its_null_conversation() -> None:
    gate = Gate()
    gate.request(ResponseRequest("x", events.ResponseParams(conversation="none")))
    gate.take(0.0)
    assert gate.created(created("rx", conversation_id=None)).request_id == "x"  # type: ignore[union-attr]
    assert gate.refused("x", 0.0, occupied=False) is None


def test_a_refused_out_of_band_request_fails() -> None:
    gate = Gate()
    gate.request(ResponseRequest("x", events.ResponseParams(conversation="none")))
    gate.take(0.0)
    assert gate.refused("x", 0.0, occupied=True).request_id == "x"  # type: ignore[union-attr]


def test_without_any_echo_the_order_of_sending_decides() -> None:
    gate = asked("a")
    assert gate.created(created("r1")).request_id == "a"  # type: ignore[union-attr]


def test_foreign_metadata_is_nobodys_of_ours() -> None:
    gate = asked("a")
    assert gate.created(created("r1", metadata={"somebody": "else"})) is None


def test_an_echo_that_comes_late_corrects_the_match() -> None:
    gate = asked("a")
    gate.created(created("vad"))  # taken for ours
    assert gate.created(created("r1", "a")).request_id == "a"  # type: ignore[union-attr]
    assert gate.active_id == "r1"


def test_cancel_waits_for_done() -> None:
    gate = asked("a", "b")
    assert not gate.cancel()
    gate.created(created("r1", "a"))
    assert gate.cancel()
    assert not gate.cancel()
    assert gate.take(0.0) == []
    gate.done("r1")
    assert ids(gate.take(0.0)) == ["b"]


def test_unanswered_creates_run_out_of_time() -> None:
    gate = asked("a")
    gate.request(ResponseRequest("x", events.ResponseParams(conversation="none")))
    gate.take(1.0)
    assert gate.next_deadline() == 10.0
    assert ids(gate.expired(10.5)) == ["a"]
    assert gate.next_deadline() == 11.0
    assert ids(gate.expired(11.0)) == ["x"]
    assert gate.next_deadline() is None
    assert not gate.busy


def test_a_waiting_request_can_be_withdrawn() -> None:
    gate = asked("a", "b")
    gate.withdraw("b")
    gate.created(created("r1", "a"))
    gate.done("r1")
    assert gate.take(0.0) == []


def test_the_event_carries_the_request_in_its_metadata() -> None:
    params = events.ResponseParams(instructions="Be brief.", metadata={"mine": "1"})
    event = ResponseRequest("evt_1", params).event()
    assert event.event_id == "evt_1"
    assert event.response is not None
    assert event.response.model_dump(exclude_unset=True) == {
        "instructions": "Be brief.",
        "metadata": {"mine": "1", REQUEST_KEY: "evt_1"},
    }


def test_full_metadata_is_left_as_it_is() -> None:
    full = {str(number): "x" for number in range(METADATA_PAIRS)}
    event = ResponseRequest("evt_1", events.ResponseParams(metadata=full)).event()
    assert event.response is not None
    assert event.response.metadata == full


def test_the_request_on_its_way_is_known() -> None:
    gate = asked("a", "b")
    assert gate.asked_id == "a"
    assert gate.is_asked("a")
    assert not gate.is_asked("b")
    gate.created(created("r1", "a"))
    assert gate.asked_id is None


def test_an_impossible_move_is_the_callers_error() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be done while the conversation is free"):
        Gate()._move(GateMove.DONE)


def test_a_server_that_echoes_no_metadata_gets_none() -> None:
    assert ResponseRequest("evt_1").event(marked=False).response is None
    params = events.ResponseParams(instructions="x")
    assert ResponseRequest("evt_1", params).event(marked=False).response is params


def in_state(state: GateState) -> Gate:
    """A gate that has come to that state, with one request more in its queue."""
    gate = Gate()
    gate._echoes = True
    if state in {GateState.ASKED, GateState.CROSSED, GateState.BLOCKED}:
        gate.request(ResponseRequest("a"))
        gate.take(0.0)
    match state:
        case GateState.CROSSED | GateState.ACTIVE | GateState.CANCELLING:
            gate.created(created("vad"))
        case GateState.BLOCKED:
            gate.refused("a", 0.0, occupied=True)
        case _:
            pass
    if state is GateState.CANCELLING:
        gate.cancel()
    assert gate.state is state
    return gate


@pytest.mark.parametrize(
    ("state", "lost", "running"),
    [
        (GateState.FREE, [], []),
        (GateState.ASKED, ["a"], []),
        (GateState.CROSSED, ["a"], [LostResponse("vad", None)]),
        (GateState.ACTIVE, [], [LostResponse("vad", None)]),
        (GateState.CANCELLING, [], [LostResponse("vad", None, cancelling=True)]),
        (GateState.BLOCKED, [], []),
    ],
    ids=lambda value: value.name if isinstance(value, GateState) else "",
)
def test_a_lost_connection_takes_with_it_what_was_under_way(
    state: GateState, lost: list[str], running: list[LostResponse]
) -> None:
    gate = in_state(state)
    waiting = ["a"] if state is GateState.BLOCKED else []
    in_flight = gate.lost()
    assert (ids([*in_flight.asked]), [*in_flight.running]) == (lost, running)
    assert gate.state is GateState.FREE
    assert (gate.active_id, gate.asked_id, gate.next_deadline()) == (None, None, None)
    assert ids(gate.take(0.0)) == waiting
    assert gate.lost().running == ()


def test_what_was_lost_names_who_asked_for_it() -> None:
    gate = asked("a", "b")
    gate.request(ResponseRequest("x", BESIDE))
    gate.request(ResponseRequest("y", BESIDE))
    gate.take(5.0)
    assert gate.asked_beside
    gate.created(created("rx", "x"))
    gate.created(created("ra", "a"))
    in_flight = gate.lost()
    assert [(one.response_id, one.request and one.request.request_id) for one in in_flight.running] == [
        ("ra", "a"),
        ("rx", "x"),
    ]
    assert in_flight.asked == (ResponseRequest("y", BESIDE),)
    assert not gate.asked_beside
    assert ids(gate.take(0.0)) == ["b"]


def test_what_is_asked_again_comes_before_all_others_in_its_order() -> None:
    gate = Gate()
    for request_id in "cd":
        gate.request(ResponseRequest(request_id))
    gate.ask_again([ResponseRequest("a", deadline=7.0), ResponseRequest("b")])
    order = []
    for number in range(4):
        (request,) = gate.take(20.0)
        assert request.deadline == 30.0
        order.append(request.request_id)
        gate.created(created(f"r{number}", request.request_id))
        gate.done(f"r{number}")
    assert order == list("abcd")


def test_what_is_asked_again_after_tools_melts_with_what_waits() -> None:
    gate = Gate()
    gate.request(ResponseRequest("t2", origin="tools", serves=("y",)))
    gate.request(ResponseRequest("b"))
    gate.ask_again([ResponseRequest("t1", origin="tools", serves=("x",), repeated=1)])
    (request,) = gate.take(0.0)
    assert (request.request_id, request.serves, request.repeated) == ("t1", ("x", "y"), 1)


def test_what_nobody_asked_for_can_be_dropped() -> None:
    gate = Gate()
    gate.request(ResponseRequest("mine"))
    gate.request(ResponseRequest("owed", origin="tools"))
    gate.drop_owed()
    assert [request.request_id for request in gate.take(0.0)] == ["mine"]
    gate.request(ResponseRequest("after a tool", origin="tools", serves=("mine",)))
    gate.drop_owed()
    assert gate.busy


def test_the_running_response_of_a_request_is_known() -> None:
    gate = asked("a")
    assert gate.running_for("a") is None
    gate.created(created("r1", "a"))
    assert (gate.running_for("a"), gate.running_for("b")) == ("r1", None)
    gate.done("r1")
    assert gate.running_for("a") is None
