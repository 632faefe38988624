from __future__ import annotations

import pytest

from rtagent.tools._excuses import MESSAGE_CHARS, place_of, words_of


class Mute(Exception):
    def __str__(self) -> str:
        raise self


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (Mute(), "Mute"),
        (ValueError("x" * 600), f"ValueError: {'x' * (MESSAGE_CHARS - 1)}…"),
    ],
)
def test_an_exception_is_told_by_its_type_and_message(error, words):
    assert words_of(error) == words


def test_the_innermost_place_is_told():
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError) as failed:
        fail()
    assert place_of(failed.value) == f"{__file__}:{fail.__code__.co_firstlineno + 1}"
