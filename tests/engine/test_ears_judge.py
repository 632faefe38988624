"""Two opinions about one utterance: they agree when they sound alike, whatever their words are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._ears_judge import Verdict, judge

PHONES = {
    "a": "AH",
    "and": "AH N D",
    "chicken": "CH IH K AH N",
    "do": "D UW",
    "eight": "EY T",
    "fifteen": "F IH F T IY N",
    "fifty": "F IH F T IY",
    "for": "F AO R",
    "in": "IH N",
    "is": "IH Z",
    "it": "IH T",
    "kitchen": "K IH CH AH N",
    "light": "L AY T",
    "like": "L AY K",
    "london": "L AH N D AH N",
    "lovely": "L AH V L IY",
    "minutes": "M IH N AH T S",
    "not": "N AA T",
    "off": "AO F",
    "on": "AA N",
    "paris": "P EH R IH S",
    "please": "P L IY Z",
    "radio": "R EY D IY OW",
    "set": "S EH T",
    "shitty": "SH IH T IY",
    "stop": "S T AA P",
    "stuff": "S T AH F",
    "ten": "T EH N",
    "the": "DH AH",
    "timer": "T AY M ER",
    "turn": "T ER N",
    "two": "T UW",
    "up": "AH P",
    "weather": "W EH DH ER",
    "what": "W AH T",
    "what's": "W AH T S",
    "whether": "W EH DH ER",
}

SAME = (
    ("set a timer for ten minutes", "shitty timer for ten minutes"),
    ("turn on the light", "turn on the like"),
    ("turn on the kitchen light", "turn on the chicken light"),
    ("what is the weather in london", "what's the whether in london"),
    ("please turn on the kitchen light", "turn on the kitchen light"),
    ("turn on the kitchen light", "turn on a kitchen light"),
    ("set the timer for fifty eight minutes", "set the timer for fifteen minutes"),
)
OTHER = (
    ("the light for kitchen on please", "the weather is lovely"),
    ("turn on the light", "turn off the light"),
    ("turn it up", "turn it on"),
    ("turn on the kitchen light", "do not turn on the kitchen light"),
    ("turn on the kitchen light", "turn on the kitchen light and the radio"),
    ("what is the weather in london", "what is the weather in paris"),
    ("set the timer for two minutes", "set the timer for fifty minutes"),
    ("turn on the kitchen light", "turn on the light"),
    ("turn on the light", "turn on the kitchen light"),
    ("stop", "stuff"),
)


@pytest.mark.parametrize(("by_grammar", "freely"), SAME)
def test_the_grammar_stands_where_the_open_words_sound_alike(by_grammar: str, freely: str) -> None:
    verdict = judge(by_grammar, freely, PHONES.get)
    assert (verdict.text, verdict.by_grammar) == (by_grammar, True)
    assert 0.75 < verdict.confidence < 1.0


@pytest.mark.parametrize(("by_grammar", "freely"), OTHER)
def test_the_open_words_stand_where_another_sentence_was_said(by_grammar: str, freely: str) -> None:
    assert judge(by_grammar, freely, PHONES.get) == Verdict(freely, 0.4, by_grammar=False)


@pytest.mark.parametrize(
    ("by_grammar", "freely", "verdict"),
    [
        ("", "", Verdict("", 0.0, by_grammar=False)),
        ("turn on the light", "", Verdict("", 0.0, by_grammar=False)),
        ("", "the weather", Verdict("the weather", 0.4, by_grammar=False)),
        ("  ", "the weather", Verdict("the weather", 0.4, by_grammar=False)),
    ],
)
def test_one_opinion_is_not_judged(by_grammar: str, freely: str, verdict: Verdict) -> None:
    assert judge(by_grammar, freely, PHONES.get) == verdict


def test_a_word_without_phones_is_judged_by_its_letters() -> None:
    assert judge("turn on zyxo", "turn on zyxo", PHONES.get) == Verdict("turn on zyxo", 1.0, by_grammar=True)
    assert not judge("turn on zyxo", "turn on wabi", PHONES.get).by_grammar


def test_confidence_falls_with_the_distance_of_the_sounds() -> None:
    sentence = "set the timer for fifty minutes"
    readings = (sentence, "set the timer for fifteen minutes", "shitty timer for fifteen minutes")
    confidences = [judge(sentence, reading, PHONES.get).confidence for reading in readings]
    assert confidences == sorted(set(confidences), reverse=True)
    assert confidences[0] == 1.0


sentences = st.lists(st.sampled_from(sorted(PHONES)), min_size=1, max_size=8).map(" ".join)


@given(sentences)
def test_a_sentence_agrees_with_itself(sentence: str) -> None:
    assert judge(sentence, sentence, PHONES.get) == Verdict(sentence, 1.0, by_grammar=True)


@given(sentences, sentences)
def test_a_verdict_is_one_of_the_opinions_with_a_confidence_that_tells_which(one: str, other: str) -> None:
    verdict = judge(one, other, PHONES.get)
    assert verdict.text == (one if verdict.by_grammar else other)
    assert (verdict.confidence > 0.5) is verdict.by_grammar
    assert 0.0 <= verdict.confidence <= 1.0
