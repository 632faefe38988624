"""The engine's mouth: what a voice is, and how the server hears it sentence by sentence.

Theory of operation
    A ``Voice`` is a blocking generator of audio. ``spoken`` pulls it: each chunk is asked for on a
    worker thread when the one before was taken, so the consumer's pace is the only buffer, nothing is
    synthesised ahead of it by more than one sentence, and between two chunks nothing runs anywhere.
    That is why a cancelled task has only the chunk in the making to wait for, and nothing to clean up
    but a suspended generator. A lock around that generator covers asyncio's own ``Task.cancel``, which
    leaves the thread behind: the closing then waits for the chunk, in a thread of its own.

    Where a word lies within a sentence is estimated from its letters, because a ``Voice`` does not say;
    a sentence's start and end are exact.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from anyio import CancelScope, to_thread
from anyio.lowlevel import checkpoint_if_cancelled

from ..audio import AudioFormat, Resampler

__all__ = ("Spoken", "Voice", "ends_sentence", "pause", "sentences", "spoken")

_CHUNK_MS = 80
_PAUSE_CHUNKS = 3
_CHARACTERS_PER_SECOND = 14.5
"""Of English at 165 words a minute, blanks counted (eSpeak NG: 14.0 to 14.7, by the voice)."""

_LONGEST_CHARACTERS = 200
_BOUNDARY = re.compile(
    r"(?:(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？]++[”」』]*+|\n)\s*+"  # noqa: RUF001 - CJK full stops
)
_ABBREVIATIONS = frozenset(("dr", "mr", "mrs", "ms", "prof", "st", "vs", "approx", "no", "nr"))
_LETTERS_AND_DOTS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_WORD = re.compile(r"\S+\s*|\s+")


class Voice(Protocol):
    """Text to speech. The methods block; call them on a worker thread."""

    @property
    def rate(self) -> int:
        """Samples per second of what ``speak`` yields (Hz)."""
        ...

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        """Synthesise mono PCM16 in chunks of at most 100 ms, without silence around it.

        Closing the generator stops the work at once.

        Args:
            text: usually one sentence, as ``sentences`` cuts them.
            voice: a voice's name; one that is not known means the default voice.
            speed: 1.0 is a calm reading pace; 0.25 to 1.5.
        """
        ...


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of speech and the words that begin in it."""

    pcm: bytes
    """Mono PCM16; may be empty in the last one."""
    text: str
    """The words newly begun, with the blanks behind them; often empty."""


async def spoken(
    voice: Voice, text: str, *, rate: int = 24_000, name: str | None = None, speed: float = 1.0
) -> AsyncGenerator[Spoken, None]:
    """Speak a text aloud without blocking the event loop.

    The joined texts of all that is yielded are the input text. May be cancelled at any time; close it
    with ``contextlib.aclosing`` when leaving early.

    Args:
        voice: who speaks.
        text: what to say; any length.
        rate: samples per second to deliver (Hz).
        name: passed to the voice as its ``voice``.
        speed: 0.25 to 1.5.

    Raises:
        ConfigurationError: the voice cannot be used on this machine.
    """
    parts = _read_aloud(voice, text, rate=rate, name=name, speed=speed)
    turn = threading.Lock()

    def advance() -> Spoken | None:
        with turn:
            return next(parts, None)

    def stop() -> None:
        with turn:
            parts.close()

    try:
        while (part := await to_thread.run_sync(advance)) is not None:
            await checkpoint_if_cancelled()  # a thread hands its result over even after a cancellation
            yield part
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(stop)


def _read_aloud(
    voice: Voice, text: str, *, rate: int, name: str | None, speed: float
) -> Generator[Spoken, None, None]:
    if not text:
        return
    source = AudioFormat.pcm16(voice.rate)
    resampler = Resampler(source.rate, rate)
    captions = _Captions(speed)
    between: list[bytes] = []
    for sentence in sentences(text):
        if not sentence.isspace():
            for silence in between:
                yield Spoken(resampler.process(silence), captions.rest())
            between = pause(source.rate) if ends_sentence(sentence) else []
        captions.begin(sentence)
        with closing(_chunks(voice, sentence.strip(), name, speed)) as chunks:
            for pcm in chunks:
                yield Spoken(resampler.process(pcm), captions.during(source.ms_of(len(pcm))))
    yield Spoken(resampler.flush(), captions.rest())


