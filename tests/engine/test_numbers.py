"""Numbers as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._numbers import find_quantities, number_words, read_number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (25, "twenty five"),
        (101, "one hundred one"),
        (1_234, "one thousand two hundred thirty four"),
        (2_000_000, "two million"),
        (-3, "minus three"),
    ],
)
def test_the_words_of_a_number(value, words):
    assert number_words(value) == words


@given(st.integers(min_value=-999_999_999, max_value=999_999_999))
def test_what_is_said_is_read_back(value):
    words = number_words(value).split()
    assert read_number(words) == (value, len(words))


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("10", 10),
        ("2.5", 2.5),
        ("a hundred and one", 101),
        ("two and a half", 2.5),
        ("one point five", 1.5),
        ("two thousand and twenty six", 2026),
        ("half a", 0.5),
        ("a quarter of an", 0.25),
    ],
)
def test_a_number_in_other_forms(said, value):
    words = said.split()
    assert read_number(words) == (value, len(words))


@pytest.mark.parametrize("said", ["", "light", "a timer", "hundred", "and one", "minus"])
def test_no_number(said):
    assert read_number(said.split()) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("set a timer for ten minutes", [(10, "minute")]),
        ("half an hour", [(0.5, "hour")]),
        ("an hour and a half", [(1.5, "hour")]),
        ("one hour and twenty minutes", [(80, "minute")]),
        ("ten minutes and twenty minutes", [(10, "minute"), (20, "minute")]),
        ("four people at eight", [(4, "people"), (8, "")]),
        ("a timer", []),
    ],
)
def test_quantities_of_a_sentence(said, found):
    assert [(quantity.value, quantity.unit) for quantity in find_quantities(said.split())] == found
