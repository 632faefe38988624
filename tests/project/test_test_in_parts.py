"""The parts in which the tests are run."""

from __future__ import annotations

from itertools import chain

from scripts.test_in_parts import ROOT, parts_of


def test_the_parts_together_are_everything_and_nothing_twice():
    tests = ROOT / "tests"
    paths = list(chain.from_iterable(parts_of(tests).values()))
    assert len(paths) == len(set(paths))
    run = [
        file
        for path in paths
        for file in ([ROOT / path] if path.endswith(".py") else (ROOT / path).glob("**/test_*.py"))
    ]
    assert sorted(run) == sorted(tests.glob("**/test_*.py"))
