"""A very long conversation in writing over connections that do not last, on virtual time."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from rtagent import Agent, events, tool
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import Close, Drop, Duplicate, Expire, Fault, LockstepClock, Malformed, RealtimeServer
from tests.reliability.story import all_blocked

__all__ = ("Tally", "forget", "residue", "soak_turns")

FAULTY = 0.2
"""How many of the turns meet a fault."""
TARGETS = (
    "conversation.item.added",
    "response.created",
    "response.output_item.added",
    "response.output_audio.delta",
    "response.done",
    "session.updated",
)


@dataclass
class Tally:
    """What happened."""

    turns: int = 0
    reconnected: int = 0
    renewed: int = 0
    answers: Counter[str] = field(default_factory=Counter[str])
    tool_calls: int = 0
    tool_runs: int = 0
    history: Sequence[str] = ()
    said: list[str] = field(default_factory=list[str])
    refusals: Sequence[str] = ()
    tasks: list[int] = field(default_factory=list[int])
    objects: list[int] = field(default_factory=list[int])
    """How many objects there were, now and then."""
    resident_kib: list[int] = field(default_factory=list[int])

    def see(self, at: float, side: str, event: object) -> None:
        """Observe a session."""
        match event:
            case lifecycle.Reconnected():
                self.reconnected += 1
            case lifecycle.Renewed():
                self.renewed += 1
            case events.ResponseDone():
                self.answers[event.response.status or ""] += 1
            case _:
                pass


def any_fault(draw: random.Random) -> Fault:
    """Something that goes wrong with the next answer, or at once."""
    on = draw.choice(TARGETS)
    nth = draw.randint(1, 3) if on.endswith("delta") else 1
    when: dict[str, Any] = {"on": on, "nth": nth, "connection": None}
    kinds = (
        Drop(**when),
        Drop(connection=None),
        Close(code=1011, reason="internal error", **when),
        Close(code=1001, reason="going away", **when),
        Close(code=1000, **when),
        Expire(**when),
        Duplicate(**when),
        Malformed(**when),
    )
    return draw.choice(kinds)


def residue(session: Session) -> dict[str, int]:
    """What a session at rest still holds on to, apart from its history."""
    pump = session._pump
    machines = pump.core._machines  # type: ignore[attr-defined]
    responses, voice = machines.responses, machines.voice
    return {
        "waiters": len(pump.waiters._slots),
        "frames": pump.wire.statistics().frames_waiting,
        "unanswered": len(machines.answers._waiting),
        "held": len(machines.mail._held),
        "calls": len(responses.calls._entries),
        "serves": len(responses._serves),
        "waiting": len(responses._waiting),
        "beside": len(responses._beside),
        "queue": len(responses.gate._queue),
        "deletes": len(voice._deletes),
        "subscriptions": len(pump.fanout._subscriptions),
    }


async def soak_turns(turns: int, seed: int) -> tuple[Tally, dict[str, int]]:
    """Hold that many written turns on virtual time, with faults drawn at random.

    Returns:
        What happened, and what the session still held on to at the end.
    """
    draw, tally = random.Random(seed), Tally()  # noqa: S311 - the same faults every time
    async with AsyncExitStack() as stack:
        clock = await stack.enter_async_context(LockstepClock(all_blocked, turns=1))
        server = await stack.enter_async_context(RealtimeServer(over="memory", clock=clock))

        @tool
        async def look() -> str:
            """Look something up."""
            tally.tool_runs += 1
            await clock.sleep_until(clock.now() + draw.random())
            return "found"

        session = Session(
            await server.dial(),
            Agent(instructions="Be brief.", tools=[look]),
            dial=server.dial,
            reconnect=ReconnectPolicy(replay_tokens=300, max_attempts=50),
            clock=clock,
            observer=tally.see,
        )
        async with session:
            for turn in range(turns):
                await _turn(session, server, turn, draw, tally)
                if turn % (turns // 10) == turns // 10 - 1:
                    _weigh(tally)
            left = residue(session)
            tally.history = [entry.text for entry in session.history if entry.role == "user"]
        tally.refusals = server.refusals
    return tally, left


async def _turn(
    session: Session, server: RealtimeServer, turn: int, draw: random.Random, tally: Tally
) -> None:
    with_tool = draw.random() < 0.1
    text = f"turn {turn}: " + ("use the tool" if with_tool else "hello")
    tally.said.append(text)
    tally.tool_calls += with_tool
    if draw.random() < FAULTY:
        server.current.inject(any_fault(draw))
    await session.say(text)
    response = await session.respond()
    expected = "done" if with_tool else f"You said {text}"
    if response.status != "completed" or response.text != expected:
        message = f"turn {turn} was answered {response.status}: {response.text!r}"
        raise AssertionError(message)
    tally.turns += 1
    forget(server)


def forget(server: RealtimeServer) -> None:
    """Let go of what the double remembers of connections that are gone: it is not what is weighed here."""
    for connection in server.connections[:-3]:
        connection._life.play = None
        connection.log.clear()


def _weigh(tally: Tally) -> None:
    gc.collect()
    tally.tasks.append(len(asyncio.all_tasks()))
    tally.objects.append(len(gc.get_objects()))
