from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from rtagent import events
from rtagent.cli._scribe_lines import TranscriptLines, clock_time
from rtagent.session import Transcript


class Screen(StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def said(text: str = "Good day.", **fields: Any) -> Transcript:
    whole = {"item_id": "item_1", "text": text, "final": True, "start_ms": 300, "end_ms": 2880}
    return Transcript(**{**whole, "speaker": None, "language": None, "error": None, **fields})


async def written(*transcripts: Transcript, aside: StringIO | None = None, **manner: Any) -> str:
    out = StringIO()
    lines = TranscriptLines(out, aside or StringIO(), **manner)
    for transcript in transcripts:
        await lines.show(transcript)
    lines.end()
    return out.getvalue()


async def test_a_line_for_each_final_transcript():
    got = await written(said("Go", final=False), said(" Good day. "), said("Thank you.", speaker="anna"))
    assert got == "Good day.\nanna: Thank you.\n"


@pytest.mark.parametrize("as_json", [False, True])
async def test_silence_is_no_line(as_json):
    assert await written(said(""), said("  "), as_json=as_json) == ""


async def test_several_speakers_have_a_line_each_and_the_whole_is_not_repeated():
    got = await written(
        said("Hello.", final=False, speaker="a"),
        said("Hi.", final=False, speaker="b"),
        said("Hello. Hi."),
        said("Hello. Hi."),
    )
    assert got == "a: Hello.\nb: Hi.\nHello. Hi.\n"


async def test_timestamps():
    got = await written(said(), said(start_ms=3_723_004, end_ms=None), timestamps=True)
    assert got == "[00:00.300 - 00:02.880] Good day.\n[1:02:03.004 - ?] Good day.\n"


@pytest.mark.parametrize(
    ("ms", "text"), [(None, "?"), (0, "00:00.000"), (59_999.6, "01:00.000"), (3_600_000, "1:00:00.000")]
)
def test_places_in_the_audio(ms, text):
    assert clock_time(ms) == text


async def test_json_has_what_a_program_wants():
    got = await written(
        said("Grüße\n", language="de"), said(start_ms=None, end_ms=1500.4, speaker="a"), as_json=True
    )
    first, second = map(json.loads, got.splitlines())
    assert first == {
        "text": "Grüße",
        "start_ms": 300,
        "end_ms": 2880,
        "item_id": "item_1",
        "language": "de",
        "speaker": None,
    }
    assert (second["start_ms"], second["end_ms"], second["speaker"]) == (None, 1500, "a")
    assert "ü" in got


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (events.ErrorDetail(message="too noisy"), "too noisy"),
        (events.ErrorDetail(code="overloaded"), "overloaded"),
        (events.ErrorDetail(), "no reason was given"),
    ],
)
async def test_an_utterance_that_failed_is_told_aside(error, reason):
    aside, out = StringIO(), StringIO()
    lines = TranscriptLines(out, aside)
    await lines.show(said(""))
    assert lines.failures == 0
    await lines.show(said("half of", error=error))
    assert (lines.failures, out.getvalue()) == (1, "")
    assert aside.getvalue() == f"rtagent: an utterance could not be written down: {reason}\n"


async def test_what_is_being_said_stands_on_a_line_that_changes():
    screen = Screen()
    await written(said("Go\x1b", final=False), said("Good", final=False), said(), aside=screen)
    assert screen.getvalue() == "Go \r   \rGood\r    \r\r"


async def test_nobody_watches_so_nothing_changes():
    aside = StringIO()
    await written(said("Go", final=False), said(), aside=aside)
    assert aside.getvalue() == ""


async def test_words_cannot_command_the_terminal():
    assert await written(said("a\x1b[2Jb")) == "a [2Jb\n"


async def test_a_hint_gives_way_to_the_first_words():
    out, screen = StringIO(), Screen()
    lines = TranscriptLines(out, screen)
    await lines.hint("listening")
    await lines.show(said())
    assert (screen.getvalue(), out.getvalue()) == ("listening\r         \r", "Good day.\n")
