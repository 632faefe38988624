"""The check that each module is covered by its own test file."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import CoverageData

from scripts.check_own_tests import judge, lines_in_functions, modules_with_behaviour, own_coverage, own_test

MODULE = '''\
from abc import abstractmethod

LIMIT = 3


def double(number):
    """Twice as much."""
    return number * 2


class Port:
    @abstractmethod
    async def receive(self): ...

    def send(self):
        """Nothing to run here."""
        ...

    async def close(self):
        if LIMIT:
            return
'''
NAME = "room/_module.py"
OWN = "tests/room/test_module.py::test_double|run"
OTHER = "tests/room/test_other.py::test_double|run"
AT_IMPORT = {(-1, 1), (1, 3), (3, 6), (6, 11), (11, -1), (-11, 11), (11, 12), (12, 15), (15, 19), (19, -11)}
DOUBLE = {(-6, 8), (8, -6)}
CLOSE = {(-19, 20), (20, 21), (21, -19), (20, -19)}


CONFIGURATION = """\
[tool.coverage.run]
branch = true
[tool.coverage.report]
exclude_also = ['\\.\\.\\.$']
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with one module and a test file of its own."""
    files = {
        "pyproject.toml": CONFIGURATION,
        "src/rtagent/room/_module.py": MODULE,
        "src/rtagent/room/_table.py": "LIMIT = 3\n",
        "tests/room/test_module.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def verdict(root: Path, arcs: dict[str, set[tuple[int, int]]]) -> str | None:
    """What is said after a test run that took these branches in each context."""
    data = CoverageData(basename=str(root / ".coverage"))
    for context, taken in arcs.items():
        data.set_context(context)
        data.add_arcs({str(root / "src" / "rtagent" / NAME): taken})
    data.write()
    return judge(root, NAME, own_coverage(root, data, [NAME]))


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("errors.py", "tests/test_errors.py"),
        ("_lazy.py", "tests/test_lazy.py"),
        ("__main__.py", "tests/test_main.py"),
        ("audio/_playback.py", "tests/audio/test_playback.py"),
        ("audio/g711.py", "tests/audio/test_g711.py"),
    ],
)
def test_a_module_has_one_test_file(module: str, test: str) -> None:
    assert own_test(module) == test


def test_docstrings_and_empty_bodies_are_no_behaviour(root: Path) -> None:
    assert lines_in_functions(root / "src" / "rtagent" / NAME) == {8, 20, 21}
    assert modules_with_behaviour(root) == [NAME]


def test_what_the_own_tests_reach_counts(root: Path) -> None:
    assert verdict(root, {"": AT_IMPORT, OWN: DOUBLE | CLOSE}) is None


def test_what_only_other_tests_reach_does_not(root: Path) -> None:
    assert "not reached: 20-21" in (verdict(root, {"": AT_IMPORT, OWN: DOUBLE, OTHER: CLOSE}) or "")


def test_an_import_in_any_test_counts(root: Path) -> None:
    assert verdict(root, {OTHER: AT_IMPORT, OWN: DOUBLE | CLOSE}) is None


def test_a_module_without_its_test_file_is_named(root: Path) -> None:
    (root / "tests" / "room" / "test_module.py").unlink()
    assert verdict(root, {"": AT_IMPORT | DOUBLE | CLOSE}) == "has no tests/room/test_module.py"
