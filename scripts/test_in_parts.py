"""Run the tests in parts at the same time, with coverage: ``python -m scripts.test_in_parts``.

Some tests wait for sound and some for sockets, in real time, while others compute: together they take little longer
than the longest part. Each part is a ``make test`` of its own, whose output is printed when it is through; what they
covered is put together in ``.coverage``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
COVERED = "--cov --cov-context=test --cov-report="
PARTS = {
    "sound": ("audio",),
    "sockets": ("cli", "dialects", "examples", "interop", "reliability", "testing"),
}
"""Folders of tests that mostly wait; all others are the third part."""


@dataclass
class Part:
    """One run of tests."""

    name: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]


def main() -> int:
    """Run all parts; the exit code is 0 when every one of them passed."""
    for old in ROOT.glob(".coverage.part-*"):
        old.unlink()
    parts = [started(name, paths) for name, paths in parts_of(ROOT / "tests").items()]
    failed = False
    try:
        for part in parts:
            failed = part.process.wait() != 0 or failed
            part.output.seek(0)
            sys.stdout.buffer.write(b"\n-- " + part.name.encode() + b" --\n" + part.output.read())
            sys.stdout.flush()
    except KeyboardInterrupt:  # the parts have got it too, and are about to end
        for part in parts:
            part.process.wait()
        return 130
    data = sorted(str(path) for path in ROOT.glob(".coverage.part-*"))
    combine = [sys.executable, "-m", "coverage", "combine", "--quiet", *data]
    combined = subprocess.run(combine, cwd=ROOT, check=False).returncode
    return 1 if failed or combined else 0


def parts_of(tests: Path) -> dict[str, list[str]]:
    """What each part runs, as paths from the root; together it is everything."""
    parts = {name: [f"tests/{folder}" for folder in folders] for name, folders in PARTS.items()}
    taken = {path for paths in parts.values() for path in paths}
    folders = (path.parent for path in tests.glob("*/test_*.py"))
    everything = {f"tests/{path.name}" for path in (*folders, *tests.glob("test_*.py"))}
    return {**parts, "the rest": sorted(everything - taken)}


def started(name: str, paths: list[str]) -> Part:
    """Begin to run some tests; their output goes into a file."""
    output = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its part
    data = ROOT / f".coverage.part-{name.replace(' ', '-')}"
    command = ["make", "--no-print-directory", "test", f"ARGS={COVERED} {' '.join(paths)}"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": str(data)},
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    print(f"tests: {name} ({len(paths)} paths) began at {time.strftime('%H:%M:%S')}", flush=True)
    return Part(name, process, output)


if __name__ == "__main__":
    sys.exit(main())
