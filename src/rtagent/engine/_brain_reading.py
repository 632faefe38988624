"""One tool held against one clause: does the clause ask for it, how well, and with which arguments.

A tool that changes something is held to more than one that only looks something up: it needs an order (a
verb in front, or "I want ..."), its topic, and nearly no word that is left unexplained. A question about it
is never an order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ._brain_clauses import Clause
from ._brain_slots import SlotFilling, topic_words
from ._brain_words import ALL_VERBS, GLUE, LEAD_INS, POLITE, PREPOSITIONS
from ._numbers import find_quantities, singular
from ._spoken import Slot, ToolSpeech, words_of_name

__all__ = ("Reading", "Request", "read_clause")

_SUBJECTS = frozenset("i we he she they you it is are was were am be been if whether when because".split())
"""Before a verb, or without one, these make a statement and not an order."""
_SELF_SPEAKING = frozenset({"play", "search", "say", "call", "order", "translate"})
"""Families whose verb and object are enough: nobody says "play the music Yesterday"."""
_BEGINNING = frozenset({"set", "start", "create"})
"""Families that callers do not tell apart: a timer is set, started and created."""
_PARTICLES = frozenset({"on", "off", "up", "down"})
_EXPLAINED = GLUE | POLITE | LEAD_INS | PREPOSITIONS | {"oclock", "percent", "degrees", "there"}
_MOST_UNEXPLAINED_WORDS = {True: 2, False: 1}
"""Words that may be left over, for tools that only ask and for tools that act: recognition adds some."""


@dataclass(frozen=True, slots=True)
class Request:
    """A tool that is wanted, with the arguments known so far."""

    speech: ToolSpeech
    values: Mapping[str, Any]

    @property
    def missing(self) -> Slot | None:
        """The first parameter that must still be asked for."""
        return next(
            (
                slot
                for slot in self.speech.slots
                if slot.required and not slot.nullable and slot.name not in self.values
            ),
            None,
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments in the order of the schema, null where one is required and may be null."""
        return {
            slot.name: self.values.get(slot.name)
            for slot in self.speech.slots
            if slot.required or slot.name in self.values
        }

    def with_values(self, values: Mapping[str, Any]) -> Request:
        """The same request with further or other arguments."""
        return replace(self, values={**self.values, **values})


@dataclass(frozen=True, slots=True)
class Reading:
    """One tool, held against one clause."""

    speech: ToolSpeech
    clause: Clause
    filling: SlotFilling
    coverage: float
    """Which part of its topic is named, 0 to 1."""
    verb: str = ""
    """Its verb, when the clause is an order that begins with it."""
    unexplained: frozenset[str] = field(default=frozenset())
    statement: bool = False

    @property
    def request(self) -> Request:
        return Request(self.speech, self.filling.values)

    @property
    def score(self) -> float:
        named = not self.speech.verbs or self.verb == self.speech.verbs[0]
        particle = not _particles(self.speech).isdisjoint(self.clause.words)
        points = 4 * self.coverage + len(self.filling.values) + bool(self.verb) + named + particle
        return points - len(self.unexplained)

    @property
    def fits(self) -> bool:
        """Whether the clause asks for this tool."""
        speech, clause = self.speech, self.clause
        if clause.negated or _contradicts(speech, clause.words, self.verb):
            return False
        if len(self.unexplained) > _MOST_UNEXPLAINED_WORDS[speech.asks]:
            return False
        if not self._names_topic():
            return False
        if (speech.asks and clause.question) or self.verb:
            return not clause.question or speech.asks
        if clause.question or self.statement or self.unexplained:
            return False
        return clause.wished or speech.asks or self.request.missing is None

    def _names_topic(self) -> bool:
        speech, complete = self.speech, self.request.missing is None
        if speech.topic and self.coverage:
            return self.coverage == 1 or (self.coverage >= 0.5 and not self.unexplained)
        own_verb = bool(self.verb) and (not speech.topic or self.verb == speech.verbs[0])
        speaks_for_itself = not speech.topic or (
            speech.family in _SELF_SPEAKING and bool(self.filling.values)
        )
        return own_verb and speaks_for_itself and complete and not self.unexplained


def read_clause(speech: ToolSpeech, clause: Clause) -> Reading:
    """How well a clause fits a tool."""
    filling = SlotFilling(speech, clause)
    words = clause.words
    topic = topic_words(speech)
    names = {singular(word) for slot in speech.slots for word in slot.words}
    free = [word for at, word in enumerate(words) if at not in filling.used]
    said = {*free, *map(singular, free)}
    hits = sum(not speech.topic_forms(word).isdisjoint(said) for word in speech.topic)
    own = _verbs(speech)
    counted = _counting_words(speech, words)
    unexplained = frozenset(
        word
        for word in free
        if word not in _EXPLAINED | own | counted
        and singular(word) not in topic | names
        and word not in topic
    )
    order = _order(words, filling.used, own, unexplained)
    # a verb of other tools is an explanation of nothing: "stop the timer" does not set one
    foreign: frozenset[str] = (
        frozenset() if order else ALL_VERBS.intersection(free) - own - topic - {"stop"} - unexplained
    )
    if not order and words[:1] == ("stop",) and "stop" not in own:
        foreign |= {"stop"}
    coverage = hits / len(speech.topic) if speech.topic else 0.0
    return Reading(
        speech, clause, filling, coverage, order, unexplained | foreign, not _SUBJECTS.isdisjoint(words)
    )


def _verbs(speech: ToolSpeech) -> frozenset[str]:
    begins = speech.family in _BEGINNING and not any(slot.by_particle for slot in speech.slots)
    return _BEGINNING.union(speech.verbs) if begins else frozenset(speech.verbs)


def _counting_words(speech: ToolSpeech, words: Sequence[str]) -> frozenset[str]:
    """The words of numbers for a tool that takes one, even of those that its limits refuse."""
    if all(slot.kind != "number" for slot in speech.slots):
        return frozenset()
    spans = [words[found.start : found.end] for found in find_quantities(words)]
    return frozenset(word for span in spans for word in span)


def _order(words: Sequence[str], used: set[int], verbs: frozenset[str], unexplained: frozenset[str]) -> str:
    """The tool's verb when it gives an order, that is when nothing but courtesies and values precede it."""
    for at, word in enumerate(words):
        if at in used:
            continue
        stem = _without_ing(word, verbs)
        if stem:
            return stem
        if word in _SUBJECTS or word in unexplained or (word in ALL_VERBS and word not in LEAD_INS):
            return ""
    return ""


def _without_ing(word: str, verbs: frozenset[str]) -> str:
    if not word.endswith("ing"):
        return word if word in verbs else ""
    stem = word.removesuffix("ing")
    return next((verb for verb in (word, stem, f"{stem}e", stem[:-1]) if verb in verbs), "")


def _particles(speech: ToolSpeech) -> frozenset[str]:
    """On, off, up or down in a tool's own name: ``turn_off_light`` is only for off."""
    if any(slot.by_particle for slot in speech.slots):
        return frozenset()
    named = _PARTICLES.intersection(words_of_name(speech.name))
    return named if len(named) == 1 else frozenset()


def _contradicts(speech: ToolSpeech, words: Sequence[str], verb: str) -> bool:
    particles = _particles(speech)
    if particles and not speech.asks:
        return particles.isdisjoint(words)
    # "turn off the music" stops it, "turn it on" does not
    return speech.family == "stop" and verb in ("turn", "switch") and "off" not in words
