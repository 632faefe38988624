"""How a command fails: one clear line and an exit code, in one place."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import cast

from ..errors import RtagentError

__all__ = ("first_failure", "guarded")

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def guarded(command: Callable[[], int], *, debug: bool) -> int:
    """Run a command; a failure becomes one line on stderr and an exit code.

    Args:
        command: returns the exit code when nothing fails.
        debug: show the traceback too.
    """
    try:
        code = command()
        sys.stdout.flush()  # a reader that went away shows here and not at the interpreter's end
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return FAILED
    except Exception as error:  # noqa: BLE001 - the top of the command line, where every failure is told
        failure = first_failure(error)
        if debug:
            traceback.print_exception(error)
        print(f"rtagent: {_line(failure, debug=debug)}", file=sys.stderr)
        return FAILED
    return code


def first_failure(error: BaseException) -> BaseException:
    """The error itself; of a group, the first that says what happened: ours before the system's."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    leaves = [first_failure(one) for one in group.exceptions]
    for wanted in (RtagentError, OSError):
        for leaf in leaves:
            if isinstance(leaf, wanted):
                return leaf
    return leaves[0]


def _line(error: BaseException, *, debug: bool) -> str:
    if isinstance(error, RtagentError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        what = f"{error.filename}: " if error.filename is not None else ""
        return f"{what}{error.strerror}"
    text = " ".join(str(error).split())
    told = f"unexpected {type(error).__name__}" + (f": {text}" if text else "")
    return told if debug else f"{told} (--debug shows where)"


def _drop_stdout() -> None:
    """Nobody reads our output any more: what is still buffered goes nowhere, silently."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
