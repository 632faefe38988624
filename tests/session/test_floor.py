"""Who may speak: what ears that hear turns by themselves ask of the conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConfigurationError, Unsupported
from rtagent.events import lifecycle
from rtagent.session import Session
from rtagent.session._floor import Floor
from rtagent.testing import ScriptedServer

MANUAL = events.RealtimeSession(
    audio=events.SessionAudio(input=events.AudioInput(turn_detection=None)),
)
NO_CLEAR = events.GA.model_copy(update={"refused_events": frozenset({"input_audio_buffer.clear"})})
NO_COMMIT = events.GA.model_copy(update={"refused_events": frozenset({"input_audio_buffer.commit"})})


@asynccontextmanager
async def floor(
    greeting: events.RealtimeSession | None = None, dialect: events.Dialect = events.GA
) -> AsyncIterator[tuple[Floor, ScriptedServer, Session]]:
    async with ScriptedServer(greeting) as server, Session(server.transport, dialect=dialect) as session:
        yield Floor(session._pump), server, session


async def test_whose_it_is_the_server_says() -> None:
    async with floor() as (theirs, _, _):
        assert not theirs.is_ours
        with pytest.raises(ConfigurationError, match="detects turns already"):
            theirs.check_turns()
    async with floor(MANUAL) as (ours, _, _):
        assert ours.is_ours
        ours.check_turns()
    async with floor(MANUAL, NO_COMMIT) as (dumb, _, _):
        with pytest.raises(Unsupported, match="turns that end on this side"):
            dumb.check_turns()


async def test_a_turn_is_handed_over_or_taken_back() -> None:
    async with floor(MANUAL) as (ours, server, _):
        ours.end_turn()
        await server.expect(events.InputAudioBufferCommit)
        await server.expect(events.ResponseCreate)
        ours.take_back()
        await server.expect(events.InputAudioBufferClear)
    async with floor(MANUAL, NO_CLEAR) as (ours, server, _):
        ours.take_back()
        await server.expect_nothing()


async def test_an_interruption_stops_what_runs() -> None:
    async with floor(MANUAL) as (ours, server, session):
        await server.send(events.ResponseCreated(response=events.RealtimeResponse(id="r1")))
        await anyio.wait_all_tasks_blocked()
        ours.interrupt(session._pump.clock.now())
        await server.expect(events.ResponseCancel)


async def test_after_the_end_nothing_happens() -> None:
    async with floor(MANUAL) as (ours, server, session):
        seen: list[lifecycle.PlaybackPaused] = []
        session.on(lifecycle.PlaybackPaused, seen.append)
        ours.publish(lifecycle.PlaybackPaused(at=1.0, item_id=None, heard_ms=0.0, reason="speech"))
        await anyio.wait_all_tasks_blocked()
        assert len(seen) == 1
        await server.close()
        await session._pump.ended.wait()
        ours.interrupt(0.0)
        ours.end_turn()
        ours.take_back()
