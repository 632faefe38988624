"""What a caller wants, worked out from one utterance after the other."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.engine._brain_requests import Memory, forced_request, listen
from rtagent.engine._spoken import speeches_of


def tool(name: str, description: str = "", **properties: dict[str, Any]) -> dict[str, Any]:
    optional = [key for key, schema in properties.items() if schema.pop("optional", False)]
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": [key for key in properties if key not in optional],
        },
    }


ROOMS = ["kitchen", "bedroom", "bathroom", "living_room", "garden"]
CITY = {"type": "string", "description": 'The city, such as "London", "Paris" or "Berlin".'}
HOME = (
    tool(
        "set_light",
        "Switch the light of a room on or off.",
        room={"type": "string", "enum": ROOMS},
        on={"type": "boolean"},
    ),
    tool("get_weather", "Get the weather of a city.", city=CITY),
    tool("set_timer", "Set a timer.", minutes={"type": "integer", "minimum": 1, "maximum": 600}),
)
FREE_ROOM = (
    tool(
        "set_light",
        "Switches a light on or off.",
        room={"type": "string", "description": 'the room\'s name, such as "kitchen".'},
        on={"type": "boolean"},
    ),
)


def remember(*said: str, tools: Any = HOME) -> Memory:
    """What is known after the caller said these things, one after the other."""
    memory = Memory()
    for text in said:
        memory = listen(memory, text, speeches_of(tools))
    return memory


def wanted(*said: str, tools: Any = HOME) -> list[tuple[str, dict[str, Any]]]:
    return [(request.speech.name, request.arguments) for request in remember(*said, tools=tools).ready]


def missing(memory: Memory) -> str | None:
    """The name of the parameter that the caller is asked for."""
    slot = memory.question.missing if memory.question else None
    return slot.name if slot else None


def light(room: str, on: bool) -> tuple[str, dict[str, Any]]:
    return "set_light", {"room": room, "on": on}


def timer(minutes: int) -> tuple[str, dict[str, Any]]:
    return "set_timer", {"minutes": minutes}


def weather(city: str) -> tuple[str, dict[str, Any]]:
    return "get_weather", {"city": city}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("please turn on the kitchen light", [light("kitchen", True)]),
        ("turn off the bedroom light thank you", [light("bedroom", False)]),
        ("switch the bathroom light off", [light("bathroom", False)]),
        ("Please switch off the light in the kitchen.", [light("kitchen", False)]),
        ("Turn on the kitchen light.", [light("kitchen", True)]),
        ("could you please turn the lights in the living room on", [light("living_room", True)]),
        ("would you mind turning off the garden lamp", [light("garden", False)]),
        ("kitchen light on", [light("kitchen", True)]),
        ("I'd like the kitchen light on please", [light("kitchen", True)]),
        ("the light in the garden, turn it off", [light("garden", False)]),
        ("no stop turn off the kitchen light", [light("kitchen", False)]),
        ("what is the weather in london", [weather("London")]),
        ("What's the weather like in Oslo?", [weather("Oslo")]),
        ("tell me the weather in new york please", [weather("New York")]),
        ("is it raining in paris", [weather("Paris")]),
        ("weather in berlin", [weather("Berlin")]),
        ("what is the weather in reykjavik tomorrow", [weather("Reykjavik")]),
        ("stop please set the timer for five minutes", [timer(5)]),
        ("set a timer for twenty five minutes", [timer(25)]),
        ("Set a timer for 25 minutes.", [timer(25)]),
        ("set a timer for one hour and ten minutes", [timer(70)]),
        ("set a ninety second timer", []),
        ("start a two minute countdown", [timer(2)]),
        ("timer for five minutes please", [timer(5)]),
        (
            "turn on the kitchen light and set a timer for three minutes",
            [light("kitchen", True), timer(3)],
        ),
        ("turn on the kitchen light and the bedroom light", [light("kitchen", True), light("bedroom", True)]),
        ("turn on the light in the kitchen and bedroom", [light("kitchen", True), light("bedroom", True)]),
        (
            "turn on the kitchen light and turn off the bedroom light",
            [light("kitchen", True), light("bedroom", False)],
        ),
        (
            "Turn off the garden light. What is the weather in Paris?",
            [light("garden", False), weather("Paris")],
        ),
        (
            "turn off the living room and bedroom lights",
            [light("living_room", False), light("bedroom", False)],
        ),
        ("what is the weather in London and Paris", [weather("London"), weather("Paris")]),
        ("set timers for five minutes and ten minutes", [timer(5), timer(10)]),
    ],
)
def test_requests_become_wanted(said: str, expected: list[Any]) -> None:
    assert wanted(said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("please turn on the kitchen light", [light("kitchen", True)]),
        ("Please switch off the light in the basement.", [light("basement", False)]),
        ("turn on the light in the living room", [light("living room", True)]),
        ("turn on the bedroom light", [light("bedroom", True)]),
        ("turn on the light for the party", []),
    ],
)
def test_a_room_that_is_free_text(said: str, expected: list[Any]) -> None:
    assert wanted(said, tools=FREE_ROOM) == expected


OTHERS: tuple[tuple[dict[str, Any], ...], ...] = (
    (
        tool("turn_on_light", room={"type": "string", "enum": ROOMS}),
        tool("turn_off_light", room={"type": "string", "enum": ROOMS}),
    ),
    (tool("set_kitchen_light", on={"type": "boolean"}), tool("set_bedroom_light", on={"type": "boolean"})),
)


@pytest.mark.parametrize(
    ("tools", "said", "expected"),
    [
        (OTHERS[0], "turn off the kitchen light", [("turn_off_light", {"room": "kitchen"})]),
        (OTHERS[0], "turn the kitchen light on", [("turn_on_light", {"room": "kitchen"})]),
        (OTHERS[1], "turn on the bedroom light", [("set_bedroom_light", {"on": True})]),
        (OTHERS[1], "turn on the bathroom light", []),
        (OTHERS[1], "turn on the light", []),
        (
            (tool("add_item", item={"type": "string"}, urgent={"type": "boolean", "optional": True}),),
            "add this urgent item called Oat Milk",
            [("add_item", {"item": "Oat Milk", "urgent": True})],
        ),
        (
            (tool("add_to_shopping_list", "Add an item.", item={"type": "string"}),),
            "add milk and eggs to the shopping list",
            [("add_to_shopping_list", {"item": "milk and eggs"})],
        ),
        (
            (tool("book_table", people={"type": "integer"}, time={"type": "string"}),),
            "book a table for four people at seven",
            [("book_table", {"people": 4, "time": "seven"})],
        ),
        (
            (tool("send_message", recipient={"type": "string"}, text={"type": "string"}),),
            "send a message to bob saying I will be late",
            [("send_message", {"recipient": "Bob", "text": "I will be late"})],
        ),
        (
            (tool("play_music", song={"type": "string"}),),
            "play Yesterday",
            [("play_music", {"song": "Yesterday"})],
        ),
        ((tool("stop_music"),), "turn off the music", [("stop_music", {})]),
        ((tool("stop_music"),), "turn on the music", []),
        ((tool("stop_timer"), HOME[2]), "stop the timer", [("stop_timer", {})]),
        ((tool("get_time"),), "what time is it", [("get_time", {})]),
        ((tool("transfer_to_human"),), "can i speak to a person please", []),
        ((tool("transfer_to_human"),), "connect me to a human", [("transfer_to_human", {})]),
        (
            (tool("set_volume", level={"type": ["number", "null"]}),),
            "set the volume",
            [("set_volume", {"level": None})],
        ),
        (
            (tool("set_temperature", degrees={"type": "number"}),),
            "set the temperature to 21.5 degrees",
            [("set_temperature", {"degrees": 21.5})],
        ),
        (
            (tool("get_trains", origin={"type": "string"}, destination={"type": "string"}),),
            "show me the trains to Paris from London",
            [("get_trains", {"origin": "London", "destination": "Paris"})],
        ),
    ],
)
def test_other_agents(tools: Any, said: str, expected: list[Any]) -> None:
    assert wanted(said, tools=tools) == expected


def test_a_short_answer_completes_the_open_request() -> None:
    assert missing(remember("turn on the light")) == "room"
    for answer in ("kitchen", "the kitchen please", "In the kitchen.", "the kitchen light", "no the kitchen"):
        assert wanted("turn on the light", answer) == [light("kitchen", True)], answer
    assert wanted("set a timer", "for half an hour please") == [timer(30)]
    assert wanted("what is the weather", "stavanger please") == [weather("Stavanger")]


def test_two_missing_arguments_are_asked_for_one_after_the_other() -> None:
    assert missing(remember("change the light")) == "room"
    assert missing(remember("change the light", "bedroom")) == "on"
    assert wanted("change the light", "bedroom", "on") == [light("bedroom", True)]
    assert wanted("change the light", "bedroom on") == [light("bedroom", True)]


def test_a_whole_request_may_answer_the_question() -> None:
    assert wanted("set a timer", "set the timer for six minutes") == [timer(6)]


def test_another_request_replaces_the_open_question() -> None:
    memory = remember("set a timer", "turn on the kitchen light")
    assert [request.speech.name for request in memory.ready] == ["set_light"]
    assert memory.question is None


def test_complete_requests_do_not_wait_for_an_incomplete_one() -> None:
    memory = remember("turn on the kitchen light and set a timer")
    assert [request.speech.name for request in memory.ready] == ["set_light"]
    assert missing(memory) == "minutes"


@pytest.mark.parametrize("withdrawn", ["never mind", "Cancel that.", "stop", "no", "goodbye"])
def test_an_open_request_can_be_withdrawn(withdrawn: str) -> None:
    memory = remember("set a timer", withdrawn)
    assert memory.dropped
    assert memory.question is None
    assert wanted("set a timer", withdrawn, "five") == []


def test_no_is_an_answer_to_a_flag() -> None:
    tools = (tool("create_note", text={"type": "string"}, pinned={"type": "boolean"}),)
    memory = remember("make a note that the door is open", "no", tools=tools)
    assert not memory.dropped
    assert memory.ready[0].arguments == {"text": "the door is open", "pinned": False}


def test_an_order_not_to_do_something_is_known() -> None:
    memory = remember("do not turn on the kitchen light")
    assert memory.refused
    assert memory.ready == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("turn on the kitchen light", "turn it off again"), [light("kitchen", False)]),
        (("turn on the kitchen light", "and the bedroom too"), [light("bedroom", True)]),
        (("weather in london", "what about paris?"), [weather("Paris")]),
        (("turn on the kitchen light", "hello", "turn it off"), [light("kitchen", False)]),
        (("turn on the kitchen light", "is it off?"), []),
        (("turn on the kitchen light", "not the bedroom"), []),
    ],
)
def test_short_sentences_refer_to_the_request_before(said: tuple[str, ...], expected: list[Any]) -> None:
    assert wanted(*said) == expected


def test_when_one_must_be_called_it_is_the_best_however_bad() -> None:
    request = forced_request("it is about london", speeches_of(HOME))
    assert request is not None
    assert (request.speech.name, request.arguments) == weather("London")
    silent = forced_request("", speeches_of(HOME[2:]))
    assert silent is not None
    assert silent.missing is not None
    assert forced_request("hello", ()) is None
