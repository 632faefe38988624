"""Check that each module is covered by its own test file: ``python -m scripts.check_own_tests``.

``src/rtagent/protocol/_gate.py`` belongs to ``tests/protocol/test_gate.py``, and what that file alone
runs of it is its own coverage. A module that only other tests reach has no specification: nobody can
tell which of its behaviours are meant.

One test run records which test ran which branch (``pytest --cov --cov-context=test``). From that record
a second one is made, ``.coverage.own``, which holds for each module only what its own test file did;
from there on, coverage measures as it always does. To see which lines are missing::

    .venv/bin/coverage report --data-file=.coverage.own --show-missing --include='*/protocol/_gate.py'

Statements outside functions run once, at import, in whichever test came first: they count for all.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from pathlib import Path

from coverage import Coverage, CoverageData

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src", "rtagent")

LIMIT = 85.0
"""Percent of a module's lines and branches that its own tests must reach."""
FULLY_COVERED = ("events/", "protocol/", "errors.py")
"""Where they must reach all of them."""
_OF_DEVICES = "a part of Microphone and Speaker, which are tested with it on fake and virtual devices"
_OF_PLAYBACK = "a part of PlaybackQueue, which is tested with it from both of its threads"
_DOUBLE = "a double: the tests of the audio room are written with it"
WITHOUT_OWN_TESTS: dict[str, str] = {
    **dict.fromkeys(
        (
            f"audio/_device_{part}.py"
            for part in ("hints", "line", "push_to_talk", "rate", "reblock", "ring", "stderr")
        ),
        _OF_DEVICES,
    ),
    **dict.fromkeys(
        (f"audio/_playback_{part}.py" for part in ("lane", "ledger", "outlet", "tasks")), _OF_PLAYBACK
    ),
    **dict.fromkeys(
        (f"protocol/_{part}.py" for part in ("machines", "meaning")),
        "a part of Conversation, whose tests drive it event by event",
    ),
    "session/_listening.py": "the part of Session that only listens, tested with it",
    **dict.fromkeys(("testing/_devices.py", "testing/_sound_card.py"), _DOUBLE),
}
"""Modules that need no test file of their own, and why."""


def main() -> int:
    """Print each module that falls short; the exit code."""
    everything = CoverageData(basename=str(ROOT / ".coverage"))
    everything.read()
    names = [name for name in modules_with_behaviour(ROOT) if name not in WITHOUT_OWN_TESTS]
    coverage = own_coverage(ROOT, everything, names)
    verdicts = {name: judge(ROOT, name, coverage) for name in names}
    failures = {name: verdict for name, verdict in verdicts.items() if verdict}
    for name, verdict in failures.items():
        print(f"{name:32} {verdict}")
    print(f"own tests: {len(names) - len(failures)} of {len(names)} modules are covered by their own file")
    return 1 if failures else 0


def modules_with_behaviour(root: Path) -> list[str]:
    """The modules that hold a function with a body: not tables of values, not protocols of ``...``."""
    package = root / PACKAGE
    files = sorted(file for file in package.rglob("*.py") if file.name != "__init__.py")
    return [str(file.relative_to(package)) for file in files if lines_in_functions(file)]


def own_test(name: str) -> str:
    """The test file of a module: ``audio/_playback.py`` belongs to ``tests/audio/test_playback.py``."""
    module = Path(name)
    return str(Path("tests") / module.parent / f"test_{module.stem.strip('_')}.py")


def own_coverage(root: Path, everything: CoverageData, names: list[str]) -> Coverage:
    """A measurement in which each module has only what its own test file ran."""
    own_data = root / ".coverage.own"
    own_data.unlink(missing_ok=True)
    own = CoverageData(basename=str(own_data))
    for name in names:
        path = str(root / PACKAGE / name)
        bodies = lines_in_functions(root / PACKAGE / name)
        everything.set_query_contexts(None)
        at_import = {arc for arc in everything.arcs(path) or () if bodies.isdisjoint(map(abs, arc))}
        everything.set_query_contexts(["^$", f"^{re.escape(own_test(name))}::"])
        own.add_arcs({path: at_import.union(everything.arcs(path) or ())})
    own.write()
    coverage = Coverage(data_file=own_data, config_file=str(root / "pyproject.toml"))
    coverage.load()
    return coverage


def lines_in_functions(path: Path) -> set[int]:
    """The numbers of the lines that run when a function is called, not when the module is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    statements = (statement for function in functions for statement in function.body)
    return {
        line
        for statement in statements
        if not is_constant(statement)
        for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    }


def is_constant(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring or ``...``."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def judge(root: Path, name: str, coverage: Coverage) -> str | None:
    """What is wrong with a module's own coverage, if anything is."""
    test = own_test(name)
    if not (root / test).exists():
        return f"has no {test}"
    limit = 100.0 if name.startswith(FULLY_COVERED) else LIMIT
    path = str(root / PACKAGE / name)
    reached = coverage.report(morfs=[path], file=io.StringIO(), output_format="total")
    if reached >= limit:
        return None
    missing = coverage.analysis2(path)[4] or "only branches"
    return f"{reached:.1f} % of {limit:g} % by {test}; not reached: {missing}"


if __name__ == "__main__":
    sys.exit(main())
