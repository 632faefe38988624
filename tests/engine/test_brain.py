"""The brain of rules: a conversation in, the next step of the assistant out."""

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
    history: list[Utterance] = []
    caller = True
    for each in reversed(said):
        if isinstance(each, Utterance):
            history.insert(0, each)
        else:
            history.insert(0, Utterance("user" if caller else "assistant", each))
            caller = not caller
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


def test_an_incomplete_request_is_asked_for_when_the_others_are_done() -> None:
    said = "turn on the kitchen light and set a timer"
    assert calls(said) == [light("kitchen", True)]
    output = Utterance("tool_output", "the light is on", "set_light", "c1")
    call = Utterance("tool_call", '{"room": "kitchen", "on": true}', "set_light", "c1")
    assert decide(said, call, output).say == "The light is on. How many minutes, from 1 to 600?"


def test_several_outputs_are_spoken_together() -> None:
    outputs = [Utterance("tool_output", text, call_id=text) for text in ("light on", "timer set", "light on")]
    assert (
        decide("turn on the kitchen light and set a timer for 3 minutes", *outputs).say
        == "Light on. Timer set."
    )


def test_a_call_without_output_is_not_made_twice() -> None:
    running = Utterance("tool_call", json.dumps({"city": "Paris"}), "get_weather", "c")
    assert decide("weather in paris", running) == Decision("I am still working on that.")


def test_what_the_system_says_does_not_hide_an_output() -> None:
    output = Utterance("tool_output", "rain", "get_weather", "c")
    assert decide("weather in london", output, Utterance("system", "Be short.")).say == "Rain."


def test_silence_is_said_so() -> None:
    assert decide(" ").say == "I did not hear anything."


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


def test_a_yes_answers_a_flag() -> None:
    tools = (tool("create_note", text={"type": "string"}, pinned={"type": "boolean"}),)
    said = ("make a note that the door is open", "Pinned, yes or no?")
    assert decide(said[0], tools=tools).say == said[1]
    expected = {"text": "the door is open", "pinned": True}
    assert decide(*said, "yes please", tools=tools).calls == (PlannedCall("create_note", expected),)
    assert calls(*said, "No.", tools=tools) == [("create_note", {**expected, "pinned": False})]


# -- what tools want to be said -----------------------------------------------------------------------


def test_what_is_to_be_said_exactly_is_said() -> None:
    asked = 'Say exactly this and nothing else, in its own language: "One "moment"…"'
    assert RuleBrain().decide(BrainInput((), (), asked)).say == 'One "moment"…'
    assert RuleBrain().decide(BrainInput((), (), "Say exactly what is right.")).say.startswith("Hello")
    talk = (Utterance("user", "Thank you."),)
    assert "moment" not in RuleBrain().decide(BrainInput(talk, HOME, asked)).say


def test_a_result_that_comes_late_is_told() -> None:
    late = Utterance("system", "The call c1 of look_up has ended. Tell the user. Its result: it is 7 degrees")
    said = decide("What is the weather?", "I will look.", "", tools=HOME).say
    history = (Utterance("user", "Look."), Utterance("assistant", "I do."), late)
    told = RuleBrain().decide(BrainInput(history, HOME, "")).say
    assert "7 degrees" in told
    assert told != said
    noted = (*history[:2], Utterance("system", "Be brief."))
    assert RuleBrain().decide(BrainInput(noted, HOME, "")).say == "Can I do anything else for you?"
