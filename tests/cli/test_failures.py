from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from errno import ENOENT, ENOSPC

import pytest

from rtagent.cli._failures import first_failure, guarded
from rtagent.errors import ConfigurationError, ConnectionLost


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize("code", [0, 2, 7])
def test_a_commands_code_is_the_programs(code, capsys):
    assert guarded(lambda: code, debug=False) == code
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConfigurationError("that cannot be", hint="do this"), "that cannot be (do this)"),
        (ConfigurationError("two\n   lines"), "two lines"),
        (ConnectionLost(1011, "oops"), "the connection was lost (code 1011): oops"),
        (FileNotFoundError(ENOENT, "No such file or directory", "x.wav"), "x.wav: No such file or directory"),
        (OSError(ENOSPC, "No space left on device"), "No space left on device"),
        (ValueError("bad\nthing"), "unexpected ValueError: bad thing (--debug shows where)"),
        (RuntimeError(), "unexpected RuntimeError (--debug shows where)"),
        (
            ExceptionGroup("g", [ValueError("x"), ExceptionGroup("h", [ConnectionLost()])]),
            "the connection was lost",
        ),
    ],
)
def test_a_failure_is_one_line_and_1(error, line, capsys):
    assert guarded(raising(error), debug=False) == 1
    assert capsys.readouterr() == ("", f"rtagent: {line}\n")


def test_debug_shows_where(capsys):
    assert guarded(raising(ValueError("bad")), debug=True) == 1

    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.endswith("rtagent: unexpected ValueError: bad\n")


def test_ctrl_c_is_130_and_silent(capsys):
    assert guarded(raising(KeyboardInterrupt()), debug=True) == 130
    assert capsys.readouterr() == ("", "")


def test_of_a_group_the_telling_error_is_taken():
    ours, system, other = ConnectionLost(), OSError("x"), ValueError("y")
    assert first_failure(BaseExceptionGroup("g", [other, system, ours])) is ours
    assert first_failure(ExceptionGroup("g", [other, system])) is system
    assert first_failure(ExceptionGroup("g", [other])) is other
    assert first_failure(other) is other


def test_a_reader_that_goes_away_is_no_failure_to_talk_about():
    program = (
        "import sys; from rtagent.cli._failures import guarded\n"
        "sys.exit(guarded(lambda: print('x' * 1_000_000) or 0, debug=False))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_broken_pipe_is_silent_and_1(monkeypatch, capsys):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as broken:
        monkeypatch.setattr(sys, "stdout", broken)
        assert guarded(lambda: min(broken.write("x"), 0), debug=False) == 1
    assert capsys.readouterr().err == ""
