"""The tool-call ledger: each call runs once, each gets one output, and one response follows them all.

Theory of operation (protocol document, 15.8). A call is known by its ``call_id`` and belongs to the
response that made it. It runs as soon as its item is finished; its output waits until the outputs of
the calls before it are known, so that they are sent in the order of the items. When every output of
a response has been sent and that response is done, its group is settled, once: with one follow-up
response due if the response was completed and all of its calls want to be spoken about. A call that the
user interrupted does not want that, whether it was cancelled or ran to its end: the user's next words
decide what comes, and the outputs are there for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..errors import LocalProtocolError

__all__ = ("Call", "CallLedger", "CallMove", "CallState", "FinishedCall", "SettledGroup")

KEPT_CALLS = 1_000
"""Call ids remembered, so that a call that is announced again does not run again."""


class CallState(Enum):
    """Where a call is."""

    RUNNING = "running"
    FINISHED = "finished"
    """Its output is known."""
    SENT = "sent"
    """Its output was handed over to be sent."""


class CallMove(Enum):
    """What can happen to a call."""

    FINISH = "finish"
    SEND = "send"


MOVES: dict[tuple[CallState, CallMove], CallState] = {
    (CallState.RUNNING, CallMove.FINISH): CallState.FINISHED,
    (CallState.FINISHED, CallMove.SEND): CallState.SENT,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A function call that the model made."""

    call_id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""
    response_id: str
    item_id: str
    output_index: int = 0


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call and its output."""

    call: Call
    output: str


@dataclass(frozen=True, slots=True)
class SettledGroup:
    """A response whose calls are all answered."""

    response_id: str
    follow_up: bool
    """Whether one more response is due."""


@dataclass(slots=True)
class _Entry:
    call: Call
    state: CallState = CallState.RUNNING
    output: str = ""
    follow_up: bool = True


@dataclass(slots=True)
class _Group:
    entries: list[_Entry] = field(default_factory=list[_Entry])
    done: bool = False
    completed: bool = False

    @property
    def settled(self) -> bool:
        return self.done and all(entry.state is CallState.SENT for entry in self.entries)

    @property
    def follow_up(self) -> bool:
        return self.completed and all(entry.follow_up for entry in self.entries)


class CallLedger:
    """Owns the calls of one conversation."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._entries: dict[str, _Entry] = {}
        self._seen: dict[str, None] = {}

    def announce(self, call: Call) -> bool:
        """A finished call item came in; True when it must be started, False when it is known already."""
        if call.call_id in self._seen:
            return False
        self._seen[call.call_id] = None
        while len(self._seen) > KEPT_CALLS:
            del self._seen[next(iter(self._seen))]
        entry = self._entries[call.call_id] = _Entry(call)
        group = self._groups.setdefault(call.response_id, _Group())
        group.entries.append(entry)
        group.entries.sort(key=lambda known: known.call.output_index)
        return True

    def finish(self, call_id: str, output: str, *, follow_up: bool = True) -> None:
        """A call ended, well or not; ``output`` is what the model will read.

        Raises:
            LocalProtocolError: no such call runs.
        """
        entry = self._entries.get(call_id)
        if entry is None:
            message = f"no call {call_id!r} is running"
            raise LocalProtocolError(message)
        _move(entry, CallMove.FINISH)
        entry.output, entry.follow_up = output, follow_up

    def response_done(self, response_id: str, *, completed: bool) -> None:
        """The response that made the calls is done; ``completed`` False when it was cut short."""
        group = self._groups.get(response_id)
        if group is not None:
            group.done, group.completed = True, completed

    def take_outputs(self) -> list[FinishedCall]:
        """The outputs that must be sent now, in order."""
        ready: list[FinishedCall] = []
        for group in self._groups.values():
            for entry in group.entries:
                if entry.state is CallState.RUNNING:
                    break
                if entry.state is CallState.FINISHED:
                    _move(entry, CallMove.SEND)
                    ready.append(FinishedCall(entry.call, entry.output))
        return ready

    def take_settled(self) -> list[SettledGroup]:
        """The responses whose outputs are now all sent. Each comes up once."""
        settled = [response_id for response_id, group in self._groups.items() if group.settled]
        groups: list[SettledGroup] = []
        for response_id in settled:
            group = self._groups.pop(response_id)
            for entry in group.entries:
                del self._entries[entry.call.call_id]
            groups.append(SettledGroup(response_id, group.follow_up))
        return groups

    @property
    def running(self) -> Sequence[Call]:
        """The calls that run now, in the order of their start."""
        return [entry.call for entry in self._entries.values() if entry.state is CallState.RUNNING]

    @property
    def unsent_calls(self) -> Sequence[Call]:
        """The calls whose outputs are still to be sent."""
        return [entry.call for entry in self._entries.values() if entry.state is not CallState.SENT]

    @property
    def unsent(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(call.call_id for call in self.unsent_calls)

    def open_for(self, response_id: str) -> bool:
        """Whether a response still has calls whose outputs were not all sent."""
        return response_id in self._groups


def _move(entry: _Entry, move: CallMove) -> None:
    state = MOVES.get((entry.state, move))
    if state is None:
        message = f"call {entry.call.call_id!r} cannot {move.value}: it is {entry.state.value}"
        raise LocalProtocolError(message)
    entry.state = state
