"""The brain port of the engine, and a brain of rules that needs no model.

A brain reads the conversation so far and decides what the assistant does next: say something, call
functions, or both. It is asked once for each response and keeps nothing in between.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ._brain_reading import Request
from ._brain_requests import Memory, forced_request, listen
from ._brain_wording import abilities, answer, courtesy, question_for
from ._spoken import ToolSpeech, speeches_of

__all__ = ("Brain", "BrainInput", "Decision", "PlannedCall", "RuleBrain", "Utterance")

_MOST_REMEMBERED = 60
"""Utterances before the last that can still matter for what a short sentence refers to."""

_VERBATIM = re.compile(r'\bsay exactly\b[^"]*"(.+)"', re.IGNORECASE | re.DOTALL)
"""Instructions that leave nothing to decide."""
_LATE_RESULT = re.compile(r"\bresult: (.+)", re.DOTALL)
"""What a system message says of a tool that ran in the background."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One item of the conversation in words."""

    role: Literal["user", "assistant", "system", "tool_call", "tool_output"]
    text: str
    """What was said; the JSON arguments of a call; the output of a tool."""
    name: str = ""
    """The function, for calls and outputs."""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class BrainInput:
    """What a response is to be made from."""

    history: tuple[Utterance, ...]
    tools: tuple[Mapping[str, Any], ...]
    """Function definitions as the session has them."""
    instructions: str
    tool_choice: str | Mapping[str, Any] = "auto"


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A function that the assistant calls."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the assistant does next."""

    say: str = ""
    calls: tuple[PlannedCall, ...] = ()


class Brain(Protocol):
    """Decides what the assistant does next: anything with this method can drive the engine."""

    def decide(self, turn: BrainInput) -> Decision | Awaitable[Decision]:
        """The next step of the conversation; called on the event loop, so it must not block.

        A brain that has to wait, for a model of its own say, is a coroutine function.
        """
        ...


class RuleBrain:
    """Understands short requests by the names, descriptions and schemas of the tools.

    It has no state: the open question of the turn before is worked out again from the history.
    """

    def decide(self, turn: BrainInput) -> Decision:
        """The next step of the conversation."""
        verbatim = None if turn.history else _VERBATIM.search(turn.instructions)
        if verbatim is not None:
            return Decision(verbatim.group(1))
        speeches = speeches_of(turn.tools)
        memory = _memory_of(turn.history, speeches)
        tail = _tool_tail(turn.history)
        if tail:
            return Decision(_told(tail, memory))
        spoken = [utterance for utterance in turn.history if utterance.role in ("user", "assistant")]
        if not spoken:
            return Decision(f"Hello. {abilities(speeches)}" if speeches else "Hello. How can I help you?")
        if spoken[-1].role == "assistant":
            return Decision("Can I do anything else for you?")
        text = spoken[-1].text
        eligible = _eligible(turn.tool_choice, speeches)
        if eligible is not None:
            return _forced(text, memory, eligible)
        requests = memory.ready if turn.tool_choice != "none" else ()
        if requests:
            return Decision(calls=tuple(PlannedCall(each.speech.name, each.arguments) for each in requests))
        if memory.ready or (memory.question and turn.tool_choice == "none"):
            return Decision("I am not allowed to do that now.")
        said_before = next((each.text for each in reversed(spoken) if each.role == "assistant"), "")
        return Decision(_spoken_reply(text, memory, speeches, said_before))


def _memory_of(history: Sequence[Utterance], speeches: Sequence[ToolSpeech]) -> Memory:
    memory = Memory()
    for utterance in history[-_MOST_REMEMBERED:]:
        if utterance.role == "user":
            memory = listen(memory, utterance.text, speeches)
    return memory


def _tool_tail(history: Sequence[Utterance]) -> list[Utterance]:
    """The calls and outputs behind the last thing that was said, in their order; late results are outputs."""
    tail: list[Utterance] = []
    for utterance in reversed(history):
        if utterance.role in ("user", "assistant"):
            break
        late = _LATE_RESULT.search(utterance.text) if utterance.role == "system" else None
        if late is not None:
            tail.insert(0, Utterance("tool_output", late.group(1)))
        elif utterance.role != "system":
            tail.insert(0, utterance)
    return tail


def _told(tail: Sequence[Utterance], memory: Memory) -> str:
    """All outputs together, and the question that is still open."""
    outputs = [answer(utterance.text) for utterance in tail if utterance.role == "tool_output"]
    if not outputs:
        return "I am still working on that."
    missing = memory.question.missing if memory.question else None
    return " ".join(dict.fromkeys((*outputs, *([question_for(missing)] if missing else []))))


def _eligible(choice: str | Mapping[str, Any], speeches: Sequence[ToolSpeech]) -> Sequence[ToolSpeech] | None:
    """The tools of which one must be called, or None when none must."""
    if isinstance(choice, Mapping):
        named = [speech for speech in speeches if speech.name == choice.get("name")]
        return named or None
    return speeches if choice == "required" and speeches else None


def _forced(text: str, memory: Memory, eligible: Sequence[ToolSpeech]) -> Decision:
    """A call of one of the tools, or the question for what it lacks."""
    names = {speech.name for speech in eligible}
    ready = [request for request in memory.ready if request.speech.name in names]
    open_one = memory.question if memory.question and memory.question.speech.name in names else None
    forced = open_one or forced_request(text, eligible)
    wanted: Sequence[Request] = ready or ([forced] if forced else [])
    missing = next((slot for request in wanted if (slot := request.missing) is not None), None)
    if missing is not None:
        return Decision(question_for(missing))
    return Decision(calls=tuple(PlannedCall(each.speech.name, each.arguments) for each in wanted))


def _spoken_reply(text: str, memory: Memory, speeches: Sequence[ToolSpeech], said_before: str) -> str:
    can = abilities(speeches)
    polite = courtesy(text, can=can, said_before=said_before)
    if memory.dropped:
        return polite or "All right."
    if memory.question is not None and memory.question.missing is not None:
        return question_for(memory.question.missing)
    if polite:
        return polite
    if not text.strip():
        return "I did not hear anything."
    if not speeches:
        return f"I am the offline engine, and I have no tools here. You said: {text.strip()}"
    if memory.refused:
        return "All right, I will not do that."
    return f"I did not understand that. {can}"
