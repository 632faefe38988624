"""The pages beside the recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtagent.audio import write_wav
from rtagent.cli._demo_pages import write_pages
from rtagent.errors import ConfigurationError


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording in which nothing happens."""
    (tmp_path / "events.jsonl").touch()
    write_wav(tmp_path / "conversation.wav", bytes(9600), 24_000)
    return tmp_path


def test_both_pages_are_written(recording: Path) -> None:
    write_pages(recording, [])
    assert (recording / "transcript.txt").read_text() == ""
    assert "A spoken conversation" in (recording / "timeline.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["transcript.txt", "timeline.html"])
def test_a_page_that_cannot_be_written(recording: Path, name: str) -> None:
    (recording / name).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written: Is a directory"):
        write_pages(recording, [])
