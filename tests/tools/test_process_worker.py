from __future__ import annotations

import multiprocessing
import signal
import threading
from pickle import dumps, loads
from typing import Any

import pytest

from rtagent.errors import ToolError
from rtagent.tools._process_worker import answer, serve
from rtagent.tools._reference import reference_to


def double(n: int) -> int:
    return 2 * n


def fail() -> None:
    raise KeyError("nothing")


def leave() -> None:
    raise SystemExit(3)


class Particular(Exception):
    def __init__(self, one: int, other: int) -> None:
        super().__init__("that way")


def fail_particularly() -> None:
    raise Particular(1, 2)


def unsendable() -> Any:
    return lambda: None


def work(fn: Any, **keywords: Any) -> bytes:
    return dumps((reference_to(fn), keywords))


def test_a_call_is_answered():
    assert loads(answer(work(double, n=4))) == (True, 8)  # noqa: S301
    assert loads(answer(dumps(("abc".upper, {})))) == (True, "ABC")  # noqa: S301


@pytest.mark.parametrize(
    ("fn", "kind", "words"),
    [
        (fail, KeyError, "'nothing'"),
        (leave, SystemExit, "3"),
        (fail_particularly, ToolError, "tool failed: Particular: that way"),
        (unsendable, ToolError, "its result, of the type function, cannot be sent back"),
    ],
)
def test_what_went_wrong_is_sent_back(fn, kind, words):
    returned, error = loads(answer(work(fn)))  # noqa: S301
    assert not returned
    assert isinstance(error, kind)
    assert words in str(error)


def test_what_cannot_be_read_is_answered_too():
    assert loads(answer(b"nonsense"))[0] is False  # noqa: S301


def test_calls_are_served_until_the_pipe_ends(monkeypatch):
    ignored: list[Any] = []
    monkeypatch.setattr(signal, "signal", lambda *about: ignored.append(about))
    ours, theirs = multiprocessing.Pipe()
    serving = threading.Thread(target=serve, args=(theirs,))
    serving.start()
    for n in (1, 2):
        ours.send_bytes(work(double, n=n))
        assert loads(ours.recv_bytes()) == (True, 2 * n)  # noqa: S301
    ours.close()
    serving.join()
    theirs.close()
    assert ignored == [(signal.SIGINT, signal.SIG_IGN)]
