"""Each example as its reader runs it: a program of its own, answered by the embedded engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


def run(tmp_path: Path, *arguments: str, stdin: str = "") -> str:
    """Run a program where no key can be found; returns what it printed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "RTAGENT_", "AZURE_"))
    }
    finished = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path)},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_every_example_is_tried_here() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == ["ask.py", "lights.py", "protocol.py"]


def test_ask(tmp_path: Path) -> None:
    printed = run(tmp_path, str(EXAMPLES / "ask.py"))
    assert "kitchen light is on" in printed.lower()
    assert "tokens" in printed


def test_ask_something_else(tmp_path: Path) -> None:
    printed = run(tmp_path, str(EXAMPLES / "ask.py"), "Please switch off the light in the kitchen.")
    assert "kitchen light is off" in printed.lower()


def test_protocol(tmp_path: Path) -> None:
    words, status, *_ = run(tmp_path, str(EXAMPLES / "protocol.py")).splitlines()
    assert len(words.split()) > 2
    assert status == "[completed]"


def test_lights_in_writing(tmp_path: Path) -> None:
    """The agent of the first example, talked to in writing."""
    agent = str(EXAMPLES / "lights.py")
    printed = run(tmp_path, "-m", "rtagent", "talk", agent, "--text", stdin="turn on the kitchen light\n")
    assert "kitchen light is on" in printed.lower()
