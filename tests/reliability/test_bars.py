"""What we promised ourselves a lost connection would look like from the server's side."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from rtagent import Agent, events
from rtagent.audio import NullSink
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import Drop, LockstepClock, RealtimeServer
from tests.reliability.story import Caller, all_blocked, until

POLICY = ReconnectPolicy(jitter=0.0)


async def test_after_a_drop_in_mid_answer_the_order_is_kept_and_no_old_sound_is_sent() -> None:
    seen: list[tuple[float, Any]] = []
    async with AsyncExitStack() as stack:
        clock = await stack.enter_async_context(LockstepClock(all_blocked, turns=1))
        faults = [Drop(on="response.output_audio.delta", nth=12)]
        server = await stack.enter_async_context(
            RealtimeServer(over="memory", clock=clock, transcripts=["hello", "a story"], faults=faults)
        )
        session = Session(
            await server.dial(),
            Agent(instructions="Be brief."),
            dial=server.dial,
            reconnect=POLICY,
            clock=clock,
            observer=lambda at, side, event: seen.append((at, event)),
        )
        caller = Caller(clock)
        async with session:
            session.attach(caller, NullSink(clock=clock))
            caller.speak(0.4)
            await until(session, clock, lambda: len(session.history) == 2 and session.state == "listening")
            caller.speak(0.4)
            await until(session, clock, lambda: session.state == "reconnecting")
            session.post(events.ConversationItemCreate(item=events.user_message("while away", id="away")))
            await until(session, clock, lambda: len(server.connections) == 2)
            await until(session, clock, lambda: session.state == "listening", at_least_s=1.0)
            second = server.connections[1]
            heard_ms, now = second.heard_ms, clock.now()
            caller.end()
    kinds = [event["type"] for event in second.log]
    first_sound = kinds.index("input_audio_buffer.append")
    assert kinds[:first_sound] == [
        "session.update",
        *["conversation.item.create"] * 4,  # two turns and two answers, the second as far as it came
        "conversation.item.create",  # what the program said meanwhile
        "conversation.item.create",  # that the answer broke off
        "response.create",
    ]
    created = [event["item"]["id"] for event in second.log if event["type"] == "conversation.item.create"]
    assert created[4] == "away"
    back_at = next(at for at, event in seen if isinstance(event, lifecycle.Reconnected))
    assert heard_ms <= (now - back_at) * 1000 + 40, "sound from before the drop was sent"


@pytest.mark.parametrize("begins_s", [-0.6, -0.3, -0.02, 0.02])
async def test_not_one_sample_is_missing_of_an_utterance_that_spans_a_renewal(begins_s: float) -> None:
    """The utterance begins so many seconds before the connection would be changed."""
    renewed: list[float] = []

    async def talk(begin_at: float | None) -> tuple[list[bool], float]:
        renewed.clear()
        async with AsyncExitStack() as stack:
            clock = await stack.enter_async_context(LockstepClock(all_blocked, turns=1))
            server = await stack.enter_async_context(
                RealtimeServer(over="memory", clock=clock, session_seconds=1_000_000.0)
            )
            session = Session(
                await server.dial(),
                dial=server.dial,
                reconnect=ReconnectPolicy(renew_before_s=1_000_000.0 - 4.0),
                clock=clock,
                observer=lambda at, side, event: (
                    renewed.append(at) if isinstance(event, lifecycle.Renewed) else None
                ),
                dialect=events.GA.model_copy(update={"max_session_s": 8}),
            )
            caller = Caller(clock)
            async with session:
                session.attach(caller, NullSink(clock=clock))
                if begin_at is not None:
                    await clock.sleep_until(begin_at)
                    caller.speak(0.8)
                    await clock.sleep_until(begin_at + 0.8)
                await until(session, clock, lambda: bool(renewed))
                await until(session, clock, lambda: session.state == "listening", at_least_s=2.0)
                caller.end()
            whole = [any(words in one.audio for one in server.connections) for words in caller.words]
            assert server.refusals == []
        return whole, renewed[0]

    _, changed_at = await talk(None)
    whole, _ = await talk(changed_at + begins_s)
    assert whole == [True]
