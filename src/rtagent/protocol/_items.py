"""The item ledger: the conversation in its order, with what is known of each item.

Order comes from ``previous_item_id`` and not from arrival (protocol document, 15.6). Items are linked,
and the order is read off the links when somebody asks: an item stands behind the one it names, the
one that was put there last nearest; items that name none, or one that is not known yet, stand in the
order of their arrival. Texts are kept per content part; a final text replaces the deltas before it. A
deleted item stays deleted: events about it that were already under way do not bring it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .. import events
from ._heard import heard_text

__all__ = ("CallEntry", "HistoryEntry", "ItemLedger")

KEPT_DELETED = 256
"""Ids of deleted items remembered."""


@dataclass(frozen=True, slots=True)
class CallEntry:
    """The function call that an item holds, or, in an output, the one that it answers."""

    call_id: str
    name: str = ""
    """Empty in an output."""
    arguments: str = ""
    """JSON text, as the model wrote it; empty in an output."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One item of the conversation, as far as it is known now."""

    id: str
    role: str
    """``user``, ``assistant`` or ``system``; ``tool`` for calls and their outputs."""
    type: str
    """The item's type on the wire, such as ``message`` or ``function_call``."""
    text: str
    """What was written, said or heard; a call's output for ``function_call_output``."""
    status: str
    """``completed``, ``incomplete`` or ``in_progress``."""
    heard_ms: float | None = None
    """How much of an assistant's voice was heard; None for what has no voice."""
    call: CallEntry | None = None


@dataclass(slots=True)
class _Entry:
    id: str
    role: str = ""
    type: str = "message"
    status: str = "in_progress"
    texts: dict[int, str] = field(default_factory=dict[int, str])
    final: set[int] = field(default_factory=set[int])
    since: float = 0.0
    """When it was first heard of: monotonic seconds."""
    previous: str | None = None
    linked: int = 0
    """When the link was made: counts up."""
    heard_ms: float | None = None
    received_ms: float = 0.0
    cut: bool = False
    call_id: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def text(self) -> str:
        whole = " ".join(self.texts[index] for index in sorted(self.texts) if self.texts[index])
        return heard_text(whole, self.heard_ms or 0.0, self.received_ms) if self.cut else whole


_TEXT_PARTS = (events.InputText, events.OutputText)
_VOICE_PARTS = (events.InputAudio, events.OutputAudio)


