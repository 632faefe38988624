"""Values for a tool's parameters, found in a clause: known values first, then numbers, then free text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ._brain_clauses import Clause
from ._brain_words import (
    ARTICLES,
    EVERYDAY_VALUES,
    GLUE,
    LEAD_INS,
    POLITE,
    PREPOSITIONS,
    PRONOUNS,
)
from ._numbers import SECONDS_OF, Quantity, find_quantities, singular
from ._spoken import Slot, ToolSpeech

__all__ = ("SlotFilling", "answer_to", "topic_words")

_RUNNING_ROLES = frozenset({"content", "topic", "title"})
"""Such text runs on over prepositions, and may follow the verb without one."""
_LONGEST_ANSWER = 8
"""Words of a free text that answers a question."""
_BEYOND_PLACES = frozenset({"for", "from", "of", "to"})
"""What these introduce is seldom a place in an order to do something: "the light for the party"."""
_DAYS = frozenset(EVERYDAY_VALUES["day"])
_YES = frozenset(["yes", "yeah", "yep", "sure", "okay", "ok", "right", "exactly"])
_REMARKS = frozenset(["i", "you", "not", "what", "goodbye", "bye", "hello"])
"""Words of a remark that is no answer: "I do not know"."""
_NO = frozenset(["no", "nope", "not", "without"])


def topic_words(speech: ToolSpeech) -> frozenset[str]:
    """All words that stand for what a tool is about, plurals not included."""
    return frozenset(form for word in speech.topic for form in speech.topic_forms(word))


class SlotFilling:
    """The parameters of one tool that one clause gives; owns which of its words are used up."""

    def __init__(self, speech: ToolSpeech, clause: Clause, slots: Iterable[Slot] | None = None) -> None:
        self.values: dict[str, Any] = {}
        self.used: set[int] = set()
        self._speech = speech
        self._clause = clause
        self._words = clause.words
        self._slots = tuple(speech.slots if slots is None else slots)
        self._take_known_values()
        self._take_named_flags()
        self._take_numbers()
        self._take_free_texts()

    def _open(self, *kinds: str) -> list[Slot]:
        return [slot for slot in self._slots if slot.kind in kinds and slot.name not in self.values]

    def _put(self, slot: Slot, value: Any, span: Iterable[int]) -> None:
        self.values[slot.name] = [value] if slot.many else value
        self.used.update(span)

    def _take_known_values(self) -> None:
        phrases = {
            tuple(value.phrase.split())
            for slot in self._slots
            if slot.kind != "flag" or slot.by_particle
            for value in slot.values
        }
        for phrase in sorted(phrases, key=lambda words: (-len(words), words)):
            for start in range(len(self._words) - len(phrase) + 1):
                span = range(start, start + len(phrase))
                if self._words[start : span.stop] == phrase and self.used.isdisjoint(span):
                    self._take_phrase(" ".join(phrase), span)

    def _take_phrase(self, phrase: str, span: range) -> None:
        fitting = [
            (slot, value.value)
            for slot in self._open("choice", "flag", "text")
            for value in slot.values
            if value.phrase == phrase and (slot.kind != "flag" or slot.by_particle)
        ]
        if fitting:
            before = [word for word in self._words[: span.start] if word not in ARTICLES]
            slot, value = min(fitting, key=lambda fit: _distance(fit[0], before[-1] if before else ""))
            self._put(slot, value, span)

    def _take_named_flags(self) -> None:
        """Booleans without words of their own are said by their name: "urgent", "not urgent"."""
        for slot in self._open("flag"):
            if slot.by_particle:
                continue
            places = [self._words.index(word) for word in slot.words if word in self._words]
            if places and len(places) == len(slot.words):
                start = max(min(places) - 1, 0)
                denied = self._words[start] in _NO
                self._put(slot, not denied, [*places, *([start] if denied else [])])

    def _take_numbers(self) -> None:
        found = [
            quantity
            for quantity in find_quantities(self._words)
            if self.used.isdisjoint(range(quantity.start, quantity.end))
        ]
        for same_unit in (True, False):
            for slot in self._open("number"):
                quantity = next((one for one in found if not same_unit or one.unit == slot.unit), None)
                value = None if quantity is None else _number_for(slot, quantity)
                if quantity is not None and value is not None:
                    found.remove(quantity)
                    end = quantity.end + (quantity.unit == slot.unit and quantity.unit not in SECONDS_OF)
                    self._put(slot, value, range(quantity.start, end))

    def _take_free_texts(self) -> None:
        for slot in self._open("text"):
            span = (self._object_of_verb(slot) if slot.role in _RUNNING_ROLES else None) or self._phrase_of(
                slot
            )
            if span is not None:
                self._put(
                    slot, _as_written(self._words[span.start : span.stop], self._clause.text, slot), span
                )

    def _object_of_verb(self, slot: Slot) -> range | None:
        """What follows the verb at once: "add milk to the list"."""
        if not self._words or self._words[0] not in self._speech.verbs:
            return None
        start = 1
        while start < len(self._words) and self._words[start] in (ARTICLES | {"me", "us"}):
            start += 1
        return self._stretch(slot, start, stop_at_prepositions=slot.role == "content")

    def _phrase_of(self, slot: Slot) -> range | None:
        """What follows one of its prepositions: "the weather in Oslo"."""
        running = slot.role in _RUNNING_ROLES
        for preposition in slot.prepositions:
            guarded = slot.role == "place" and not self._speech.asks and preposition not in slot.words
            if guarded and preposition in _BEYOND_PLACES:
                continue
            for at, word in enumerate(self._words):
                if word == preposition and at not in self.used:
                    span = self._stretch(slot, at + 1, stop_at_prepositions=not running)
                    if span is not None:
                        return span
        return None

    def _stretch(self, slot: Slot, start: int, *, stop_at_prepositions: bool) -> range | None:
        words = self._words
        first = start
        while start < len(words) and words[start] in ARTICLES:
            start += 1
        end = start
        while end < len(words) and end not in self.used:
            word = words[end]
            if (stop_at_prepositions and word in PREPOSITIONS) or (slot.role != "when" and word in _DAYS):
                break
            end += 1
        while end > start and words[end - 1] in POLITE:
            end -= 1
        said = set(words[start:end])
        hollow = said <= GLUE | PRONOUNS | POLITE | LEAD_INS
        about_itself = end > start and singular(words[start]) in topic_words(self._speech)
        return None if hollow or about_itself else range(first if slot.role == "content" else start, end)


def answer_to(slot: Slot, speech: ToolSpeech, clause: Clause) -> Any | None:
    """The value in a short answer to the question for one parameter, or None."""
    filling = SlotFilling(speech, clause, (slot,))
    if slot.name in filling.values:
        return filling.values[slot.name]
    words = [word for word in clause.words if word not in POLITE]
    if slot.kind == "flag":
        # lead-ins were taken off, and yes and no are among them
        first = next((word for word in clause.text.lower().split() if word.strip(".,!") in _YES | _NO), "")
        return first.strip(".,!") in _YES if first else None
    if slot.kind != "text" or clause.question:
        return None
    if slot.role not in _RUNNING_ROLES and not _REMARKS.isdisjoint(words):
        return None
    while words and words[0] in ARTICLES | PREPOSITIONS | {"it", "is"}:
        words.pop(0)
    if not words or len(words) > _LONGEST_ANSWER or set(words) <= GLUE | LEAD_INS:
        return None
    value = _as_written(words, clause.text, slot)
    return [value] if slot.many else value


def _distance(slot: Slot, before: str) -> tuple[int, bool]:
    """How badly a slot fits behind a word."""
    prepositions = slot.prepositions
    return prepositions.index(before) if before in prepositions else len(prepositions), not slot.required


def _number_for(slot: Slot, quantity: Quantity) -> int | float | None:
    """The quantity in the slot's unit, or None when the slot does not take it."""
    value = quantity.value
    if quantity.unit in SECONDS_OF and slot.unit in SECONDS_OF:
        value *= SECONDS_OF[quantity.unit] / SECONDS_OF[slot.unit]
    too_small = slot.minimum is not None and value < slot.minimum
    too_large = slot.maximum is not None and value > slot.maximum
    if too_small or too_large or (slot.whole and value != int(value)):
        return None
    return int(value) if value == int(value) else value


def _as_written(words: Sequence[str], text: str, slot: Slot) -> str:
    """The words in the caller's own spelling, where that can be found again."""
    found = re.search(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", text, re.IGNORECASE)
    written = found[0] if found else " ".join(words)
    if slot.role == "person" or "city" in slot.words:
        return written.title() if written.islower() else written
    return written
