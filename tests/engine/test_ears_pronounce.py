"""Guessed pronunciations: plausible, and in the phones that the acoustic model has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._ears_decoder import load_decoder
from rtagent.engine._ears_pronounce import guess_phones

MODEL_PHONES = frozenset(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
AS_THE_DICTIONARY_SAYS = {
    "lane": "L EY N",
    "mike": "M AY K",
    "phone": "F OW N",
    "thought": "TH AO T",
    "eight": "EY T",
    "catch": "K AE CH",
    "happy": "HH AE P IY",
    "yard": "Y AA R D",
    "knight": "N AY T",
    "bee": "B IY",
    "tree": "T R IY",
    "buzz": "B AH Z",
    "vision": "V IH ZH AH N",
}
UNKNOWN_TO_THE_DICTIONARY = {
    "schlafzimmer": "SH L AE F Z IH M ER",
    "zigbee": "Z IH G B IY",
    "cyxo": "S IY K S OW",
    "toruna": "T AO R AH N AH",
    "tradfri": "T R AE D F R IY",
    "bloxq": "B L AA K S K",
    "veekoo": "V IY K UW",
}


@pytest.fixture(scope="module")
def decoder() -> Any:
    return load_decoder("grammar")


@pytest.mark.parametrize(("word", "phones"), AS_THE_DICTIONARY_SAYS.items())
def test_a_guess_of_a_known_word_is_what_the_dictionary_says(decoder: Any, word: str, phones: str) -> None:
    assert guess_phones(word) == phones == decoder.lookup_word(word)


@pytest.mark.parametrize(("word", "phones"), UNKNOWN_TO_THE_DICTIONARY.items())
def test_the_decoder_learns_a_word_that_it_does_not_know(decoder: Any, word: str, phones: str) -> None:
    assert decoder.lookup_word(word) is None
    assert guess_phones(word) == phones
    decoder.add_word(word, guess_phones(word), True)
    assert decoder.lookup_word(word) == phones


def test_words_learned_can_be_listened_for(decoder: Any) -> None:
    decoder.add_word("blorvik", guess_phones("blorvik"), True)
    decoder.add_jsgf_string("learned", "#JSGF V1.0; grammar learned; public <learned> = blorvik;")
    decoder.activate_search("learned")
    assert decoder.current_search() == "learned"


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("", ""),
        ("42", ""),
        ("é", ""),
        ("O'Neil", guess_phones("oneil")),
        ("LANE", "L EY N"),
        ("be", "B EH"),
        ("x", "K S"),
        ("y", "Y"),
    ],
)
def test_only_letters_count_and_their_case_does_not(word: str, phones: str) -> None:
    assert guess_phones(word) == phones


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16))
def test_every_spelling_has_a_sound_of_the_model(word: str) -> None:
    phones = guess_phones(word).split()
    assert phones
    assert MODEL_PHONES.issuperset(phones)
