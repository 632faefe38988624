"""Fractions, decimals, where a number ends, and spans of time that are said in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._numbers import (
    SECONDS_OF,
    Quantity,
    find_quantities,
    number_words,
    read_number,
    singular,
)


@pytest.mark.parametrize(
    ("said", "value", "end"),
    [
        ("half", 0.5, 1),
        ("half of the", 0.5, 2),
        ("a quarter mile", 0.25, 2),
        ("+7", 7, 1),
        ("-2.25 degrees", -2.25, 1),
        ("minus five", -5, 2),
        ("minus one point five", -1.5, 4),
        ("zero point oh five", 0.05, 4),
        ("three point one four one six", 3.1416, 6),
        ("three point", 3, 1),
        ("three point people", 3, 1),
        ("a hundred", 100, 2),
        ("a thousand and one", 1_001, 4),
        ("nine hundred ninety nine thousand", 999_000, 5),
        ("one million two hundred thousand and three", 1_200_003, 7),
        ("fourty two", 42, 2),
        ("one hundred and", 100, 2),
        ("one hundred and people", 100, 2),
        ("two hundred and a half", 200.5, 5),
        ("five and six", 5, 1),
        ("one two three", 1, 1),
        ("zero five", 0, 1),
        ("twenty eleven", 20, 1),
        ("twenty twenty", 20, 1),
        ("twenty zero", 20, 1),
        ("ten hundred", 10, 1),
        ("fifteen five", 15, 1),
    ],
)
def test_a_number_and_where_it_ends(said, value, end):
    assert read_number(said.split()) == (value, end)


def test_a_number_is_read_from_the_middle():
    assert read_number("the light at twenty five percent".split(), 3) == (25, 5)


@pytest.mark.parametrize("start", [3, 4])
def test_no_number_behind_the_last_word(start):
    assert read_number("set a timer".split(), start) is None


@given(st.integers(min_value=0, max_value=999_999_999), st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_decimals_are_read_back(whole, digits):
    words = f"{number_words(whole)} point {' '.join(map(number_words, digits))}".split()
    assert read_number(words) == (float(f"{whole}.{''.join(map(str, digits))}"), len(words))


@given(st.integers(min_value=100, max_value=999))
def test_hundreds_may_be_said_with_and(value):
    said = number_words(value).replace("hundred ", "hundred and ").split()
    assert read_number(said) == (value, len(said))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("half an hour and two people", [(0.5, "hour"), (2, "people")]),
        ("a week and two days", [(9, "day")]),
        ("two and a half hours", [(2.5, "hour")]),
        ("two hours and a half", [(2.5, "hour")]),
        ("a minute thirty seconds", [(90, "second")]),
        ("one hour ten minutes and five seconds", [(4_205, "second")]),
        ("one day and an hour", [(25, "hour")]),
        ("ten minutes and one hour", [(10, "minute"), (1, "hour")]),
        ("one hour or ten minutes", [(1, "hour"), (10, "minute")]),
        ("one hour and ten people", [(1, "hour"), (10, "people")]),
        ("ten people and one hour", [(10, "people"), (1, "hour")]),
        ("one hour and ten", [(1, "hour"), (10, "")]),
        ("twenty one degrees and a light", [(21, "degree")]),
        ("minus", []),
        ("an", []),
    ],
)
def test_spans_of_time(said, found):
    assert [(quantity.value, quantity.unit) for quantity in find_quantities(said.split())] == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("a timer for ten minutes please", Quantity(10, "minute", 3, 5)),
        ("book four seats now", Quantity(4, "seat", 1, 2)),
        ("in an hour and a half please", Quantity(1.5, "hour", 1, 6)),
        ("in one hour and ten minutes please", Quantity(70, "minute", 1, 6)),
    ],
)
def test_only_a_unit_of_time_belongs_to_the_quantity(said, found):
    assert find_quantities(said.split()) == [found]


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("minutes", "minute"),
        ("people", "people"),
        ("glass", "glass"),
        ("gas", "gas"),
        ("", ""),
        ("rooms", "room"),
    ],
)
def test_a_word_in_the_singular(word, one):
    assert singular(word) == one


_WORDS = st.lists(
    st.sampled_from(
        "a an and half quarter of point minus hundred thousand million oh zero two ten twenty ninety 7 -2.5 hour "
        "hours minutes seconds day light".split()
    ),
    max_size=12,
)


@given(_WORDS)
def test_quantities_lie_in_the_sentence_one_behind_the_other(words):
    at = 0
    for quantity in find_quantities(words):
        assert at <= quantity.start < quantity.end <= len(words)
        at = quantity.end


@given(st.integers(1, 500), st.sampled_from(sorted(SECONDS_OF)), st.integers(1, 59))
def test_a_span_in_two_parts_is_as_long_as_its_parts(count, unit, seconds):
    words = f"{number_words(count)} {unit}s and {number_words(seconds)} seconds".split()
    parts = find_quantities(words)
    assert sum(part.value * SECONDS_OF[part.unit] for part in parts) == count * SECONDS_OF[unit] + seconds
    assert len(parts) == (2 if unit == "second" else 1)
