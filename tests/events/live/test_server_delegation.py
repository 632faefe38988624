from __future__ import annotations

from typing import Any

import pytest

from rtagent import events
from rtagent.events import live

CALL = {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}", "status": "completed"}


def wrapped(**event: Any) -> live.ResponseEvent:
    return live.ResponseEvent(event=event, event_id="e")


def test_a_finished_call_can_be_run():
    event = wrapped(type="response.output_item.done", item=CALL, output_index=0)
    assert event.function_call == live.FunctionCallItem.model_validate(CALL)
    assert event.ending is None


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "response.output_item.added", "item": CALL},
        {"type": "response.output_item.done"},
        {"type": "response.output_item.done", "item": "f"},
        {"type": "response.output_item.done", "item": {"type": "reasoning"}},
        {"type": "response.output_item.done", "item": {"type": "function_call", "name": "f"}},
    ],
)
def test_nothing_else_is_a_call(event):
    assert wrapped(**event).function_call is None


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("response.completed", "completed"),
        ("response.failed", "failed"),
        ("response.incomplete", "incomplete"),
        ("response.created", None),
        (None, None),
    ],
)
def test_three_events_end_a_response(kind, ending):
    response = {"id": "r", "error": {"code": "server_error", "message": "no"}}
    event = wrapped(type=kind, response=response)
    assert event.kind == (kind or "")
    assert event.ending == ending
    assert event.response == response


def test_an_event_without_a_response_object():
    assert wrapped(type="response.output_text.delta", delta="x").response == {}


def test_what_is_wrapped_stays_as_it_came(read, written):
    wire = {"type": "response.event", "event_id": "e", "event": {"type": "x", "deep": [{"a": None}]}}
    assert written(read(wire)) == wire


def test_a_delegation_needs_its_id(read):
    event = read(
        {"type": "session.delegation.created", "delegation": {"id": "d", "target": "moon", "novel": 1}}
    )
    assert isinstance(event, live.SessionDelegationCreated)
    assert (event.delegation.id, event.delegation.target) == ("d", "moon")
    lost = read({"type": "session.delegation.created", "delegation": {"target": "client"}})
    assert isinstance(lost, events.MalformedFrame)


def test_an_item_that_cannot_be_read_is_none(read):
    event = read({"type": "decision.item.created", "event_id": "e", "item": {"type": "message"}})
    assert isinstance(event, live.DecisionItemCreated)
    assert event.item is None
    assert len(event.defects) == 2
