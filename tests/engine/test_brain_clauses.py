"""Sentences of a caller, cut into clauses."""

from __future__ import annotations

import pytest

from rtagent.engine._brain_clauses import Clause, clause_of, clauses_of, spoken_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's the weather?", "what is the weather"),
        ("I don't know, it\N{RIGHT SINGLE QUOTATION MARK}s late", "i do not know it is late"),
        ("Set 25 minutes", "set twenty five minutes"),
        ("about 1,250 metres", "about one thousand two hundred fifty metres"),
        ("21.5 degrees", "twenty one point five degrees"),
        ("3.07", "three point zero seven"),
        ("at -5 degrees", "at minus five degrees"),
        ("a well-known 7-day plan", "a well known seven day plan"),
        ("...", ""),
        ("", ""),
    ],
)
def test_words_as_they_are_spoken(text: str, words: str) -> None:
    assert spoken_words(text) == words.split()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("turn it on and set a timer", [["turn it on", "set a timer"]]),
        ("Turn it off. What is the time?", [["turn it off"], ["what is the time"]]),
        ("set a timer for one hour and ten minutes", [["set a timer for one hour and ten minutes"]]),
        ("set one for a hundred and one seconds and go", [["set one for a hundred and one seconds", "go"]]),
        ("and the bedroom", [["the bedroom"]]),
        ("the bedroom and", [["the bedroom"]]),
        ("this and and that", [["this", "that"]]),
        ("and", [[]]),
        ("! ...", []),
        ("", []),
    ],
)
def test_an_utterance_is_cut_at_sentences_and_ands(text: str, clauses: list[list[str]]) -> None:
    assert [[" ".join(clause.words) for clause in sentence] for sentence in clauses_of(text)] == clauses


@pytest.mark.parametrize(
    ("text", "rest", "question", "wished"),
    [
        ("okay please turn it on", "turn it on", False, False),
        ("could you please turn it on", "turn it on", False, True),
        ("hello i would like you to turn it on", "turn it on", False, True),
        ("would you mind turning it on", "turning it on", False, True),
        ("what is the time", "what is the time", True, False),
        ("no what is the time", "what is the time", True, False),
        ("can you tell me what it is", "tell me what it is", False, True),
        ("stop the timer", "stop the timer", False, False),
        ("stop set the timer", "set the timer", False, False),
        ("okay please", "", False, False),
        ("", "", False, False),
    ],
)
def test_courtesies_are_taken_off(text: str, rest: str, question: bool, wished: bool) -> None:
    clause = clause_of(text.split(), text)
    assert clause == Clause(tuple(rest.split()), text, question, wished)


@pytest.mark.parametrize(
    ("text", "negated"), [("do not turn it on", True), ("never do that", True), ("turn on the knot", False)]
)
def test_negations_are_known(text: str, negated: bool) -> None:
    assert clause_of(text.split(), text).negated is negated


def test_a_clause_can_be_continued() -> None:
    (sentence,) = clauses_of("could you add milk and eggs")
    joined = sentence[0].joined(sentence[1])
    assert joined == Clause(("add", "milk", "and", "eggs"), "could you add milk and eggs", False, True)
