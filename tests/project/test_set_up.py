"""Setting up: when it has nothing to do, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.set_up import LAYERS, ROOT, fingerprint, main
from scripts.system_packages import how_to_install, missing_packages

PYPROJECT = '[build-system]\nrequires = []\n[project]\nname = "x"\n[tool.ruff]\nline-length = 100\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for layer in LAYERS["check"]:
        (tmp_path / "requirements" / f"{layer}.txt").write_text(f"{layer}==1\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements/runtime.txt", "runtime==2\n"),
        ("requirements/build.txt", "build==2\n"),
        ("pyproject.toml", PYPROJECT.replace('"x"', '"y"')),
    ],
)
def test_a_change_of_what_is_installed_makes_a_layer_stale(checkout: Path, file: str, text: str) -> None:
    before = fingerprint(checkout, "runtime")
    (checkout / file).write_text(text)
    assert fingerprint(checkout, "runtime") != before


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements/test.txt", "test==2\n"),
        ("pyproject.toml", PYPROJECT.replace("100", "110")),
    ],
)
def test_a_change_of_anything_else_does_not(checkout: Path, file: str, text: str) -> None:
    before = fingerprint(checkout, "runtime")
    (checkout / file).write_text(text)
    assert fingerprint(checkout, "runtime") == before


def test_a_copy_of_the_checkout_is_stale(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = shutil.copytree(checkout, tmp_path_factory.mktemp("copy") / "checkout")
    assert fingerprint(copy, "runtime") != fingerprint(checkout, "runtime")


@pytest.mark.parametrize("arguments", [[], ["dance"], ["demo", "test"]])
def test_an_unknown_target_is_a_usage_error(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_without_a_python_it_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    finished = subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "set_up.sh", "demo"],
        env=environment | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert len(finished.stderr.splitlines()) == 1
    assert "needs Python 3.11" in finished.stderr


def test_the_sound_tests_find_their_programs() -> None:
    """Where this is skipped the sound tests are too; where ``CI`` is set nothing may be missing."""
    missing = missing_packages()
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"missing: {how_to_install(missing)}")
    assert missing == []
