"""A connection's script: what the client has to say, and what the server says, step by step.

``Script`` decides and does nothing: ``receive`` takes what came, ``advance`` passes over the steps that
have been met and returns the next one that the server has to do.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ._faults import check_close

__all__ = ("Doing", "End", "Expect", "Pause", "Script", "Send", "Step", "UnexpectedFrame", "Where", "matches")

AUDIO = "input_audio_buffer.append"
UNREAD = 10_000
"""Events that may wait for their step."""
SHOWN = 300
"""Characters of an event in a message."""


class UnexpectedFrame(AssertionError):
    """The client sent something else than the script expects, or more or less than it expects."""


Where = Mapping[str, Any] | Callable[[dict[str, Any]], bool]
"""What an event must hold (objects in it may hold more), or a function that decides."""


@dataclass(frozen=True)
class Expect:
    """The client has to send an event of that type, before any other but input audio."""

    kind: str
    where: Where | None = None


@dataclass(frozen=True)
class Send:
    """The server sends an object, a text as it is, or what a function makes of the event expected last."""

    event: Mapping[str, Any] | str | Callable[[dict[str, Any]], Mapping[str, Any] | str]

    def frame(self, received: dict[str, Any]) -> Mapping[str, Any] | str:
        """What to send."""
        return self.event(received) if callable(self.event) else self.event


@dataclass(frozen=True)
class Pause:
    """The server waits."""

    seconds: float


@dataclass(frozen=True)
class End:
    """The server closes."""

    code: int = 1000
    reason: str = ""

    def __post_init__(self) -> None:
        check_close(self.code, self.reason)


Step = Expect | Send | Pause | End
Doing = Send | Pause | End


class Script:
    """Where one connection is in its script.

    Args:
        steps: the script.
        name: whose script it is, for messages.
    """

    def __init__(self, steps: Sequence[Step], name: str = "script") -> None:
        self.received: dict[str, Any] = {}
        """The event that was expected last."""
        self.problems: list[str] = []
        """What came and was not expected."""
        self._steps = tuple(steps)
        self._name = name
        self._next = 0
        self._unread: deque[dict[str, Any]] = deque(maxlen=UNREAD)
        self._ended = False

    def receive(self, event: dict[str, Any]) -> None:
        """Take an event of the client."""
        self._unread.append(event)

    def advance(self) -> Doing | None:
        """The next thing to do; None while the client has to speak, and at the end."""
        while self._next < len(self._steps):
            step = self._steps[self._next]
            if not isinstance(step, Expect):
                self._next += 1
                self._ended = isinstance(step, End)
                return step
            if not self._meet(step):
                return None
        self._refuse_all()
        return None

    def unfinished(self) -> str | None:
        """What is left over, in words; None if every step was done."""
        if self._next >= len(self._steps):
            return None
        left = len(self._steps) - self._next
        more = f", nor any of the {left - 1} steps after it" if left > 1 else ""
        return f"{self._name}: {self._where()} was never done{more}"

    def _meet(self, step: Expect) -> bool:
        while self._unread:
            event = self._unread.popleft()
            if event["type"] == step.kind and matches(event, step.where):
                self.received = event
                self._next += 1
                return True
            if event["type"] != AUDIO:
                self.problems.append(f"{self._name}: {self._where()} was expected, but {_shown(event)} came")
        return False

    def _refuse_all(self) -> None:
        while self._unread:
            event = self._unread.popleft()
            if event["type"] != AUDIO and not self._ended:
                self.problems.append(f"{self._name}: nothing more was expected, but {_shown(event)} came")

    def _where(self) -> str:
        return f"step {self._next + 1} of {len(self._steps)}, {self._steps[self._next]!r}"


def matches(event: dict[str, Any], where: Where | None) -> bool:
    """Whether an event is as it should be."""
    if where is None:
        return True
    return where(event) if callable(where) else _holds(event, where)


def _holds(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(value == wanted)
    expected = cast("Mapping[str, Any]", wanted)
    if not isinstance(value, Mapping):
        return False
    given = cast("Mapping[str, Any]", value)
    return all(name in given and _holds(given[name], inner) for name, inner in expected.items())


def _shown(event: Mapping[str, Any]) -> str:
    text = json.dumps(event)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
