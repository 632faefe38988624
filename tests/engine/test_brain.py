from __future__ import annotations

import json
from typing import Any

import pytest

from rtagent.engine._brain import BrainInput, Decision, PlannedCall, RuleBrain, Utterance


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


def decide(*said: str | Utterance, tools: Any = HOME, choice: Any = "auto") -> Decision:
    """Strings alternate between the caller and the assistant, the caller is last."""
    texts = [each for each in said if isinstance(each, str)]
    history: list[Utterance] = []
    for each in said:
        if isinstance(each, Utterance):
            history.append(each)
        else:
            caller = (len(texts) - texts.index(each)) % 2 == 1
            history.append(Utterance("user" if caller else "assistant", each))
    return RuleBrain().decide(BrainInput(tuple(history), tuple(tools), "", choice))


def calls(
    *said: str | Utterance, tools: Any = HOME, choice: Any = "auto"
) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, call.arguments) for call in decide(*said, tools=tools, choice=choice).calls]


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
def test_requests_become_calls(said: str, expected: list[Any]) -> None:
    assert calls(said) == expected


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
    assert calls(said, tools=FREE_ROOM) == expected


@pytest.mark.parametrize(
    "said",
    [
        "tell me a joke",
        "the weather is lovely",
        "i would like to order a pizza",
        "is the kitchen light on?",
        "Is the kitchen light on",
        "do you know if the light is on in the kitchen",
        "what about the kitchen light",
        "the kitchen light is on",
        "i think the kitchen light is off",
        "i turn on the kitchen light every day",
        "somebody turned on the kitchen light",
        "do not turn on the kitchen light",
        "never turn off the kitchen light please",
        "check whether the kitchen light is on",
        "turn on the radio in the kitchen",
        "stop the timer",
        "cancel the timer",
        "who set the timer for five minutes",
        "five",
        "in the kitchen",
        "kitchen",
        "hello",
        "",
        "...",
    ],
)
@pytest.mark.parametrize("tools", [HOME, FREE_ROOM], ids=["enum", "text"])
def test_what_is_no_order_calls_nothing(said: str, tools: Any) -> None:
    decision = decide(said, tools=tools)
    assert decision.calls == ()
    assert decision.say


def test_a_missing_argument_is_asked_for_and_the_short_answer_taken() -> None:
    asked = decide("turn on the light")
    assert asked == Decision("Which room: kitchen, bedroom, bathroom, living room or garden?")
    for answer in ("kitchen", "the kitchen please", "In the kitchen.", "the kitchen light", "no the kitchen"):
        assert calls("turn on the light", asked.say, answer) == [light("kitchen", True)], answer
    assert decide("set a timer").say == "How many minutes, from 1 to 600?"
    assert calls("set a timer", "How many minutes?", "twenty five") == [timer(25)]
    assert calls("set a timer", "How many minutes?", "for half an hour please") == [timer(30)]
    assert decide("what is the weather").say == "Which city?"
    assert calls("what is the weather", "Which city?", "stavanger please") == [weather("Stavanger")]
    assert decide("switch the kitchen light").say == "On or off?"
    assert calls("switch the kitchen light", "On or off?", "off please") == [light("kitchen", False)]


def test_two_missing_arguments_are_asked_for_one_after_the_other() -> None:
    assert decide("change the light", "Which room?", "bedroom").say == "On or off?"
    assert calls("change the light", "Which room?", "bedroom", "On or off?", "on") == [light("bedroom", True)]
    assert calls("change the light", "Which room?", "bedroom on") == [light("bedroom", True)]


def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    assert (
        decide("set a timer", "How many minutes?", "two thousand").say == "How many minutes, from 1 to 600?"
    )
    assert decide("set a timer for ninety seconds").say == "How many minutes, from 1 to 600?"


@pytest.mark.parametrize("withdrawn", ["never mind", "Cancel that.", "stop", "no", "forget it please"])
def test_an_open_question_can_be_withdrawn(withdrawn: str) -> None:
    assert decide("set a timer", "How many minutes?", withdrawn) == Decision("All right.")
    assert calls("set a timer", "How many minutes?", withdrawn, "All right.", "five") == []


def test_a_remark_is_no_answer() -> None:
    for remark in ("i do not know", "hello", "what can you do"):
        assert decide("what is the weather", "Which city?", remark) == Decision("Which city?")
    assert decide("what is the weather", "Which city?", "goodbye") == Decision("Goodbye.")
    assert decide("weather") == Decision("Which city?")


def test_another_request_replaces_the_open_question() -> None:
    assert calls("set a timer", "How many minutes?", "turn on the kitchen light") == [light("kitchen", True)]


def test_an_incomplete_request_is_asked_for_when_the_others_are_done() -> None:
    said = "turn on the kitchen light and set a timer"
    assert calls(said) == [light("kitchen", True)]
    output = Utterance("tool_output", "the light is on", "set_light", "c1")
    call = Utterance("tool_call", '{"room": "kitchen", "on": true}', "set_light", "c1")
    assert decide(said, call, output).say == "The light is on. How many minutes, from 1 to 600?"


