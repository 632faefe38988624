"""The conversation's items: their order, their sound, and what the brain reads of them."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from .. import events
from ..audio import AudioFormat
from ._brain import Utterance
from ._conversation_work import Outlet, PartKey
from ._validation import Refusal, check_item, check_item_id, decoded_audio

__all__ = ("Entry", "ItemLedger", "Sound", "entry_of", "utterances")

MAX_ITEMS: Final = 10_000
"""Items of one conversation; a client's further one is refused."""
KEPT_AUDIO_BYTES: Final = 64 * 1024 * 1024
"""Sound kept for ``conversation.item.retrieve``, in decoded bytes; beyond that the oldest goes."""
RETRIEVED_AUDIO_BYTES: Final = 4_500_000
"""Sound of one retrieved item: about 6 MB in base64, since some clients take 8 MiB per message (S17)."""

_WORD: Final = re.compile(r"\S+\s*")


@dataclass(slots=True, eq=False)
class Sound:
    """The sound of one content part."""

    format: AudioFormat
    data: bytearray = field(default_factory=bytearray)
    ms: float = 0.0
    """Its duration, also when the bytes are no longer kept."""
    text: str | None = None
    """What is said in it; None while it is being recognised."""
    pieces: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """Of the assistant's voice: each piece of text with the milliseconds in which it is said."""
    cut: bool = False
    """It was truncated: nothing is added any more."""

    def extend(self, audio: bytes, text: str) -> None:
        """Add voice; sound without a text belongs to the text before it."""
        if self.cut:
            return
        ms = self.format.ms_of(len(audio))
        self.data += audio
        self.ms += ms
        self.text = (self.text or "") + text
        if text or not self.pieces:
            self.pieces.append((text, ms))
        else:
            before, lasted_ms = self.pieces[-1]
            self.pieces[-1] = (before, lasted_ms + ms)

    def truncate(self, end_ms: int) -> None:
        """Keep the sound up to there, and of the text what was said by then."""
        self.text = "".join(_said(self.pieces, end_ms)).strip()
        self.ms = min(self.ms, float(end_ms))
        del self.data[self.format.bytes_of(end_ms) :]
        self.cut = True


def _said(pieces: Iterable[tuple[str, float]], end_ms: float) -> Iterable[str]:
    """The text up to a time; of the piece that was cut, the share of its words that had their time."""
    left_ms = end_ms
    for text, lasts_ms in pieces:
        if left_ms >= lasts_ms:
            yield text
            left_ms -= lasts_ms
            continue
        words = _WORD.findall(text)
        yield "".join(words[: int(len(words) * left_ms / lasts_ms)])
        return


@dataclass(slots=True, eq=False)
class Entry:
    """One item as the server holds it."""

    item: events.Item
    """The item without sound, as it is announced."""
    sounds: dict[int, Sound] = field(default_factory=dict[int, Sound])
    """The sound of its audio parts, by content index."""

    @property
    def id(self) -> str:
        """The item's id; every item that is held has one."""
        return self.item.id or ""

    def unheard(self) -> list[PartKey]:
        """The parts whose words are not known yet."""
        return [PartKey(self.id, index) for index, sound in self.sounds.items() if sound.text is None]

    def text(self) -> str:
        """What is said or written in the item."""
        spoken = {index: sound.text or "" for index, sound in self.sounds.items()}
        written = {index: _written(part) for index, part in enumerate(_content(self.item))}
        return " ".join(filter(None, ({**written, **spoken}[index].strip() for index in sorted(written))))

    def replace(self, **changes: Any) -> None:
        """Change fields of the announced item."""
        self.item = self.item.model_copy(update=changes)

    def replace_part(self, index: int, part: events.InputAudio | events.OutputAudio) -> None:
        """Change one content part of the announced item."""
        content = list(_content(self.item))
        content[index] = part
        self.replace(content=tuple(content))

    def with_audio(self) -> events.Item:
        """The item with its sound, unless that is too much for one message."""
        if not 0 < sum(len(sound.data) for sound in self.sounds.values()) <= RETRIEVED_AUDIO_BYTES:
            return self.item
        content = list(_content(self.item))
        for index, sound in self.sounds.items():
            encoded = base64.b64encode(sound.data).decode()
            content[index] = content[index].model_copy(update={"audio": encoded})
        return self.item.model_copy(update={"content": tuple(content)})


def _content(item: events.Item) -> tuple[Any, ...]:
    return tuple(getattr(item, "content", ()))


def _written(part: Any) -> str:
    """The text of a part that has no sound here."""
    return getattr(part, "text", None) or getattr(part, "transcript", None) or ""


def entry_of(item: events.Item, item_id: str, layout: AudioFormat) -> Entry:
    """The entry of an item that a client sent: its sound is taken out of the announced form.

    Raises:
        Refusal: the item cannot be created by a client.
    """
    check_item(item)
    entry = Entry(item.model_copy(update={"id": item_id, "object": "realtime.item", "status": "completed"}))
    for index, part in enumerate(_content(item)):
        if isinstance(part, events.InputAudio):
            audio = decoded_audio(part.audio, f"item.content[{index}].audio")
            audio = audio[: len(audio) - len(audio) % layout.frame_bytes]
            entry.sounds[index] = Sound(layout, bytearray(audio), layout.ms_of(len(audio)))
            silent = {"transcript": part.transcript} if part.transcript else {}
            entry.replace_part(index, events.InputAudio(**silent))
    return entry


