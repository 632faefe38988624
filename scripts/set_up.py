"""Make the checkout ready for a make target: ``python -m scripts.set_up demo|test|check``.

What a target needs is a tuple of layers, one file of pins each (``requirements/<layer>.txt``). A layer
that is installed leaves a stamp in ``.venv`` with the fingerprint of all that it was made from, so a
later run has nothing to do but compare. While packages are being installed, a mark lies in ``.venv``;
whoever finds it knows that the last run was cut off and starts from nothing.

This file needs Python 3.11 and its standard library alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from scripts.system_packages import can_install, how_to_install, install, missing_packages

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
INTEROP = VENV / "interop"
"""The environment of the stock clients that are tried against our server."""
FINDS_OPENAI = "import importlib.util as u, sys; sys.exit(u.find_spec('openai') is None)"
UNFINISHED = VENV / ".unfinished"
APT_TRIED = VENV / ".apt-tried"

LAYERS: Mapping[str, tuple[str, ...]] = {
    "demo": ("runtime",),
    "test": ("runtime", "test"),
    "check": ("runtime", "test", "lint", "build"),
}
BUILD_TABLES = ("build-system", "project")
"""The tables of ``pyproject.toml`` that an installation depends on; linters may change theirs freely."""


class SetUpError(Exception):
    """What went wrong, in one line for the person at the terminal."""


def main(arguments: Sequence[str]) -> int:
    """Do what is missing for the target; the exit code."""
    target = arguments[0] if len(arguments) == 1 else ""
    if target not in LAYERS:
        say(f"usage: python -m scripts.set_up {'|'.join(LAYERS)}")
        return 2
    try:
        set_up_packages(LAYERS[target])
        if target != "demo":
            set_up_interop()
            set_up_system()
    except SetUpError as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next run begins anew")
        return 130
    return 0


def set_up_packages(layers: Sequence[str]) -> None:
    """Bring ``.venv`` to the pins of these layers, with rtagent itself editable."""
    prints = {layer: fingerprint(ROOT, layer) for layer in layers}
    stale = [layer for layer in layers if stamped(layer) != prints[layer]]
    if not stale and not UNFINISHED.exists() and finds_rtagent():
        return
    version = ".".join(map(str, sys.version_info[:3]))
    say(f"Python {version} ({sys.executable})")
    if not is_healthy():
        make_venv()
    pins = [f"--requirement=requirements/{layer}.txt" for layer in layers]
    with unfinished():
        with step(f"installing pinned packages ({', '.join(layers)})"):
            # hatchling, at its pin, is what puts rtagent into .venv without a second, unpinned download.
            pip(*pins, "--constraint=requirements/build.txt", "hatchling")
        with step("installing rtagent, editable"):
            pip("--no-deps", "--no-build-isolation", "--editable", ".")
    for layer in layers:
        stamp(layer).write_text(prints[layer])


def set_up_interop() -> None:
    """Bring the environment of the stock clients to its pins."""
    wanted = fingerprint(ROOT, "interop")
    if stamped("interop") == wanted and succeeds(INTEROP / "bin" / "python", "-c", FINDS_OPENAI):
        return
    with step("installing stock clients, in an environment of their own"):
        if INTEROP.exists():
            shutil.rmtree(INTEROP)
        run(VENV_PYTHON, "-m", "venv", "--without-pip", INTEROP)
        target = ("--python", str(INTEROP / "bin" / "python"))
        quietly = ("--quiet", "--no-input", "--disable-pip-version-check")
        pins = "--requirement=requirements/interop.txt"
        run(VENV_PYTHON, "-m", "pip", *target, "install", *quietly, pins)
    stamp("interop").write_text(wanted)


def set_up_system() -> None:
    """Install what the sound tests need, or say what they will be skipped for."""
    missing = missing_packages()
    names = " ".join(missing)
    # One attempt for each set of packages: a machine without a network should not wait in every run.
    tried = APT_TRIED.read_text() if APT_TRIED.exists() else ""
    if missing and names != tried and can_install():
        APT_TRIED.write_text(names)
        with step(f"installing system packages: {names}"):
            install(missing)
        missing = missing_packages()
    if missing:
        say(f"tests that need {', '.join(missing)} will be skipped; to run them: {how_to_install(missing)}")


def fingerprint(root: Path, layer: str) -> str:
    """A digest of all that decides what a layer installs, and where.

    The place belongs to it because the programs in ``.venv/bin`` name their interpreter by its full path.
    """
    pyproject = tomllib.loads((root / "pyproject.toml").read_text())
    pins = [(root / "requirements" / f"{name}.txt").read_text() for name in (layer, "build")]
    parts = [str(root), *pins, *(pyproject[table] for table in BUILD_TABLES)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def stamp(layer: str) -> Path:
    """Where the fingerprint of an installed layer is kept."""
    return VENV / f".stamp-{layer}"


def stamped(layer: str) -> str | None:
    """The fingerprint that the layer was installed with, or None."""
    return stamp(layer).read_text() if stamp(layer).exists() else None


def finds_rtagent() -> bool:
    """Whether the interpreter in ``.venv`` still runs (a system upgrade may take it away) and is ours."""
    looks = "import importlib.util as u, sys; sys.exit(u.find_spec('rtagent') is None)"
    return succeeds(VENV_PYTHON, "-c", looks)


def is_healthy() -> bool:
    """Whether ``.venv`` can be built upon: made to its end, on a Python that runs, in this very place."""
    installer = VENV / "bin" / "pip"
    if UNFINISHED.exists() or not installer.is_file():
        return False
    return str(VENV) in installer.read_text()[:1000] and succeeds(
        VENV_PYTHON, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    )


def make_venv() -> None:
    """Make ``.venv`` from nothing, with pip in it."""
    with step("making .venv"):
        if VENV.exists():
            shutil.rmtree(VENV)
        if find_spec("ensurepip") is None:
            make_venv_without_ensurepip()
        else:
            run(sys.executable, "-m", "venv", VENV)


def make_venv_without_ensurepip() -> None:
    """Debian and Ubuntu keep ensurepip in a package of its own; borrow a pip, or install that package."""
    if find_spec("pip") is not None:
        run(sys.executable, "-m", "venv", "--without-pip", VENV)
        pinned = "--constraint=requirements/build.txt"
        run(sys.executable, "-m", "pip", "--python", VENV_PYTHON, "install", pinned, "pip")
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not can_install():
        message = f"this Python cannot make virtual environments; run: {how_to_install([package])}"
        raise SetUpError(message)
    install([package])
    run(sys.executable, "-m", "venv", VENV)


def pip(*arguments: str) -> None:
    """Run the pip of ``.venv`` in the project's root."""
    quietly = ("--quiet", "--no-input", "--disable-pip-version-check")
    run(VENV_PYTHON, "-m", "pip", "install", *quietly, *arguments)


def run(*command: str | Path) -> None:
    """Run a command quietly; when it fails, its last words are shown."""
    finished = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        last_words = "\n".join((finished.stdout + finished.stderr).strip().splitlines()[-12:])
        message = f"failed: {' '.join(map(str, command))}\n{last_words}"
        raise SetUpError(message)


def succeeds(*command: str | Path) -> bool:
    """Whether a command exists, runs and ends well."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def unfinished() -> Iterator[None]:
    """Mark ``.venv`` as half-made meanwhile; the mark outlives only what pip cannot undo, being killed."""
    UNFINISHED.touch()
    try:
        yield
    except SetUpError:
        UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce a step that takes a while, and say afterwards how long it took."""
    say(f"{what} ...")
    started = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - started:.1f} s")


def say(line: str) -> None:
    """Tell the person at the terminal; standard output belongs to the target."""
    print(f"set-up: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
