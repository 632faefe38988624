"""What a new GPT-Live session is told of the one before it."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events import live
from rtagent.protocol import HistoryEntry
from rtagent.protocol._live_memory import LONGEST_MEMORY_TOKENS, remembering, with_memory

WANTED = live.SessionConfig(model="gpt-live-1", instructions="Be brief.")


def said(role: str, text: str) -> HistoryEntry:
    return HistoryEntry("w", role, "message", text, "completed")


TALK = [said("user", "What is  the\ntime?"), said("assistant", "Noon."), said("user", " ")]


def test_what_was_said_stands_at_the_end_of_the_instructions() -> None:
    told, count = with_memory(WANTED, TALK, 1_000)
    lines = (told.instructions or "").splitlines()
    assert lines[0] == "Be brief."
    assert lines[2:4] == ["User: What is the time?", "You: Noon."]
    assert "Do not greet again" in lines[-1]
    assert (told.model, count) == ("gpt-live-1", 2)


@pytest.mark.parametrize("history", [[], [said("user", " ")]])
def test_where_nothing_was_said_nothing_is_told(history: list[HistoryEntry]) -> None:
    assert with_memory(WANTED, history, 1_000) == (WANTED, 0)


@pytest.mark.parametrize(("max_tokens", "count"), [(0, 0), (5, 1), (1_000, 2)])
def test_the_newest_is_told_as_far_as_there_is_room(max_tokens: int, count: int) -> None:
    told, found = with_memory(WANTED, TALK[:2], max_tokens)
    assert found == count
    assert ("Noon" in (told.instructions or "")) == (count > 0)


def test_instructions_do_not_grow_without_end() -> None:
    told, _ = with_memory(WANTED, [said("user", "a" * 1_000)] * 1_000, 10**9)
    assert len((told.instructions or "").encode()) < LONGEST_MEMORY_TOKENS * 3 + 1_000


def test_a_session_that_had_no_wishes_is_asked_for_its_model() -> None:
    told, count = remembering(None, TALK, 1_000, events.LIVE)
    assert isinstance(told, live.SessionConfig)
    assert (told.model, count) == (events.LIVE.default_model, 2)


@pytest.mark.parametrize(
    ("wanted", "dialect"),
    [(WANTED, events.LIVE_SIDEBAND), (None, events.LIVE_SIDEBAND), (events.RealtimeSession(), events.LIVE)],
)
def test_what_knows_already_or_cannot_be_told_is_left_as_it_is(
    wanted: events.WireModel | None, dialect: events.Dialect
) -> None:
    assert remembering(wanted, TALK, 1_000, dialect) == (wanted, 0)
