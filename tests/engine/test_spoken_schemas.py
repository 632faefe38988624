"""How parameters of every make become slots, and that no schema does harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.engine._spoken import (
    Slot,
    SpokenValue,
    ToolSpeech,
    plain_words,
    speech_of,
    speeches_of,
    words_of_name,
)


def function(name: str, description: str = "", **schema: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "description": description, "parameters": schema}


def speech(tool: Mapping[str, Any]) -> ToolSpeech:
    found = speech_of(tool)
    assert found is not None
    return found


def slot_of(schema: Any, name: str = "value", **more: Any) -> Slot:
    (slot,) = speech(function("frob", properties={name: schema}, **more)).slots
    return slot


def phrases(slot: Slot) -> dict[str, Any]:
    return {value.phrase: value.value for value in slot.values}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("turnOnLED", ("turn", "on", "led")),
        ("parseHTMLPage", ("parse", "html", "page")),
        ("light2", ("light", "2")),
        ("a--b__c", ("a", "b", "c")),
        ("温", ()),
    ],
)
def test_words_of_a_name(name, words):
    assert words_of_name(name) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("42nd 'Street'", ["forty", "two", "nd", "street"]),
        ("Zürich & Åre", ["zurich", "are"]),
        ("rock 'n' roll o'clock", ["rock", "n", "roll", "o'clock"]),
        ("1234567890", ["one", "hundred", "twenty", "three", "million", "four", "hundred", "fifty", "six",
                        "thousand", "seven", "hundred", "eighty", "nine", "zero"]),
        ("温", []),
    ],
)  # fmt: skip
def test_plain_words(text, words):
    assert plain_words(text) == words


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("on", ["on"], ["off"]),
        ("power", ["on"], ["off"]),
        ("lightsOff", ["off"], ["on"]),
        ("is_locked", ["locked", "lock"], ["unlocked", "unlock"]),
        ("muted", ["muted", "mute"], ["unmuted", "unmute"]),
        ("urgent", ["yes"], ["no"]),
        ("", ["yes"], ["no"]),
    ],
)
def test_words_for_true_and_false(name, yes, no):
    slot = slot_of({"type": "boolean"}, name)
    assert slot.kind == "flag"
    assert slot.by_particle == (yes != ["yes"])
    assert [value.phrase for value in slot.values if value.value is True] == yes
    assert [value.phrase for value in slot.values if value.value is False] == no


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (
            {"enum": ["living_room", "diningRoom"]},
            {"living room": "living_room", "dining room": "diningRoom"},
        ),
        ({"enum": [1, 25]}, {"one": 1, "twenty five": 25}),
        ({"enum": ["a", None, 1.5, True, ["b"], "温"]}, {"a": "a"}),
        ({"const": "eco"}, {"eco": "eco"}),
        ({"enum": [10**4_000, -(10**9), -5]}, {"minus five": -5}),
        ({"type": "string", "enum": ["v2"]}, {"v two": "v2"}),
    ],
)
def test_a_choice(schema, found):
    slot = slot_of(schema)
    assert slot.kind == "choice"
    assert phrases(slot) == found


@pytest.mark.parametrize(
    ("schema", "whole", "limits"),
    [
        ({"type": "integer"}, True, (None, None)),
        ({"type": "number", "minimum": 0, "maximum": 1.5}, False, (0, 1.5)),
        ({"type": "integer", "minimum": True, "maximum": "9"}, True, (None, None)),
        ({"type": "integer", "minimum": -(10**400), "maximum": 10**400}, True, (None, None)),
        ({"type": "number", "minimum": float("-inf"), "maximum": float("nan")}, False, (None, None)),
    ],
)
def test_a_number(schema, whole, limits):
    slot = slot_of(schema)
    assert (slot.kind, slot.whole, (slot.minimum, slot.maximum)) == ("number", whole, limits)


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({}, {}),
        ({"examples": ["Oslo", 5, "OSLO", "!"]}, {"oslo": "Oslo"}),
        ({"description": "Such as 'in flight' or `eco`; don't say it's 'off'."},
         {"in flight": "in flight", "eco": "eco", "off": "off"}),
        ({"description": "“Ünder” or \"über\""}, {"under": "Ünder", "uber": "über"}),
        ({"description": ["no text"], "examples": "no list"}, {}),
    ],
)  # fmt: skip
def test_examples_of_a_text(schema, found):
    slot = slot_of({"type": "string", **schema})
    assert slot.kind == "text"
    assert phrases(slot) == found


def test_everyday_values_stand_behind_the_examples():
    slot = slot_of({"type": "string", "examples": ["LONDON", "Bergen"]}, "homeCity")
    assert list(phrases(slot))[:2] == ["london", "bergen"]
    assert phrases(slot)["london"] == "LONDON"
    assert phrases(slot)["new york"] == "New York"


TEXT = {"type": "string"}
NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("schema", "kind", "nullable", "many"),
    [
        (TEXT, "text", False, False),
        ({"type": ["null", "string"]}, "text", True, False),
        ({"anyOf": [NULL, TEXT]}, "text", True, False),
        ({"oneOf": [TEXT, {"type": "integer"}]}, "text", False, False),
        ({"allOf": [{"$ref": "#/$defs/Count"}]}, "number", False, False),
        ({"$ref": "#/$defs/Maybe"}, "number", True, False),
        ({"anyOf": [{"$ref": "#/$defs/Maybe"}, TEXT]}, "number", True, False),
        ({"$ref": "#/$defs/Count", "type": "string"}, "text", False, False),
        ({"type": "array", "items": {"$ref": "#/$defs/Count"}}, "number", False, True),
        ({"type": "array", "items": {"type": "boolean"}}, "flag", False, True),
        ({"anyOf": [{"type": "array", "items": TEXT}, NULL]}, "text", True, True),
    ],
)
def test_references_unions_and_lists(schema, kind, nullable, many):
    maybe = {"anyOf": [{"$ref": "#/$defs/Count"}, NULL]}
    definitions: Any = {"$defs": {"Count": {"type": "integer"}, "Maybe": maybe}}
    slot = slot_of(schema, **definitions)
    assert (slot.kind, slot.nullable, slot.many) == (kind, nullable, many)


def test_definitions_may_have_their_older_name():
    slot = slot_of({"$ref": "#/definitions/Count"}, definitions={"Count": {"type": "integer"}})
    assert slot.kind == "number"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Missing"},
        {"$ref": "#/$defs/Itself"},
        {"type": "object"},
        {"type": "array"},
        {"type": "array", "items": {"type": "array", "items": TEXT}},
        {"type": ["null"]},
        {"anyOf": [NULL]},
        {"type": {"a": 1}},
        True,
        7,
    ],
)
def test_what_has_no_spoken_form_hides_a_tool_only_when_it_is_required(schema):
    definitions: Any = {"$defs": {"Itself": {"$ref": "#/$defs/Itself"}}}
    tool = function("frob", properties={"x": schema, "n": {"type": "integer"}}, **definitions)
    assert [slot.name for slot in speech(tool).slots] == ["n"]
    tool["parameters"]["required"] = ["x"]
    assert speech_of(tool) is None


@pytest.mark.parametrize(
    ("name", "role", "prepositions", "unit"),
    [
        ("room", "place", ("in", "for"), "room"),
        ("to_city", "place", ("to",), "city"),
        ("fromStation", "place", ("from",), "station"),
        ("duration_minutes", "", ("called", "named"), "minute"),
        ("wait_with_hours", "", ("with",), "hour"),
        ("guests", "", ("called", "named"), "guest"),
        ("message", "content", ("saying", "that"), "message"),
        ("", "", ("called", "named"), ""),
    ],
)
def test_what_the_name_of_a_parameter_says(name, role, prepositions, unit):
    slot = Slot(name, "text", required=False)
    assert (slot.role, slot.prepositions[:2], slot.unit) == (role, prepositions, unit)


def test_a_flag_without_words_has_no_particle():
    assert not Slot("on", "flag", required=True).by_particle
    assert not Slot("on", "choice", required=True, values=(SpokenValue("on", "on"),)).by_particle


@pytest.mark.parametrize(
    ("name", "description", "verb", "family", "topic"),
    [
        ("turnOnTheLights", "", "turn", "set", ("light",)),
        ("kitchen_set_light", "", "set", "set", ("kitchen", "light")),
        ("set_light2", "", "set", "set", ("light", "two")),
        ("3d_print", "", "three", "", ("d", "print")),
        ("thermostat", "Adjusts the heating.", "adjust", "set", ("thermostat",)),
        ("thermostat", "The heating.", "", "", ("thermostat",)),
        ("get_status_data", "", "get", "get", ()),
        ("___", "", "", "", ()),
    ],
)
def test_verb_family_and_topic(name, description, verb, family, topic):
    found = speech(function(name, description))
    assert (next(iter(found.verbs), ""), found.family, found.topic) == (verb, family, topic)


@pytest.mark.parametrize(
    ("description", "purpose"),
    [
        ("Searches the web. Fast.", "search the web"),
        ("Sets v1.2 of it!", "set v1.2 of it"),
        ("Play", "play"),
        ("The weather.", "frob gadget two"),
        (None, "frob gadget two"),
    ],
)
def test_the_purpose(description, purpose):
    assert speech({**function("frob_gadget2"), "description": description}).purpose == purpose


def test_slots_and_topics_by_name():
    found = speech(function("set_light", properties={"room": TEXT, "on": {"type": "boolean"}}))
    assert found.slot("on").kind == "flag"
    assert found.topic_forms("light") == {"light", "lamp", "lighting"}
    assert found.topic_forms("gadget") == {"gadget"}


def test_only_what_can_be_asked_for_is_described():
    tools: Sequence[Mapping[str, Any]] = [{}, {"name": "ping"}, {"name": 5}, {"type": "mcp", "name": "x"}]
    assert [found.name for found in speeches_of(tools)] == ["ping"]


_KEYS = st.sampled_from(
    "type name description parameters properties required $defs definitions $ref anyOf oneOf allOf enum const items "
    "minimum maximum examples room on A".split()
)
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(10**400),
    st.sampled_from(["#/$defs/A", "function", "string", "array", "object", "boolean", "integer", "null", "A"]),
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=25,
)
_OBJECTS = st.dictionaries(_KEYS, _JSON, max_size=5)


@given(_OBJECTS, _OBJECTS, _JSON, _JSON)
def test_no_schema_does_harm(properties, definitions, required, description):
    tool = function("set_light", properties=properties, required=required, **{"$defs": definitions})
    found = speech_of({**tool, "description": description})
    for slot in found.slots if found else ():
        assert slot.name in properties
        assert all(value.phrase for value in slot.values)
        assert isinstance(slot.unit, str)
        assert slot.prepositions


@given(_OBJECTS)
def test_no_tool_does_harm(tool):
    for found in speeches_of([tool]):
        assert found.name == tool["name"]
