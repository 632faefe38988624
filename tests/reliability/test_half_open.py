"""A connection of which one end is gone, found by pings: over real sockets and in real time, which pings need."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import anyio
import pytest

import rtagent
from rtagent.audio import MonotonicClock
from rtagent.session import ReconnectPolicy
from rtagent.testing import HalfOpen, RealtimeServer
from tests.reliability.story import PHASES, WHEN, Outcome, Phase, Story, transcripts

pytestmark = pytest.mark.timeout(120)  # the first test holds all conversations, at the same time

POLICY = ReconnectPolicy(jitter=0.0, ping_interval_s=0.5, ping_timeout_s=0.5)
STORY_S = 5.0
"""The user listens for longer than it takes to find out and to dial again."""


async def tell(phase: Phase) -> Outcome:
    clock = MonotonicClock()
    fault = replace(HalfOpen(), **WHEN[phase])
    async with RealtimeServer(transcripts=transcripts(phase), faults=[fault]) as server:
        story = Story(phase, server, clock, story_s=STORY_S)
        opening = rtagent.connect(
            story.agent(), endpoint=server.endpoint, reconnect=POLICY, observer=story.watch
        )
        return await story.tell(opening)


async def tell_all() -> tuple[Mapping[Phase, Outcome], int]:
    outcomes: dict[Phase, Outcome] = {}
    before = asyncio.all_tasks()

    async def keep(phase: Phase) -> None:
        outcomes[phase] = await tell(phase)

    async with anyio.create_task_group() as group:
        for phase in PHASES:
            group.start_soon(keep, phase)
    await anyio.lowlevel.checkpoint()
    return outcomes, len(asyncio.all_tasks() - before)


@pytest.fixture(scope="module")
def told() -> tuple[Mapping[Phase, Outcome], int]:
    return anyio.run(tell_all)


@pytest.mark.parametrize("phase", PHASES)
def test_the_conversation_goes_on(told: tuple[Mapping[Phase, Outcome], int], phase: Phase) -> None:
    outcome = told[0][phase]
    assert outcome.error is None
    assert outcome.undone == [], "the fault did not strike"
    assert outcome.refusals == []
    assert outcome.states[-2:] == ["listening", "closed"]
    assert outcome.reconnected
    assert all(reconnected.lost == 0 for reconnected in outcome.reconnected)


@pytest.mark.parametrize("phase", PHASES)
def test_no_turn_is_lost_and_none_comes_twice(
    told: tuple[Mapping[Phase, Outcome], int], phase: Phase
) -> None:
    outcome = told[0][phase]
    assert outcome.user_turns == outcome.transcripts
    assert outcome.heard_whole == [True] * 3, "samples of a turn are missing"
    assert [entry.id for entry in outcome.history] == [item["id"] for item in outcome.items]
    kinds = Counter(item["type"] for item in outcome.items)
    tools = 1 if phase == "tool running" else 0
    assert (outcome.tool_runs, kinds["function_call"], kinds["function_call_output"]) == (tools,) * 3


def test_no_task_is_left_and_no_connection_but_the_one_that_nobody_tells(
    told: tuple[Mapping[Phase, Outcome], int],
) -> None:
    outcomes, tasks_left = told
    assert tasks_left == 0
    assert {outcome.connections_left for outcome in outcomes.values()} == {1}, "the far end of the broken one"
