"""The pages that the demo leaves behind: the transcript to read, the timeline to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigurationError
from ..protocol import HistoryEntry
from ..recording import read_events
from ._timeline import timeline_html
from ._transcript import transcript_of

__all__ = ("write_pages",)


def write_pages(out: Path, history: Sequence[HistoryEntry]) -> None:
    """Write ``transcript.txt`` and ``timeline.html`` beside the recording that lies in ``out``.

    Raises:
        ConfigurationError: the directory cannot be written.
    """
    page = timeline_html(read_events(out / "events.jsonl"), out / "conversation.wav", "A spoken conversation")
    try:
        (out / "transcript.txt").write_text(transcript_of(history), encoding="utf-8")
        (out / "timeline.html").write_text(page, encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror}"
        raise ConfigurationError(message) from error
