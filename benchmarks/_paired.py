"""Comparing costs on a machine that is never quiet: CPU time, in pairs, with an interval.

Every subject runs in every round, in an order drawn anew; only figures of the same round are divided by each
other. Each measured pass follows an unmeasured one of the same subject: what ran before leaves the
processor in a state of its own, and in a fixed order that becomes a part of the result (a subject
against itself then gave 1.1). What is reported is the median of the ratios with a bootstrap interval,
and a goal is met only if the whole interval meets it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

__all__ = ("Goal", "Rounds", "Subject", "run_rounds", "timed")

Subject = Callable[[], float]
"""Does its work once and returns the CPU seconds that this took, wherever it was done."""
RESAMPLES = 2_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """How many times the cost of another, with the bounds of its interval."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:6.3f}x [{self.low:.3f}-{self.high:.3f}]"


@dataclass(frozen=True)
class Goal:
    """What one subject may cost at most, as a multiple of another."""

    subject: str
    other: str
    at_most: float


@dataclass(frozen=True)
class Rounds:
    """The CPU seconds of each subject, round by round, and how busy the machine was."""

    seconds: Mapping[str, Sequence[float]]
    load: tuple[float, float]
    """One-minute load before and after."""

    def ratio(self, subject: str, other: str) -> Ratio:
        ratios = [a / b for a, b in zip(self.seconds[subject], self.seconds[other], strict=True)]
        chance = random.Random(len(ratios))  # noqa: S311 -- repeatable on purpose
        middles = sorted(median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
        tail = int(RESAMPLES * (1 - CONFIDENCE) / 2)
        return Ratio(median(ratios), middles[tail], middles[-1 - tail])

    def verdict(self, goal: Goal) -> str:
        """One line: the ratio, the goal, and whether the interval's upper bound meets it."""
        line = f"{goal.subject} / {goal.other}"
        if goal.other not in self.seconds:
            return f"  {line:52} not run"
        ratio = self.ratio(goal.subject, goal.other)
        met = "met" if ratio.high <= goal.at_most else "NOT MET"
        if max(self.load) > (os.cpu_count() or 1):
            met += " (too busy a machine to judge)"
        return f"  {line:52} {ratio}  goal <= {goal.at_most:.3f}  {met}"


def timed(work: Callable[[], object]) -> Subject:
    """A subject that works in this process."""

    def run() -> float:
        start = process_time()
        work()
        return process_time() - start

    return run


def run_rounds(subjects: Mapping[str, Subject], rounds: int) -> Rounds:
    """Run all subjects the given number of times."""
    before = os.getloadavg()[0]
    chance = random.Random(rounds)  # noqa: S311 -- repeatable on purpose
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name in chance.sample(list(subjects), k=len(subjects)):
            subjects[name]()
            seconds[name].append(subjects[name]())
    return Rounds(seconds, (before, os.getloadavg()[0]))
