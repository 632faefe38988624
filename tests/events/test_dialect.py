from __future__ import annotations

import dataclasses
import json

import pytest

from rtagent import events


@pytest.mark.parametrize(("beta", "ga"), events.BETA.aliases.items())
def test_beta_names_give_the_same_event(beta, ga):
    frame = {"event_id": "e", "response_id": "r", "item_id": "i"}
    old = events.decode(json.dumps({"type": beta, **frame}), events.BETA)
    new = events.decode(json.dumps({"type": ga, **frame}))
    assert type(old) is events.SERVER_EVENTS[ga]
    assert old == new


@pytest.mark.parametrize(("ga", "beta"), events.BETA.spellings.items())
def test_a_beta_server_writes_beta_names(ga, beta):
    event = events.SERVER_EVENTS[ga].model_validate({"response_id": "r"})
    frame = events.encode(event, events.BETA)
    assert json.loads(frame) == {"type": beta, "response_id": "r"}
    assert events.decode(frame, events.BETA) == event


def test_names_that_did_not_change_are_written_alike():
    event = events.ResponseCreate()
    assert events.encode(event, events.BETA) == events.encode(event, events.GA)


def test_beta_names_are_unknown_to_ga():
    event = events.decode('{"type": "response.audio.delta"}', events.GA)
    assert isinstance(event, events.UnknownEvent)


def test_a_dialect_is_a_frozen_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        events.GA.name = "other"  # type: ignore[misc]
    assert events.Dialect("own") == events.Dialect("own")


def test_the_older_announcement_of_items_keeps_its_name():
    wire = {"type": "conversation.item.created", "item": {"type": "message", "role": "user", "content": []}}
    assert isinstance(events.decode(json.dumps(wire), events.BETA), events.ConversationItemCreated)
