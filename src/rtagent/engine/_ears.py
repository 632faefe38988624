"""Speech recognition: pocketsphinx with a grammar made from the tools, checked against an open vocabulary."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from ..errors import ConfigurationError, SessionClosed
from ._grammar import grammar_of, grammar_words
from ._listener import HEADER

__all__ = ("PocketsphinxRecognizer", "Recognition", "Recognizer")

ANSWER_WITHIN_S = 20.0
SAME_SENTENCE = 0.78
"""How alike, letter by letter, what both decoders heard must be. Measured on 60 spoken sentences: what was in
the grammar was at least 0.81 alike, what was not at most 0.73."""
OPEN_CONFIDENCE = 0.4


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was understood."""

    text: str
    """Lower-case words; "" when nothing was."""
    confidence: float
    """0 to 1: how much two ways of hearing agree."""
    alternatives: tuple[str, ...] = ()


class Recognizer(Protocol):
    """Hears one utterance after the other: 16 kHz mono PCM16 in, text out."""

    async def start(self) -> None:
        """Get ready to hear."""
        ...

    async def feed(self, pcm: bytes) -> str | None:
        """Hear more; the text so far when it has changed."""
        ...

    async def finish(self) -> Recognition:
        """The utterance is complete; the next ``feed`` begins another."""
        ...

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """What the speaker can ask for, as function definitions."""
        ...

    async def aclose(self) -> None:
        """End for good."""
        ...


class PocketsphinxRecognizer:
    """The embedded recogniser, in a process of its own (see ``_listener``).

    Args:
        mode: ``open`` ignores the tools; ``auto`` uses a grammar where the tools give one.

    Raises:
        ConfigurationError: pocketsphinx is not installed.
    """

    def __init__(self, mode: Literal["auto", "open"] = "auto") -> None:
        if find_spec("pocketsphinx") is None:
            message = "speech recognition needs pocketsphinx"
            raise ConfigurationError(message, hint='pip install "rtagent[local]"')
        self._mode = mode
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process, unless it runs."""
        if self._process is None:
            command = [sys.executable, "-m", "rtagent.engine._listener"]
            self._process = await anyio.open_process(command, stderr=None)

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Make a grammar of the tools; it holds from the next utterance on."""
        grammar = grammar_of(tools) if self._mode == "auto" else None
        words = sorted(grammar_words(grammar)) if grammar is not None else []
        await self._ask(b"G", json.dumps({"grammar": grammar, "words": words}).encode())

    async def feed(self, pcm: bytes) -> str | None:
        """Hear more; the text so far when it has changed."""
        return (await self._ask(b"A", pcm)).decode() or None

    async def finish(self) -> Recognition:
        """What was said; a sentence that only the grammar heard was not said."""
        return _recognition(json.loads(await self._ask(b"E", b"")))

    async def aclose(self) -> None:
        """End the process: it stops by itself when nobody speaks to it any more."""
        process, self._process = self._process, None
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            if process.stdin is not None:
                await process.stdin.aclose()
            with anyio.move_on_after(2.0):
                await process.wait()
            await process.aclose()

    async def _ask(self, kind: bytes, payload: bytes) -> bytes:
        """Send a frame and wait for its answer."""
        await self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            message = "the recogniser's process is not there"
            raise SessionClosed(message)
        try:
            # Shielded: half an answer left in the pipe would be taken for the next one.
            with anyio.fail_after(ANSWER_WITHIN_S, shield=True):
                await process.stdin.send(HEADER.pack(kind, len(payload)) + payload)
                stdout = BufferedByteReceiveStream(process.stdout)
                _, size = HEADER.unpack(await stdout.receive_exactly(HEADER.size))
                answer = await stdout.receive_exactly(size) if size else b""
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError) as error:
            await self.aclose()  # the next utterance gets a new process
            message = "the recogniser's process ended"
            raise SessionClosed(message) from error
        return answer


def _recognition(heard: Mapping[str, str]) -> Recognition:
    bound, free = heard["grammar"], heard["open"]
    if not bound:
        return Recognition(free, OPEN_CONFIDENCE if free else 0.0)
    alike = SequenceMatcher(None, bound.replace(" ", ""), free.replace(" ", "")).ratio()
    if alike >= SAME_SENTENCE:
        return Recognition(bound, alike, (free,) if free != bound else ())
    return Recognition(free, OPEN_CONFIDENCE, (bound,))
