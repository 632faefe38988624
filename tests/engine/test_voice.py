from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._voice import Spoken, ends_sentence, pause, sentences, spoken
from rtagent.errors import ConfigurationError

PAUSE_MS = 240


@dataclass
class Reader:
    """A voice that hums for 70 ms a letter, in chunks of 50 ms, and keeps a record of itself."""

    rate: int = 16_000
    asked: list[tuple[str, str | None, float]] = field(default_factory=list)
    chunks: int = 0
    closed: int = 0
    error: Exception | None = None

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        self.asked.append((text, voice, speed))
        if self.error is not None:
            raise self.error
        hum = np.full(len(text) * 70 * self.rate // 1000, 1000, "<i2").tobytes()
        size = 2 * 50 * self.rate // 1000
        try:
            for start in range(0, len(hum), size):
                self.chunks += 1
                yield hum[start : start + size]
        finally:
            self.closed += 1


@dataclass
class SlowReader(Reader):
    """Stays in its second chunk until it is let go."""

    in_second: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        try:
            yield bytes(1600)
            self.in_second.set()
            assert self.let_go.wait(10)
            yield bytes(1600)
        finally:
            self.closed += 1


async def parts_of(voice: Reader, text: str, *, rate: int = 16_000) -> list[Spoken]:
    async with aclosing(spoken(voice, text, rate=rate)) as parts:
        return [part async for part in parts]


def ms_of(parts: list[Spoken], rate: int = 16_000) -> float:
    return sum(len(part.pcm) for part in parts) / 2 / rate * 1000


SENTENCES = [
    ("", []),
    ("   ", ["   "]),
    ("Hello", ["Hello"]),
    ("One. Two!  Three?", ["One. ", "Two!  ", "Three?"]),
    ("It is 3.5 degrees. Cold.", ["It is 3.5 degrees. ", "Cold."]),
    ("Take a lamp, e.g. the small one. Done.", ["Take a lamp, e.g. the small one. ", "Done."]),
    ("Rooms, e.g. Kitchen. Done.", ["Rooms, e.g. Kitchen. ", "Done."]),
    ("Ask Dr. Brown. He knows.", ["Ask Dr. Brown. ", "He knows."]),
    ("By J. S. Bach. Nice.", ["By J. S. Bach. ", "Nice."]),
    ('He said "Stop!" and left.', ['He said "Stop!" and left.']),
    ('"Stop!" That was loud.', ['"Stop!" ', "That was loud."]),
    ("(See above.) Then go on.", ["(See above.) ", "Then go on."]),
    ("Wait... What?! No…  Yes", ["Wait... ", "What?! ", "No…  ", "Yes"]),
    ("1. Open it.\n2. Close it.", ["1. Open it.\n", "2. Close it."]),
    ("Lights\nDoors\nwindows", ["Lights\n", "Doors\nwindows"]),
    ("今日は。元気？はい。", ["今日は。", "元気？", "はい。"]),  # noqa: RUF001 - CJK stops
    (". Odd", [". ", "Odd"]),
    ("Go to www.example.org now.", ["Go to www.example.org now."]),
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences(text: str, expected: list[str]):
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("word " * 100, [200, 200, 100]),
        ("x" * 450, [200, 200, 50]),
        ("a" * 120 + ", " + "b" * 120, [122, 120]),
        ("word, " * 10 + "word " * 40, [200, 60]),  # a comma in the first half is too early
    ],
)
def test_long_sentences_are_cut_behind_a_comma_or_a_blank(text: str, lengths: list[int]):
    assert [len(piece) for piece in sentences(text)] == lengths


@given(st.text(st.sampled_from('ab A1.,!?…"\n。 ')) | st.text(max_size=500))
def test_sentences_joined_are_the_text(text: str):
    pieces = sentences(text)

    assert "".join(pieces) == text
    assert all(0 < len(piece) <= 200 for piece in pieces)


@pytest.mark.parametrize(
    ("piece", "ends"),
    [
        ("On. ", True),
        ('"On!" ', True),
        ("(On.)", True),
        ("A line\n", True),
        ("はい。", True),
        ("on, ", False),
        (" ", False),
    ],
)
def test_ends_sentence(piece: str, ends: bool):
    assert ends_sentence(piece) is ends


