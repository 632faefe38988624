"""What a caller can say with a grammar, and that the recogniser takes every grammar that is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtagent.engine._grammar import grammar_of, grammar_words

_TOKEN = re.compile(r"<\w+>|[a-z0-9']+|[|()\[\]]")


class Sentences:
    """The sentences of a JSGF text without weights, repetition and recursion."""

    def __init__(self, grammar: str) -> None:
        rules = re.findall(r"(<\w+>) =([^;]*);", grammar)
        self._rules = {name: _TOKEN.findall(expansion) for name, expansion in rules}
        assert len(self._rules) == len(rules), "a rule is defined twice"

    def __contains__(self, sentence: str) -> bool:
        words = sentence.split()
        return len(words) in self._ends(self._rules["<utterance>"], words, {0})

    def _ends(self, tokens: Sequence[str], words: Sequence[str], starts: set[int]) -> set[int]:
        """Where the words that the expansion takes can end."""
        ends: set[int] = set()
        for alternative in _split(tokens):
            at = starts
            for item in _items(alternative):
                at = self._behind(item, words, at)
            ends |= at
        return ends

    def _behind(self, item: Sequence[str], words: Sequence[str], starts: set[int]) -> set[int]:
        if item[0] in "[(":
            inner = self._ends(item[1:-1], words, starts)
            return inner | starts if item[0] == "[" else inner
        if item[0].startswith("<"):
            return self._ends(self._rules[item[0]], words, starts)
        return {at + 1 for at in starts if words[at : at + 1] == [item[0]]}


def _items(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    at = 0
    while at < len(tokens):
        start, depth = at, 0
        while True:
            depth += (tokens[at] in "[(") - (tokens[at] in "])")
            at += 1
            if not depth:
                break
        yield tokens[start:at]


def _split(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    start, depth = 0, 0
    for at, token in enumerate(tokens):
        depth += (token in "[(") - (token in "])")
        if token == "|" and not depth:
            yield tokens[start:at]
            start = at + 1
    yield tokens[start:]


def tool(name: str, /, *, needs: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(needs)}
    return {"type": "function", "name": name, "parameters": parameters}


ROOM: Mapping[str, Any] = {"type": "string", "enum": ["kitchen", "living_room"]}
COUNT: Mapping[str, Any] = {"type": "integer"}
FLAG: Mapping[str, Any] = {"type": "boolean"}
CITY: Mapping[str, Any] = {"type": "string", "enum": ["Oslo", "Rome"]}

LIGHT = tool("set_light", needs=["room", "on"], room=ROOM, on=FLAG)
WEATHER = tool("get_weather", needs=["city"], city=CITY)
TIMER = tool("set_timer", needs=["minutes"], minutes=COUNT)
VOLUME = tool("set_volume", needs=["level"], level=COUNT)
FLIGHT = tool("book_flight", needs=["to_city"], to_city=CITY, from_city=CITY)
CALL = tool("call", needs=["person"], person={"type": "string", "enum": ["Anna"]})
DOOR = tool("unlock_doors", locked=FLAG)
ODD_NAMES: dict[str, Any] = {"温": ROOM, "湿": CITY, "": ROOM, "a b": CITY}
HOME = (LIGHT, WEATHER, TIMER)


def made_from(*tools: Mapping[str, Any]) -> str:
    grammar = grammar_of(tools)
    assert grammar is not None
    return grammar


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ([LIGHT], "turn on the kitchen light"),
        ([LIGHT], "switch the light in the living room off"),
        ([LIGHT], "is the light in the kitchen on"),
        ([LIGHT], "kitchen"),
        ([LIGHT], "no the living room"),
        ([LIGHT], "off please"),
        ([WEATHER], "what is the weather in oslo"),
        ([WEATHER], "tell me the rome weather"),
        ([WEATHER], "what about the weather in rome"),
        ([WEATHER], "what about rome"),
        ([TIMER], "set a timer for twenty five minutes"),
        ([TIMER], "set a ten minute timer"),
        ([TIMER], "a timer for one minute"),
        ([TIMER], "change the timer to a hundred five minutes"),
        ([VOLUME], "set the volume to forty"),
        ([FLIGHT], "book a flight to rome from oslo"),
        ([CALL], "call anna"),
        ([DOOR], "unlock the door unlocked"),
        (HOME, "stop please set a timer for ten minutes"),
        (HOME, "wait could you please turn off the kitchen light now"),
        (HOME, "turn on the kitchen light and set a timer for two minutes thank you"),
        (HOME, "turn on the light in the kitchen and turn the light in the living room off"),
        (HOME, "what can you do"),
        (HOME, "never mind"),
    ],
)
def test_what_can_be_said(tools, sentence):
    assert sentence in Sentences(made_from(*tools))


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ([LIGHT], "what is the weather in oslo"),
        ([LIGHT], "turn on on the light"),
        ([LIGHT], "turn on the cellar light"),
        ([LIGHT], "turn on the light and the kitchen"),
        ([WEATHER], "set a timer for ten minutes"),
        ([TIMER], "set a timer for ten twenty minutes"),
        ([TIMER], "set timer ten the minutes"),
        (HOME, "and"),
        (HOME, "stop please"),
    ],
)
def test_what_cannot_be_said(tools, sentence):
    assert sentence not in Sentences(made_from(*tools))


def test_a_flag_that_is_answered_with_yes_and_no():
    grammar = Sentences(made_from(tool("book_room", needs=["breakfast"], breakfast=FLAG)))
    assert "book a room breakfast" not in grammar
    assert "yes" in grammar


def test_a_tool_with_a_required_free_text_leaves_the_others_their_phrases():
    note = tool("add_note", needs=["body"], body={"type": "string"})
    sentences = Sentences(made_from(note, TIMER))
    assert "set a timer" in sentences
    assert "add a note" not in sentences


def test_figures_in_names_are_said_as_words():
    grammar = made_from(tool("set_light2", on=FLAG))
    assert "turn on the light two" in Sentences(grammar)
    assert not re.search(r"[ (]\d", grammar.partition("public")[2])


def test_parameters_whose_names_have_the_same_words_keep_their_own_values():
    first, second = ({"enum": [value]} for value in ("red", "blue"))
    sentences = Sentences(made_from(tool("paint_wall", main_tone=first, mainTone=second)))
    assert "red" in sentences
    assert "blue" in sentences


def test_a_long_list_of_values_is_cut():
    values = [f"v{number}" for number in range(1, 200)]
    sentences = Sentences(made_from(tool("pick_item", item={"enum": values})))
    assert "v one hundred twenty" in sentences
    assert "v one hundred twenty one" not in sentences


class Recogniser:
    """The recogniser's own reading of grammars."""

    def __init__(self) -> None:
        pocketsphinx = pytest.importorskip("pocketsphinx")
        self._decoder = pocketsphinx.Decoder(lm=None, samprate=16000, loglevel="FATAL")

    def compile(self, grammar: str) -> None:
        """Raises ValueError for a text that is no grammar, or that has a word which is not in the word list."""
        for word in sorted(grammar_words(grammar)):
            if self._decoder.lookup_word(word) is None:
                self._decoder.add_word(word, "AH", True)
        self._decoder.add_jsgf_string("tools", grammar)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.mark.parametrize(
    "tools",
    [
        HOME,
        [FLIGHT],
        [CALL],
        [DOOR],
        [tool("set_light2", on=FLAG)],
        [tool("3d_print", what=ROOM)],
        [tool("get_v2_api", v={"enum": ["a;b", "<x>", "c|d", "*", "#JSGF", "rock 'n' roll"]})],
        [tool("public_grammar", kind={"enum": ["import", "null", "void", "public", "grammar"]})],
        [tool("to_x", to_place=ROOM)],
        [tool("ping")],
        [tool("_", value=ROOM)],
        [tool("mix", **ODD_NAMES)],
    ],
    ids=lambda tools: tools[0]["name"],
)
def test_the_recogniser_takes_the_grammar(recogniser, tools):
    recogniser.compile(made_from(*tools))


