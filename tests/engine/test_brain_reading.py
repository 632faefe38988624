"""One tool held against one clause."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.engine._brain_clauses import clause_of, spoken_words
from rtagent.engine._brain_reading import Reading, Request, read_clause
from rtagent.engine._spoken import ToolSpeech, speech_of


def speech(name: str, required: tuple[str, ...] | None = None, **properties: dict[str, Any]) -> ToolSpeech:
    needed = list(properties) if required is None else list(required)
    parameters = {"type": "object", "properties": properties, "required": needed}
    found = speech_of({"type": "function", "name": name, "parameters": parameters})
    assert found is not None
    return found


ROOM = {"type": "string", "enum": ["kitchen", "bedroom"]}
LIGHT = speech("set_light", room=ROOM, on={"type": "boolean"})
LIGHT_OFF = speech("turn_off_light", room=ROOM)
TIMER = speech("set_timer", minutes={"type": "integer", "minimum": 1, "maximum": 600})
STOP_TIMER = speech("stop_timer")
WEATHER = speech("get_weather", city={"type": "string"})
STOP_MUSIC = speech("stop_music")
PLAY = speech("play_music", song={"type": "string"})
SHOPPING = speech("add_to_shopping_list", item={"type": "string"})


def read(tool: ToolSpeech, said: str) -> Reading:
    return read_clause(tool, clause_of(spoken_words(said), said))


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (LIGHT, "please turn on the kitchen light"),
        (LIGHT, "would you mind turning off the bedroom lamp"),
        (LIGHT, "switching on the kitchen light"),
        (LIGHT, "kitchen light on"),
        (LIGHT, "i want the kitchen light on"),
        (LIGHT, "turn on the light"),
        (LIGHT, "turn on the funny kitchen light"),
        (LIGHT_OFF, "turn off the kitchen light"),
        (TIMER, "set a timer for five minutes"),
        (TIMER, "start a five minute countdown"),
        (TIMER, "set a timer for two thousand minutes"),
        (TIMER, "create a timer"),
        (STOP_TIMER, "cancel the timer"),
        (WEATHER, "what is the weather in london"),
        (WEATHER, "weather in berlin"),
        (WEATHER, "is it raining in paris"),
        (WEATHER, "tell me the weather"),
        (STOP_MUSIC, "turn off the music"),
        (PLAY, "play Yesterday"),
        (SHOPPING, "add milk to the shopping list"),
        (SHOPPING, "add milk to the list"),
    ],
)
def test_a_clause_asks_for_a_tool(tool: ToolSpeech, said: str) -> None:
    assert read(tool, said).fits


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (LIGHT, "is the kitchen light on"),
        (LIGHT, "the kitchen light is on"),
        (LIGHT, "what about the kitchen light"),
        (LIGHT, "do not turn on the kitchen light"),
        (LIGHT, "i turn on the kitchen light every day"),
        (LIGHT, "somebody turned on the kitchen light"),
        (LIGHT, "turn on the radio in the kitchen"),
        (LIGHT, "check whether the kitchen light is on"),
        (LIGHT, "kitchen"),
        (LIGHT, "turn on the very big funny kitchen light"),
        (LIGHT_OFF, "turn on the kitchen light"),
        (TIMER, "stop the timer"),
        (TIMER, "who set the timer for five minutes"),
        (TIMER, "five"),
        (WEATHER, "the weather is lovely"),
        (WEATHER, "in london"),
        (STOP_MUSIC, "turn on the music"),
        (PLAY, "play"),
        (SHOPPING, "tell me a joke"),
        (LIGHT, ""),
    ],
)
def test_a_clause_does_not_ask_for_a_tool(tool: ToolSpeech, said: str) -> None:
    assert not read(tool, said).fits


@pytest.mark.parametrize(
    ("better", "worse", "said"),
    [
        (LIGHT, TIMER, "turn on the kitchen light"),
        (LIGHT_OFF, speech("turn_on_light", room=ROOM), "turn off the kitchen light"),
        (STOP_TIMER, TIMER, "stop the timer"),
        (speech("set_kitchen_light"), speech("set_bedroom_light"), "turn on the kitchen light"),
        (speech("set_alarm"), speech("create_alarm"), "set an alarm"),
    ],
)
def test_the_better_tool_has_the_higher_score(better: ToolSpeech, worse: ToolSpeech, said: str) -> None:
    assert read(better, said).score > read(worse, said).score


def test_a_reading_tells_its_reasons() -> None:
    reading = read(SHOPPING, "i will purchase a fridge")
    assert (reading.verb, reading.statement, reading.coverage) == ("", True, 0.0)
    assert "fridge" in reading.unexplained
    assert read(speech("stop"), "stop the timer").coverage == 0.0
    assert read(SHOPPING, "put it on the list").coverage == 0.5


def test_a_request_knows_what_it_lacks() -> None:
    request = Request(LIGHT, {"on": True})
    assert request.missing is LIGHT.slots[0]
    complete = request.with_values({"room": "kitchen"})
    assert complete.missing is None
    assert list(complete.arguments.items()) == [("room", "kitchen"), ("on", True)]
    assert complete.with_values({"on": False}).arguments == {"room": "kitchen", "on": False}


def test_optional_and_nullable_parameters_are_not_asked_for() -> None:
    tool = speech("set_volume", ("level",), level={"type": ["number", "null"]}, fade={"type": "number"})
    assert Request(tool, {}).missing is None
    assert Request(tool, {}).arguments == {"level": None}
    assert Request(tool, {"fade": 2}).arguments == {"level": None, "fade": 2}
