"""A JSGF grammar made from tools: whole phrases, because a loop over glue words invents words.

Every rule is an ordered phrase with few optional words. A grammar that may repeat articles and
prepositions freely was measured to insert "to", "at" and "off" between the words that were said,
and to cost up to fifty times as much. Nothing here rejects a sentence: a decoder with a grammar
always finds *some* path, so its answer must be judged by other means (see ``_ears_judge``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._spoken import Slot, ToolSpeech, plain_words, speeches_of

__all__ = ("grammar_of", "grammar_words")

_MOST_VALUES = 120
"""Values of one parameter that enter the grammar; a longer list slows the decoder down."""
_MOST_SLOTS = 3
"""Parameters that one phrase can carry."""

_MOST_VERBS = 4
"""Verbs of a family that enter the grammar: the rarer ones sound too much like the others (set, shut)."""
_SELDOM = ("turn", "switch", "shut", "toggle", "control", "update", "look", "lookup", "change", "adjust")
"""Verbs left to the words that come with them: "turn on", "look up", "change it to five"."""

_COURTESY = """\
<opening> = stop | no | wait | hello | okay;
<polite> = please | could you [please] | can you [please] | would you [please] | will you | i want to
         | i would like to;
<tail> = please | now | thank you | thanks;
<social> = hello | hi | hey | good morning | good evening | good afternoon | thank you [very much] | thanks [a lot]
         | goodbye | bye [bye] | yes [please] | no [thank you] | okay | stop | cancel [that] | never mind | help
         | what can you do | who are you | how are you | can you hear me | say that again;
