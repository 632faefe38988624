"""What goes to the client: decided as the server speaks, written by one task, late if the network is.

Faults strike when the server sends, in the order of its events; the acts that follow from them wait in
a queue, so that a slow or delayed wire holds up what is written and not what the server reads.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import anyio
from anyio.lowlevel import checkpoint

from ..audio import Clock
from ._bell import Bell
from ._fault_lane import Act, FaultLane, Freeze, Leave, Pace, Wait, Write
from ._fault_watch import FaultWatch
from ._faults import Fault
from ._server_link import Link

__all__ = ("Outbound",)

CAPACITY = 1_024
"""Acts that may wait; then the server's own senders do."""


class Outbound:
    """The only writer of one connection.

    Args:
        link: the wire.
        clock: what delays are measured by.
        watch: says which faults an event makes due.
        strike: carries out such a fault.
        expired: makes the frames that announce the end of a session's time.
        aliases: further names of events, by the name on the wire.
    """

    def __init__(
        self,
        link: Link,
        clock: Clock,
        watch: FaultWatch,
        *,
        strike: Callable[[Fault], None],
        expired: Callable[[str], Sequence[str]],
        aliases: Mapping[str, str],
    ) -> None:
        self._link = link
        self._clock = clock
        self._watch = watch
        self._strike = strike
        self._aliases = aliases
        self._lane = FaultLane(expired)
        self._acts: deque[tuple[float, Act]] = deque()
        self._bell = Bell()
        self._bytes_per_s: float | None = None
        self._free_at = 0.0
        self._doing = anyio.CancelScope()

    @property
    def over(self) -> bool:
        """Whether the server has done its last act here, or decided on it."""
        return self._lane.over

    async def send(self, frame: str | bytes) -> None:
        """Take a frame of the server; waits while too many wait already. Never raises."""
        text = frame if isinstance(frame, str) else frame.decode()
        event = _event(text)
        kind = str(event.get("type"))
        for fault in self._watch.due("server", kind, self._aliases.get(kind, kind)):
            self._strike(fault)
        self._add(self._lane.carry(text, event))
        await checkpoint()
        while len(self._acts) > CAPACITY:
            await self._bell.wait()

    def strike(self, fault: Fault) -> None:
        """Take a fault that is due."""
        self._add(self._lane.strike(fault))

    def forget(self) -> None:
        """Throw away what waits to be written, and what the writer is at."""
        self._acts.clear()
        self._doing.cancel()
        self._bell.ring()

    def stop(self) -> None:
        """Nobody writes any more: what is sent from now on goes nowhere, and no sender waits."""
        self._lane.over = True
        self.forget()

    def leave(self, code: int | None, reason: str) -> None:
        """End the connection, after all that waits to be written."""
        self._lane.over = True
        self._add([Leave(code, reason)])

    async def run(self) -> Leave:
        """Write until the connection is to be ended; returns how.

        Raises:
            ConnectionLost: the client vanished.
        """
        while True:
            while not self._acts:
                await self._bell.wait()
            decided_at, act = self._acts.popleft()
            self._bell.ring()
            if isinstance(act, Leave):
                return act
            with anyio.CancelScope() as self._doing:
                await self._do(act, decided_at)

    async def _do(self, act: Write | Wait | Pace | Freeze, decided_at: float) -> None:
        match act:
            case Write():
                await self._write(act.frame)
            case Wait():
                await self._clock.sleep_until(decided_at + act.seconds)
            case Pace():
                self._bytes_per_s = act.bytes_per_s
            case Freeze():
                self._link.freeze()

    async def _write(self, frame: str) -> None:
        if self._bytes_per_s is not None:
            begin = max(self._clock.now(), self._free_at)
            self._free_at = begin + len(frame.encode()) / self._bytes_per_s
            await self._clock.sleep_until(self._free_at)
        await self._link.send(frame)

    def _add(self, acts: Iterable[Act]) -> None:
        now = self._clock.now()
        self._acts.extend((now, act) for act in acts)
        self._bell.ring()


def _event(text: str) -> dict[str, Any]:
    try:
        event: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", event) if isinstance(event, dict) else {}
