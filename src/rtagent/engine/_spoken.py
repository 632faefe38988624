"""What the engine can know about a tool from its JSON definition: how callers ask for it and say its parameters.

The grammar and the brain both work from ``ToolSpeech``, so what the one lets the ears hear, the other understands.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from ._brain_words import (
    ALL_VERBS,
    ASKING,
    EVERYDAY_NAMES,
    EVERYDAY_VALUES,
    HOLLOW,
    PREPOSITIONS_OF_ROLE,
    ROLE_OF_NAME,
    TOPIC_SYNONYMS,
    VERB_ALIASES,
    VERB_FAMILIES,
)
from ._numbers import SECONDS_OF, number_words, singular

__all__ = ("Slot", "SpokenValue", "ToolSpeech", "plain_words", "speech_of", "speeches_of", "words_of_name")

SlotKind = Literal["flag", "number", "choice", "text"]

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])")
_QUOTED = re.compile(r"[\"“”`]([^\"“”`\n]{1,40})[\"“”`]|(?<!\w)'([^'\n]{1,40})'(?!\w)")
_NOT_A_WORD = re.compile(r"[^a-z']+")
_DEEPEST, _WIDEST = 4, 8
"""References and unions are followed so deep, and so many branches of each: definitions may refer to themselves."""
_WHOLE_NUMBER = re.compile(r"\d{1,9}")

_FLAGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "on": (("on",), ("off",)),
    "off": (("off",), ("on",)),
    "enabled": (("on", "enabled", "enable"), ("off", "disabled", "disable")),
    "active": (("on", "active", "activate"), ("off", "inactive", "deactivate")),
    "power": (("on",), ("off",)),
    "state": (("on",), ("off",)),
    "open": (("open", "up"), ("closed", "close", "shut", "down")),
    "closed": (("closed", "close", "shut"), ("open",)),
    "locked": (("locked", "lock"), ("unlocked", "unlock")),
    "muted": (("muted", "mute"), ("unmuted", "unmute")),
    "up": (("up",), ("down",)),
}
"""Words for true and for false, by what a boolean is called; all others take yes and no."""


@dataclass(frozen=True, slots=True)
class SpokenValue:
    """A value of a parameter and the words that say it."""

    phrase: str
    value: Any


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of a tool, as something that a caller can say."""

    name: str
    kind: SlotKind
    required: bool
    values: tuple[SpokenValue, ...] = ()
    """All values of a choice, both of a flag, examples of a text."""
    whole: bool = False
    """A number that must be whole."""
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    many: bool = False
    """The parameter is a list of such values."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return words_of_name(self.name)

    @property
    def role(self) -> str:
        """What kind of thing it stands for: place, person, content, ..., or ""."""
        return next((ROLE_OF_NAME[word] for word in reversed(self.words) if word in ROLE_OF_NAME), "")

    @property
    def prepositions(self) -> tuple[str, ...]:
        """The words that come before its value, the surest first."""
        own = tuple(word for word in self.words if word in ("to", "from", "at", "with", "about"))
        return own or PREPOSITIONS_OF_ROLE[self.role]

    @property
    def unit(self) -> str:
        """The unit in a number's name, singular: ``minutes`` and ``duration_minutes`` give ``minute``."""
        units = [singular(word) for word in self.words]
        return next((word for word in units if word in SECONDS_OF), units[-1] if units else "")

    @property
    def by_particle(self) -> bool:
        """True for a boolean that is said by a word of its own, such as on and off."""
        return self.kind == "flag" and bool(self.values) and self.values[0].phrase != "yes"


@dataclass(frozen=True, slots=True)
class ToolSpeech:
    """How callers ask for one tool."""

    name: str
    family: str
    """The verb family, a key of ``VERB_FAMILIES``, or "" when the name has no known verb."""
    verbs: tuple[str, ...]
    topic: tuple[str, ...]
    """The words for what it is about, in the singular."""
    slots: tuple[Slot, ...]
    purpose: str
    """What it does, to follow "I can"."""

    @property
    def asks(self) -> bool:
        """True when it only looks something up."""
        return self.family in ASKING

    def slot(self, name: str) -> Slot:
        """The parameter of that name."""
        return next(slot for slot in self.slots if slot.name == name)

    def topic_forms(self, word: str) -> frozenset[str]:
        """Every word that stands for one of its topic words."""
        return frozenset({word, *TOPIC_SYNONYMS.get(word, ())})


