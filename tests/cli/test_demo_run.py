"""The demo's conversation in this process: also one that fails leaves complete files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtagent.cli._demo_caller import CallerLine, recorded_lines
from rtagent.cli._demo_run import hold
from rtagent.errors import Timeout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LINES = recorded_lines()
FILES = ["conversation.wav", "events.jsonl", "timeline.html", "transcript.txt"]


def written(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_one_line_is_asked_and_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await hold(LINES[:1], tmp_path, fast=True)
    out = capsys.readouterr().out
    assert "assistant The kitchen light is on." in out
    assert "turn 1: end of speech -> first heard sample " in out
    assert "these times count sound, not computing" in out
    assert written(tmp_path) == FILES


async def test_an_answer_that_does_not_come_is_told_and_what_there_is_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = CallerLine("Hello?", bytes(48_000), over_assistant=False)
    with pytest.raises(Timeout, match=r"an answer to 'Hello\?'"):
        await hold([silence], tmp_path, fast=True)
    assert written(tmp_path) == FILES
    assert "wrote" not in capsys.readouterr().out
