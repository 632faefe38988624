"""A session whose connections come and go: a server in memory, virtual time, and all that was told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio

from rtagent import Agent
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import FakeClock, Fault, RealtimeServer
from rtagent.transport import Transport

__all__ = ("PROMPT", "Line", "Seen", "lined", "never", "reached")

PROMPT = ReconnectPolicy(jitter=0.0, first_delay_s=0.5, max_delay_s=4.0, renew_before_s=0.0)
"""Waits that are known beforehand, and no renewal."""
STEP_S = 0.1
EventT = TypeVar("EventT")


@dataclass
class Seen:
    """What an observer was told, in order."""

    all: list[tuple[float, str, Any]] = field(default_factory=list[tuple[float, str, Any]])
    _more: anyio.Event = field(default_factory=anyio.Event)

    def note(self, at: float, side: str, event: object) -> None:
        self.all.append((at, side, event))
        self._more.set()

    async def wait(self, kind: type[EventT], *, nth: int = 1) -> EventT:
        """The nth event of that kind, in real time."""
        with anyio.fail_after(5):
            while len(self.of(kind)) < nth:
                self._more = anyio.Event()
                await self._more.wait()
        return self.of(kind)[nth - 1]

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for _, _, event in self.all if isinstance(event, kind)]

    @property
    def names(self) -> list[str]:
        """The session's own events, in order; states by what they are."""
        own = [event for _, side, event in self.all if side == "session"]
        return [
            event.state if isinstance(event, lifecycle.StateChanged) else type(event).__name__
            for event in own
            if not isinstance(event, lifecycle.Connected)
        ]


@dataclass
class Line:
    """A session, its server, its clock."""

    server: RealtimeServer
    session: Session
    clock: FakeClock
    seen: Seen
    dialled: list[Transport]

    async def dial(self) -> Transport:
        transport = await self.server.dial()
        self.dialled.append(transport)
        return transport

    async def until(self, kind: type[EventT], *, nth: int = 1) -> EventT:
        """The nth event of that kind; time goes on while nothing else does."""
        await reached(lambda: len(self.seen.of(kind)) >= nth, self.clock)
        return self.seen.of(kind)[nth - 1]


@asynccontextmanager
async def lined(
    *faults: Fault,
    agent: Agent | None = None,
    policy: ReconnectPolicy | None = PROMPT,
    wrap: Callable[[Line], Any] | None = None,
    options: dict[str, Any] | None = None,
    **server_options: Any,
) -> AsyncIterator[Line]:
    """An open session on a clock that the test moves.

    Args:
        faults: what goes wrong.
        agent: of the session.
        policy: of the session.
        wrap: makes the dial of the session from the line.
        options: what else the session takes.
        server_options: what the server takes.
    """
    clock = FakeClock()
    async with RealtimeServer(over="memory", clock=clock, faults=faults, **server_options) as server:
        seen = Seen()
        first = await server.dial()

        async def dial() -> Transport:
            transport: Transport = await (line.dial if wrap is None else wrap(line))()
            return transport

        session = Session(
            first,
            agent,
            dial=dial,
            reconnect=policy,
            clock=clock,
            observer=seen.note,
            **(options or {}),
        )
        line = Line(server, session, clock, seen, [first])
        async with session:
            await clock.advance(0.0)
            yield line


async def reached(condition: Callable[[], bool], clock: FakeClock, *, limit_s: float = 600.0) -> None:
    """Move the clock until that is so; where nobody sleeps, only the event loop goes on."""
    for _ in range(round(limit_s / STEP_S)):
        if condition():
            return
        await clock.advance(STEP_S if clock.sleepers else 0.0)
    message = "it came to nothing"
    raise AssertionError(message)


async def never() -> Transport:
    """A dial that nobody answers."""
    await anyio.sleep_forever()
    raise AssertionError
