"""Servers in memory for the tests of the probe: a function answers each event, or a vendor's double does."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from rtagent.cli._probe_facts import Finding
from rtagent.cli._probe_frame import Frame, read_frame
from rtagent.cli._probe_wire import Manner, Times, Wire
from rtagent.errors import ConnectionLost, EndOfStream
from rtagent.testing import VendorServer
from rtagent.transport import MemoryTransport, memory_pair

Event = dict[str, Any]
Answers = Callable[[Event], Iterable[Event | str] | None]
"""What is sent back to an event; None closes the connection."""

PATIENT = Times(5.0)
HASTY = Times(0.05)
"""Where silence is what is to be found."""


def event(kind: str, **fields: Any) -> Event:
    return {"type": kind, "event_id": "server", **fields}


def error(message: str, cause: str | None = None, code: str | None = None) -> Event:
    return event("error", error={"type": "x", "message": message, "code": code, "event_id": cause})


def updated(sent: Event) -> Event:
    """The answer of a server that shows just what it was told."""
    return event("session.updated", session=sent["session"])


def frames(*events: Mapping[str, Any] | str) -> list[Frame]:
    texts = (each if isinstance(each, str) else json.dumps(each) for each in events)
    return [read_frame(text, at_s=0.0) for text in texts]


class Scripted:
    """Serves each connection with the same function.

    Args:
        answers: what is sent back to an event; where it is None, the connection is closed.
        greeting: what every connection begins with.
        connections: how many are let in.
    """

    def __init__(
        self, answers: Answers, *, greeting: Iterable[Event | str] = (), connections: int = 100
    ) -> None:
        self._answers = answers
        self._greeting = tuple(greeting)
        self._left = connections

    async def __call__(self, transport: MemoryTransport) -> None:
        self._left -= 1
        if self._left < 0:
            await transport.aclose(1013, "no more")
            return
        try:
            await self._send(transport, self._greeting)
            while (told := self._answers(_read(await transport.receive()))) is not None:
                await self._send(transport, told)
        except (ConnectionLost, EndOfStream):
            return
        await transport.aclose(1011, "that was too much")

    async def _send(self, transport: MemoryTransport, told: Iterable[Event | str]) -> None:
        for each in told:
            await transport.send(each if isinstance(each, str) else json.dumps(each))


def _read(frame: str | bytes) -> Event:
    try:
        sent: Event = json.loads(frame)
    except ValueError:
        return {"type": "", "event_id": None}
    return sent


@asynccontextmanager
async def answering(
    answers: Answers, *, greeting: Iterable[Event | str] = (), times: Times = PATIENT, **manner: Any
) -> AsyncGenerator[Wire]:
    """A connection to a server that is a function."""
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Scripted(answers, greeting=greeting), theirs)
        yield Wire(ours, Manner(times, **manner), dialled_s=anyio.current_time())
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def vendor(name: str, *, times: Times = PATIENT, **manner: Any) -> AsyncGenerator[Wire]:
    """A connection to a vendor's double, in the shape that it takes."""
    ours, theirs = memory_pair()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(VendorServer(name).serve, theirs)
        yield Wire(ours, Manner(times, **manner), dialled_s=anyio.current_time())
        tasks.cancel_scope.cancel()


async def found(question: Any, wire: Wire) -> dict[str, Finding]:
    """The findings of a question by their topics."""
    return {finding.topic: finding async for finding in question(wire)}


def answers_of(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {topic: finding.answer for topic, finding in findings.items()}
