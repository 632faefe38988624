"""Write ``requirements/*.txt``: the exact versions that a checkout is set up with.

``pyproject.toml`` says what rtagent needs (names and lower bounds); these files say what it was last
tried with, so that two machines get the same. Versions that are pinned already stay as they are.

    .venv/bin/python -m scripts.pin_requirements              # after a change of pyproject.toml
    .venv/bin/python -m scripts.pin_requirements --upgrade    # the newest of everything

The files hold names and versions alone: no index, no address, no hash. A mirror of the package index
therefore serves as well as the original.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by scripts/pin_requirements.py from {origin} in pyproject.toml."
LAYERS = ("runtime", "test", "lint", "build")
"""Each layer is pinned so that it fits the ones before it."""
APART = ("interop",)
"""Layers for an environment of their own, which need not fit any other."""
NOT_PINNED = {
    "all": "names the others",
    "echo": "29 MB that only one adapter's tests need; they skip without",
}
"""Extras that a checkout is set up without, and why."""
OTHER_PYTHONS = {"pocketsphinx": {"3.12": "5.0.4"}}
"""The last release with a wheel for a Python that the newest has none for: ``{name: {python: version}}``."""


def wanted(layer: str, pyproject: Mapping[str, Any]) -> list[str]:
    """What a layer asks for: the package with all its extras, or a dependency group."""
    if layer != "runtime":
        return list(pyproject["dependency-groups"][layer])
    project = pyproject["project"]
    extras = (needs for extra, needs in project["optional-dependencies"].items() if extra not in NOT_PINNED)
    return [*project["dependencies"], *(need for needs in extras for need in needs)]


def compile_pins(layer: str, needs: Sequence[str], *, upgrade: bool) -> None:
    """Resolve one layer with pip-compile, keeping to the pins of the layers below it."""
    pins = ROOT / "requirements" / f"{layer}.txt"
    below = [ROOT / "requirements" / f"{name}.txt" for name in layers_below(layer)]
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, f"{layer}.in")
        source.write_text("".join(f"{line}\n" for line in [*needs, *(f"-c {path}" for path in below)]))
        options = ["--quiet", "--no-header", "--no-annotate", "--strip-extras", "--allow-unsafe"]
        options += ["--no-emit-options", "--upgrade" if upgrade else "--no-upgrade"]
        command = [sys.executable, "-m", "piptools", "compile", *options]
        command += [f"--output-file={pins}", str(source)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode:
            sys.exit(finished.stderr)
    origin = "[project] and its extras" if layer == "runtime" else f"the dependency group {layer!r}"
    lines = sorted(line for line in pins.read_text().splitlines() if "==" in line)
    marked = (pin for line in lines for pin in with_markers(line))
    pins.write_text("\n".join([HEADER.format(origin=origin), *marked, ""]))


def layers_below(layer: str) -> Sequence[str]:
    """The layers that share an environment with this one and were pinned before it."""
    return () if layer in APART else LAYERS[: LAYERS.index(layer)]


def with_markers(pin: str) -> list[str]:
    """The lines that stand for one pin: one for each Python that needs a version of its own, and the rest."""
    name, _, version = pin.partition("==")
    others = OTHER_PYTHONS.get(name)
    if not others:
        return [pin]
    rest = " and ".join(f'python_version != "{python}"' for python in others)
    own = [f'{name}=={other} ; python_version == "{python}"' for python, other in others.items()]
    return [f"{name}=={version} ; {rest}", *own]


def main() -> None:
    """Pin every layer, lowest first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = parser.parse_args().upgrade
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for layer in (*LAYERS, *APART):
        compile_pins(layer, wanted(layer, pyproject), upgrade=upgrade)


if __name__ == "__main__":
    main()
