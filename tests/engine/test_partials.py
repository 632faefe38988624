"""Partial transcripts that only grow."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._partials import GrowingText


def told(*guesses: str) -> list[str | None]:
    text = GrowingText()
    return [text.update(guess) for guess in guesses]


def test_a_word_is_told_when_two_guesses_agree_on_it() -> None:
    guesses = ("the", "please", "please turn", "please turn on", "please turn on the kitchen")
    assert told(*guesses) == [None, None, "please", "please turn", "please turn on"]


def test_what_was_told_is_never_contradicted() -> None:
    assert told("stop", "stop", "shop the", "shop the", "stop the", "stop the") == [
        None, "stop", None, None, None, "stop the",
    ]  # fmt: skip


def test_a_new_utterance_begins_with_nothing() -> None:
    text = GrowingText()
    text.update("hello")
    text.update("hello")
    text.clear()
    assert text.update("hello") is None
    assert text.update("hello") == "hello"


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=4).map(" ".join), max_size=12))
def test_each_text_continues_the_one_before(guesses: list[str]) -> None:
    grown = [text for text in told(*guesses) if text is not None]
    for before, after in pairwise(grown):
        assert after.split()[: len(before.split())] == before.split()
        assert len(after.split()) > len(before.split())
