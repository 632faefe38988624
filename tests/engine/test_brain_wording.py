"""The sentences that the engine says."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.engine._brain_wording import abilities, answer, as_sentence, courtesy, listed, question_for
from rtagent.engine._spoken import speech_of, speeches_of


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
    spoken = answer(output)
    assert spoken == said if said is not None else len(spoken) <= 700


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
    can = "I can switch the light of a room on or off, get the weather of a city and set a timer."
    assert courtesy(said, can=can, said_before="") == reply


def test_what_is_no_courtesy_gets_none() -> None:
    assert courtesy("turn on the light", can="", said_before="") == ""


def test_saying_it_again() -> None:
    assert courtesy("say that again please", can="", said_before="It rains.") == "It rains."
    assert courtesy("Pardon?", can="", said_before="") == "I have not said anything yet."


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('{"status": "success"}', "Done."),
        ('{"error": true}', "Sorry, that did not work."),
        ('{"error": {"code": "E42"}}', "Sorry, that did not work. E42."),
        ('{"message": false}', "No."),
        ('{"price": 3, "ok": true, "note": null}', "Price is 3."),
        ('{"note": null}', "Done."),
        (
            '{"days": [], "name": "", "left": null, "rain": false}',
            "Days is nothing, name is empty and rain is no.",
        ),
        ('{"!": "x"}', "! is x."),
        ("[null]", "Unknown."),
        ("7", "It is 7."),
    ],
)
def test_unusual_outputs_are_speakable_too(output: str, said: str) -> None:
    assert answer(output) == said


@pytest.mark.parametrize(
    ("name", "schema", "question"),
    [
        ("room", {"enum": ["kitchen", "living_room"]}, "Which room: kitchen or living room?"),
        ("room", {"enum": ["a", "b", "c", "d", "e", "f"]}, "Which room?"),
        ("city", {"type": "string"}, "Which city?"),
        ("message", {"type": "string"}, "What should the message be?"),
        ("on", {"type": "boolean"}, "On or off?"),
        ("pinned", {"type": "boolean"}, "Pinned, yes or no?"),
        ("minutes", {"type": "integer"}, "How many minutes?"),
        ("minutes", {"type": "integer", "minimum": 1, "maximum": 600}, "How many minutes, from 1 to 600?"),
        (
            "level",
            {"type": "number", "minimum": 0, "maximum": 0.5},
            "Which number for the level, from 0 to 0.5?",
        ),
        ("level", {"type": "number", "minimum": 0}, "Which number for the level?"),
    ],
)
def test_questions_for_arguments(name: str, schema: dict[str, Any], question: str) -> None:
    parameters = {"type": "object", "properties": {name: schema}, "required": [name]}
    speech = speech_of({"type": "function", "name": "do_it", "parameters": parameters})
    assert speech is not None
    assert question_for(speech.slots[0]) == question


def test_abilities_are_few_and_told_once() -> None:
    names = ("set_timer", "set_timer", "get_time", "play_music", "stop_music", "send_mail")
    speeches = speeches_of([{"type": "function", "name": name} for name in names])
    assert abilities(speeches) == "I can set timer, get time, play music and stop music."
    assert abilities(()) == "I have no tools here, so I can only repeat what I hear."


def test_a_long_text_ends_between_two_words() -> None:
    spoken = as_sentence("word, " * 200)
    assert spoken.endswith("word …")
    assert len(spoken) <= 602
    assert as_sentence("") == ""
    assert as_sentence("really?") == "Really?"


@pytest.mark.parametrize(
    ("parts", "phrase"), [([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_lists_are_spoken_as_one_phrase(parts: list[str], phrase: str) -> None:
    assert listed(parts, "or") == phrase