def utterances(entries: Iterable[Entry]) -> list[Utterance]:
    """What the brain reads: one utterance for each item, in conversation order."""
    said: list[Utterance] = []
    names: dict[str, str] = {}
    for entry in entries:
        item = entry.item
        if isinstance(item, events.FunctionCall):
            names[item.call_id or ""] = item.name
            said.append(Utterance("call", item.arguments, name=item.name, call_id=item.call_id))
        elif isinstance(item, events.FunctionCallOutput):
            said.append(Utterance("tool", item.output, name=names.get(item.call_id), call_id=item.call_id))
        elif isinstance(item, (events.SystemMessage, events.UserMessage, events.AssistantMessage)):
            said.append(Utterance(item.role, entry.text()))
    return said


class ItemLedger:
    """Owns the items of the conversation and tells the client of every change."""

    def __init__(self, out: Outlet) -> None:
        self._out = out
        self._order: list[Entry] = []
        self._by_id: dict[str, Entry] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The items in conversation order."""
        return tuple(self._order)

    @property
    def last_id(self) -> str | None:
        """The id of the last item; None while there is none."""
        return self._order[-1].id if self._order else None

    def find(self, item_id: str) -> Entry | None:
        """The item of that id."""
        return self._by_id.get(item_id)

    def create(self, item: events.Item, previous_item_id: str | None, layout: AudioFormat) -> Entry:
        """Put a client's item into its place: at the end, behind another item, or in front (``root``).

        Raises:
            Refusal: id, content or predecessor cannot be.
        """
        if len(self._order) >= MAX_ITEMS:
            message = f"the conversation holds {MAX_ITEMS} items: delete some"
            raise Refusal(message, code="conversation_full")
        item_id = self._fresh_id(item)
        place = self._place_behind(previous_item_id)
        entry = entry_of(item, item_id, layout)
        self.announce(entry, place)
        self.finish(entry)
        return entry

    def announce(self, entry: Entry, place: int | None = None) -> None:
        """Take an item in, at the end unless a place is given, and say that it was added."""
        place = len(self._order) if place is None else place
        previous = self._order[place - 1].id if place else None
        self._order.insert(place, entry)
        self._by_id[entry.id] = entry
        self._out.send(events.ConversationItemAdded(previous_item_id=previous, item=entry.item))
        self._keep_within_bounds()

    def finish(self, entry: Entry) -> None:
        """Say that an item is complete, unless it was deleted meanwhile."""
        if entry.id in self._by_id:
            place = self._order.index(entry)
            previous = self._order[place - 1].id if place else None
            self._out.send(events.ConversationItemDone(previous_item_id=previous, item=entry.item))

    def retrieve(self, item_id: str) -> None:
        """Answer with the whole item, sound included."""
        self._out.send(events.ConversationItemRetrieved(item=self._known(item_id).with_audio()))

    def delete(self, item_id: str) -> Entry:
        """Take an item out; returns what it was."""
        entry = self._known(item_id)
        self._order.remove(entry)
        del self._by_id[item_id]
        self._out.send(events.ConversationItemDeleted(item_id=item_id))
        return entry

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut the assistant's voice to what was heard; the transcript goes with the rest (S17).

        Raises:
            Refusal: no such voice, or the time lies outside of it.
        """
        entry = self._known(item_id)
        sound = entry.sounds.get(content_index)
        if sound is None or not isinstance(entry.item, events.AssistantMessage):
            message = "Only model output audio messages can be truncated"
            raise Refusal(message, code="unsupported_content_type", param="item_id")
        if audio_end_ms < 0:
            message = f"audio_end_ms is 0 or more, not {audio_end_ms}"
            raise Refusal(message, code="integer_below_min_value", param="audio_end_ms")
        if audio_end_ms > math.ceil(sound.ms):
            message = f"Audio content of {sound.ms:.0f} ms is already shorter than {audio_end_ms} ms"
            raise Refusal(message, code="invalid_value", param="audio_end_ms")
        sound.truncate(audio_end_ms)
        entry.replace_part(content_index, events.OutputAudio())
        self._out.send(
            events.ConversationItemTruncated(
                item_id=item_id, content_index=content_index, audio_end_ms=audio_end_ms
            )
        )

    def resolved(self, items: Iterable[events.Item], layout: AudioFormat) -> list[Entry]:
        """The context of a response that names its own input; references point into the conversation."""
        return [self._resolved(item, layout) for item in items]

    def _resolved(self, item: events.Item, layout: AudioFormat) -> Entry:
        if isinstance(item, events.ItemReference):
            return self._known(item.id, param="response.input")
        return entry_of(item, self._out.new_id("item"), layout)

    def _fresh_id(self, item: events.Item) -> str:
        item_id = item.id
        if item_id is None:
            return self._out.new_id("item")
        check_item_id(item_id)
        if item_id in self._by_id:
            message = f"the conversation already has an item {item_id!r}"
            raise Refusal(message, code="item_create_duplicate_item_id", param="item.id")
        return item_id

    def _place_behind(self, previous_item_id: str | None) -> int:
        if previous_item_id is None:
            return len(self._order)
        if previous_item_id == "root":
            return 0
        return self._order.index(self._known(previous_item_id, param="previous_item_id")) + 1

    def _known(self, item_id: str, param: str = "item_id") -> Entry:
        entry = self._by_id.get(item_id)
        if entry is None:
            message = f"the conversation has no item {item_id!r}"
            raise Refusal(message, code="item_not_found", param=param)
        return entry

    def _keep_within_bounds(self) -> None:
        """Forget the oldest sound beyond the bound; durations and words stay."""
        kept = 0
        for entry in reversed(self._order):
            for sound in entry.sounds.values():
                kept += len(sound.data)
                if kept > KEPT_AUDIO_BYTES:
                    sound.data.clear()
