"""Hosted MCP servers: their questions are answered once, and the conversation goes on."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from rtagent import Agent, events
from rtagent.errors import Unsupported
from rtagent.session import Session
from rtagent.session._hosted import GRACE_S
from rtagent.testing import FakeClock, ScriptedServer
from rtagent.tools import McpQuestion, McpServer

asked: list[McpQuestion] = []


def approve(question: McpQuestion) -> bool:
    asked.append(question)
    return question.name == "search"


DOCS = McpServer("docs", url="https://mcp.example.com", authorization="secret", approve=approve)


@asynccontextmanager
async def talking(agent: Agent) -> AsyncIterator[tuple[ScriptedServer, Session, FakeClock]]:
    asked.clear()
    clock = FakeClock(10.0)
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        group.start_soon(server.configure)
        async with Session(server.transport, agent, clock=clock) as session:
            await anyio.wait_all_tasks_blocked()
            yield server, session, clock


async def asks(server: ScriptedServer, *requests: tuple[str, str, str]) -> None:
    """A response that asks for approvals (id, tool, arguments) and ends."""
    await server.send(events.ResponseCreated(response=events.RealtimeResponse(id="r1")))
    for request_id, name, arguments in requests:
        item = events.McpApprovalRequest(id=request_id, server_label="docs", name=name, arguments=arguments)
        await server.send(events.ResponseOutputItemDone(response_id="r1", output_index=0, item=item))
    await server.send(events.ResponseDone(response=events.RealtimeResponse(id="r1", status="completed")))


async def answer(server: ScriptedServer) -> tuple[str, bool, str | None]:
    item = (await server.expect(events.ConversationItemCreate)).item
    assert isinstance(item, events.McpApprovalResponse)
    assert item.id
    return item.approval_request_id, item.approve, item.reason


async def test_a_server_is_part_of_the_configuration() -> None:
    offered = Agent(tools=[DOCS]).offered()
    assert [one.type for one in offered] == ["mcp"]
    config = Agent(tools=[DOCS]).session_config()
    assert config.tools is not None
    assert len(config.tools) == 1
    with pytest.raises(Unsupported, match="MCP servers"):
        Agent(tools=[DOCS]).session_config(events.GA.model_copy(update={"mcp": False}))


async def test_a_question_is_answered_once_and_a_response_is_asked_for_if_none_comes() -> None:
    async with talking(Agent(tools=[DOCS])) as (server, _, clock):
        await asks(server, ("q1", "search", '{"for": "milk"}'), ("q1", "search", "{}"))
        assert await answer(server) == ("q1", True, None)
        assert [(one.server, one.name, dict(one.arguments)) for one in asked] == [
            ("docs", "search", {"for": "milk"})
        ]
        await server.expect_nothing()
        await clock.advance(GRACE_S)
        await server.expect(events.ResponseCreate)


async def test_where_the_server_goes_on_by_itself_nothing_is_asked_for() -> None:
    async with talking(Agent(tools=[DOCS])) as (server, _, clock):
        await asks(server, ("q1", "publish", "{}"))
        assert await answer(server) == ("q1", False, "approval is not given")
        await server.send(
            events.ResponseCreated(response=events.RealtimeResponse(id="r2")),
            events.ResponseDone(response=events.RealtimeResponse(id="r2", status="completed")),
        )
        await clock.advance(2 * GRACE_S)
        await server.expect_nothing()


async def test_several_questions_lead_to_one_response() -> None:
    async with talking(Agent(tools=[DOCS])) as (server, _, clock):
        await asks(server, ("q1", "search", "{}"), ("q2", "search", "no JSON"))
        answers = sorted([await answer(server), await answer(server)])
        assert answers == [("q1", True, None), ("q2", False, "the arguments are no JSON object")]
        await clock.advance(GRACE_S)
        await server.expect(events.ResponseCreate)
        await clock.advance(5 * GRACE_S)
        await server.expect_nothing()


async def test_tools_that_cannot_be_listed_are_told(caplog: pytest.LogCaptureFixture) -> None:
    async with talking(Agent(tools=[DOCS])) as (server, _, _):
        listing = events.McpListTools(id="m1", server_label="docs", tools=[])
        with caplog.at_level(logging.WARNING, "rtagent"):
            await server.send(
                events.ConversationItemAdded(item=listing),
                events.McpListToolsFailed(item_id="m1"),
            )
            await anyio.wait_all_tasks_blocked()
    assert "the MCP server docs cannot be used" in caplog.text
    assert "secret" not in caplog.text


async def test_whoever_is_handed_over_to_is_asked_too() -> None:
    async with talking(Agent()) as (server, session, _), anyio.create_task_group() as group:
        group.start_soon(session.hand_over, Agent(tools=[DOCS], name="librarian"))
        update = await server.expect(events.SessionUpdate)
        await server.send(events.SessionUpdated(session=update.session))
        await anyio.wait_all_tasks_blocked()
        await asks(server, ("q1", "search", "{}"))
        assert await answer(server) == ("q1", True, None)


async def test_an_answer_after_the_end_goes_nowhere() -> None:
    decided = anyio.Event()

    async def slow(_question: McpQuestion) -> bool:
        await decided.wait()
        return True

    hosted = McpServer("docs", url="https://mcp.example.com", approve=slow)
    async with talking(Agent(tools=[hosted])) as (server, session, _):
        await asks(server, ("q1", "search", "{}"))
        await anyio.wait_all_tasks_blocked()
        await server.close()
        await session._pump.ended.wait()
        decided.set()
        await anyio.wait_all_tasks_blocked()
