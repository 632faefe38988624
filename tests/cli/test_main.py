from __future__ import annotations

import subprocess
import sys

import pytest

from rtagent import __version__
from rtagent.cli import main
from rtagent.cli._main import COMMANDS

HEAVY = ("anyio", "httpx", "numpy", "pocketsphinx", "pydantic", "sounddevice", "websockets")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_and_version_load_nothing_heavy(arguments: list[str]):
    program = (
        "import sys; from rtagent.cli import main; code = main(sys.argv[1:])\n"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr); sys.exit(code)"
    )
    finished = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "[]\n")


def test_help_names_every_command_and_shows_examples(capsys):
    assert main(["--help"]) == 0

    out = capsys.readouterr().out
    assert all(f"\n    {name} " in out for name in COMMANDS)
    assert "examples:\n  rtagent demo" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_shows_examples(name, capsys):
    assert main([name, "--help"]) == 0

    out = capsys.readouterr().out
    assert out.split("examples:")[1].count(f"rtagent {name}") >= 2
    assert "--debug" in out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rtagent {__version__}\n"


def test_without_a_command_the_help_is_a_usage_error(capsys):
    assert main([]) == 2
    assert "rtagent talk" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["dance"], ["talk", "--loud"], ["--loud"], ["serve", "--port", "70000"]]
)
def test_wrong_usage_is_2(arguments, capsys):
    assert main(arguments) == 2
    assert "usage: rtagent" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--debug", "talk", "no.py"], ["talk", "no.py", "--debug"]])
def test_debug_is_taken_before_and_after_the_command(arguments, capsys):
    assert main(arguments) == 1

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("rtagent: there is no agent file no.py\n")


def test_the_arguments_of_the_process_are_the_default(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["rtagent", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("rtagent ")


def test_python_m_rtagent():
    finished = subprocess.run([sys.executable, "-m", "rtagent", "--version"], capture_output=True, text=True)
    assert (finished.returncode, finished.stdout) == (0, f"rtagent {__version__}\n")