class ItemLedger:
    """Owns the items of one conversation."""

    def __init__(self) -> None:
        self.now = 0.0
        """The time of what is being read: monotonic seconds."""
        self._entries: dict[str, _Entry] = {}
        self._deleted: dict[str, None] = {}
        self._order: list[_Entry] | None = None
        self._links = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._entries

    def __iter__(self) -> Iterator[HistoryEntry]:
        if self._order is None:
            self._order = _ordered(self._entries)
        return (_snapshot(entry) for entry in self._order)

    def get(self, item_id: str) -> HistoryEntry | None:
        """One item, or None."""
        entry = self._entries.get(item_id)
        return None if entry is None else _snapshot(entry)

    def spoken_to(self, item_id: str) -> None:
        """The user began to speak: the item that will hold it has its place from now on (rule O8)."""
        self._entry(item_id).role = "user"

    def put(self, item: events.Item, *, previous_item_id: str | None = None, placed: bool = False) -> None:
        """An item was announced or finished.

        Args:
            item: the item as the server shows it.
            previous_item_id: the item before it.
            placed: whether ``previous_item_id`` was part of the event at all.
        """
        if item.id is None or item.id in self._deleted:
            return
        entry = self._entry(item.id)
        _read(entry, item)
        if placed and previous_item_id is not None and previous_item_id != item.id:
            self._links += 1
            entry.previous, entry.linked, self._order = previous_item_id, self._links, None

    def text(
        self,
        item_id: str,
        content_index: int,
        *,
        delta: str = "",
        so_far: str | None = None,
        final: str | None = None,
        role: str = "",
    ) -> None:
        """Text of a part: a piece of it, all of it until now (which may rewrite it), or all of it.

        ``role`` says whose it is, where no item was announced.
        """
        if item_id in self._deleted:
            return
        entry = self._entry(item_id)
        entry.role = entry.role or role
        if final is not None:
            entry.texts[content_index] = final
            entry.final.add(content_index)
        elif content_index in entry.final:
            return
        elif so_far is not None:
            entry.texts[content_index] = so_far
        else:
            entry.texts[content_index] = entry.texts.get(content_index, "") + delta

    def call_named(self, item_id: str) -> str:
        """The function name that was announced for a call item; empty when it was not."""
        entry = self._entries.get(item_id)
        return "" if entry is None else entry.name

    def heard(self, item_id: str, heard_ms: float, received_ms: float, *, cut: bool) -> None:
        """How much of an item's voice was heard; ``cut`` when it was stopped before its end."""
        entry = self._entries.get(item_id)
        if entry is not None:
            entry.heard_ms, entry.received_ms = heard_ms, received_ms
            if cut:
                entry.cut, entry.status = True, "incomplete"

    def delete(self, item_id: str) -> None:
        """The item is gone; an id that is not known changes nothing else."""
        self._deleted[item_id] = None
        while len(self._deleted) > KEPT_DELETED:
            del self._deleted[next(iter(self._deleted))]
        self._take_out(item_id)

    def break_off(self, kept: Callable[[str], bool], *, again: str | None = None) -> None:
        """The connection is gone: what was under way comes no further.

        Messages end where they are. What holds nothing yet is taken out: it will come again, as another item.

        Args:
            kept: whether the sound of that item is known on our side.
            again: the item of what the user is about to say again.
        """
        for entry in [entry for entry in self._entries.values() if entry.status == "in_progress"]:
            if entry.type == "message" and entry.id != again and (entry.text or kept(entry.id)):
                entry.status = "completed" if entry.role == "user" else "incomplete"
            else:
                self._take_out(entry.id)

    def older(self, than: float) -> frozenset[str]:
        """The items that were first heard of before that time."""
        return frozenset(entry.id for entry in self._entries.values() if entry.since < than)

    def _take_out(self, item_id: str) -> None:
        gone = self._entries.pop(item_id, None)
        if gone is not None:
            self._order = None
            for entry in self._entries.values():
                if entry.previous == item_id:
                    entry.previous = gone.previous

    def _entry(self, item_id: str) -> _Entry:
        entry = self._entries.get(item_id)
        if entry is None:
            entry = self._entries[item_id] = _Entry(item_id, since=self.now)
            self._order = None
        return entry


def _ordered(entries: dict[str, _Entry]) -> list[_Entry]:
    behind: dict[str, list[_Entry]] = {}
    roots: list[_Entry] = []
    for entry in entries.values():
        known = entry.previous is not None and entry.previous in entries
        (behind.setdefault(entry.previous or "", []) if known else roots).append(entry)
    order: list[_Entry] = []
    placed: set[str] = set()
    # What a hostile server links in a circle hangs on no root: it comes last.
    for root in (*roots, *entries.values()):
        stack = [root]
        while stack:
            entry = stack.pop()
            if entry.id not in placed:
                placed.add(entry.id)
                order.append(entry)
                stack += sorted(behind.get(entry.id, ()), key=lambda follower: follower.linked)
    return order


def _snapshot(entry: _Entry) -> HistoryEntry:
    call = None
    if entry.type == "function_call":
        call = CallEntry(entry.call_id, entry.name, entry.arguments)
    elif entry.type == "function_call_output":
        call = CallEntry(entry.call_id)
    return HistoryEntry(entry.id, entry.role, entry.type, entry.text, entry.status, entry.heard_ms, call)


def _read(entry: _Entry, item: events.Item) -> None:
    entry.type = item.type
    status = getattr(item, "status", None)
    if status is not None and not entry.cut:
        entry.status = status
    match item:
        case events.FunctionCall():
            entry.role = "tool"
            entry.call_id, entry.arguments = item.call_id or item.id or entry.id, item.arguments
            entry.name = item.name or entry.name
        case events.FunctionCallOutput():
            entry.role, entry.call_id = "tool", item.call_id
            entry.status = "completed"  # an output comes whole, whatever a server says of it
            entry.texts[0] = item.output
        case events.SystemMessage() | events.UserMessage() | events.AssistantMessage():
            entry.role = item.role
            _read_parts(entry, item.content)
        case _:
            entry.role = entry.role or "system"


def _read_parts(entry: _Entry, parts: Sequence[events.Part]) -> None:
    for index, part in enumerate(parts):
        text: str | None = None
        if isinstance(part, _TEXT_PARTS):
            text = part.text
        elif isinstance(part, _VOICE_PARTS):
            text = part.transcript
        if text and index not in entry.final:
            entry.texts[index] = text
