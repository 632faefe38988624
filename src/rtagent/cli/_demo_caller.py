"""The recorded caller of the demo: speaks its lines when a person would.

It knows nothing of the session. It hears the assistant through the very samples that are played, and
decides from their level alone: a line is spoken when the answer to the one before has been heard and
it has been quiet for a moment, or, for a line that interrupts, while the assistant is talking.
"""

from __future__ import annotations

import json
import random
from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from ..audio import AudioBlock, AudioFormat, Clock, Pacer, Resampler, level_dbfs, read_wav
from ..errors import RtagentError, Timeout

__all__ = ("CallerLine", "RecordedCaller", "recorded_lines")

BLOCK_S = 0.02
AUDIBLE_DBFS = -50.0
"""Louder than this is the assistant talking."""
FIRST_WORD_S = 0.6
THINKING_S = 0.9
"""How long it must have been quiet before the next line."""
TALKS_OVER_S = 2.0
"""How much of the answer is heard before the caller talks over it."""
ANSWERED_S = 0.3
"""Less sound than this is no answer."""
PATIENCE_S = 15.0
ROOM_NOISE = 26
"""Peak of the noise of the caller's room, in 16-bit steps: about -62 dBFS."""
NOISE_S = 4.0
"""How much of that noise is made; the first half of it is the place to start from, again and again."""


@dataclass(frozen=True, slots=True)
class CallerLine:
    """One thing that the caller says."""

    text: str
    pcm: bytes
    """24 kHz mono PCM16."""
    over_assistant: bool
    """Whether it is spoken while the assistant talks."""


def recorded_lines(folder: Traversable | None = None) -> tuple[CallerLine, ...]:
    """The lines that come with rtagent, in their order.

    Raises:
        RtagentError: the recordings are not there.
    """
    place = files("rtagent.cli").joinpath("caller") if folder is None else folder
    try:
        manifest: dict[str, dict[str, object]] = json.loads(
            place.joinpath("manifest.json").read_text("utf-8")
        )
    except (OSError, ValueError) as error:
        message = f"the recordings of the demo's caller cannot be read: {error}"
        raise RtagentError(message) from error
    lines: list[CallerLine] = []
    for name, entry in sorted(manifest.items()):
        wav = read_wav(str(place.joinpath(name)))
        resampler = Resampler(wav.rate, 24_000)
        pcm = resampler.process(wav.mono_pcm16()) + resampler.flush()
        lines.append(CallerLine(str(entry["text"]), pcm, bool(entry["over_assistant"])))
    return tuple(lines)


class RecordedCaller:
    """An ``AudioSource`` that talks and listens like a person on the phone.

    Args:
        lines: what to say.
        clock: what paces the words.
    """

    def __init__(self, lines: Sequence[CallerLine], clock: Clock) -> None:
        self.format = AudioFormat.pcm16(24_000)
        self.spoken = 0
        """Lines that were begun."""
        self._lines = lines
        self._clock = clock
        self._room = _room_noise(self.format.bytes_of(NOISE_S * 1000))
        self._at = 0
        self._heard_s = 0.0
        self._quiet_s = 0.0

    def hear(self, block: AudioBlock) -> None:
        """Sound of the assistant reaches the caller's ear."""
        seconds = self.format.ms_of(len(block.pcm)) / 1000
        if level_dbfs(block.pcm) > AUDIBLE_DBFS:
            self._heard_s += seconds
            self._quiet_s = 0.0
        else:
            self._quiet_s += seconds

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        """The caller's side of the line, block by block, until the last answer was heard."""
        pacer = Pacer(self._clock, BLOCK_S)
        size = self.format.bytes_of(BLOCK_S * 1000)
        for line in self._lines:
            waited = 0.0
            while not self._may_speak(line, waited):
                at = await pacer.next()
                yield AudioBlock(self._hiss(size), at - BLOCK_S)
                waited += BLOCK_S
            self.spoken += 1
            for start in range(0, len(line.pcm), size):
                at = await pacer.next()
                piece = line.pcm[start : start + size]
                yield AudioBlock(piece + self._hiss(size - len(piece)), at - BLOCK_S)
            self._heard_s = self._quiet_s = 0.0
        waited = 0.0
        while not self._answered(waited):
            at = await pacer.next()
            yield AudioBlock(self._hiss(size), at - BLOCK_S)
            waited += BLOCK_S

    def _may_speak(self, line: CallerLine, waited: float) -> bool:
        if self.spoken == 0:
            return waited >= FIRST_WORD_S
        if line.over_assistant:
            self._lose_patience(waited)
            return self._heard_s >= TALKS_OVER_S
        return self._answered(waited)

    def _answered(self, waited: float) -> bool:
        if self._heard_s < ANSWERED_S:
            self._lose_patience(waited)
            return False
        return self._quiet_s >= THINKING_S

    def _lose_patience(self, waited: float) -> None:
        if waited > PATIENCE_S and self._heard_s < ANSWERED_S:
            line = self._lines[self.spoken - 1].text
            raise Timeout(f"an answer to {line!r}", waited_s=PATIENCE_S)

    def _hiss(self, size: int) -> bytes:
        start = self._at
        self._at = (start + size) % (len(self._room) // 2)
        return self._room[start : start + size]


def _room_noise(size: int) -> bytes:
    source = random.Random(7)  # noqa: S311 (the hiss of a room is no secret)
    return array("h", (source.randint(-ROOM_NOISE, ROOM_NOISE) for _ in range(size // 2))).tobytes()
