"""Agents are values, and say what they ask a server for."""

from __future__ import annotations

import dataclasses
import sys
from io import BufferedReader
from types import SimpleNamespace
from typing import Any

import pytest

from rtagent import Agent, Tool, events, tool
from rtagent.agent import handoff
from rtagent.errors import ConfigurationError, ToolDefinitionError


def asked(agent: Agent) -> dict[str, Any]:
    return agent.session_config().model_dump(exclude_unset=True, mode="json")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_an_agent_that_says_nothing_asks_for_turns_and_transcripts() -> None:
    assert asked(Agent()) == {
        "type": "realtime",
        "audio": {
            "input": {"turn_detection": {"type": "server_vad"}, "transcription": {"model": "gpt-transcribe"}}
        },
    }


def test_what_an_agent_says_is_asked_for() -> None:
    agent = Agent(
        instructions="Be brief.", tools=[add, tool(name="plus")(add)], voice="marin", transcription=None
    )
    config = asked(agent)
    assert config["instructions"] == "Be brief."
    assert config["audio"]["output"] == {"voice": "marin"}
    assert "transcription" not in config["audio"]["input"]
    first, second = config["tools"]
    assert (first["type"], first["name"], first["description"]) == ("function", "add", "Add two numbers.")
    assert set(first["parameters"]["properties"]) == {"a", "b"}
    assert second["name"] == "plus"
    assert agent.registry.names() == ("add", "plus")


@pytest.mark.parametrize(
    ("turn_taking", "detection"),
    [
        ("server_vad", {"type": "server_vad"}),
        ("semantic_vad", {"type": "semantic_vad"}),
        ("manual", None),
        (events.ServerVad(threshold=0.75), {"type": "server_vad", "threshold": 0.75}),
        (events.SemanticVad(eagerness="high"), {"type": "semantic_vad", "eagerness": "high"}),
    ],
)
def test_turns_are_taken_as_asked(turn_taking: Any, detection: dict[str, Any] | None) -> None:
    assert asked(Agent(turn_taking=turn_taking))["audio"]["input"]["turn_detection"] == detection


def test_an_agent_is_a_value() -> None:
    assert Agent(instructions="a", voice="v") == Agent(instructions="a", voice="v")
    assert Agent(instructions="a") != Agent(instructions="b")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Agent().instructions = "other"  # type: ignore[misc]
    changed = dataclasses.replace(Agent(tools=[add]), voice="cedar")
    assert (changed.voice, len(changed.registry)) == ("cedar", 1)


def test_a_function_that_cannot_be_a_tool_is_found_before_anything_starts() -> None:
    def collect(file: BufferedReader, /) -> None:
        """Take what no model can give."""

    with pytest.raises(ToolDefinitionError, match="collect cannot become a tool"):
        Agent(tools=[collect])


def test_talking_goes_through_the_door_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    talked: list[tuple[Agent, dict[str, Any]]] = []
    door = SimpleNamespace(talk_with=lambda agent, **options: talked.append((agent, options)))
    monkeypatch.setitem(sys.modules, "rtagent.cli.talk", door)
    agent = Agent()
    agent.talk(endpoint="local", text=True)
    assert talked == [(agent, {"endpoint": "local", "text": True})]


def test_instructions_may_be_asked_for_when_they_are_needed() -> None:
    mood = ["Be brief."]
    agent = Agent(instructions=lambda: mood[0])
    assert asked(agent)["instructions"] == "Be brief."
    mood[0] = "Be long."
    assert agent.told() == "Be long."
    with pytest.raises(ConfigurationError, match="are NoneType, and must be text"):
        Agent(instructions=lambda: None, name="mute").told()  # type: ignore[arg-type,return-value]


async def test_a_handoff_is_a_tool_that_gives_the_other_agent() -> None:
    billing = Agent("Talk about money.", name="billing desk")
    over = handoff(billing, "The user asks about an invoice.")
    assert (over.name, over.description) == ("hand_over_to_billing_desk", "The user asks about an invoice.")
    assert over.definition()["parameters"]["properties"] == {}
    assert await over() is billing

    def front() -> Agent:
        return Agent(tools=[handoff(back)])

    def back() -> Agent:
        return Agent(tools=[handoff(front, name="return")])

    there = handoff(front)
    assert (there.name, there.description) == ("hand_over_to_front", "Hand the conversation over to front.")
    (again,) = (await there()).tools
    assert isinstance(again, Tool)
    (home,) = (await again()).tools
    assert isinstance(home, Tool)
    assert home.name == "return"
    with pytest.raises(ToolDefinitionError):
        handoff(billing, name="no spaces")
