"""Sentences of the engine: answers from tool outputs, questions for arguments, courtesies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from ._brain_clauses import spoken_words
from ._numbers import SECONDS_OF
from ._spoken import Slot, ToolSpeech, words_of_name

__all__ = ("abilities", "answer", "as_sentence", "courtesy", "listed", "question_for")

_MOST_ABILITIES = 4
_MOST_FACTS = 8
"""Entries of an object or a list that are read aloud."""
_LONGEST_ANSWER = 600
"""Characters of one output that are read aloud, about forty seconds."""
_CARRIERS = ("result", "answer", "output", "message", "text", "summary", "content")
"""Keys whose value is the answer when an object has nothing else to tell."""
_SUCCESS = frozenset({"ok", "success", "done", "true", "status", "result"})
_MOST_CHOICES = 5

_COURTESIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), reply)
    for pattern, reply in (
        (
            r"(what can you do|(please )?help( me)?|what can i (say|ask)|what do you do|who are you)",
            "{abilities}",
        ),
        (r"(no |okay |ok )?(thank you|thanks)( very much| a lot| so much)?", "You are welcome."),
        (r"(okay |ok )?(good ?bye|bye|bye bye|see you( later| soon)?|good night)", "Goodbye."),
        (r"((hello|hi|hey|there|good morning|good afternoon|good evening) ?)+", "Hello. How can I help you?"),
        (r"(hello )?how are you( today| doing)?", "I am fine, thank you. How can I help you?"),
        (r"(hello )?can you hear me( now)?", "Yes, I can hear you."),
        (r"(please )?(say that again|repeat that|pardon|what did you say)( please)?", "{again}"),
        (r"(stop|cancel|cancel that|never mind|forget it|forget that|no|nope|nothing)", "All right."),
        (r"(yes|yeah|yep|okay|ok|sure|all right|alright)( please)?", "All right."),
    )
)


def courtesy(text: str, *, can: str, said_before: str) -> str:
    """The reply to a greeting, thanks, a goodbye or a question about the engine itself, else ""."""
    said = " ".join(spoken_words(text))
    for pattern, reply in _COURTESIES:
        if pattern.fullmatch(said):
            return reply.format(abilities=can, again=said_before or "I have not said anything yet.")
    return ""


def abilities(speeches: Iterable[ToolSpeech]) -> str:
    """What the tools can do in one sentence: "I can switch a light and set a timer"."""
    purposes = list(dict.fromkeys(speech.purpose for speech in speeches))
    if not purposes:
        return "I have no tools here, so I can only repeat what I hear."
    shown = purposes[:_MOST_ABILITIES]
    return f"I can {listed(shown, 'and')}."


def question_for(slot: Slot) -> str:
    """The question for a missing argument."""
    name = " ".join(slot.words) or slot.name
    if slot.by_particle:
        said_true = slot.values[0].phrase
        said_false = next(value.phrase for value in slot.values if value.value is False)
        return f"{said_true} or {said_false}?".capitalize()
    if slot.kind == "flag":
        return f"{name}, yes or no?".capitalize()
    if slot.kind == "number":
        unit = slot.unit
        asked = f"How many {unit}s" if unit in SECONDS_OF else f"Which number for the {name}"
        return asked + _limits(slot) + "?"
    if slot.kind == "choice" and len(slot.values) <= _MOST_CHOICES:
        return f"Which {name}: {listed([value.phrase for value in slot.values], 'or')}?"
    return f"What should the {name} be?" if slot.role == "content" else f"Which {name}?"


def _limits(slot: Slot) -> str:
    if slot.minimum is not None and slot.maximum is not None:
        return f", from {_figure(slot.minimum)} to {_figure(slot.maximum)}"
    return ""


def answer(output: str) -> str:
    """What a tool's output says, as one or more sentences."""
    try:
        return _told(json.loads(output))
    except (ValueError, RecursionError):  # no JSON, or nested deeper than anybody could listen to
        return as_sentence(output) or "Done."


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return _told_object(cast("Mapping[str, Any]", value))
    if isinstance(value, str) and value.strip():
        return as_sentence(value)
    if isinstance(value, list):
        return as_sentence(_said(value)) if value else "There is nothing."
    if value is False:
        return "No."
    if value is None or value is True or value == "" or isinstance(value, str):
        return "Done."
    return f"It is {_said(value)}."


def _told_object(fields: Mapping[str, Any]) -> str:
    if fields.get("error"):
        return _apology(fields["error"])
    if not fields or (fields.keys() <= _SUCCESS and all(_is_success(value) for value in fields.values())):
        return "Done."
    telling = {
        key: value for key, value in fields.items() if value is not None and key not in ("ok", "error")
    }
    if len(telling) == 1 and (key := next(iter(telling))) in _CARRIERS:
        return _told(telling[key])
    facts = [f"{_name(key)} is {_said(value)}" for key, value in list(telling.items())[:_MOST_FACTS]]
    return as_sentence(listed(facts, "and")) if facts else "Done."


def _apology(error: Any) -> str:
    if isinstance(error, Mapping):
        details = cast("Mapping[str, Any]", error)
        error = next((details[key] for key in ("message", "reason", "code", "kind") if details.get(key)), "")
    reason = as_sentence(str(error)) if error and error is not True else ""
    return f"Sorry, that did not work. {reason}".strip()


def _is_success(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() in _SUCCESS)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _figure(value)
    if isinstance(value, Mapping):
        fields = list(cast("Mapping[str, Any]", value).items())[:_MOST_FACTS]
        return listed([f"{_name(key)} {_said(inner)}" for key, inner in fields], "and")
    if isinstance(value, list):
        entries = cast("Sequence[object]", value)[:_MOST_FACTS]
        return listed([_said(inner) for inner in entries], "and") or "nothing"
    return "unknown" if value is None else " ".join(str(value).split()).rstrip(".") or "empty"


def _figure(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:.10g}"


def _name(key: str) -> str:
    return " ".join(words_of_name(key)) or key


def as_sentence(text: str) -> str:
    """A text on one line that begins with a capital, ends with a mark and is not too long to listen to."""
    line = " ".join(text.split())
    if len(line) > _LONGEST_ANSWER:
        line = line[:_LONGEST_ANSWER].rpartition(" ")[0].rstrip(",;:") + " …"
    line = line[:1].upper() + line[1:]
    return line if not line or line[-1] in ".!?…" else f"{line}."


def listed(parts: Sequence[str], joint: str) -> str:
    """The parts in one phrase: "one, two and three"."""
    return f" {joint} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
