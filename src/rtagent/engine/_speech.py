"""From the voice's own pieces to pieces as the wire wants them: the session's format, 100 to 200 ms each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from ..audio import AudioFormat, g711
from ._voice import Spoken, Voice, spoken

__all__ = ("Recutter", "encoded", "speech")

MIN_PIECE_MS: Final = 100
MAX_PIECE_MS: Final = 200


class Recutter:
    """Joins and cuts PCM16 pieces; a text stays with the first sound that follows its arrival."""

    def __init__(self, rate: int) -> None:
        layout = AudioFormat.pcm16(rate)
        self._min_bytes = layout.bytes_of(MIN_PIECE_MS)
        self._max_bytes = layout.bytes_of(MAX_PIECE_MS)
        self._pcm = bytearray()
        self._text = ""

    def add(self, piece: Spoken) -> list[Spoken]:
        """Take a piece in; returns what is complete now."""
        self._pcm += piece.pcm
        self._text += piece.text
        complete: list[Spoken] = []
        while len(self._pcm) >= self._min_bytes:
            complete.append(self._cut())
        return complete

    def rest(self) -> list[Spoken]:
        """What is left at the end."""
        return [self._cut()] if self._pcm or self._text else []

    def _cut(self) -> Spoken:
        held = len(self._pcm)
        # Two pieces of even length rather than a long and a tiny one.
        size = min(held, self._max_bytes)
        if self._max_bytes < held < self._max_bytes + self._min_bytes:
            size = self._min_bytes
        piece = Spoken(bytes(self._pcm[:size]), self._text)
        del self._pcm[:size]
        self._text = ""
        return piece


def encoded(pcm: bytes, layout: AudioFormat) -> bytes:
    """PCM16 at the format's rate, in the format's encoding."""
    match layout.encoding:
        case "pcmu":
            return g711.encode_ulaw(pcm)
        case "pcma":
            return g711.encode_alaw(pcm)
        case _:
            return pcm


async def speech(
    voice: Voice, text: str, layout: AudioFormat, *, name: str, speed: float
) -> AsyncGenerator[Spoken, None]:
    """Speak a text: pieces of 100 to 200 ms in the given format, the last one shorter."""
    recutter = Recutter(layout.rate)
    source = spoken(voice, text, rate=layout.rate, name=name, speed=speed)
    async with aclosing(source) as pieces:
        async for piece in pieces:
            for whole in recutter.add(piece):
                yield Spoken(encoded(whole.pcm, layout), whole.text)
    for whole in recutter.rest():
        yield Spoken(encoded(whole.pcm, layout), whole.text)
