"""One agent goes on where another one stopped."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import Agent, events
from rtagent.errors import ServerError, Unsupported
from rtagent.session._handover import ask_for


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
