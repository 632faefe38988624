"""What a new GPT-Live session is told of the one before it."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events import live
from rtagent.protocol import HistoryEntry
from rtagent.protocol._live_memory import LONGEST_APPEND, LONGEST_MEMORY_TOKENS, LiveMemory

WANTED = live.SessionConfig(model="gpt-live-1", instructions="Be brief.")


def said(role: str, text: str, entry_id: str = "w") -> HistoryEntry:
    return HistoryEntry(entry_id, role, "message", text, "completed")


TALK = [said("user", "What is  the\ntime?", "w1"), said("assistant", "Noon.", "w2"), said("user", " ", "w3")]


def told(history: list[HistoryEntry], max_tokens: int = 1_000) -> tuple[list[str], int]:
    """The lines of the instructions, and how many entries they hold."""
    config, count = LiveMemory(events.LIVE).within(WANTED, history, max_tokens)
    assert isinstance(config, live.SessionConfig)
    assert config.model == "gpt-live-1"
    return (config.instructions or "").splitlines(), count


def test_what_was_said_stands_at_the_end_of_the_instructions() -> None:
    lines, count = told(TALK)
    assert lines[0] == "Be brief."
    assert lines[2:4] == ["User: What is the time?", "You: Noon."]
    assert "Do not greet again" in lines[-1]
    assert count == 2


@pytest.mark.parametrize("history", [[], [said("user", " ")]])
def test_where_nothing_was_said_nothing_is_told(history: list[HistoryEntry]) -> None:
    assert told(history) == (["Be brief."], 0)


@pytest.mark.parametrize(("max_tokens", "count"), [(0, 0), (5, 1), (1_000, 2)])
def test_the_newest_is_told_as_far_as_there_is_room(max_tokens: int, count: int) -> None:
    lines, found = told(TALK[:2], max_tokens)
    assert found == count
    assert ("You: Noon." in lines) == (count > 0)


def test_instructions_do_not_grow_without_end() -> None:
    lines, _ = told([said("user", "a" * 1_000)] * 1_000, 10**9)
    assert len("\n".join(lines)) < LONGEST_MEMORY_TOKENS * 3 + 1_000


def test_a_session_that_had_no_wishes_is_asked_for_its_model() -> None:
    config, count = LiveMemory(events.LIVE).within(None, TALK, 1_000)
    assert isinstance(config, live.SessionConfig)
    assert (config.model, count) == (events.LIVE.default_model, 2)


@pytest.mark.parametrize(
    ("wanted", "dialect"),
    [(WANTED, events.LIVE_SIDEBAND), (None, events.LIVE_SIDEBAND), (events.RealtimeSession(), events.LIVE)],
)
def test_what_knows_already_or_cannot_be_told_is_left_as_it_is(
    wanted: events.WireModel | None, dialect: events.Dialect
) -> None:
    assert LiveMemory(dialect).within(wanted, TALK, 1_000) == (wanted, 0)


def test_what_is_said_after_that_is_told_as_a_thought() -> None:
    memory = LiveMemory(events.LIVE)
    memory.within(WANTED, TALK[:1], 1_000)
    assert memory.since(TALK[:1]) is None
    memory.within(WANTED, TALK[:1], 1_000)
    longer = [said("user", "What is  the\ntime? Please.", "w1"), *TALK[1:]]
    rest = memory.since(longer)
    assert rest is not None
    assert rest.content == "User: Please.\nYou: Noon."
    assert memory.since(longer) is None


def test_a_thought_has_its_bound() -> None:
    rest = LiveMemory(events.LIVE).since([said("user", "a" * 5_000)])
    assert rest is not None
    assert len(rest.content) == LONGEST_APPEND


def test_the_same_session_needs_no_thoughts() -> None:
    assert LiveMemory(events.LIVE_SIDEBAND).since(TALK) is None