def test_the_recogniser_notices_a_word_that_is_not_listed(recogniser):
    with pytest.raises(ValueError, match="JSGF"):
        recogniser.compile("#JSGF V1.0;\ngrammar g;\npublic <utterance> = 2;")


_NAMES = st.one_of(
    st.text(alphabet="abtoAB_-.019 é温'", max_size=10),
    st.sampled_from(
        ["set", "get_time", "turnOn", "to", "from_city", "on", "minutes", "public", "set_light2"]
    ),
)
_SCHEMAS = st.one_of(
    st.sampled_from([FLAG, COUNT, ROOM, CITY, {"type": "string"}, {"type": "object"}]),
    st.fixed_dictionaries(
        {"enum": st.lists(st.one_of(st.text(max_size=8), st.integers(), st.none()), max_size=4)}
    ),
    st.fixed_dictionaries({"type": st.just("string"), "description": st.text(max_size=30)}),
)
_TOOLS = st.fixed_dictionaries(
    {
        "name": _NAMES,
        "parameters": st.fixed_dictionaries(
            {
                "properties": st.dictionaries(_NAMES, _SCHEMAS, max_size=4),
                "required": st.lists(_NAMES, max_size=2),
            }
        ),
    }
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_TOOLS, max_size=3))
def test_the_recogniser_takes_the_grammar_of_any_tools(recogniser, tools):
    grammar = grammar_of(tools)
    if grammar is not None:
        Sentences(grammar)  # no rule twice
        recogniser.compile(grammar)