"""
_OPENING = "[<opening>] [<polite>]"
_NUMBERS = """\
<digit> = one | two | three | four | five | six | seven | eight | nine;
<teen> = ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen;
<ty> = twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety;
<below_hundred> = <digit> | <teen> | <ty> [<digit>];
<count> = <below_hundred> | (a | one) hundred [<below_hundred>];
"""


def grammar_of(tools: Iterable[Mapping[str, Any]]) -> str | None:
    """The JSGF text for some tool definitions, or None when no phrase can be made from them."""
    speeches = [speech for speech in speeches_of(tools) if _can_be_phrased(speech)]
    if not speeches:
        return None
    rules = [_tool_rules(index, speech) for index, speech in enumerate(speeches)]
    commands = " | ".join(f"<t{index}>" for index in range(len(speeches)))
    orders = " | ".join(f"<t{index}_order>" for index in range(len(speeches)))
    answers = _alternatives(
        (
            *(_answer(slot, f"t{i}") for i, speech in enumerate(speeches) for slot in _heard_slots(speech)),
            *(f"<t{i}_about>" for i, speech in enumerate(speeches) if speech.topic),
        )
    )
    tops = ["<social>", f"{_OPENING} <command> [<tail>]", f"{_OPENING} <order> and <order> [<tail>]"]
    tops += [f"[no | yes | and | what about] ({answers}) [please]"] if answers else []
    return "\n".join(
        (
            "#JSGF V1.0;",
            "grammar tools;",
            f"public <utterance> = {' | '.join(tops)};",
            _COURTESY.rstrip(),
            _NUMBERS.rstrip(),
            f"<command> = <order> | {commands};",
            f"<order> = {orders};",
            *rules,
            "",
        )
    )


def grammar_words(grammar: str) -> frozenset[str]:
    """The spoken words of a JSGF text."""
    body = grammar.partition("public")[2]
    words: set[str] = set()
    for rule in body.split(";"):
        _, _, expansion = rule.partition("=")
        outside = "".join(" " if part.startswith("<") else part for part in _split_references(expansion))
        words.update(plain_words(outside))
    return frozenset(words)


def _split_references(expansion: str) -> list[str]:
    parts: list[str] = []
    for piece in expansion.split("<"):
        reference, found, rest = piece.partition(">")
        parts += ["<" + reference + ">", rest] if found else [piece]
    return parts


def _can_be_phrased(speech: ToolSpeech) -> bool:
    """Whether a decoder could hear all that the tool requires, and the tool has words to ask for it."""
    heard = {slot.name for slot in _heard_slots(speech)}
    needed = {slot.name for slot in speech.slots if slot.required and not slot.nullable}
    return needed <= heard and bool(speech.topic or speech.verbs or heard)


def _heard_slots(speech: ToolSpeech) -> list[Slot]:
    return [slot for slot in speech.slots if slot.kind == "number" or slot.values]


def _tool_rules(index: int, speech: ToolSpeech) -> str:
    """The rules of one tool: its values, what it is about, and the phrases that ask for it.

    ``<tN_order>`` begins with a verb and may follow "and"; after "and" anything shorter would be taken for
    the end of the sentence before it ("the light *in the* living room").
    """
    prefix = f"t{index}"
    slots = _heard_slots(speech)
    named = next(
        (slot for slot in slots if slot.kind in ("choice", "text") and slot.role in ("place", "")), None
    )
    flag = next((slot for slot in slots if slot.by_particle), None)
    others = [slot for slot in slots if slot is not named and not slot.by_particle][:_MOST_SLOTS]
    chunks = "".join(f" [{_chunk(slot, prefix)}]" for slot in others)
    about = f"<{prefix}_about>"
    if flag is not None:
        orders, short = _switching(speech, about, _value_of(flag, prefix), chunks)
    elif speech.asks:
        orders, short = _asking(speech, about, chunks)
    else:
        counted = next((slot for slot in others if slot.kind == "number"), None)
        orders, short = _ordering(speech, about, chunks, _value_of(counted, prefix) if counted else "")
    return "\n".join(
        (
            *(f"{_value_of(slot, prefix)} = {_value(slot)};" for slot in slots),
            f"{about} = {_noun_phrase(_topic_phrase(speech), named, prefix)};",
            f"<{prefix}_order> = {_alternatives(orders)};",
            f"<{prefix}> = {_alternatives(short)};",
        )
    )


def _topic_phrase(speech: ToolSpeech) -> str:
    topic = " ".join(speech.topic)
    if speech.asks or len(speech.topic) != 1 or topic.endswith("s"):
        return topic
    return f"({topic} | {topic}s)"


def _switching(speech: ToolSpeech, about: str, flag: str, chunks: str) -> tuple[list[str], list[str]]:
    """Such as "turn on the light", "turn the light on"; "the light on", "is the light on"."""
    verbs = _alternatives(verb for verb in speech.verbs if verb in ("turn", "switch", "set", "put"))
    verbs = verbs or _alternatives(speech.verbs[:_MOST_VERBS]) or "turn"
    orders = [f"({verbs}) {flag} {about}{chunks}", f"({verbs}) {about} {flag}{chunks}"]
    return orders, [f"{about} {flag}", f"(is | are) {about} {flag}"]


def _asking(speech: ToolSpeech, about: str, chunks: str) -> tuple[list[str], list[str]]:
    """Such as "tell me the weather in Paris"; "what about the weather"."""
    orders = [f"(what is | how is | tell me | get | check | show me | give me) {about}{chunks}"]
    topic = " ".join(speech.topic)
    return orders, [f"(what about | how about) {about}{chunks}"] + (
        [f"what {topic} is it{chunks}"] if topic else []
    )


def _ordering(speech: ToolSpeech, about: str, chunks: str, count: str) -> tuple[list[str], list[str]]:
    """Such as "set a timer for ten minutes", "set a ten minute timer"; "a timer for ten minutes"."""
    verbs = _alternatives([verb for verb in speech.verbs if verb not in _SELDOM][:_MOST_VERBS])
    topic = " ".join(speech.topic)
    orders = [f"({verbs}) {about}{chunks}"] if verbs else [f"{about}{chunks}"]
    if topic and count:
        orders += [f"({verbs or 'set'}) [a | an | the] {count} {topic}", f"(change | set) {about} to {count}"]
    return orders, [f"{about}{chunks}"]


def _noun_phrase(topic: str, named: Slot | None, prefix: str) -> str:
    """Such as "the kitchen light", "the light in the kitchen" or "the light"."""
    if not topic:
        return f"[the | a | my] {_value_of(named, prefix)}" if named else "[it]"
    bare = f"[the | a | an | my] {topic}"
    if named is None:
        return bare
    value = _value_of(named, prefix)
    prepositions = _alternatives(word for word in named.prepositions[:4] if word not in ("that", "of", "to"))
    prepositions = prepositions or named.prepositions[0]  # "to" when the name says so: the flight to Rome
    return f"[the | a | my] {value} {topic} | {bare} [({prepositions}) [the | my] {value}]"


def _chunk(slot: Slot, prefix: str) -> str:
    value = _value_of(slot, prefix)
    if slot.kind == "number" and not slot.role:
        return f"[for | to | at] {value}"
    prepositions = _alternatives(slot.prepositions[:3])
    return f"[{prepositions}] [the | a] {value}"


def _answer(slot: Slot, prefix: str) -> str:
    value = _value_of(slot, prefix)
    if slot.kind in ("flag", "number"):
        return value if slot.kind == "flag" else f"[for] {value}"
    return f"[in | for] [the] {value}"


def _value(slot: Slot) -> str:
    if slot.kind == "number":
        unit = slot.unit
        return f"<count> [{unit} | {unit}s]" if plain_words(unit) == [unit] else "<count>"
    return _alternatives(value.phrase for value in slot.values[:_MOST_VALUES])


def _value_of(slot: Slot, prefix: str) -> str:
    return f"<{prefix}_{_rule_name(slot)}>"


def _rule_name(slot: Slot) -> str:
    """A name that no other parameter has: ``room_id`` and ``roomId`` are two rules, and so are 温 and 湿."""
    return "p_" + "".join(
        mark if mark.isascii() and (mark.isalnum() or mark == "_") else f"_{ord(mark):x}_"
        for mark in slot.name
    )


def _alternatives(options: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(option for option in options if option))