def plain_words(text: str) -> list[str]:
    """Lower-case words of a text as they are spoken: no accents, digits as number words."""
    decomposed = unicodedata.normalize("NFKD", text).replace("\u2019", "'")
    ascii_text = "".join(mark for mark in decomposed if not unicodedata.combining(mark)).lower()
    spoken = _WHOLE_NUMBER.sub(lambda found: f" {number_words(int(found[0]))} ", ascii_text)
    return [word.strip("'") for word in _NOT_A_WORD.split(spoken) if word.strip("'")]


def words_of_name(name: str) -> tuple[str, ...]:
    """The words of a snake_case, kebab-case, dotted or camelCase name."""
    parts = re.split(r"[^A-Za-z0-9]+", _CAMEL.sub(" ", name))
    return tuple(part.lower() for part in parts if part)


def speeches_of(tools: Iterable[Mapping[str, Any]]) -> tuple[ToolSpeech, ...]:
    """The speakable ones of some tool definitions."""
    return tuple(speech for tool in tools if (speech := speech_of(tool)) is not None)


def speech_of(tool: Mapping[str, Any]) -> ToolSpeech | None:
    """What can be known about one function; None for what no caller can ask for by voice.

    That is: tools of another type, without a name, or with a required parameter that has no
    spoken form (an object).
    """
    name = tool.get("name")
    if tool.get("type", "function") != "function" or not isinstance(name, str) or not name:
        return None
    slots = _slots_of(tool.get("parameters"))
    if slots is None:
        return None
    description = tool.get("description")
    description = description.strip() if isinstance(description, str) else ""
    words = plain_words(" ".join(words_of_name(name)))
    family, verb, rest = _verb_of(words, plain_words(description))
    verbs: dict[str, None] = dict.fromkeys((*((verb,) if verb else ()), *VERB_FAMILIES.get(family, ())))
    topic = tuple(dict.fromkeys(singular(word) for word in rest if word not in HOLLOW))
    return ToolSpeech(name, family, tuple(verbs), topic, slots, _purpose_of(description, words))


