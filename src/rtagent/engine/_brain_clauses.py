"""Sentences of a caller, cut into clauses with their courtesies taken off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ._brain_words import ALL_VERBS, ASKING_WORDS, CONTRACTIONS, LEAD_INS, REQUESTING, WANTING
from ._numbers import find_quantities
from ._spoken import plain_words

__all__ = ("Clause", "clause_of", "clauses_of", "spoken_words")

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_DECIMALS = re.compile(r"(?<=\d)\.(\d+)")
_MINUS = re.compile(r"(?<![\w-])-(?=\d)")
_OPENINGS = tuple(
    sorted(
        (tuple(phrase.split()) for phrase in (*REQUESTING, *(f"i {want}" for want in WANTING))),
        key=len,
        reverse=True,
    )
)
_NEGATIONS = frozenset(["not", "never"])


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that was said, without what only opens it politely."""

    words: tuple[str, ...]
    text: str
    """The utterance as it was written, to give free text back in its own spelling."""
    question: bool = False
    wished: bool = False
    """It began as a request ("could you", "I want to"), so it need not begin with a verb."""

    @property
    def negated(self) -> bool:
        """True for "do not ..."."""
        return not _NEGATIONS.isdisjoint(self.words)

    def joined(self, other: Clause) -> Clause:
        """This clause and another one that only continues it."""
        return replace(self, words=(*self.words, "and", *other.words))


def spoken_words(text: str) -> list[str]:
    """The words of a text with contractions written out and figures as number words."""
    text = _MINUS.sub(" minus ", _THOUSANDS.sub("", text))
    text = _DECIMALS.sub(lambda found: " point " + " ".join(found[1]), text)
    words: list[str] = []
    for word in plain_words(text):
        words += CONTRACTIONS.get(word, word).split()
    return words


def clauses_of(text: str) -> list[list[Clause]]:
    """The clauses of each sentence, cut at every "and" that is not inside a number."""
    sentences = (spoken_words(sentence) for sentence in _SENTENCE_END.split(text))
    return [[clause_of(part, text) for part in _parts(words)] for words in sentences if words]


def clause_of(words: Sequence[str], text: str) -> Clause:
    """A clause without its lead-ins ("okay please") and its opening ("could you")."""
    rest, wished = list(words), False
    while rest:
        opening = next((phrase for phrase in _OPENINGS if tuple(rest[: len(phrase)]) == phrase), ())
        if opening:
            wished = True
        elif not _only_leads_in(rest):
            break
        rest = rest[len(opening) or 1 :]
    return Clause(tuple(rest), text, not wished and bool(rest) and rest[0] in ASKING_WORDS, wished)


def _only_leads_in(words: Sequence[str]) -> bool:
    """Whether the first word only opens a request; in "stop the timer" it is the request."""
    if words[0] in ALL_VERBS:
        return words[0] in LEAD_INS and not ALL_VERBS.isdisjoint(words[1:])
    return words[0] in LEAD_INS


def _parts(words: list[str]) -> list[list[str]]:
    spans = [range(found.start, found.end) for found in find_quantities(words)]
    cuts = [at for at, word in enumerate(words) if word == "and" and not any(at in span for span in spans)]
    bounds = [-1, *cuts, len(words)]
    return [words[start + 1 : end] for start, end in pairwise(bounds) if end > start + 1]