def test_short_sentences_refer_to_the_request_before() -> None:
    assert calls("turn on the kitchen light", "Done.", "turn it off again") == [light("kitchen", False)]
    assert calls("turn on the kitchen light", "Done.", "and the bedroom too") == [light("bedroom", True)]
    assert calls("weather in london", "Rain.", "what about paris?") == [weather("Paris")]
    assert calls("turn on the kitchen light", "Done.", "is it off?") == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("it is  sunny\nand warm", "It is sunny and warm."),
        ('"sunny"', "Sunny."),
        ('{"temperature_celsius": 21.0, "sky": "clear"}', "Temperature celsius is 21 and sky is clear."),
        ('{"room": "kitchen", "on": true, "since": null}', "Room is kitchen and on is yes."),
        ('{"result": "The light is on"}', "The light is on."),
        ('{"ok": true}', "Done."),
        ("{}", "Done."),
        ("null", "Done."),
        ("", "Done."),
        ("true", "Done."),
        ("false", "No."),
        ("12.5", "It is 12.5."),
        ("[]", "There is nothing."),
        ('["milk", "eggs", "bread"]', "Milk, eggs and bread."),
        (
            '{"error": {"kind": "failed", "message": "no such room"}}',
            "Sorry, that did not work. No such room.",
        ),
        ('{"error": "no such room"}', "Sorry, that did not work. No such room."),
        ('{"error": {}, "sky": {"cover": 3}}', "Sky is cover 3."),
        ("1e999", "It is inf."),
        ("[" * 400 + "]" * 400, None),
        ("[" * 100_000, None),
    ],
)
def test_outputs_become_sentences(output: str, said: str | None) -> None:
    answer = decide("weather in london", Utterance("tool_output", output, "get_weather", "c")).say
    assert answer == said if said is not None else len(answer) <= 700


def test_several_outputs_are_spoken_together() -> None:
    outputs = [Utterance("tool_output", text, call_id=text) for text in ("light on", "timer set", "light on")]
    assert (
        decide("turn on the kitchen light and set a timer for 3 minutes", *outputs).say
        == "Light on. Timer set."
    )


def test_a_call_without_output_is_not_made_twice() -> None:
    running = Utterance("tool_call", json.dumps({"city": "Paris"}), "get_weather", "c")
    assert decide("weather in paris", running) == Decision("I am still working on that.")


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("hello", "Hello. How can I help you?"),
        ("Hi there!", "Hello. How can I help you?"),
        ("Good morning.", "Hello. How can I help you?"),
        ("thank you very much", "You are welcome."),
        ("bye bye", "Goodbye."),
        ("Can you hear me?", "Yes, I can hear you."),
        ("stop", "All right."),
        (
            "what can you do",
            "I can switch the light of a room on or off, get the weather of a city and set a timer.",
        ),
    ],
)
def test_courtesies(said: str, reply: str) -> None:
    assert decide(said) == Decision(reply)


def test_saying_it_again() -> None:
    assert decide("weather in london", "It rains.", "say that again please").say == "It rains."
    assert decide("say that again").say == "I have not said anything yet."


def test_what_is_not_understood_gets_what_can_be_done() -> None:
    say = decide("tell me a joke").say
    assert say.startswith("I did not understand that. I can switch the light")
    assert decide("do not turn on the kitchen light").say == "All right, I will not do that."


def test_without_tools_it_repeats() -> None:
    say = decide("turn on the light", tools=()).say
    assert "offline engine" in say
    assert say.endswith("You said: turn on the light")
    assert decide("hello", tools=()).say == "Hello. How can I help you?"


def test_a_response_before_anybody_spoke_greets() -> None:
    assert decide().say.startswith("Hello. I can switch")
    assert decide(tools=()).say == "Hello. How can I help you?"
    assert decide(Utterance("assistant", "Hello.")).say == "Can I do anything else for you?"


def test_tool_choice() -> None:
    assert decide("turn on the kitchen light", choice="none") == Decision("I am not allowed to do that now.")
    assert decide("turn on the light", choice="none") == Decision("I am not allowed to do that now.")
    assert decide("hello", choice="none").say == "Hello. How can I help you?"
    assert calls("it is about london", choice="required") == [weather("London")]
    named = {"type": "function", "name": "set_timer"}
    assert calls("five minutes", choice=named) == [timer(5)]
    assert decide("hello", choice=named).say == "How many minutes, from 1 to 600?"
    assert calls("hello", "How many minutes?", "set the timer for six minutes", choice=named) == [timer(6)]
    assert calls("turn on the kitchen light", choice={"type": "function", "name": "gone"}) == [
        light("kitchen", True)
    ]


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
    assert calls(said, tools=tools) == expected


def test_a_yes_answers_a_flag() -> None:
    tools = (tool("create_note", text={"type": "string"}, pinned={"type": "boolean"}),)
    said = ("make a note that the door is open", "Pinned, yes or no?")
    assert decide(said[0], tools=tools).say == said[1]
    expected = {"text": "the door is open", "pinned": True}
    assert decide(*said, "yes please", tools=tools).calls == (PlannedCall("create_note", expected),)
    assert calls(*said, "No.", tools=tools) == [("create_note", {**expected, "pinned": False})]
