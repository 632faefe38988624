"""Many who ask at once: no answer is forgotten, none is asked for twice, each send gets its own answer."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

import anyio
import pytest

from rtagent import Agent, events, tool
from rtagent.audio import NullSink
from rtagent.errors import ServerError
from rtagent.session import Session
from rtagent.testing import LockstepClock, RealtimeServer, ScriptedServer
from tests.reliability.story import Caller, all_blocked

REPLIES = 250


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_program_tools_and_turn_detection_ask_at_random_moments() -> None:
    draw = random.Random(4)  # noqa: S311 - the same moments every time
    statuses: Counter[str] = Counter()
    tool_runs = 0
    async with AsyncExitStack() as stack:
        clock = await stack.enter_async_context(LockstepClock(all_blocked, turns=1))
        server = await stack.enter_async_context(RealtimeServer(over="memory", clock=clock))

        @tool(on_interrupt="keep")
        async def look() -> str:
            """Look something up."""
            nonlocal tool_runs
            tool_runs += 1
            await clock.sleep_until(clock.now() + draw.random())
            return "found"

        async def ask(session: Session, text: str, delay_s: float) -> None:
            await clock.sleep_until(clock.now() + delay_s)
            await session.say(text)
            response = await session.respond()
            statuses[response.status] += 1

        session = Session(await server.dial(), Agent(instructions="Be brief.", tools=[look]), clock=clock)
        caller = Caller(clock)
        async with session, anyio.create_task_group() as group:
            session.attach(caller, NullSink(clock=clock))
            for number in range(REPLIES):
                text = "use the tool" if number % 5 == 0 else f"hello {number}"
                group.start_soon(partial(ask, session, text, draw.random()))
                if number % 3 == 0:
                    caller.speak(0.2)
                await clock.sleep_until(clock.now() + draw.random())
            with anyio.fail_after(100):
                while statuses.total() < REPLIES:
                    await clock.sleep_until(clock.now() + 1.0)
            caller.end()
        connection = server.connections[0]
        outputs = [item for item in connection.items if item["type"] == "function_call_output"]
    assert statuses.total() == REPLIES
    assert tool_runs == len(outputs) > 0
    assert len({item["call_id"] for item in outputs}) == len(outputs)
    assert server.refusals == []
    assert [race for race in connection.races if "active response" in race] == []


async def test_a_hundred_items_are_answered_in_any_order_each_to_its_own() -> None:
    draw = random.Random(5)  # noqa: S311 - as above
    async with ScriptedServer() as server, Session(server.transport) as session:
        answers: dict[int, str | None] = {}
        refused: list[int] = []

        async def create(number: int) -> None:
            item = events.user_message(f"{number}", id=f"item_{number}")
            try:
                added = await session.send(events.ConversationItemCreate(item=item))
            except ServerError as error:
                refused.append(number if error.param == str(number) else -1)
            else:
                assert isinstance(added, events.ConversationItemAdded)
                answers[number] = added.item.id

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(create, number)
            creates = [await server.expect(events.ConversationItemCreate) for _ in range(100)]
            draw.shuffle(creates)
            await server.send({"type": "error", "error": {"type": "x", "message": "of nobody"}})
            for index, create_event in enumerate(creates):
                named = str(create_event.item.id).removeprefix("item_")
                if index % 10 == 0:
                    refusal = {
                        "type": "x",
                        "message": "no",
                        "event_id": create_event.event_id,
                        "param": named,
                    }
                    await server.send({"type": "error", "error": refusal})
                else:
                    await server.send(events.ConversationItemAdded(item=create_event.item))
    assert sorted(refused) == sorted(set(refused) - {-1})
    assert len(refused) == 10
    assert answers == {number: f"item_{number}" for number in range(100) if number not in refused}
