"""Transcripts as lines on stdout; what is still being said stands on a line of the terminal that changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from ._live import printable
from ._meter import Terminal

if TYPE_CHECKING:
    from ..session import Transcript

__all__ = ("TranscriptLines", "clock_time")

UNKNOWN_TIME = "?"


class TranscriptLines:
    """Writes each final transcript once, as it comes; owns both outputs while it does.

    Args:
        out: where the transcripts go.
        aside: where failures go, and on a terminal what is being said.
        as_json: a JSON object on each line, for programs.
        timestamps: begin each line with its place in the audio.
    """

    def __init__(
        self, out: TextIO, aside: TextIO, *, as_json: bool = False, timestamps: bool = False
    ) -> None:
        self._out = Terminal(out, live=False)
        self._aside = Terminal(aside, live=aside.isatty())
        self._written = _as_json if as_json else _with_time if timestamps else _spoken
        self._told_apart: set[str] = set()
        """Utterances that are written speaker by speaker; none stays behind its final transcript."""
        self.failures = 0
        """Utterances that could not be written down."""

    async def hint(self, text: str) -> None:
        """Say, where somebody watches, what may be done now; the first words take its place."""
        await self._aside.status(text)

    async def show(self, transcript: Transcript) -> None:
        """Write what is new."""
        if not transcript.final and transcript.speaker is None:
            await self._aside.status(printable(transcript.text))
            return
        await self._aside.status("")
        if not transcript.final:  # what one of several speakers said
            self._told_apart.add(transcript.item_id)
            await self._line(transcript)
        elif transcript.error is not None:
            self.failures += 1
            reason = transcript.error.message or transcript.error.code or "no reason was given"
            await self._aside.line(f"rtagent: an utterance could not be written down: {printable(reason)}")
        elif transcript.item_id in self._told_apart:
            self._told_apart.remove(transcript.item_id)
        else:
            await self._line(transcript)

    async def _line(self, transcript: Transcript) -> None:
        if transcript.text.strip():
            await self._out.line(self._written(transcript))

    def end(self) -> None:
        """Take the changing line away; blocking, for the very end."""
        self._aside.clear()


def clock_time(ms: float | None) -> str:
    """A place in the audio as ``minutes:seconds.milliseconds``, with hours where there are any."""
    if ms is None:
        return UNKNOWN_TIME
    minutes, rest_ms = divmod(round(ms), 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{minutes:02}:{rest_ms // 1000:02}.{rest_ms % 1000:03}"
    return f"{hours}:{seconds}" if hours else seconds


def _spoken(transcript: Transcript) -> str:
    text = printable(transcript.text.strip())
    return text if transcript.speaker is None else f"{printable(transcript.speaker)}: {text}"


def _with_time(transcript: Transcript) -> str:
    return f"[{clock_time(transcript.start_ms)} - {clock_time(transcript.end_ms)}] {_spoken(transcript)}"


def _as_json(transcript: Transcript) -> str:
    fields = {
        "text": transcript.text.strip(),
        "start_ms": _whole(transcript.start_ms),
        "end_ms": _whole(transcript.end_ms),
        "item_id": transcript.item_id,
        "language": transcript.language,
        "speaker": transcript.speaker,
    }
    return json.dumps(fields, ensure_ascii=False)


def _whole(ms: float | None) -> int | None:
    return None if ms is None else round(ms)
