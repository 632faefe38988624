from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from rtagent.cli._scribe_words import LONGEST_LINE, PassageWords
from rtagent.session import Passage


async def written(show: Any, *pieces: tuple[Any, str]) -> str:
    out = StringIO()
    words = PassageWords(out, show)
    for kind, text in pieces:
        await words.show(Passage(kind=kind, text=text, elapsed_ms=0))
    words.end()
    words.end()
    return out.getvalue()


MIXED = (
    ("source", "Good"),
    ("translation", "Buenos"),
    ("source", " day. How are"),
    ("translation", " días."),
    ("source", " you?"),
    ("translation", " ¿Cómo"),
    ("translation", " estás"),
)


@pytest.mark.parametrize(
    ("show", "text"),
    [
        ("translation", "Buenos días. ¿Cómo estás\n"),
        ("source", "Good day. How are you?\n"),
        (
            "both",
            "source       Good day.\n"
            "translation  Buenos días.\n"
            "source       How are you?\n"
            "translation  ¿Cómo estás\n",
        ),
    ],
)
async def test_what_is_written(show, text):
    assert await written(show, *MIXED) == text


@pytest.mark.parametrize("show", ["translation", "both"])
async def test_nothing_said_is_nothing_written(show):
    assert await written(show) == ""


async def test_words_appear_as_they_come():
    out = StringIO()
    words = PassageWords(out, "translation")
    await words.show(Passage(kind="translation", text="Bue", elapsed_ms=0))
    assert out.getvalue() == "Bue"


async def test_speech_without_sentences_is_cut_between_words():
    text = await written("both", *([("source", "word ")] * 60))
    lines = text.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("source       word") and line.endswith("word") for line in lines)
    assert max(map(len, lines)) <= LONGEST_LINE + 20
    assert text.count("word") == 60


async def test_one_word_is_not_cut():
    assert await written("both", ("source", "a" * 300)) == f"source       {'a' * 300}\n"


async def test_several_sentences_at_once():
    assert await written("both", ("source", "One. Two! 3.5 is three?")) == (
        "source       One.\nsource       Two!\nsource       3.5 is three?\n"
    )


async def test_words_cannot_command_the_terminal():
    assert await written("translation", ("translation", "a\x1b[2Jb\n")) == "a [2Jb \n"
