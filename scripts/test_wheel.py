"""Test what will be installed elsewhere: ``python -m scripts.test_wheel [WHEEL]``, built here if not given.

The wheel goes into a virtual environment of its own, whose other packages are lent by the one that runs
this file. Its editable rtagent is not lent: a ``.pth`` file inside a directory that is itself named by
a ``.pth`` file is not read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("events", "protocol", "tools")
"""Their tests are quick and touch nothing outside, and between them they import most of the package."""
OPTIONS = ("-q", "-m", "not device and not slow", "-p", "no:cacheprovider", "-W", "error")


def main(arguments: Sequence[str]) -> int:
    """Build, look inside, install, run; the exit code."""
    with tempfile.TemporaryDirectory(prefix="rtagent-wheel-") as directory:
        scratch = Path(directory)
        wheel = Path(arguments[0]).resolve() if arguments else build(scratch / "dist")
        problems = missing_files(wheel)
        for name in problems:
            print(f"{wheel.name} lacks {name}")
        python = install(wheel, scratch / "venv")
        works = [run(what, command, scratch) for what, command in smoke_tests(python).items()]
        return 0 if all(works) and not problems else 1


def build(directory: Path) -> Path:
    """The wheel, made from the source archive, so that the archive is proven to be complete."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"wheel: cannot be built\n{finished.stdout}{finished.stderr}")
    return next(directory.glob("*.whl"))


def missing_files(wheel: Path) -> list[str]:
    """The files of the package that did not get into the wheel: modules, type marker, recordings."""
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    package = ROOT / "src" / "rtagent"
    files = (file for file in package.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return sorted(name for file in files if (name := str(file.relative_to(ROOT / "src"))) not in packed)


def install(wheel: Path, place: Path) -> Path:
    """A virtual environment with the wheel and our own dependencies; its interpreter."""
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True)
    site_packages = next((place / "lib").glob("python*/site-packages"))
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def smoke_tests(python: Path) -> dict[str, list[str]]:
    """What is run with the installed wheel, each of which must end with 0."""
    place = str(python.parent.parent)
    is_installed = f"import rtagent, sys; sys.exit(not rtagent.__file__.startswith({place!r}))"
    program = str(python.parent / "rtagent")
    tests = [str(ROOT / "tests" / room) for room in ROOMS]
    return {
        "is what is imported": [str(python), "-c", is_installed],
        "rtagent --version": [program, "--version"],
        "rtagent --help": [program, "--help"],
        "tests": [str(python), "-P", "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), *OPTIONS, *tests],
    }


def run(what: str, command: Sequence[str], directory: Path) -> bool:
    """Run one command away from the checkout; a failure is shown with all that it said."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    finished = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    said = (finished.stdout + finished.stderr).strip()
    if finished.returncode:
        print(f"wheel: {what}: failed with {finished.returncode}\n{said}")
    else:
        print(f"wheel: {what}: {said.rpartition(chr(10))[2] or 'yes'}")
    return finished.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
