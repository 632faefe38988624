"""Grammars made from tools."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.engine._grammar import grammar_of, grammar_words

LIGHT: dict[str, Any] = {
    "type": "function",
    "name": "set_light",
    "parameters": {
        "type": "object",
        "properties": {"room": {"enum": ["kitchen", "living_room"]}, "on": {"type": "boolean"}},
        "required": ["room", "on"],
    },
}
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "examples": ["Reykjavík"]}},
        "required": ["city"],
    },
}
TIMER: dict[str, Any] = {
    "type": "function",
    "name": "set_timer",
    "parameters": {"type": "object", "properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]},
}
NOTE: dict[str, Any] = {
    "type": "function",
    "name": "add_note",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}


def made_from(*tools: dict[str, Any]) -> str:
    grammar = grammar_of(tools)
    assert grammar is not None
    return grammar


@pytest.mark.parametrize("tools", [[], [NOTE], [{"type": "mcp"}]])
def test_no_grammar_without_anything_that_it_could_hear(tools):
    assert grammar_of(tools) is None


def test_the_words_of_a_grammar_are_those_of_the_tools():
    words = grammar_words(made_from(LIGHT, WEATHER, TIMER))
    assert {
        "kitchen",
        "living",
        "on",
        "off",
        "light",
        "lights",
        "weather",
        "reykjavik",
        "timer",
        "twenty",
        "minutes",
    } <= words
    assert not any("<" in word or "_" in word for word in words)


@pytest.mark.parametrize("tools", [[LIGHT], [WEATHER], [TIMER], [LIGHT, WEATHER, TIMER], [NOTE, LIGHT]])
def test_every_rule_that_is_used_is_defined(tools):
    grammar = made_from(*tools)
    defined = {
        line.split("=")[0].replace("public", "").strip() for line in grammar.splitlines() if " = " in line
    }
    used = {f"<{part.split('>')[0]}>" for part in grammar.split("<")[1:]}
    assert used <= defined


def test_no_rule_repeats_freely():
    grammar = made_from(LIGHT, WEATHER, TIMER)
    assert "*" not in grammar
    assert "+" not in grammar
