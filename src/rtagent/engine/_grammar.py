"""A JSGF grammar made from tools: whole phrases, because a loop over glue words invents words.

Every rule is an ordered phrase with few optional words. A grammar that may repeat articles and
prepositions freely was measured to insert "to", "at" and "off" between the words that were said,
and to cost up to fifty times as much. Nothing here rejects a sentence: a decoder with a grammar
always finds *some* path, so its answer must be judged by other means (see ``_ears_judge``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._brain_words import EVERYDAY_NAMES
from ._numbers import number_words
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
<polite> = please | could you [please] | can you [please] | would you [please] | will you | stop | no | hello | okay
         | i want to | i would like to;
<tail> = please | now | thank you | thanks;
<social> = hello | hi | hey | good morning | good evening | good afternoon | thank you [very much] | thanks [a lot]
         | goodbye | bye [bye] | yes [please] | no [thank you] | okay | stop | cancel [that] | never mind | help
         | what can you do | who are you | how are you | can you hear me | say that again;
"""
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
    answers = _alternatives(_answer(slot, f"t{i}") for i, s in enumerate(speeches) for slot in _heard_slots(s))
    tops = ["<social>", "[<polite>] <command> [<tail>]", "[<polite>] <command> and <command> [<tail>]"]
    tops += [f"[no | yes] ({answers}) [please]"] if answers else []
    return "\n".join(
        (
            "#JSGF V1.0;",
            "grammar tools;",
            f"public <utterance> = {' | '.join(tops)};",
            _COURTESY.rstrip(),
            _NUMBERS.rstrip(),
            f"<command> = {commands};",
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
    """The rules of one tool: its values, what it is about, and the phrases that ask for it."""
    prefix = f"t{index}"
    slots = _heard_slots(speech)
    rules = [f"<{prefix}_{_rule_name(slot)}> = {_value(slot)};" for slot in slots]
    named = next((slot for slot in slots if slot.kind in ("choice", "text") and slot.role in ("place", "")), None)
    topic = " ".join(speech.topic)
    plural = f"{topic}s" if topic and len(speech.topic) == 1 and not topic.endswith("s") else ""
    about = f"({topic} | {plural})" if plural and not speech.asks else topic
    rules.append(f"<{prefix}_about> = {_noun_phrase(about, named, prefix)};")
    others = [slot for slot in slots if slot is not named and not slot.by_particle][:_MOST_SLOTS]
    chunks = "".join(f" [{_chunk(slot, prefix)}]" for slot in others)
    flag = next((slot for slot in slots if slot.by_particle), None)
    rules.append(f"<{prefix}> = {_alternatives(_phrases(speech, prefix, chunks, flag, others))};")
    return "\n".join(rules)


def _phrases(
    speech: ToolSpeech, prefix: str, chunks: str, flag: Slot | None, others: Sequence[Slot]
) -> Iterable[str]:
    about = f"<{prefix}_about>"
    topic = " ".join(speech.topic)
    if flag is not None:
        switch = f"<{prefix}_{_rule_name(flag)}>"
        verbs = _alternatives(verb for verb in speech.verbs if verb in ("turn", "switch", "set", "put"))
        verbs = verbs or _alternatives(speech.verbs[:4]) or "turn"
        yield f"({verbs}) {switch} {about}{chunks}"
        yield f"({verbs}) {about} {switch}{chunks}"
        yield f"{about} {switch}"
        yield f"(is | are) {about} {switch}"
        return
    if speech.asks:
        yield f"(what is | how is | tell me | get | check | show me | give me | what about | how about) {about}{chunks}"
        if topic:
            yield f"what {topic} is it{chunks}"
        return
    verbs = _alternatives([verb for verb in speech.verbs if verb not in _SELDOM][:_MOST_VERBS])
    head = f"({verbs}) " if verbs else ""
    yield f"{head}{about}{chunks}"
    if topic and others and others[0].kind == "number":
        yield f"{head}[a | an | the] {_value_of(others[0], prefix)} {topic}"
        yield f"(change | set) {about} to {_value_of(others[0], prefix)}"


def _noun_phrase(topic: str, named: Slot | None, prefix: str) -> str:
    """ "the kitchen light", "the light in the kitchen" or "the light"."""
    if not topic:
        return f"[the | a | my] {_value_of(named, prefix)}" if named else "[it]"
    bare = f"[the | a | an | my] {topic}"
    if named is None:
        return bare
    value = _value_of(named, prefix)
    prepositions = _alternatives(word for word in named.prepositions[:4] if word not in ("that", "of", "to"))
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
    return "p_" + "_".join(plain_words(" ".join(slot.words)) or ["value"])


def _alternatives(options: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(option for option in options if option))
