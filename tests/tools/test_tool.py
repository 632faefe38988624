from __future__ import annotations

import dataclasses
import functools
import inspect
import math
from typing import Any

import pytest

from rtagent.errors import ToolDefinitionError
from rtagent.tools import DEFAULT_TIMEOUT_S, Tool, ToolContext


def set_light(room: str, on: bool = True) -> str:
    """Switch the light of a room.

    Args:
        room: the room's name.
    """
    return f"{room} {on}"


async def wait(context: ToolContext) -> None:
    """Wait."""


class Home:
    """A home."""

    size = 3

    def __init__(self) -> None:
        self.lit: list[str] = []

    def light(self, room: str) -> str:
        """Light a room."""
        self.lit.append(room)
        return room

    async def dark(self) -> None:
        """Put all lights out."""

    def __call__(self, room: str) -> str:
        return self.light(room)


class Late:
    async def __call__(self) -> None:
        """Be late."""


def stream():
    yield 1


async def astream():
    yield 1


async def asleep() -> None: ...


def test_a_tool_is_defined_as_the_session_wants_it():
    assert Tool.from_function(set_light).definition() == {
        "type": "function",
        "name": "set_light",
        "description": "Switch the light of a room.",
        "parameters": {
            "type": "object",
            "properties": {
                "room": {"type": "string", "description": "the room's name."},
                "on": {"type": "boolean", "default": True},
            },
            "required": ["room"],
            "additionalProperties": False,
        },
    }


def test_a_tool_is_still_its_function():
    made = Tool.from_function(set_light)
    assert made("kitchen", on=False) == "kitchen False"
    assert vars(made)["__name__"] == "set_light"
    assert made.__doc__ == set_light.__doc__
    assert made.__module__ == __name__
    assert inspect.signature(made) == inspect.signature(set_light)
    assert inspect.unwrap(made) is set_light


def test_the_defaults_are_safe_ones():
    made = Tool.from_function(set_light)
    assert (made.timeout, DEFAULT_TIMEOUT_S) == (30.0, 30.0)
    assert (made.on_interrupt, made.approval, made.strict, made.speak) == ("cancel", False, False, None)


def test_options_are_kept():
    made = Tool.from_function(
        set_light,
        name="light",
        description="Light!",
        timeout=None,
        on_interrupt="keep",
        approval=True,
        strict=True,
        speak="One moment.",
    )
    assert (made.name, made.description, made.timeout) == ("light", "Light!", None)
    assert (made.on_interrupt, made.approval, made.strict, made.speak) == ("keep", True, True, "One moment.")
    assert made.parameters["required"] == ["room", "on"]


def test_no_name_and_no_description_mean_those_of_the_function():
    made = Tool.from_function(set_light, name=None, description=None)
    assert (made.name, made.description) == ("set_light", "Switch the light of a room.")


def test_an_empty_description_is_one():
    assert Tool.from_function(set_light, description="").description == ""


def test_a_tool_cannot_be_changed():
    made = Tool.from_function(set_light)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.timeout = 1  # type: ignore[misc]
    made.parameters.clear()
    made.definition()["parameters"].clear()
    assert made.parameters["type"] == "object"


def test_a_changed_copy_is_a_tool_too():
    copy = dataclasses.replace(Tool.from_function(set_light), name="other", timeout=1)
    assert (copy.name, copy.timeout, copy("attic")) == ("other", 1, "attic True")
    with pytest.raises(ToolDefinitionError, match="the name 'not this'"):
        dataclasses.replace(copy, name="not this")


@pytest.mark.parametrize(
    ("fn", "name", "is_async"),
    [
        (set_light, "set_light", False),
        (wait, "wait", True),
        (Home().light, "light", False),
        (Home().dark, "dark", True),
        (Home(), "Home", False),
        (Late(), "Late", True),
        (functools.partial(set_light, "kitchen"), "set_light", False),
        (functools.partial(wait), "wait", True),
        (Tool.from_function(wait), "wait", True),
    ],
)
def test_whatever_can_be_called_can_be_a_tool(fn, name, is_async):
    made: Tool[..., Any] = Tool.from_function(fn)
    assert (made.name, made.is_async) == (name, is_async)


def test_a_tool_of_a_tool_starts_from_the_function():
    first = Tool.from_function(set_light, timeout=3)
    assert Tool.from_function(first, name="second").fn is set_light


@pytest.mark.parametrize(
    ("fn", "options", "nature"),
    [
        (wait, {}, (True, None, False)),
        (stream, {}, (False, "sync", False)),
        (astream, {}, (False, "async", False)),
        (set_light, {}, (False, None, False)),
        (asleep, {}, (True, None, True)),
        (asleep, {"speak": "Soon.", "background": True}, (True, None, True)),
        (asleep, {"approval": True}, (True, None, False)),
        (asleep, {"max_running": 1}, (True, None, False)),
        (asleep, {"retries": 1}, (True, None, False)),
    ],
)
def test_what_kind_of_function_it_is(fn, options, nature):
    made: Tool[..., Any] = Tool.from_function(fn, **options)
    assert (made.is_async, made.streams, made.is_plain) == nature


