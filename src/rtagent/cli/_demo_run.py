"""The demo's conversation: engine, caller, session and recording put together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import anyio
from anyio import create_task_group, to_thread

from .._connect import connect
from ..audio import AudioBlock, Clock, MonotonicClock, NullSink
from ..engine import EngineServer, serve
from ..errors import RtagentError
from ..events.lifecycle import TurnMeasured
from ..protocol import HistoryEntry
from ..recording import SessionRecording
from ..session import Session
from ..testing import LockstepClock
from ..transport import Endpoint
from ._demo_agent import home_agent
from ._demo_caller import CallerLine, RecordedCaller
from ._demo_pages import write_pages
from ._live import LiveLog

__all__ = ("hold",)

REST_POLL_S = 0.0005


@dataclass
class _Outcome:
    """What the conversation came to."""

    turns: tuple[TurnMeasured, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    error: RtagentError | None = None


async def hold(lines: Sequence[CallerLine], out: Path, *, fast: bool) -> None:
    """Hold the conversation, write the files and report.

    Args:
        lines: what the caller says.
        out: the directory for the files; made if it is not there.
        fast: run on virtual time, as fast as everything can be computed.

    Raises:
        RtagentError: the conversation failed; what there is of it is written all the same.
    """
    started = monotonic()
    print(f"{len(lines)} recorded lines; the embedded engine answers (rules, no language model)", flush=True)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(port=0))
        rest = _Rest(server)
        clock: Clock = MonotonicClock()
        if fast:
            clock = await stack.enter_async_context(LockstepClock(rest.reached))
        recording = await stack.enter_async_context(SessionRecording(out, clock=clock))
        outcome = await _converse(server, lines, clock, recording, rest)
    await to_thread.run_sync(write_pages, out, outcome.history)
    if outcome.error is not None:
        raise outcome.error
    _report(out, outcome.turns, seconds=monotonic() - started, fast=fast)


async def _converse(
    server: EngineServer, lines: Sequence[CallerLine], clock: Clock, recording: SessionRecording, rest: _Rest
) -> _Outcome:
    outcome = _Outcome()
    caller, sink = RecordedCaller(lines, clock), NullSink(clock=clock)

    def leaves_the_speaker(block: AudioBlock) -> None:
        recording.far(block)
        caller.hear(block)

    sink.tap = leaves_the_speaker
    async with (
        create_task_group() as followers,
        connect(
            home_agent(),
            endpoint=Endpoint.url(server.url),
            clock=clock,
            observer=recording.record_event,
        ) as session,
    ):
        # Counted from where the recording begins: the log and the files tell the same seconds.
        log = LiveLog(sys.stdout, partials=True, clock_start=recording.started_at, now=clock.now)
        await followers.start(log.follow, session)
        rest.session = session
        try:
            await session.attach(recording.tapped(caller), sink).wait_source_ended()
        except RtagentError as error:  # told after the recording of what went wrong is complete
            outcome.error = error
        rest.session = None
        outcome.turns, outcome.history = session.metrics.turns, session.history
    return outcome


def _report(out: Path, turns: Sequence[TurnMeasured], *, seconds: float, fast: bool) -> None:
    print()
    for turn in turns:
        print(_turn_line(turn))
    if fast:
        print(f"(held in {seconds:.1f} s: these times count sound, not computing)")
    for name in ("conversation.wav", "events.jsonl", "transcript.txt", "timeline.html"):
        print(f"wrote {out / name}")


def _turn_line(turn: TurnMeasured) -> str:
    waited, silence = turn.end_of_speech_to_first_heard_ms, turn.interrupt_to_silence_ms
    parts: list[str] = []
    if waited is not None:
        parts.append(f"end of speech -> first heard sample {waited:.0f} ms")
    if silence is not None:
        parts.append(f"interrupt -> silence {silence:.0f} ms")
    return f"turn {turn.turn}: " + "; ".join(parts)


class _Rest:
    """Knows when nothing is under way on either side or in the socket: then virtual time may go on."""

    def __init__(self, server: EngineServer) -> None:
        self.session: Session | None = None
        """The session, while it runs."""
        self._server = server

    async def reached(self) -> None:
        """Return when every frame that was sent has been read and everything that it led to is done."""
        while not self._now():
            await self._server.wait_idle()
            await anyio.sleep(REST_POLL_S)

    def _now(self) -> bool:
        session = self.session
        if session is None:
            return True
        ours, theirs = session.statistics(), self._server.statistics()
        level = ours.frames_sent == theirs.events_received and ours.events_received == theirs.events_sent
        return level and ours.at_rest and not theirs.busy
