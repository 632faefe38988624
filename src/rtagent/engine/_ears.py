"""Ears: speech to text, offline, for what the tools can be asked for.

Two decoders hear the same utterance. One has a grammar made from the tools; it lives in this process, costs
little and gives the partial texts. The other knows 130 000 words; it lives in a child process and tells
whether the grammar's sentence was said at all (``_ears_judge``). What neither understands is "".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import anyio
from anyio.lowlevel import checkpoint

from ..errors import ConfigurationError
from ._ears_child import OpenListener
from ._ears_decoder import UtteranceDecoder, load_decoder
from ._ears_judge import judge
from ._ears_pronounce import guess_phones
from ._grammar import grammar_of, grammar_words
from ._partials import GrowingText

__all__ = ("PocketsphinxRecognizer", "Recognition", "Recognizer")

logger = logging.getLogger(__name__)

_UNJUDGED = 0.4
"""Confidence in a sentence that only one decoder heard."""
_CATCH_UP = 3
_SLICE_MS = 200
"""Audio decoded in one step at the end of an utterance, before other tasks get their turn."""
_RESULT_S = 5.0
"""How long the child's result is waited for; it takes 0.1 s unless the machine is overloaded."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was said in one utterance."""

    text: str
    """Lower-case words without punctuation; "" when nothing understandable was said."""
    confidence: float
    """0.0 to 1.0; above 0.5 two decoders agree, 0.4 is the word of one."""
    alternatives: tuple[str, ...] = ()
    """Other readings, the best first."""


class Recognizer(Protocol):
    """Turns one utterance after the other into text."""

    async def start(self) -> None:
        """Begin a new utterance; what was fed and not finished is forgotten."""
        ...

    async def feed(self, pcm: bytes) -> str | None:
        """Take 16 kHz mono PCM16 in pieces of any size; a new partial text when it has changed."""
        ...

    async def finish(self) -> Recognition:
        """End the utterance; audio that follows begins a new one."""
        ...

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Expect what these tools (definitions as on the wire) can be asked for, from the next utterance on."""
        ...

    async def aclose(self) -> None:
        """Free everything; idempotent."""
        ...


class PocketsphinxRecognizer:
    """The offline recogniser, for English.

    Args:
        mode: "auto" listens with the tools' grammar and checks it against an open vocabulary; "grammar"
            trusts the grammar alone, which takes every sentence for one of its own (for closed tests and voices
            that an open vocabulary does not understand, such as eSpeak's); "open" uses the open vocabulary alone.
    """

    def __init__(self, mode: Literal["auto", "grammar", "open"] = "auto") -> None:
        if mode not in ("auto", "grammar", "open"):
            message = f"unknown mode {mode!r}"
            raise ConfigurationError(message, hint="one of auto, grammar, open")
        self._mode = mode
        self._grammar: str | None = None
        self._listener: OpenListener | None = None
        self._decoder: Any = None
        self._hearing: UtteranceDecoder | None = None
        self._compiled: str | None = None
        """The grammar that the decoder listens with."""
        self._begun = False
        self._partial = ""
        self._growing = GrowingText()

    async def start(self) -> None:
        """Begin a new utterance.

        Raises:
            ConfigurationError: pocketsphinx is not installed.
        """
        if self._begun:
            await self._drop()
        if self._mode != "grammar" and self._listener is None:
            self._listener = OpenListener()
            await anyio.to_thread.run_sync(_require_pocketsphinx)
            await self._listener.start()
        await self._compile()

    async def feed(self, pcm: bytes) -> str | None:
        """Take audio; what can be told of the sentence already, when that has grown."""
        if not self._begun:
            await self.start()
            self._begun = True
            self._partial = ""
            self._growing.clear()
        if self._listener is not None:
            await self._listener.feed(pcm)
        if self._hearing is not None:
            self._hearing.feed(pcm)
            text = self._hearing.partial()
        else:
            text = await self._listener.partial() if self._listener is not None else ""
        if not text or text == self._partial:
            return None
        self._partial = text
        return self._growing.update(text)

    async def finish(self) -> Recognition:
        """End the utterance and say what it was."""
        if not self._begun:
            return Recognition("", 0.0)
        self._begun = False
        grammar_text = ""
        if self._hearing is not None:
            while self._hearing.advance(_SLICE_MS):
                await checkpoint()
            grammar_text = self._hearing.finish()
        if self._listener is None:
            return Recognition(grammar_text, _UNJUDGED if grammar_text else 0.0)
        return await self._second_opinion(self._listener, grammar_text)

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Expect what these tools can be asked for, from the next utterance on."""
        self._grammar = None if self._mode == "open" else grammar_of(tools)

    async def aclose(self) -> None:
        """End the child process and free the decoder."""
        self._begun = False
        self._hearing = self._decoder = self._compiled = None
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.aclose()

    async def _drop(self) -> None:
        self._begun = False
        if self._hearing is not None:
            self._hearing.drop()
        if self._listener is not None:
            await self._listener.drop()

    async def _second_opinion(self, listener: OpenListener, grammar_text: str) -> Recognition:
        heard = await listener.finish(_RESULT_S)
        if heard is None:
            logger.warning("recognised without the open vocabulary: %s", listener.failure or "it is too slow")
            return Recognition(grammar_text, _UNJUDGED if grammar_text else 0.0)
        if self._hearing is None:
            return Recognition(heard.text, _UNJUDGED if heard.text else 0.0, heard.alternatives)
        verdict = judge(grammar_text, heard.text, self._decoder.lookup_word)
        others = (heard.text, *heard.alternatives) if verdict.by_grammar else heard.alternatives
        alternatives = tuple(dict.fromkeys(other for other in others if other and other != verdict.text))
        return Recognition(verdict.text, verdict.confidence, alternatives)

    async def _compile(self) -> None:
        """Make the decoder listen with the newest grammar, in a worker thread: it takes up to 0.2 s."""
        grammar = self._grammar
        if grammar == self._compiled:
            return
        self._compiled = grammar
        if grammar is None:
            self._hearing = None
        else:
            self._hearing = await anyio.to_thread.run_sync(self._hearing_with, grammar)

    def _hearing_with(self, grammar: str) -> UtteranceDecoder | None:
        if self._decoder is None:
            self._decoder = load_decoder("grammar")
        for word in sorted(grammar_words(grammar)):
            phones = guess_phones(word)
            if phones and self._decoder.lookup_word(word) is None:  # a word without a sound ends the process
                self._decoder.add_word(word, phones, True)
        try:
            self._decoder.add_jsgf_string("tools", grammar)
        except (ValueError, RuntimeError) as problem:
            logger.warning("the tools' grammar is of no use, listening without it: %s", problem)
            return None
        return UtteranceDecoder(self._decoder, "tools", catch_up=_CATCH_UP)


def _require_pocketsphinx() -> None:
    try:
        import pocketsphinx  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as problem:
        message = "the offline recogniser needs the package pocketsphinx"
        raise ConfigurationError(message, hint='pip install "rtagent[local]"') from problem
