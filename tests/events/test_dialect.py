from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from rtagent import errors, events
from rtagent.events._dialect import Dialect


@pytest.mark.parametrize(("beta", "ga"), events.BETA.aliases.items())
def test_beta_names_give_the_same_event(beta, ga):
    frame = {"event_id": "e", "response_id": "r", "item_id": "i", "session": {"type": "transcription"}}
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
    event = events.ResponseCancel(response_id="r")
    assert events.encode(event, events.BETA) == events.encode(event, events.GA)


def test_beta_names_are_understood_by_ga_and_noted():
    event = events.decode('{"type": "response.audio.delta", "delta": "AAAA"}', events.GA)
    assert isinstance(event, events.ResponseOutputAudioDelta)
    assert event.audio == b"\0\0\0"
    assert "the type is written 'response.audio.delta'" in event.departures


def test_a_dialect_is_a_frozen_value():
    with pytest.raises(ValidationError, match="frozen"):
        events.GA.name = "other"  # type: ignore[misc]
    assert Dialect(name="own") == Dialect(name="own")


def test_a_slip_of_the_pen_in_a_dialect_is_an_error():
    with pytest.raises(ValidationError, match="sesion_shape"):
        Dialect.model_validate({"name": "own", "sesion_shape": "flat"})


def test_the_older_announcement_of_items_keeps_its_name():
    wire = {"type": "conversation.item.created", "item": {"type": "message", "role": "user", "content": []}}
    assert isinstance(events.decode(json.dumps(wire), events.BETA), events.ConversationItemCreated)


TRUNCATE = frozenset({"conversation.item.truncate"})


@pytest.mark.parametrize(
    ("dialect", "truncates"),
    [
        (Dialect(name="x"), "acknowledged"),
        (Dialect(name="x", unanswered_events=TRUNCATE), "silent"),
        (Dialect(name="x", refused_events=TRUNCATE), "none"),
    ],
)
def test_what_becomes_of_a_truncate(dialect, truncates):
    assert dialect.truncates == truncates


def test_what_a_dialect_takes_and_answers():
    dialect = Dialect(name="x", refused_events=frozenset({"a"}), unanswered_events=frozenset({"b"}))
    assert [dialect.takes(name) for name in "ab"] == [False, True]
    assert [dialect.answers(name) for name in "ab"] == [True, False]


@pytest.mark.parametrize(
    ("dialect", "turnless", "mutable"),
    [
        (events.GA, False, True),
        (events.LIVE, True, False),
        (Dialect(name="x", refused_events=frozenset({"conversation.item.delete"})), False, False),
    ],
)
def test_turns_and_context(dialect, turnless, mutable):
    assert (dialect.turnless, dialect.mutable_context) == (turnless, mutable)


@pytest.mark.parametrize(("title", "called"), [("Some server", "Some server"), ("", "own")])
def test_what_a_dialect_cannot_do_names_the_server(title, called):
    problem = Dialect(name="own", title=title).unsupported("images", hint="describe them")
    assert isinstance(problem, errors.Unsupported)
    assert (problem.feature, problem.dialect) == ("images", called)
    assert "describe them" in str(problem)
