"""When faults are due."""

from __future__ import annotations

from rtagent.testing import Drop, Duplicate, Malformed, Refuse
from rtagent.testing._fault_watch import Doorkeeper, FaultWatch


def test_a_fault_is_due_at_the_event_that_it_names_and_only_once() -> None:
    fault = Drop(on="response.created")
    watch = FaultWatch([fault])
    assert watch.due("server", "session.created") == []
    assert watch.due("client", "response.created") == []
    assert watch.due("server", "response.created") == [fault]
    assert watch.due("server", "response.created") == []
    assert watch.done == [fault]


def test_the_nth_event_counts_from_when_the_fault_is_known() -> None:
    watch = FaultWatch()
    watch.due("client", "response.create")
    fault = Drop(on="response.create", by="client", nth=2)
    watch.add(fault)
    assert watch.due("client", "response.create") == []
    assert watch.due("client", "response.create") == [fault]


def test_an_event_has_several_names() -> None:
    fault = Drop(on="response.output_audio.delta")
    assert FaultWatch([fault]).due("server", "response.audio.delta", "response.output_audio.delta") == [fault]


def test_faults_without_an_event_are_due_at_once() -> None:
    at_once, later = Malformed(), Duplicate(on="x")
    watch = FaultWatch([at_once, later])
    assert watch.at_once() == [at_once]
    assert watch.at_once() == []
    assert watch.due("server", "x") == [later]


def test_equal_faults_are_two_faults() -> None:
    watch = FaultWatch([Duplicate(on="x"), Duplicate(on="x")])
    assert len(watch.due("server", "x")) == 2


def test_handshakes_are_refused_so_many_times() -> None:
    keeper, order = Doorkeeper(), Refuse(429, times=2)
    keeper.add(order)
    assert [keeper.answer(1), keeper.answer(1), keeper.answer(1)] == [order, order, None]
    assert keeper.refused == 2
    assert keeper.done == [order]


def test_handshakes_before_one_connection_are_refused() -> None:
    keeper, order = Doorkeeper(), Refuse(503, connection=2)
    keeper.add(order)
    assert keeper.answer(1) is None
    assert keeper.done == []
    assert keeper.answer(2) == order
    assert keeper.answer(2) is None


def test_orders_are_carried_out_one_after_the_other() -> None:
    keeper = Doorkeeper()
    keeper.add(Refuse(401))
    keeper.add(Refuse(503))
    assert [order.status for order in (keeper.answer(1), keeper.answer(1)) if order] == [401, 503]
