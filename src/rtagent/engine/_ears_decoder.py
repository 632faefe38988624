"""One pocketsphinx decoder as a stream of utterances, each heard at its own level.

The decoder subtracts a mean spectrum that it starts from a guess and adapts over some ten seconds, so the
first sentences of every caller are heard badly: of 24 spoken commands it got eight wrong. Measuring
the mean on the first second of speech of *each* utterance, by running that second through a grammar of one
word (1 % of a core), made all of them right, for any loudness, and makes a result independent of what was
heard before. Adding faint noise to silent gaps, the usual remedy, was no longer of use and cost accuracy.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Literal, cast

from ..errors import ConfigurationError

__all__ = ("SAMPLE_HZ", "UtteranceDecoder", "load_decoder")

SAMPLE_HZ = 16_000
_BYTES_PER_MS = SAMPLE_HZ * 2 // 1000
_CHUNK = 20 * _BYTES_PER_MS
_MEASURED = 900 * _BYTES_PER_MS
"""Audio behind the first loud block on which the level is measured."""
_LEAD = 300 * _BYTES_PER_MS
"""Audio kept from before the first loud block."""
_LOUD = 100
"""RMS of a block, of 32768, from which on it may be speech (about -50 dBFS)."""
_LEVEL_SEARCH = "level"
_LEVEL_GRAMMAR = "#JSGF V1.0; grammar level; public <level> = hello;"


def load_decoder(kind: Literal["grammar", "open"]) -> Any:
    """A pocketsphinx decoder with the model of its wheel: without a language model, or with the open one.

    Takes 0.1 s (grammar) to 0.4 s (open) and holds the interpreter's lock meanwhile.

    Raises:
        ConfigurationError: pocketsphinx is not installed.
    """
    try:
        from pocketsphinx import Decoder  # pyright: ignore[reportUnknownVariableType]
    except ImportError as problem:
        message = "the offline recogniser needs the package pocketsphinx"
        raise ConfigurationError(message, hint='pip install "rtagent[local]"') from problem
    make = cast("Callable[..., Any]", Decoder)  # the package has no types
    if kind == "open":
        return make(samprate=SAMPLE_HZ, loglevel="FATAL")
    # the best-path pass over the lattice costs a quarter of the utterance's length at its end and gained nothing
    return make(samprate=SAMPLE_HZ, loglevel="FATAL", lm=None, bestpath=False)


class UtteranceDecoder:
    """Feeds one decoder. Owned by one recogniser or one listener; not for several threads.

    Args:
        decoder: a pocketsphinx decoder; its searches are the caller's, but for one named "level".
        search: the search to listen with.
        catch_up: how many times faster than it comes kept audio is worked off, so that no single step is
            long; None for at once.
    """

    def __init__(self, decoder: Any, search: str, *, catch_up: int | None = None) -> None:
        self._decoder = decoder
        self._search = search
        self._catch_up = catch_up
        self._kept = bytearray()
        self._loud_at: int | None = None
        self._measured = False
        decoder.add_jsgf_string(_LEVEL_SEARCH, _LEVEL_GRAMMAR)
        decoder.activate_search(search)

    def use(self, search: str) -> None:
        """Listen with another search from the next utterance on; an utterance that goes on is dropped."""
        self.drop()
        self._search = search

    def drop(self) -> None:
        """Forget the utterance that goes on."""
        if self._measured:
            self._decoder.end_utt()
        self._measured = False
        self._kept.clear()
        self._loud_at = None

    def feed(self, pcm: bytes) -> None:
        """Take 16 kHz mono PCM16 of any length."""
        start = len(self._kept)
        self._kept += pcm
        if not self._measured and not self._enough(start):
            return
        if not self._measured:
            self._begin()
        self._work(None if self._catch_up is None else len(pcm) * self._catch_up)

    def partial(self) -> str:
        """What has been understood so far."""
        return self._hypothesis() if self._measured else ""

    def advance(self, ms: int) -> bool:
        """The audio is at its end: work off some of what is kept; True while there is more."""
        if not self._measured:
            if self._loud_at is None:
                return False
            self._begin()
            return True
        self._work(ms * _BYTES_PER_MS)
        return len(self._kept) > 1

    def finish(self) -> str:
        """End the utterance: its text, "" when nothing was understood or nothing loud was said."""
        while self.advance(1000):
            pass
        text = ""
        if self._measured:
            self._decoder.end_utt()
            text = self._hypothesis()
            self._measured = False
        self.drop()
        return text

    def alternatives(self, most: int) -> tuple[str, ...]:
        """Other readings of the last utterance, the best first (with an open vocabulary only)."""
        found: dict[str, None] = {}
        for reading, _ in zip(self._decoder.nbest() or (), range(4 * most), strict=False):
            text = _spoken_text(reading.hypstr if reading is not None else "")
            if text:
                found[text] = None
        return tuple(found)[:most]

    def _enough(self, start: int) -> bool:
        """Whether enough speech is kept to measure its level."""
        if self._loud_at is None:
            for at in range(start - start % _CHUNK, len(self._kept), _CHUNK):
                if _rms(bytes(self._kept[at : at + _CHUNK])) >= _LOUD:
                    self._loud_at = at
                    break
            else:
                del self._kept[: max(0, len(self._kept) - _LEAD) // _CHUNK * _CHUNK]
                return False
        return len(self._kept) - self._loud_at >= _MEASURED

    def _begin(self) -> None:
        decoder = self._decoder
        decoder.activate_search(_LEVEL_SEARCH)
        decoder.reinit_feat()  # a stream once begun in pieces never measures a whole again without this
        decoder.start_utt()
        decoder.process_raw(bytes(self._kept[: (self._loud_at or 0) + _MEASURED]), False, True)
        decoder.end_utt()
        mean = decoder.get_cmn(False)
        decoder.activate_search(self._search)
        decoder.set_cmn(mean)
        decoder.start_utt()
        self._measured = True

    def _work(self, size: int | None) -> None:
        end = len(self._kept) if size is None else min(size, len(self._kept))
        whole = end - end % 2
        for at in range(0, whole, _CHUNK):
            self._decoder.process_raw(bytes(self._kept[at : min(at + _CHUNK, whole)]), False, False)
        del self._kept[:whole]

    def _hypothesis(self) -> str:
        found = self._decoder.hyp()
        return _spoken_text(found.hypstr) if found is not None else ""


def _spoken_text(text: str) -> str:
    """A hypothesis without the marks of fillers such as ``<sil>`` and ``[NOISE]``."""
    return " ".join(word for word in text.split() if word[0] not in "<[+")


def _rms(pcm: bytes) -> float:
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    return (sum(sample * sample for sample in samples) / len(samples)) ** 0.5 if samples else 0.0
