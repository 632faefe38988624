"""What a probe finds: answers to questions, and what they say about the fields of a dialect. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from ..events import PROFILES, Dialect

__all__ = ("Answer", "Answered", "Contains", "Fact", "Finding", "Is", "Nearness", "nearest", "profile_of")

Answer = Literal["yes", "no", "not known"]
Reaction = Literal["acknowledged", "silent", "refused"]


@dataclass(frozen=True, slots=True)
class Is:
    """A field of the dialect has this value."""

    field: str
    value: Any

    @property
    def about(self) -> str:
        return self.field

    def holds(self, dialect: Dialect) -> bool:
        return bool(getattr(dialect, self.field) == self.value)

    def applied(self, dialect: Dialect) -> Dialect:
        return dialect.model_copy(update={self.field: self.value})

    def against(self, dialect: Dialect) -> str:
        """How the dialect differs, in words."""
        return f"{self.field}: here {_told(self.value)}, there {_told(getattr(dialect, self.field))}"


@dataclass(frozen=True, slots=True)
class Contains:
    """A field of the dialect that holds several things holds this one, or does not."""

    field: str
    element: Any
    present: bool

    @property
    def about(self) -> str:
        return self.field

    def holds(self, dialect: Dialect) -> bool:
        return (self.element in getattr(dialect, self.field)) == self.present

    def applied(self, dialect: Dialect) -> Dialect:
        if self.holds(dialect):
            return dialect
        held = getattr(dialect, self.field)
        changed: Any
        if self.field == "aliases":
            changed = {name: ours for name, ours in dialect.aliases.items() if name != self.element}
            if self.present:
                changed[self.element] = _meaning(self.element)
        else:
            kept = [element for element in held if element != self.element]
            changed = type(held)([*kept, self.element] if self.present else kept)
        return dialect.model_copy(update={self.field: changed})

    def against(self, dialect: Dialect) -> str:
        here, there = ("with", "without") if self.present else ("without", "with")
        return f"{self.field}: here {here} {self.element}, there {there}"


@dataclass(frozen=True, slots=True)
class Answered:
    """How a client event that can be obeyed is met."""

    event: str
    reaction: Reaction

    @property
    def about(self) -> str:
        return self.event

    def holds(self, dialect: Dialect) -> bool:
        expected = self._expected(dialect)
        # Silence may be obedience or disregard: it contradicts only a dialect that promises an answer.
        return expected != "acknowledged" if self.reaction == "silent" else expected == self.reaction

    def applied(self, dialect: Dialect) -> Dialect:
        if self.holds(dialect):
            return dialect
        refused, unanswered = dialect.refused_events - {self.event}, dialect.unanswered_events - {self.event}
        if self.reaction == "refused":
            refused |= {self.event}
        elif self.reaction == "silent":
            unanswered |= {self.event}
        return dialect.model_copy(update={"refused_events": refused, "unanswered_events": unanswered})

    def against(self, dialect: Dialect) -> str:
        return f"{self.event}: here {self.reaction}, there {self._expected(dialect)}"

    def _expected(self, dialect: Dialect) -> Reaction:
        if not dialect.takes(self.event):
            return "refused"
        return "acknowledged" if dialect.answers(self.event) else "silent"


Fact: TypeAlias = Is | Contains | Answered


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question, and how it is known."""

    topic: str
    """The question, as the statement that a yes affirms."""
    answer: Answer
    evidence: str
    facts: tuple[Fact, ...] = ()
    """What it says about the fields of a dialect."""


class Nearness(NamedTuple):
    """How well a known profile describes what was found."""

    name: str
    agreements: tuple[str, ...]
    """The fields that were found out and agree; for client events their types."""
    disagreements: tuple[str, ...]


def nearest(findings: Iterable[Finding], profiles: Mapping[str, Dialect] = PROFILES) -> list[Nearness]:
    """The profiles, nearest first; where several are as near, in their own order.

    Only what was found out counts: a field about which nothing is known is neither for nor against.
    """
    facts = _facts(findings)
    names = sorted({fact.about for fact in facts})
    ranked: list[tuple[int, int, Nearness]] = []
    for name, dialect in profiles.items():
        wrong = [fact.about for fact in facts if not fact.holds(dialect)]
        disagreements = tuple(about for about in names if about in wrong)
        agreements = tuple(about for about in names if about not in wrong)
        ranked.append((len(disagreements), len(wrong), Nearness(name, agreements, disagreements)))
    return [nearness for *_, nearness in sorted(ranked, key=lambda entry: entry[:2])]


def differences(findings: Iterable[Finding], dialect: Dialect) -> list[str]:
    """In words, what was found out and is different in a dialect."""
    return [fact.against(dialect) for fact in _facts(findings) if not fact.holds(dialect)]


def profile_of(findings: Iterable[Finding], base: Dialect, *, name: str, url: str) -> Dialect:
    """The dialect of the probed server: the base, changed where something else was found."""
    dialect = base.model_copy(update={"name": name, "title": f"{name}, as probed", "url": url})
    for fact in _facts(findings):
        if not fact.holds(dialect):
            dialect = fact.applied(dialect)
    return dialect


def _facts(findings: Iterable[Finding]) -> Sequence[Fact]:
    return list(dict.fromkeys(fact for finding in findings for fact in finding.facts))


def _meaning(name: str) -> str:
    """What an event type of theirs means, from a profile that knows it."""
    known = (dialect.aliases for dialect in PROFILES.values())
    return next(aliases[name] for aliases in known if name in aliases)


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, cast("Sequence[Any]", value))) or "nothing"
    return "none" if value is None else str(value)
