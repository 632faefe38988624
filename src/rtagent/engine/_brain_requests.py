"""What a caller wants: which tools, with which arguments, and what is still missing.

Understanding is a fold over the history, so the brain keeps no state: every utterance of the caller
turns one ``Memory`` into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ._brain_clauses import Clause, clauses_of, spoken_words
from ._brain_reading import Request, read_clause
from ._brain_slots import SlotFilling, answer_to
from ._brain_words import POLITE
from ._spoken import ToolSpeech

__all__ = ("Memory", "forced_request", "listen")

_DROPPED = frozenset(
    {
        "never mind",
        "cancel",
        "cancel that",
        "forget it",
        "forget that",
        "stop",
        "no",
        "nothing",
        "goodbye",
        "bye",
    }
)


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known after an utterance."""

    ready: tuple[Request, ...] = ()
    """Requests of the last utterance that can be carried out."""
    question: Request | None = None
    """The request whose missing argument the caller is asked for."""
    last: Request | None = None
    """The latest complete request, for "and the bedroom" and "turn it off"."""
    dropped: bool = False
    """The caller withdrew the open request."""
    refused: bool = False
    """The caller said what not to do."""


def listen(memory: Memory, text: str, speeches: Sequence[ToolSpeech]) -> Memory:
    """What is known after the caller said one more thing."""
    requests: list[Request] = []
    refused = False
    for clauses in clauses_of(text):
        found = _requests_of(clauses, speeches, requests[-1] if requests else memory.last)
        refused = refused or (not found and any(clause.negated for clause in clauses))
        requests += found
    question, dropped = memory.question, False
    if question is not None:
        if len(requests) == 1 and requests[0].speech == question.speech:
            requests = [question.with_values(requests[0].values)]
        elif not requests:
            answered = _answered(question, text)
            dropped = _is_withdrawn(question, answered, text)
            requests = [] if dropped else [answered]
    ready = tuple(request for request in requests if request.missing is None)
    unready = next((request for request in requests if request.missing is not None), None)
    return Memory(ready, unready, ready[-1] if ready else memory.last, dropped, refused and not requests)


def forced_request(text: str, speeches: Sequence[ToolSpeech]) -> Request | None:
    """The tool that fits an utterance best, however badly, because one must be called."""
    clauses = [clause for sentence in clauses_of(text) for clause in sentence] or [Clause((), text)]
    readings = [read_clause(speech, clause) for clause in clauses for speech in speeches]
    return max(readings, key=lambda reading: reading.score).request if readings else None


def _is_withdrawn(question: Request, answered: Request, text: str) -> bool:
    slot = question.missing
    if slot is not None and slot.kind == "flag" and slot.name in answered.values:
        return False  # "no" is an answer here
    return " ".join(word for word in spoken_words(text) if word not in POLITE) in _DROPPED


def _answered(question: Request, text: str) -> Request:
    """The open request with what a short answer adds to it."""
    for clauses in clauses_of(text):
        for clause in clauses:
            slot = question.missing
            value = None if slot is None else answer_to(slot, question.speech, clause)
            if slot is not None and value is not None:
                others = SlotFilling(question.speech, clause).values
                question = question.with_values({**others, **question.values, slot.name: value})
    return question


def _requests_of(
    clauses: Sequence[Clause], speeches: Sequence[ToolSpeech], last: Request | None
) -> list[Request]:
    """The requests of a sentence: behind "and" comes a new one, a variation of the one before, or its end."""
    found: list[Request] = []
    waiting: Clause | None = None
    for clause in clauses:
        request = _best(clause, speeches)
        before = found[-1] if found else last
        if request is None and before is not None:
            request = _variation(before, clause)
        if request is not None or waiting is None:
            found += [request] if request is not None else []
            waiting = clause
            continue
        joined = waiting.joined(clause)
        request = _best(joined, speeches)
        if request is not None:
            if found and found[-1].speech == request.speech:
                found.pop()
            found += _distributed(request, waiting, clause)
        waiting = joined
    return found


def _distributed(request: Request, *clauses: Clause) -> list[Request]:
    """One request for each value when "and" joins values: "the kitchen and bedroom lights"."""
    each = [varied for clause in clauses if (varied := _variation(request, clause)) is not None]
    return each if len(each) == len(clauses) and each[0] != each[-1] else [request]


def _best(clause: Clause, speeches: Sequence[ToolSpeech]) -> Request | None:
    fitting = [reading for speech in speeches if (reading := read_clause(speech, clause)).fits]
    fitting.sort(key=lambda reading: reading.score, reverse=True)
    if len(fitting) > 1 and fitting[0].coverage < 1 and fitting[0].score == fitting[1].score:
        return None  # "turn on the light" with a tool for each lamp: a guess would be wrong half of the time
    return fitting[0].request if fitting else None


def _variation(request: Request, clause: Clause) -> Request | None:
    """The request before with other values: "and the bedroom", "what about Paris", "turn it off"."""
    reading = read_clause(request.speech, clause)
    if not reading.filling.values or reading.unexplained or clause.negated:
        return None
    if request.speech.asks:
        return request.with_values(reading.filling.values)
    if clause.question or (reading.statement and not reading.verb):
        return None
    return request.with_values(reading.filling.values)