def _verb_of(name: Sequence[str], description: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    """The verb family, the verb itself and the words of the name that are left."""
    for index, word in enumerate(name):
        family = VERB_ALIASES.get(word, word)
        if family in VERB_FAMILIES and (index == 0 or len(name) - index > 1):
            return family, word, [*name[:index], *name[index + 1 :]]
    first = singular(description[0]) if description else ""
    family = VERB_ALIASES.get(first, first)
    if family in VERB_FAMILIES:
        return family, first, name
    return "", (name[0] if len(name) > 1 else ""), name[1:] if len(name) > 1 else name


def _purpose_of(description: str, words: Sequence[str]) -> str:
    first_line = description.split("\n", maxsplit=1)[0]
    sentence = re.split(r"(?<=[a-z0-9)])[.!?](?:\s|$)", first_line)[0].strip().rstrip(".")
    first, _, rest = sentence.partition(" ")
    for verb in (first.lower(), first.lower().removesuffix("s"), first.lower().removesuffix("es")):
        if verb in ALL_VERBS or verb in VERB_ALIASES:
            return f"{verb} {rest}".strip()
    return " ".join(words)


def _slots_of(parameters: object) -> tuple[Slot, ...] | None:
    described = _object(parameters)
    definitions = _object(described.get("$defs")) or _object(described.get("definitions"))
    needed = _list(described.get("required"))
    slots: list[Slot] = []
    for name, schema in _object(described.get("properties")).items():
        slot = _slot_of(str(name), schema, name in needed, definitions)
        if slot is not None:
            slots.append(slot)
        elif name in needed:
            return None
    return tuple(slots)


def _slot_of(name: str, schema: object, required: bool, definitions: Mapping[str, Any]) -> Slot | None:
    flat, nullable = _flatten(schema, definitions)
    kind = flat.get("type")
    many = kind == "array"
    if many:
        flat, _ = _flatten(flat.get("items"), definitions)
        kind = flat.get("type")
    options = [flat["const"]] if "const" in flat and "enum" not in flat else _list(flat.get("enum"))
    if options and kind != "boolean":
        values = tuple(SpokenValue(phrase, value) for value in options if (phrase := _phrase(value)))
        return Slot(name, "choice", required, values, nullable=nullable, many=many)
    if kind == "boolean":
        return Slot(name, "flag", required, _flag_values(name), nullable=nullable, many=many)
    if kind in ("integer", "number"):
        limits = (_number(flat.get("minimum")), _number(flat.get("maximum")))
        return Slot(name, "number", required, (), kind == "integer", *limits, nullable=nullable, many=many)
    if kind == "string":
        return Slot(name, "text", required, _examples(name, flat), nullable=nullable, many=many)
    return None


def _flatten(
    schema: object, definitions: Mapping[str, Any], depth: int = 0
) -> tuple[Mapping[str, Any], bool]:
    """A schema without references, unions with null and lists of types; and whether it may be null."""
    own = _object(schema)
    if not own or depth > _DEEPEST:
        return {}, False
    reference = own.get("$ref")
    if isinstance(reference, str):
        target, nullable = _flatten(definitions.get(reference.rpartition("/")[2]), definitions, depth + 1)
        return {**target, **{key: value for key, value in own.items() if key != "$ref"}}, nullable
    for key in ("anyOf", "oneOf", "allOf"):
        branches = _list(own.get(key))
        if branches:
            flat = [_flatten(branch, definitions, depth + 1) for branch in branches[:_WIDEST]]
            real = [branch for branch, _ in flat if branch.get("type") != "null"]
            nullable = len(real) < len(flat) or any(null for _, null in flat)
            return {**(real[0] if real else {}), **{k: v for k, v in own.items() if k != key}}, nullable
    kinds = _list(own.get("type"))
    if kinds:
        real_kinds = [kind for kind in kinds if kind != "null"]
        return {**own, "type": real_kinds[0] if real_kinds else "null"}, len(real_kinds) < len(kinds)
    return own, False


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return cast("Sequence[Any]", value) if is_list else ()


def _phrase(value: object) -> str:
    return (
        " ".join(plain_words(" ".join(words_of_name(value))))
        if isinstance(value, str)
        else _number_phrase(value)
    )


def _number_phrase(value: object) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return ""
    return number_words(value) if abs(value) < 1_000_000_000 else ""


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None  # JSON may hold larger whole numbers


def _flag_values(name: str) -> tuple[SpokenValue, ...]:
    words = words_of_name(name)
    said_true, said_false = _FLAGS.get(words[-1] if words else "", (("yes",), ("no",)))
    return (
        *(SpokenValue(phrase, True) for phrase in said_true),
        *(SpokenValue(phrase, False) for phrase in said_false),
    )


def _examples(name: str, schema: Mapping[str, Any]) -> tuple[SpokenValue, ...]:
    """Values that a text parameter is known to take: its examples, what its description quotes, everyday ones."""
    texts = [text for text in _list(schema.get("examples")) if isinstance(text, str)]
    description = schema.get("description")
    if isinstance(description, str):
        texts += [double or single for double, single in _QUOTED.findall(description)]
    for word in words_of_name(name):
        texts += EVERYDAY_VALUES.get(EVERYDAY_NAMES.get(word, ""), ())
    found: dict[str, str] = {}
    for text in texts:
        phrase = " ".join(plain_words(text))
        if phrase:
            found.setdefault(phrase, text.strip())
    return tuple(SpokenValue(phrase, text) for phrase, text in found.items())