def test_pause_is_whole_samples_of_silence():
    assert b"".join(pause(22_050)) == bytes(2 * 22_050 * PAUSE_MS // 1000)


async def test_sentences_are_spoken_one_by_one_with_pauses_between():
    voice = Reader()

    parts = await parts_of(voice, "One. Two! Three")

    assert [text for text, _, _ in voice.asked] == ["One.", "Two!", "Three"]
    assert ms_of(parts) == 70 * (4 + 4 + 5) + 2 * PAUSE_MS
    assert voice.closed == 3


async def test_there_is_no_pause_where_a_sentence_was_cut_for_its_length():
    parts = await parts_of(Reader(), "x" * 300)

    assert ms_of(parts) == 70 * 300


async def test_audio_is_delivered_at_the_rate_asked_for():
    parts = await parts_of(Reader(rate=22_050), "Good morning.", rate=24_000)

    assert ms_of(parts, 24_000) == pytest.approx(70 * 13, abs=3)
    middle = np.frombuffer(b"".join(part.pcm for part in parts), "<i2")[2_000:-2_000]
    assert np.abs(middle - 1000).max() <= 2, "no seams between the chunks"


async def test_name_and_speed_reach_the_voice():
    voice = Reader()

    async with aclosing(spoken(voice, "Hi.", name="alloy", speed=1.5)) as parts:
        assert [part async for part in parts]

    assert voice.asked == [("Hi.", "alloy", 1.5)]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "On.", "  On.  Off. ", "A\n\n\nB", "no end", "word " * 90, "...", "。"]
)
async def test_the_joined_texts_are_the_input(text: str):
    parts = await parts_of(Reader(), text)

    assert "".join(part.text for part in parts) == text


async def test_nothing_is_asked_of_the_voice_for_blanks():
    voice = Reader()

    parts = await parts_of(voice, " \n ")

    assert voice.asked == []
    assert parts == [Spoken(b"", " \n ")]
    assert await parts_of(voice, "") == []


async def test_blanks_between_sentences_make_one_pause():
    parts = await parts_of(Reader(), "A. " + "\n " * 150 + "B.")

    assert ms_of(parts) == 2 * 70 * 2 + PAUSE_MS


async def test_words_come_while_they_are_spoken():
    parts = await parts_of(Reader(), "one two three four five six. Seven")

    begins: dict[str, float] = {}
    now_ms = 0.0
    for part in parts:
        for word in part.text.split():
            begins[word] = now_ms
        now_ms += len(part.pcm) / 32
    assert list(begins) == ["one", "two", "three", "four", "five", "six.", "Seven"]
    assert begins["one"] == 0
    assert begins["four"] == pytest.approx(14 * 70, abs=100)
    assert begins["six."] < 28 * 70
    assert begins["Seven"] == 28 * 70 + PAUSE_MS


async def test_words_the_estimate_is_late_with_come_in_the_pause_or_at_the_end():
    class Fast(Reader):
        def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
            yield bytes(1600)

    parts = await parts_of(Fast(), "one two. Three four")

    assert [part.text for part in parts] == ["one ", "two. ", "", "", "Three ", "four"]
    cut = await parts_of(Fast(), "x " * 150)
    assert [len(part.text) for part in cut] == [2, 200, 98], "or with the next piece, when there is no pause"


async def test_an_error_of_the_voice_reaches_the_caller():
    voice = Reader(error=ConfigurationError("no voice"))

    with pytest.raises(ConfigurationError, match="no voice"):
        await parts_of(voice, "Hello.")


async def test_nothing_is_synthesised_ahead_and_leaving_stops_the_voice():
    voice = Reader()

    async with aclosing(spoken(voice, "A rather long sentence. Another.")) as parts:
        await anext(parts)
        await anext(parts)
        assert voice.chunks == 2

    assert voice.closed == 1
    assert voice.chunks == 2


async def test_leaving_before_the_first_word_is_harmless():
    voice = Reader()

    await spoken(voice, "Never said.").aclose()

    assert voice.asked == []


async def test_several_listeners_are_served_at_once():
    voice = Reader()
    lengths: list[float] = []

    async def listen() -> None:
        lengths.append(ms_of(await parts_of(voice, "Hello there.")))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(listen)

    assert lengths == [70 * 12] * 4


async def test_cancelling_a_scope_waits_for_the_chunk_in_the_making_and_closes_the_voice():
    voice = SlowReader()
    got: list[Spoken] = []

    async def listen() -> None:
        async with aclosing(spoken(voice, "Hello.")) as parts:
            async for part in parts:
                got.append(part)  # noqa: PERF401 - a comprehension would lose what came before the end

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await anyio.to_thread.run_sync(voice.in_second.wait, 10)
        group.cancel_scope.cancel()
        voice.let_go.set()

    assert len(got) == 1
    assert voice.closed == 1


async def test_cancelling_an_asyncio_task_leaves_nothing_running_either():
    voice = SlowReader()

    async def listen() -> None:
        async with aclosing(spoken(voice, "Hello.")) as parts:
            async for _ in parts:
                pass

    async with asyncio.TaskGroup() as group:
        task = group.create_task(listen())
        await anyio.to_thread.run_sync(voice.in_second.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        voice.let_go.set()

    assert task.cancelled()
    assert voice.closed == 1
