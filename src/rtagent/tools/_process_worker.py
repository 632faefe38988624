"""What runs in a worker process: calls come in through a pipe, one after the other, results go back.

The process ends when the pipe does, so none is left behind when the program dies.
"""

from __future__ import annotations

import pickle
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ToolError
from ._reference import Reference

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ("answer", "serve")


def serve(pipe: Connection) -> None:
    """Answer calls until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's; it ends this process by the pipe
    while True:
        try:
            work = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(answer(work))


def answer(work: bytes) -> bytes:
    """Make one call; the pickled result, as ``(True, value)`` or ``(False, exception)``."""
    try:
        fn, keywords = pickle.loads(work)  # noqa: S301 - from our own parent, over a pipe of our own
        called = fn.resolve() if isinstance(fn, Reference) else fn
        return _packed(called, keywords)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool's code may raise anything; the parent is told
        return _packed_error(error)


def _packed(fn: Any, keywords: Mapping[str, Any]) -> bytes:
    value = fn(**keywords)
    try:
        return pickle.dumps((True, value))
    except Exception as error:
        message = f"its result, of the type {type(value).__name__}, cannot be sent back: {error}"
        raise ToolError(message) from error


def _packed_error(error: BaseException) -> bytes:
    try:
        packed = pickle.dumps((False, error))
        pickle.loads(packed)  # noqa: S301 - what was just made here; some exceptions pickle but do not come back
    except Exception:  # noqa: BLE001 - its words are sent instead
        return pickle.dumps((False, ToolError(f"tool failed: {type(error).__name__}: {error}")))
    return packed
