from __future__ import annotations

import json
import subprocess
import sys
import types
from typing import Any

import pytest

import rtagent.tools
from rtagent.errors import ConfigurationError, ToolDefinitionError
from rtagent.tools import ProcessStatistics, ThreadStatistics, Tool, ToolRegistry, tool


@tool
def set_light(room: str) -> str:
    """Light a room."""
    return room


@tool
def get_light(room: str) -> str:
    return room


def plain(x: int) -> int:
    return x


def test_tools_are_found_by_name():
    registry = ToolRegistry([set_light, plain])
    assert registry.names() == ("set_light", "plain")
    assert registry.get("set_light") is set_light
    assert registry.get("fly") is None
    assert "plain" in registry
    assert "fly" not in registry
    assert len(registry) == 2
    assert [made.name for made in registry] == ["set_light", "plain"]
    assert repr(registry) == "ToolRegistry(set_light, plain)"


def test_definitions_come_in_order():
    registry = ToolRegistry([plain, set_light])
    assert registry.definitions() == (Tool.from_function(plain).definition(), set_light.definition())


def test_an_empty_registry():
    registry = ToolRegistry()
    assert (len(registry), registry.definitions(), registry.names()) == (0, (), ())


def test_a_function_becomes_a_tool():
    registry = ToolRegistry()
    made = registry.add(plain)
    assert isinstance(made, Tool)
    assert registry.get("plain") is made


def test_two_tools_cannot_share_a_name():
    with pytest.raises(ToolDefinitionError, match="set_light cannot become a tool: another tool"):
        ToolRegistry([set_light, set_light])


def module(**members: object) -> types.ModuleType:
    made = types.ModuleType("lights")
    vars(made).update(members)
    return made


def test_the_tools_of_a_module_are_discovered():
    registry = ToolRegistry([set_light])
    lights = module(plain=plain, Tool=Tool, again=set_light, get_light=get_light, alias=get_light)
    assert registry.discover(lights) == (get_light,)
    assert registry.names() == ("set_light", "get_light")
    assert registry.discover(lights) == ()


def test_a_module_is_discovered_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "lights", module(set_light=set_light))
    registry = ToolRegistry()
    assert registry.discover("lights") == (set_light,)


def test_a_discovered_tool_cannot_take_a_name():
    other = Tool.from_function(plain, name="set_light")
    with pytest.raises(ToolDefinitionError, match="same name"):
        ToolRegistry([set_light]).discover(module(other=other))


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match=r"the tools of 'no\.such\.module' cannot be loaded"):
        ToolRegistry().discover("no.such.module")


def test_threads_are_bounded():
    assert ToolRegistry(max_threads=3).statistics() == ThreadStatistics(limit=3, running=0, waiting=0)
    with pytest.raises(ConfigurationError):
        ToolRegistry(max_threads=0)


async def test_a_call_goes_to_its_tool():
    outcome = await ToolRegistry([set_light]).call("set_light", '{"room": "attic"}', call_id="call_1")
    assert outcome.output == "attic"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set_ligth", 'there is no tool "set_ligth"; did you mean "set_light"?'),
        ("fly", 'there is no tool "fly"'),
        ("", 'there is no tool ""'),
    ],
)
async def test_an_unknown_tool_is_answered_with_the_known_ones(name, message):
    outcome = await ToolRegistry([set_light, plain]).call(name, "{}", call_id="call_1")
    assert (outcome.kind, outcome.ok, outcome.error) == ("unknown_tool", False, message)
    assert json.loads(outcome.output)["error"] == {
        "kind": "unknown_tool",
        "tool": name,
        "message": message,
        "known": ["set_light", "plain"],
    }


async def test_the_answer_to_an_unknown_tool_is_bounded():
    registry = ToolRegistry([Tool.from_function(plain, name=f"tool_{at}") for at in range(60)])
    outcome = await registry.call("x" * 10_000, "{}", call_id="call_1")
    error = json.loads(outcome.output)["error"]
    assert len(error["tool"]) == 80
    assert len(error["known"]) == 50


def test_the_public_door():
    for name in rtagent.tools.__all__:
        assert getattr(rtagent.tools, name) is not None


def test_the_door_is_light():
    heavy = "{'numpy', 'httpx', 'sounddevice', 'websockets'}"
    program = (
        f"import sys, rtagent.tools as t; t.ToolRegistry; t.tool; assert not {heavy} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_a_registry_of_another_has_its_guards_and_its_approver():
    def before(*_: Any) -> dict[str, Any]:
        return {"room": "attic"}

    @tool(approval=True)
    def light(room: str) -> str:
        return room

    first = ToolRegistry([light], approver=lambda *_: True, before=before)
    second = ToolRegistry(first)
    assert second.names() == ("light",)
    assert (await second.call("light", '{"room": "cellar"}', call_id="c")).output == "attic"
    other = ToolRegistry(first, approver=lambda *_: False, after=lambda *_: None)
    assert (await other.call("light", '{"room": "cellar"}', call_id="c")).kind == "denied"
    agreed = await other.call("light", '{"room": "x"}', call_id="c", approver=lambda *_: True)
    assert agreed.output == "attic"


async def test_who_uses_the_processes_says_so():
    registry = ToolRegistry()
    registry.hold()
    await registry.release()
    assert registry.process_statistics() == ProcessStatistics(limit=4, running=0, idle=0, waiting=0)
