"""What is known about a tool from its definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rtagent.engine._spoken import ToolSpeech, plain_words, speech_of, words_of_name


def function(
    name: str, properties: Any = None, *, required: Sequence[str] = (), description: str = "", **more: Any
) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties or {}, "required": list(required), **more}
    return {"type": "function", "name": name, "description": description, "parameters": parameters}


def speech(tool: dict[str, Any]) -> ToolSpeech:
    found = speech_of(tool)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("set_light", ("set", "light")),
        ("getWeather", ("get", "weather")),
        ("HTTPServer", ("http", "server")),
        ("kitchen-light.on", ("kitchen", "light", "on")),
    ],
)
def test_names_are_cut_into_words(name, words):
    assert words_of_name(name) == words


def test_plain_words_have_no_accents_and_no_figures():
    assert plain_words("Café No. 12, it\u2019s") == ["cafe", "no", "twelve", "it's"]


@pytest.mark.parametrize(
    ("name", "description", "family", "topic"),
    [
        ("set_light", "", "set", ("light",)),
        ("turn_lights", "", "set", ("light",)),
        ("get_current_weather", "", "get", ("weather",)),
        ("lights", "Switch the lights.", "set", ("light",)),
        ("frobnicate_gadget", "", "", ("gadget",)),
    ],
)
def test_verb_and_topic(name, description, family, topic):
    found = speech(function(name, description=description))
    assert (found.family, found.topic) == (family, topic)


def test_only_tools_that_look_something_up_ask():
    assert speech(function("get_weather")).asks
    assert not speech(function("set_light")).asks


@pytest.mark.parametrize(
    ("description", "purpose"),
    [
        ("Switch the light of a room.\n\nMore.", "switch the light of a room"),
        ("Gets it", "get it"),
        ("", "set light"),
    ],
)
def test_the_purpose_is_worded_to_follow_i_can(description, purpose):
    assert speech(function("set_light", description=description)).purpose == purpose


def test_parameters_become_slots():
    found = speech(
        function(
            "set_light",
            {
                "room": {"$ref": "#/definitions/Room"},
                "on": {"type": "boolean"},
                "minutes": {"type": ["integer", "null"], "minimum": 1, "maximum": 60},
                "city": {"anyOf": [{"type": "string", "examples": ["Oslo"]}, {"type": "null"}]},
                "days": {"type": "array", "items": {"type": "string", "enum": ["mon", "tue"]}},
            },
            required=["room", "minutes"],
            definitions={"Room": {"type": "string", "enum": ["kitchen", "living_room"]}},
        )
    )
    room, on, minutes, city, days = found.slots
    assert (room.kind, room.required, [value.phrase for value in room.values]) == (
        "choice", True, ["kitchen", "living room"],
    )  # fmt: skip
    assert on.by_particle
    assert {value.phrase: value.value for value in on.values} == {"on": True, "off": False}
    assert (minutes.whole, minutes.nullable, minutes.unit, minutes.minimum, minutes.maximum) == (
        True,
        True,
        "minute",
        1,
        60,
    )
    assert city.values[0].value == "Oslo"
    assert (days.kind, days.many) == ("choice", True)


def test_examples_come_from_the_description():
    slot = speech(
        function("f_x", {"room": {"type": "string", "description": "such as \"kitchen\" or 'hall'."}})
    ).slots[0]
    assert [value.value for value in slot.values][:2] == ["kitchen", "hall"]


def test_a_boolean_of_another_name_takes_yes_and_no():
    slot = speech(function("book_room", {"breakfast": {"type": "boolean"}})).slots[0]
    assert not slot.by_particle
    assert [value.phrase for value in slot.values] == ["yes", "no"]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "mcp", "server_label": "x"},
        {"type": "function"},
        function("set_all", {"settings": {"type": "object"}}, required=["settings"]),
    ],
)
def test_what_cannot_be_asked_for_by_voice(tool):
    assert speech_of(tool) is None


def test_an_optional_object_is_left_out():
    assert speech(function("set_all", {"settings": {"type": "object"}})).slots == ()


@pytest.mark.parametrize("parameters", [None, {}, {"properties": None}, {"properties": {"x": "no schema"}}])
def test_odd_schemas_do_no_harm(parameters):
    assert speech({"type": "function", "name": "ping", "parameters": parameters}).slots == ()