def test_a_method_belongs_to_its_object():
    home = Home()
    made = Tool.from_method(home, "light", timeout=2)
    assert made("attic") == "attic"
    assert home.lit == ["attic"]
    assert (made.name, made.description, made.timeout) == ("light", "Light a room.", 2)


def test_a_partial_hides_what_it_binds():
    made = Tool.from_function(functools.partial(set_light, on=False))
    assert list(made.parameters["properties"]) == ["room"]


def test_a_hidden_context_is_remembered():
    made = Tool.from_function(wait)
    assert made.contexts == ("context",)
    assert made.parameters["properties"] == {}


@pytest.mark.parametrize(
    ("fn", "problem"),
    [
        (3, "int is not callable"),
        (Home, "a class is no tool"),
        (lambda: None, "the name '<lambda>' is not 1 to 64 letters"),
        (len, "positional-only"),
        (Home.light, "'self' is not bound"),
    ],
)
def test_what_cannot_be_a_tool(fn, problem):
    with pytest.raises(ToolDefinitionError, match=problem):
        Tool.from_function(fn)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"name": "with space"}, "the name 'with space'"),
        ({"name": "x" * 65}, "is not 1 to 64"),
        ({"name": ""}, "the name ''"),
        ({"name": "zwölf"}, "the name 'zwölf'"),
        ({"description": "x" * 1025}, "its description has 1025 of 1024 allowed characters"),
        ({"timeout": 0}, "a timeout of 0 s"),
        ({"timeout": -1}, "a timeout of -1 s"),
        ({"timeout": math.inf}, "a timeout of inf s"),
        ({"timeout": math.nan}, "a timeout of nan s"),
        ({"on_interrupt": "stop"}, 'on_interrupt is "cancel" or "keep", not \'stop\''),
        ({"speak_after": -0.1}, "speak_after is in seconds from 0, not -0.1"),
        ({"max_running": 0}, "max_running is 1 or more, or None for no limit, not 0"),
        ({"retries": -1}, "retries is 0 or more, not -1"),
        ({"retry_on": (OSError, "x")}, "retry_on is a tuple of exception classes"),
        ({"run_in": "thread"}, "run_in is \"process\" or None, not 'thread'"),
    ],
)
def test_what_cannot_be_an_option(options, problem):
    with pytest.raises(ToolDefinitionError) as failed:
        Tool.from_function(set_light, **options)
    (told,) = failed.value.problems
    assert problem in told


@pytest.mark.parametrize("options", [{"name": "x" * 64}, {"description": "x" * 1024}, {"timeout": 0.001}])
def test_the_limits_themselves_are_allowed(options):
    Tool.from_function(set_light, **options)


def test_all_problems_are_told_at_once():
    def bad(a, *b: int) -> None: ...

    with pytest.raises(ToolDefinitionError) as failed:
        Tool.from_function(bad, name="b d", timeout=0)
    assert failed.value.tool == "b d"
    assert len(failed.value.problems) == 4


@pytest.mark.parametrize(
    ("method", "problem"), [("fly", "Home has no method of this name"), ("size", "not callable")]
)
def test_a_method_must_be_there(method, problem):
    with pytest.raises(ToolDefinitionError, match=problem):
        Tool.from_method(Home(), method)


LIGHT_SCHEMA = {"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]}


def test_a_schema_of_somebody_else_is_sent_as_it_is():
    schema = dict(LIGHT_SCHEMA)
    made = Tool.from_schema("light", schema, set_light, description="Light.", timeout=3)
    schema.clear()
    assert made.definition() == {
        "type": "function",
        "name": "light",
        "description": "Light.",
        "parameters": LIGHT_SCHEMA,
    }
    assert made.timeout == 3
    assert made.arguments.read('{"room": "attic"}') == {"room": "attic"}


def test_a_schema_needs_no_annotations():
    def light(room, context: ToolContext, **more): ...

    made = Tool.from_schema("light", LIGHT_SCHEMA, light)
    assert (made.contexts, made.description) == (("context",), "")
    assert made.arguments.read('{"room": "attic", "z": 1}') == {"room": "attic", "z": 1}


@pytest.mark.parametrize(
    ("name", "schema", "fn", "problems"),
    [
        ("l", {"type": "string"}, lambda: None, 1),
        ("l", {}, lambda room: None, 2),
        ("l l", LIGHT_SCHEMA, lambda: None, 2),
        ("l", LIGHT_SCHEMA, Home, 1),
    ],
)
def test_a_schema_must_fit(name, schema, fn, problems):
    with pytest.raises(ToolDefinitionError) as failed:
        Tool.from_schema(name, schema, fn)
    assert len(failed.value.problems) == problems
