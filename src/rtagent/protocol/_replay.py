"""What a new session is told of an earlier conversation (protocol document, rules K3 and K5).

A server takes text for what was spoken, from both sides, and of an answer only what the user heard; function
calls only together with their outputs. A user's turn whose words are not known yet is told as its sound, where
that is at hand. The newest items are kept up to a number of tokens and an age; what the system said is always
kept. Nothing here asks for a response: the model is not to greet again.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from .. import events
from ._items import HistoryEntry
from ._speech import SpokenTurn

__all__ = ("REPLAY_TOKENS", "ReplayPlan", "replay_plan")

REPLAY_TOKENS = 16_000
"""What is told at most: half of the smallest context that a realtime model is known to have (32,000)."""
NOTE = "rtnote"
"""What the ids of messages begin with that were meant for one moment; they are not told again."""
_BYTES_PER_TOKEN = 3
"""UTF-8 bytes in a token, estimated low: English has about four."""
_TOKENS_PER_ITEM = 8
_MS_PER_TOKEN = 100.0
"""The user's audio in a token (protocol document, 13)."""


Spoken = Callable[[str], SpokenTurn | None]


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to tell, and what will be missing."""

    items: tuple[events.Item, ...]
    """To be created in this order, at the end of an empty conversation."""
    lost: tuple[HistoryEntry, ...]
    """What stays behind: too old for the budget, unfinished, or without any words."""


def replay_plan(
    entries: Sequence[HistoryEntry],
    *,
    max_tokens: int = REPLAY_TOKENS,
    too_old: Set[str] = frozenset(),
    spoken: Spoken = lambda _item_id: None,
    open_calls: Set[str] = frozenset(),
) -> ReplayPlan:
    """Plan what a new session is told.

    Args:
        entries: the history, in its order.
        max_tokens: how much may be told, estimated.
        too_old: ids of items whose time has passed.
        spoken: the sound of a user's turn, if it is at hand.
        open_calls: ids of calls that are told later, with their outputs.
    """
    kept = _newest(entries, max_tokens, too_old, spoken)
    # A pair is told whole or not at all: a call whose output is missing would be run again, or never answered.
    asked = {item.call_id for item in kept.values() if isinstance(item, events.FunctionCall)}
    answered = {item.call_id for item in kept.values() if isinstance(item, events.FunctionCallOutput)}
    whole = asked & answered
    told = {index: item for index, item in kept.items() if _call_id(item) in (None, *whole)}
    lost = tuple(
        entry
        for index, entry in enumerate(entries)
        if index not in told
        and not _passing(entry)
        and (entry.call is None or entry.call.call_id not in open_calls)
    )
    return ReplayPlan(tuple(told[index] for index in sorted(told)), lost)


@dataclass(frozen=True, slots=True)
class _Tellable:
    item: events.Item
    tokens: int


def _newest(
    entries: Sequence[HistoryEntry], max_tokens: int, too_old: Set[str], spoken: Spoken
) -> dict[int, events.Item]:
    """The items by their place: what the system said, and of the rest the newest that fit."""
    told: dict[int, events.Item] = {}
    left = max_tokens
    for index, entry in enumerate(entries):
        one = _tellable(entry, spoken) if entry.role == "system" else None
        if one is not None:
            told[index] = one.item
            left -= one.tokens
    for index in reversed(range(len(entries))):
        if index in told:
            continue
        one = _tellable(entries[index], spoken)
        if one is not None:
            left -= one.tokens
            if left < 0 or entries[index].id in too_old:
                break
            told[index] = one.item
    return told


def _tellable(entry: HistoryEntry, spoken: Spoken) -> _Tellable | None:
    turn = spoken(entry.id) if entry.type == "message" and entry.role == "user" else None
    if turn is not None:
        part = events.InputAudio(audio=b64encode(turn.pcm).decode())
        tokens = int(turn.ms / _MS_PER_TOKEN) + _TOKENS_PER_ITEM
        return _Tellable(events.UserMessage(id=entry.id, content=[part]), tokens)
    item = _item(entry)
    if item is None:
        return None
    words = entry.text if entry.call is None else entry.text + entry.call.name + entry.call.arguments
    return _Tellable(item, len(words.encode()) // _BYTES_PER_TOKEN + _TOKENS_PER_ITEM)


def _item(entry: HistoryEntry) -> events.Item | None:
    """The entry as an item of text that a server takes; None where there is nothing to tell."""
    call = entry.call
    if entry.id.startswith(NOTE):
        return None
    match entry.type:
        case "function_call" if call is not None and call.name:
            return events.FunctionCall(
                id=entry.id, call_id=call.call_id, name=call.name, arguments=call.arguments
            )
        case "function_call_output" if call is not None:
            return events.FunctionCallOutput(id=entry.id, call_id=call.call_id, output=entry.text)
        case "message" if entry.text and entry.role == "user":
            return events.user_message(entry.text, id=entry.id)
        case "message" if entry.text and entry.role == "system":
            return events.system_message(entry.text, id=entry.id)
        case "message" if entry.text and entry.role == "assistant" and entry.status != "in_progress":
            return events.assistant_message(entry.text, id=entry.id)
        case _:
            return None


def _call_id(item: events.Item) -> str | None:
    return item.call_id if isinstance(item, events.FunctionCall | events.FunctionCallOutput) else None


def _passing(entry: HistoryEntry) -> bool:
    """What is not missed: our own notes, and answers cut before the first sound, which no user knows of."""
    unheard = entry.role == "assistant" and not entry.text and entry.heard_ms == 0.0
    return unheard or entry.id.startswith(NOTE)
