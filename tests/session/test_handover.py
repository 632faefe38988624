"""One agent goes on where another one stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from rtagent import Agent, events, handoff
from rtagent.errors import ServerError, Unsupported
from rtagent.events import lifecycle
from rtagent.session import Session
from rtagent.session._handover import ask_for
from rtagent.testing import ScriptedServer


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Server:
    """Takes what is sent, or refuses the first of it."""

    def __init__(self, refusal: ServerError | None = None) -> None:
        self.refusal = refusal
        self.asked: list[dict[str, Any]] = []

    async def send(self, event: events.ClientEvent) -> None:
        assert isinstance(event, events.SessionUpdate)
        self.asked.append(event.session.model_dump(exclude_unset=True, mode="json"))
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise refusal


async def test_the_other_agents_instructions_tools_and_voice_are_asked_for_and_nothing_else() -> None:
    server = Server()
    await ask_for(Agent(instructions="Count.", tools=[add], voice="cedar"), events.GA, server.send)
    (asked,) = server.asked
    assert set(asked) == {"type", "instructions", "tools", "audio"}
    assert asked["instructions"] == "Count."
    assert [one["name"] for one in asked["tools"]] == ["add"]
    assert asked["audio"] == {"output": {"voice": "cedar"}}


async def test_an_agent_without_tools_takes_those_of_the_other_away() -> None:
    server = Server()
    await ask_for(Agent(), events.GA, server.send)
    assert server.asked == [{"type": "realtime", "instructions": "", "tools": []}]


async def test_where_there_are_no_functions_none_are_asked_for() -> None:
    server = Server()
    mute = events.GA.model_copy(update={"functions": False})
    await ask_for(Agent(instructions="Count.", tools=[add]), mute, server.send)
    assert server.asked == [{"type": "realtime", "instructions": "Count."}]


async def test_a_server_that_has_spoken_keeps_its_voice() -> None:
    server = Server(ServerError("the voice was heard already", code="cannot_update_voice"))
    await ask_for(Agent(instructions="Count.", voice="cedar"), events.GA, server.send)
    assert [set(asked) for asked in server.asked] == [
        {"type", "instructions", "tools", "audio"},
        {"type", "instructions", "tools"},
    ]


@pytest.mark.parametrize("voice", ["cedar", None])
async def test_any_other_refusal_is_one(voice: str | None) -> None:
    server = Server(ServerError("too long", code="string_above_max_length"))
    with pytest.raises(ServerError, match="too long"):
        await ask_for(Agent(instructions="Count.", voice=voice), events.GA, server.send)
    assert len(server.asked) == 1


async def test_a_session_of_another_protocol_is_begun_anew() -> None:
    live = events.GA.model_copy(update={"protocol": "live"})
    with pytest.raises(Unsupported, match="another agent"):
        await ask_for(Agent(), live, Server().send)


# -- in a session --------------------------------------------------------------------------------------


def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


@asynccontextmanager
async def talking(agent: Agent) -> AsyncIterator[tuple[ScriptedServer, Session, list[Any]]]:
    told: list[Any] = []
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        group.start_soon(server.configure)
        async with Session(server.transport, agent) as session:
            session.on(lifecycle.AgentChanged, told.append)
            await server.send(events.ResponseCreated(response=events.RealtimeResponse(id="r1")))
            yield server, session, told


async def calls(server: ScriptedServer, name: str, arguments: str = "{}", response_id: str = "r1") -> None:
    call = events.FunctionCall(
        id=f"i_{response_id}", call_id=f"c_{response_id}", name=name, arguments=arguments
    )
    await server.send(
        events.ResponseOutputItemDone(response_id=response_id, output_index=0, item=call),
        events.ResponseDone(
            response=events.RealtimeResponse(id=response_id, status="completed", output=[call])
        ),
    )


async def taken(server: ScriptedServer) -> events.SessionUpdate:
    update = await server.expect(events.SessionUpdate)
    await server.send(events.SessionUpdated(session=update.session))
    return update


async def told_output(server: ScriptedServer) -> str:
    created = await server.expect(events.ConversationItemCreate)
    assert isinstance(created.item, events.FunctionCallOutput)
    return created.item.output


async def test_a_tool_that_gives_an_agent_hands_the_conversation_over_before_the_model_goes_on() -> None:
    mathematician = Agent("You multiply.", tools=[multiply], name="mathematician")
    async with talking(Agent("You add.", tools=[add, handoff(mathematician)])) as (server, session, told):
        await calls(server, "hand_over_to_mathematician")
        update = await taken(server)
        assert isinstance(update.session, events.RealtimeSession)
        assert update.session.instructions == "You multiply."
        assert [one.name for one in update.session.tools or ()] == ["multiply"]  # type: ignore[union-attr]
        assert "you are mathematician now" in await told_output(server)
        await server.expect(events.ResponseCreate)
        assert session.agent is mathematician
        assert [(event.name, event.previous) for event in told] == [("mathematician", "assistant")]
        await server.send(events.ResponseCreated(response=events.RealtimeResponse(id="r2")))
        await calls(server, "multiply", '{"a": 6, "b": 7}', "r2")
        assert await told_output(server) == "42"
        await server.expect(events.ResponseCreate)


async def test_a_handover_that_is_refused_changes_nothing_and_the_model_is_told() -> None:
    async with talking(Agent("You add.", tools=[handoff(Agent(name="other"))])) as (server, session, told):
        before = session.agent
        await calls(server, "hand_over_to_other")
        update = await server.expect(events.SessionUpdate)
        await server.send(
            events.Error(
                error=events.ErrorDetail(type="x", code="bad", message="no", event_id=update.event_id)
            )
        )
        assert "cannot be handed over" in await told_output(server)
        await server.expect(events.ResponseCreate)
        assert session.agent is before
        assert told == []


async def test_a_program_may_hand_over_too() -> None:
    other = Agent("You multiply.", name="other")
    async with talking(Agent("You add.")) as (server, session, told), anyio.create_task_group() as group:
        group.start_soon(session.hand_over, other)
        await taken(server)
        await anyio.wait_all_tasks_blocked()
        assert session.agent is other
        assert len(told) == 1
        await server.send(events.ResponseDone(response=events.RealtimeResponse(id="r1", status="completed")))


@pytest.mark.parametrize("refused", [False, True])
async def test_instructions_that_a_function_gives_follow_what_a_tool_has_done(refused: bool) -> None:
    mood = ["calm"]

    def annoy() -> str:
        """Annoy the assistant."""
        mood[0] = "angry"
        return "well done"

    async with talking(Agent(lambda: f"You are {mood[0]}.", tools=[annoy, add])) as (server, _, _):
        await calls(server, "add", '{"a": 1, "b": 2}')
        assert await told_output(server) == "3", "nothing has changed, and nothing is sent"
        await server.expect(events.ResponseCreate)
        await server.send(events.ResponseCreated(response=events.RealtimeResponse(id="r2")))
        await calls(server, "annoy", response_id="r2")
        update = await server.expect(events.SessionUpdate)
        assert isinstance(update.session, events.RealtimeSession)
        assert update.session.instructions == "You are angry."
        if refused:
            error = events.ErrorDetail(type="x", code="bad", message="no", event_id=update.event_id)
            await server.send(events.Error(error=error))
        else:
            await server.send(events.SessionUpdated(session=update.session))
        assert await told_output(server) == "well done"
        await server.expect(events.ResponseCreate)
