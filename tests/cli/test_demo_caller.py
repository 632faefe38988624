"""The recorded caller: it listens, waits, talks over, and loses its patience."""

from __future__ import annotations

import json

import pytest

from rtagent.audio import AudioBlock, level_dbfs
from rtagent.cli._demo_caller import (
    ANSWERED_S,
    AUDIBLE_DBFS,
    PATIENCE_S,
    TALKS_OVER_S,
    CallerLine,
    RecordedCaller,
    recorded_lines,
)
from rtagent.errors import RtagentError, Timeout
from rtagent.testing import FakeClock, LockstepClock

VOICE = b"\0\x20" * 480
SILENCE = bytes(960)
LINE = b"\0\x10" * 480 * 10


def line(text: str, *, over_assistant: bool = False) -> CallerLine:
    return CallerLine(text, LINE, over_assistant)


class Listener:
    """Drives a caller block by block and notes when each line begins."""

    def __init__(self, *lines: CallerLine) -> None:
        self.caller = RecordedCaller(lines, FakeClock())
        self.begun: list[float] = []

    async def listen(self, voice: dict[int, list[tuple[float, float]]], seconds: float = 60.0) -> None:
        """``voice``: for each line, when the assistant sounds, in seconds after that line's end."""
        async with LockstepClock() as clock:
            caller = self.caller
            caller._clock = clock
            started, ended = clock.now(), 0.0
            spoken = 0
            async for block in caller.blocks():
                if caller.spoken != spoken:
                    spoken = caller.spoken
                    self.begun.append(block.at - started)
                    ended = block.at - started + 0.2
                since = block.at - started - ended
                sounding = any(begin <= since < end for begin, end in voice.get(spoken, []))
                caller.hear(AudioBlock(VOICE if sounding else SILENCE, block.at))
                assert len(block.pcm) == 960
                if block.at - started > seconds:
                    break


async def test_a_line_waits_for_the_answer_to_the_one_before_and_for_a_pause() -> None:
    listener = Listener(line("one"), line("two"))
    await listener.listen({1: [(1.0, 2.5)], 2: [(0.5, 1.5)]})
    first, second = listener.begun
    assert 0.5 < first < 0.8
    assert second == pytest.approx(first + 0.2 + 2.5 + 0.9, abs=0.1)


async def test_a_pause_within_the_answer_is_not_its_end() -> None:
    listener = Listener(line("one"), line("two"))
    await listener.listen({1: [(1.0, 2.0), (2.5, 3.5)], 2: [(0.5, 1.5)]})
    first, second = listener.begun
    assert second == pytest.approx(first + 0.2 + 3.5 + 0.9, abs=0.1)


async def test_a_line_that_interrupts_is_spoken_into_the_answer() -> None:
    listener = Listener(line("one"), line("stop", over_assistant=True))
    await listener.listen({1: [(1.0, 9.0)], 2: [(0.5, 1.5)]})
    first, second = listener.begun
    assert second == pytest.approx(first + 0.2 + 1.0 + TALKS_OVER_S, abs=0.1)


@pytest.mark.parametrize("over_assistant", [False, True])
async def test_without_an_answer_the_caller_loses_patience(over_assistant: bool) -> None:
    listener = Listener(line("Hello?"), line("two", over_assistant=over_assistant))
    with pytest.raises(Timeout, match=rf"an answer to 'Hello\?' did not come within {PATIENCE_S:g} s"):
        await listener.listen({1: [(1.0, 1.0 + ANSWERED_S / 2)]})


async def test_the_last_answer_is_heard_too() -> None:
    listener = Listener(line("one"))
    await listener.listen({1: [(1.0, 2.0)]})
    assert listener.caller.spoken == 1


def test_the_recordings_are_there_and_audible() -> None:
    lines = recorded_lines()
    assert len(lines) >= 3
    assert sum(line.over_assistant for line in lines) == 1
    for spoken in lines:
        assert spoken.text
        assert 24_000 < len(spoken.pcm) < 24_000 * 2 * 5
        assert level_dbfs(spoken.pcm) > AUDIBLE_DBFS + 20


def test_missing_recordings_are_named(tmp_path) -> None:
    with pytest.raises(RtagentError, match="recordings of the demo's caller cannot be read"):
        recorded_lines(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"a.wav": {"text": "x", "over_assistant": False}}))
    with pytest.raises(RtagentError, match=r"a\.wav"):
        recorded_lines(tmp_path)
