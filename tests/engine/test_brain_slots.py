"""Values for the parameters of a tool, found in a clause."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.engine._brain_clauses import clause_of, spoken_words
from rtagent.engine._brain_slots import SlotFilling, answer_to, topic_words
from rtagent.engine._spoken import ToolSpeech, speech_of

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
FLAG = {"type": "boolean"}
ROOM = {"type": "string", "enum": ["kitchen", "living_room"]}


def speech(name: str, **properties: dict[str, Any]) -> ToolSpeech:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    found = speech_of({"type": "function", "name": name, "parameters": parameters})
    assert found is not None
    return found


LIGHT = speech("set_light", room=ROOM, on=FLAG)
TIMER = speech("set_timer", minutes={**WHOLE, "minimum": 1, "maximum": 60})
WEATHER = speech("get_weather", city=TEXT)
TRAINS = speech("get_trains", origin=TEXT, destination=TEXT)
ITEM = speech("add_item", item=TEXT, urgent=FLAG)
NOTE = speech("create_note", text=TEXT)
TABLE = speech("book_table", people=WHOLE, time=TEXT)
FREE_LIGHT = speech("set_light", room=TEXT, on=FLAG)


def filled(tool: ToolSpeech, said: str) -> SlotFilling:
    return SlotFilling(tool, clause_of(spoken_words(said), said))


@pytest.mark.parametrize(
    ("tool", "said", "values"),
    [
        (LIGHT, "turn on the light in the living room", {"room": "living_room", "on": True}),
        (LIGHT, "switch the kitchen light off", {"room": "kitchen", "on": False}),
        (LIGHT, "change the light", {}),
        (FREE_LIGHT, "turn off the light in the basement", {"room": "basement", "on": False}),
        (FREE_LIGHT, "turn on the light for the party", {"on": True}),
        (TIMER, "set a timer for five minutes", {"minutes": 5}),
        (TIMER, "set a timer for half an hour", {"minutes": 30}),
        (TIMER, "set a timer for ninety seconds", {}),
        (TIMER, "set a timer for two hours", {}),
        (TIMER, "set a timer for zero minutes", {}),
        (TIMER, "five", {"minutes": 5}),
        (WEATHER, "what is the weather in oslo", {"city": "Oslo"}),
        (WEATHER, "weather in reykjavik tomorrow please", {"city": "Reykjavik"}),
        (WEATHER, "what is the weather like", {}),
        (WEATHER, "what about the weather in here", {}),
        (TRAINS, "show me the trains to Paris from London", {"origin": "London", "destination": "Paris"}),
        (TRAINS, "show me the trains from Bergen to Voss", {"origin": "Bergen", "destination": "Voss"}),
        (ITEM, "add the item called Oat Milk", {"item": "Oat Milk"}),
        (ITEM, "add milk not urgent", {"item": "milk", "urgent": False}),
        (ITEM, "urgent add milk", {"urgent": True}),
        (NOTE, "make a note that The Door is open", {"text": "The Door is open"}),
        (NOTE, "make a note", {}),
        (TABLE, "book a table for four people at seven", {"people": 4, "time": "seven"}),
        (speech("play_music", song=TEXT), "play me Yesterday", {"song": "Yesterday"}),
        (speech("send_message", recipient=TEXT), "send a message to bob please", {"recipient": "Bob"}),
        (speech("set_level", level={"type": "number"}), "set it to 21.5", {"level": 21.5}),
        (speech("set_level", level={"type": "number"}), "set it to minus two", {"level": -2}),
        (speech("set_lights", rooms={"type": "array", "items": ROOM}), "the kitchen", {"rooms": ["kitchen"]}),
    ],
)
def test_a_clause_gives_values(tool: ToolSpeech, said: str, values: dict[str, Any]) -> None:
    assert filled(tool, said).values == values


def test_a_whole_number_is_an_integer() -> None:
    value = filled(TIMER, "five minutes").values["minutes"]
    assert type(value) is int


def test_the_words_of_values_are_used_up() -> None:
    words = spoken_words("set a timer for five minutes")
    assert [words[at] for at in sorted(filled(TIMER, " ".join(words)).used)] == ["five", "minutes"]
    people = spoken_words("a table for four people")
    assert [people[at] for at in sorted(filled(TABLE, " ".join(people)).used)] == ["four", "people"]


@pytest.mark.parametrize(
    ("tool", "said", "value"),
    [
        (LIGHT, "kitchen", "kitchen"),
        (TIMER, "two thousand", None),
        (TIMER, "i am not sure", None),
        (WEATHER, "stavanger please", "Stavanger"),
        (WEATHER, "it is in Oslo", "Oslo"),
        (WEATHER, "i do not know", None),
        (WEATHER, "what do you mean", None),
        (WEATHER, "please", None),
        (WEATHER, "the", None),
        (WEATHER, "one two three four five six seven eight nine", None),
        (NOTE, "we owe her a coffee", "we owe her a coffee"),
        (speech("set_alarm", pinned=FLAG), "yes please", True),
        (speech("set_alarm", pinned=FLAG), "No.", False),
        (speech("set_alarm", pinned=FLAG), "perhaps", None),
        (speech("add_tags", tags={"type": "array", "items": TEXT}), "blue", ["blue"]),
    ],
)
def test_short_answers(tool: ToolSpeech, said: str, value: Any) -> None:
    assert answer_to(tool.slots[0], tool, clause_of(spoken_words(said), said)) == value


def test_synonyms_stand_for_a_topic() -> None:
    assert {"light", "lamp"} <= topic_words(LIGHT)
    assert topic_words(speech("stop")) <= {"stop"}
