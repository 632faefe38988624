"""One item as the server holds it: its announced form, its sound, and what the brain reads of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from .. import events
from ..audio import AudioFormat
from ._brain import Utterance
from ._conversation_work import PartKey
from ._validation import check_item, decoded_audio

__all__ = ("Entry", "Sound", "entry_of", "utterances")

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

    @property
    def characters(self) -> int:
        """The size of what the client sent with it, sound excluded."""
        texts = [getattr(self.item, name, "") for name in ("arguments", "output", "name")]
        for part in _content(self.item):
            texts += [getattr(part, name, "") for name in ("text", "image_url")]
        return sum(len(text or "") for text in texts)

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
            entry.replace_part(
                index,
                events.InputAudio(transcript=part.transcript) if part.transcript else events.InputAudio(),
            )
    return entry


def utterances(entries: Iterable[Entry]) -> list[Utterance]:
    """What the brain reads: one utterance for each item, in conversation order."""
    said: list[Utterance] = []
    names: dict[str, str] = {}
    for entry in entries:
        item = entry.item
        if isinstance(item, events.FunctionCall):
            names[item.call_id or ""] = item.name
            said.append(Utterance("tool_call", item.arguments, item.name, item.call_id or ""))
        elif isinstance(item, events.FunctionCallOutput):
            said.append(Utterance("tool_output", item.output, names.get(item.call_id, ""), item.call_id))
        elif isinstance(item, (events.SystemMessage, events.UserMessage, events.AssistantMessage)):
            said.append(Utterance(item.role, entry.text()))
    return said
