"""A conversation to which something happens: a caller, a server that fails, a session, and what came of it.

All of it runs in memory on virtual time, so a story takes a few milliseconds and always the same course.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import anyio
import anyio.lowlevel

from rtagent import Agent, events, tool
from rtagent.audio import AudioBlock, AudioFormat, Clock, NullSink
from rtagent.errors import RtagentError
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import Drop, Fault, LockstepClock, RealtimeServer

__all__ = (
    "PHASES",
    "WHEN",
    "Caller",
    "Outcome",
    "Phase",
    "Story",
    "all_blocked",
    "tell",
    "transcripts",
    "until",
)

Phase = Literal["idle", "user speaking", "thinking", "speaking", "tool running", "mid-reconnect"]
PHASES: tuple[Phase, ...] = ("idle", "user speaking", "thinking", "speaking", "tool running", "mid-reconnect")

POLICY = ReconnectPolicy(jitter=0.0)
"""As a session has it, but that every wait takes its longest time."""
BLOCK_S = 0.04
TURN_S = 0.6
TOOL_S = 1.0
LIMIT_S = 60.0
"""Virtual seconds in which everything must be over."""
FORMAT = AudioFormat.pcm16(24_000)


class Caller:
    """A microphone that hears silence, or somebody who speaks when told to: an audio source."""

    def __init__(self, clock: Clock) -> None:
        self.format = FORMAT
        self._clock = clock
        self._speaks_until = 0.0
        self._ended = False
        self._said = 0
        self.words: list[bytes] = []
        """The samples of each turn, which are like no other turn's."""

    def speak(self, seconds: float) -> None:
        """Say something from now on, for so long."""
        self._said += 1
        self._speaks_until = self._clock.now() + seconds
        self.words.append(b"")

    def end(self) -> None:
        """Hang up."""
        self._ended = True

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        """40 ms each, until the end."""
        due = self._clock.now()
        size = FORMAT.bytes_of(BLOCK_S * 1000)
        while not self._ended:
            due += BLOCK_S
            await self._clock.sleep_until(due)
            pcm = bytes(size)
            if self._clock.now() <= self._speaks_until:
                pcm = (1_000 + self._said).to_bytes(2, "little") * (size // 2)
                self.words[-1] += pcm
            yield AudioBlock(pcm, due - BLOCK_S)


@dataclass
class Outcome:
    """What came of a story."""

    recovered_s: float | None = None
    """From the loss of the connection to the new one; None when none was lost."""
    reconnected: list[lifecycle.Reconnected] = field(default_factory=list)
    dropped_ms: float = 0.0
    tool_runs: int = 0
    states: list[str] = field(default_factory=list)
    history: Sequence[Any] = ()
    items: Sequence[dict[str, Any]] = ()
    """The conversation as the last server holds it."""
    refusals: Sequence[str] = ()
    undone: Sequence[Fault] = ()
    tasks_left: int = 0
    connections: int = 0
    connections_left: int = 0
    """Connections that were still open when the session had ended."""
    transcripts: Sequence[str] = ()
    """What the user said."""
    heard_whole: list[bool] = field(default_factory=list[bool])
    """Of each turn: whether one connection got every sample of it, in one piece."""
    error: BaseException | None = None
    """What ended the session before its time."""

    @property
    def user_turns(self) -> list[str]:
        """What the user has said, as the history has it."""
        return [entry.text for entry in self.history if entry.role == "user"]


class _Watch:
    """Notes what a session tells."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lost_at: float | None = None

    def see(self, at: float, side: str, event: object) -> None:
        match event:
            case lifecycle.Reconnecting():
                self._lost_at = at if self._lost_at is None else self._lost_at
            case lifecycle.Reconnected():
                self._outcome.reconnected.append(event)
                self._outcome.recovered_s = at - (self._lost_at or at)
                self._lost_at = None
            case lifecycle.AudioDropped():
                self._outcome.dropped_ms += event.ms
            case lifecycle.StateChanged():
                self._outcome.states.append(event.state)
            case _:
                pass


async def all_blocked() -> None:
    """Return when every other task waits for something: as anyio's, which sleeps a tenth of a second in between."""
    this = asyncio.current_task()
    while any(_can_run(task) for task in asyncio.all_tasks() if task is not this):  # noqa: ASYNC110
        await asyncio.sleep(0)


def _can_run(task: asyncio.Task[Any]) -> bool:
    waits_for: asyncio.Future[Any] | None = getattr(task, "_fut_waiter", None)
    return waits_for is None or waits_for.done()


async def tell(phase: Phase, fault: Fault, also: Sequence[Fault] = (), *, interrupt: bool = False) -> Outcome:
    """Hold a conversation of three turns; in the second one the fault strikes at that phase.

    Args:
        phase: what the conversation is doing then.
        fault: what goes wrong.
        also: what goes wrong besides, with times of its own.
        interrupt: whether the program interrupts the second answer.
    """
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        clock = await stack.enter_async_context(LockstepClock(all_blocked, turns=1))
        due = [replace(fault, **WHEN[phase]), *also]
        server = await stack.enter_async_context(
            RealtimeServer(transcripts=transcripts(phase), over="memory", clock=clock, faults=due)
        )
        story = Story(phase, server, clock)
        session = Session(
            await server.dial(),
            story.agent(),
            dial=server.dial,
            reconnect=POLICY,
            clock=clock,
            observer=story.watch,
        )
        outcome = await story.tell(session, interrupt=interrupt)
    await anyio.lowlevel.checkpoint()
    outcome.tasks_left = len(asyncio.all_tasks() - before)
    return outcome


def transcripts(phase: Phase) -> list[str]:
    """What the user says in a story about that phase."""
    second = {"tool running": "use the tool please", "speaking": "tell me a story"}
    return ["the first turn", second.get(phase, "the second turn"), "the last turn"]


class Story:
    """One conversation of three turns, with one session and one server.

    Args:
        phase: what the conversation is doing when the fault strikes that the server has.
        server: the server, which is open.
        clock: of everybody.
        story_s: how long the user listens to a long answer.
    """

    def __init__(self, phase: Phase, server: RealtimeServer, clock: Clock, *, story_s: float = 2.0) -> None:
        self.outcome = Outcome(transcripts=transcripts(phase))
        self.watch = _Watch(self.outcome).see
        """What the session is to be observed by."""
        self._phase: Phase = phase
        self._server = server
        self._clock = clock
        self._story_s = story_s

    def agent(self) -> Agent:
        """Who the session is to speak for."""

        @tool
        async def look() -> str:
            """Look something up."""
            self.outcome.tool_runs += 1
            await self._clock.sleep_until(self._clock.now() + TOOL_S)
            return "found"

        return Agent(instructions="Be brief.", tools=[look])

    async def tell(
        self, opening: AbstractAsyncContextManager[Session], *, interrupt: bool = False
    ) -> Outcome:
        """Hold the conversation in that session, which is opened for it."""
        outcome, server = self.outcome, self._server
        caller = Caller(self._clock)
        session: Session | None = None
        try:
            async with opening as session:
                session.attach(caller, NullSink(clock=self._clock))
                await self._hold(session, caller, interrupt=interrupt)
                outcome.items = server.current.items
        except RtagentError as error:
            outcome.error = error
        finally:
            caller.end()
        outcome.history = () if session is None else session.history
        await anyio.wait_all_tasks_blocked()
        outcome.connections_left = sum(connection.ended is None for connection in server.connections)
        outcome.heard_whole = [
            any(words in connection.audio for connection in server.connections) for words in caller.words
        ]
        outcome.refusals, outcome.undone = server.refusals, server.undone
        outcome.connections = len(server.connections)
        return outcome

    async def _hold(self, session: Session, caller: Caller, *, interrupt: bool) -> None:
        clock = self._clock
        await self._turn(session, caller)
        if self._phase == "mid-reconnect":
            self._server.inject(Drop(connection=1))
            await until(session, clock, lambda: bool(self.outcome.reconnected))
        await self._turn(session, caller, story=self._phase == "speaking", interrupt=interrupt)
        if self._phase == "idle":
            await clock.sleep_until(clock.now() + 1.0)
        await self._turn(session, caller)

    async def _turn(
        self, session: Session, caller: Caller, *, story: bool = False, interrupt: bool = False
    ) -> None:
        """The user says something and hears the answer to its end."""
        clock = self._clock
        answered = False

        def done(event: events.ResponseDone) -> None:
            nonlocal answered
            calls = any(isinstance(item, events.FunctionCall) for item in event.response.output or ())
            answered = answered or (event.response.status != "cancelled" and not calls) or interrupt

        callback = session.on(events.ResponseDone, done)
        caller.speak(TURN_S)
        await clock.sleep_until(clock.now() + TURN_S)
        if story:
            await until(session, clock, lambda: session.state == "speaking" or answered)
            await clock.sleep_until(clock.now() + self._story_s)
            if interrupt:
                await session.interrupt()
            self._server.current.release()
        await until(session, clock, lambda: answered and session.state == "listening")
        callback.cancel()


WHEN: dict[Phase, dict[str, Any]] = {
    "idle": {"on": "input_audio_buffer.append", "by": "client", "nth": 100},
    "user speaking": {"on": "input_audio_buffer.speech_started", "nth": 2},
    "thinking": {"on": "response.created", "nth": 2},
    "speaking": {"on": "response.output_audio.delta", "nth": 18},
    "tool running": {"on": "response.done", "nth": 2},
    "mid-reconnect": {"on": "session.updated", "connection": 2},
}
"""When the conversation does that for the second time."""


async def until(
    session: Session, clock: Clock, condition: Callable[[], bool], *, at_least_s: float = 0.0
) -> None:
    """Return when it is so, but not before that time has passed; the session must not end before."""
    limit, soonest = clock.now() + LIMIT_S, clock.now() + at_least_s
    while not condition() or clock.now() < soonest:
        if session.state == "closed":
            session.post(events.ResponseCancel())  # raises what ended it
        if clock.now() > limit:
            message = f"it came to nothing: {session.state}, {[entry.text for entry in session.history]}"
            raise AssertionError(message)
        await clock.sleep_until(clock.now() + BLOCK_S)