def _chunks(voice: Voice, sentence: str, name: str | None, speed: float) -> Generator[bytes, None, None]:
    if sentence:
        yield from voice.speak(sentence, voice=name, speed=speed)


class _Captions:
    """Lets the words of a sentence go while its audio goes by; owns what has not been let go."""

    def __init__(self, speed: float) -> None:
        self._ms_per_character = 1000 / (_CHARACTERS_PER_SECOND * max(speed, 0.25))
        self._waiting: deque[tuple[float, str]] = deque()
        self._clock_ms = 0.0

    def begin(self, sentence: str) -> None:
        """Start a sentence; what is left of the one before is due at once."""
        left = self.rest()
        self._clock_ms = due_ms = 0.0
        if left:
            self._waiting.append((0.0, left))
        for word in _WORD.findall(sentence):
            self._waiting.append((due_ms, word))
            due_ms += len(word) * self._ms_per_character

    def during(self, ms: float) -> str:
        """The words that begin within the next so many milliseconds of the sentence's audio."""
        self._clock_ms += ms
        words: list[str] = []
        while self._waiting and self._waiting[0][0] < self._clock_ms:
            words.append(self._waiting.popleft()[1])
        return "".join(words)

    def rest(self) -> str:
        """All words that still wait."""
        words = "".join(word for _, word in self._waiting)
        self._waiting.clear()
        return words


def sentences(text: str) -> list[str]:
    """Cut a text where a reader would pause; joined, the pieces are the text.

    A piece has at most 200 characters: a longer sentence is cut behind a comma or a blank. Numbers
    (3.5), abbreviations (e.g., Dr.) and stops before a small letter do not end a sentence.
    """
    pieces: list[str] = []
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        if not _goes_on(text, start, boundary):
            pieces.extend(_shortened(text[start : boundary.end()]))
            start = boundary.end()
    pieces.extend(_shortened(text[start:]))
    return pieces


def ends_sentence(piece: str) -> bool:
    """Whether a piece made by ``sentences`` ends one, rather than being cut for its length."""
    return piece.endswith("\n") or piece.rstrip().rstrip("\"'”’»)]」』")[-1:] in tuple(".!?…。！？")  # noqa: RUF001


def pause(rate: int) -> list[bytes]:
    """The silence between two sentences, 240 ms, in chunks of PCM16 at that rate (Hz)."""
    return [bytes(AudioFormat.pcm16(rate).bytes_of(_CHUNK_MS))] * _PAUSE_CHUNKS


def _goes_on(text: str, start: int, boundary: re.Match[str]) -> bool:
    if text[boundary.end() : boundary.end() + 1].islower():
        return True
    if boundary[0].rstrip() != ".":
        return False
    before = text[max(start, boundary.start() - 20) : boundary.start()].split()
    word = before[-1].lstrip("(\"'“‘«[") if before else ""  # noqa: RUF001 - typographic quotation marks
    numbers_a_list = word.isdigit() and text[start : boundary.start()].strip() == word
    return numbers_a_list or word.lower() in _ABBREVIATIONS or _LETTERS_AND_DOTS.fullmatch(word) is not None


def _shortened(piece: str) -> Iterator[str]:
    start = 0
    while len(piece) - start > _LONGEST_CHARACTERS:
        limit = start + _LONGEST_CHARACTERS
        comma = piece.rfind(", ", start + _LONGEST_CHARACTERS // 2, limit)
        blank = piece.rfind(" ", start, limit)
        end = comma + 2 if comma >= 0 else blank + 1 if blank >= 0 else limit
        yield piece[start:end]
        start = end
    if start < len(piece):
        yield piece[start:]
