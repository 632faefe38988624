"""The heard ledger: what of each voice item was received, what of it was heard, and what to cut.

The server generates faster than real time and does not know what was played (protocol document,
15.7). When the voice is stopped, the sink says how many milliseconds of each item left the device;
this ledger turns that into the fewest true corrections: the item that was being heard is truncated
at what was heard, items never heard are deleted, and what was heard to its end is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

__all__ = ("Cut", "HeardLedger", "heard_text")

KEPT_ITEMS = 1_000
"""Voice items remembered; the oldest are forgotten, long after anything could cut them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One correction: ``audio_end_ms`` is None for an item that was never heard."""

    item_id: str
    content_index: int
    response_id: str | None
    audio_end_ms: int | None


@dataclass(slots=True)
class _Voice:
    content_index: int
    response_id: str | None
    in_conversation: bool
    received_ms: float = 0.0
    heard_ms: float = 0.0
    complete: bool = False


class HeardLedger:
    """Owns, per voice item, how much was received and how much was heard (milliseconds)."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._open: dict[str, _Voice] = {}
        """Those that can still be cut: few, however long the conversation is."""

    def received(
        self, item_id: str, content_index: int, response_id: str | None, ms: float, *, in_conversation: bool
    ) -> None:
        """Audio of an item came in."""
        voice = self._voices.get(item_id)
        if voice is None:
            voice = _Voice(content_index, response_id, in_conversation)
            self._voices[item_id] = self._open[item_id] = voice
            while len(self._voices) > KEPT_ITEMS:
                self.forget(next(iter(self._voices)))
        voice.received_ms += ms

    def known(self) -> tuple[str, ...]:
        """The ids of all voice items that are remembered."""
        return tuple(self._voices)

    def completed(self, response_id: str) -> None:
        """No more audio of this response will come."""
        for voice in self._open.values():
            if voice.response_id == response_id:
                voice.complete = True

    def progress(self, heard_ms: Mapping[str, float]) -> None:
        """The sink's account of what was heard; it never goes back and never passes what was received."""
        for item_id, ms in heard_ms.items():
            voice = self._voices.get(item_id)
            if voice is not None:
                voice.heard_ms = min(max(voice.heard_ms, ms), voice.received_ms)

    def settle(self) -> None:
        """The voice was heard to its end: nothing of what was received can be cut any more."""
        self._open = {item_id: voice for item_id, voice in self._open.items() if not voice.complete}

    def cut(self, heard_ms: Mapping[str, float]) -> list[Cut]:
        """The voice was stopped: what the server must be told, in the order in which it was spoken."""
        self.progress(heard_ms)
        cuts: list[Cut] = []
        for item_id, voice in self._open.items():
            heard_whole = voice.complete and voice.received_ms - voice.heard_ms < 1.0
            if heard_whole or not voice.in_conversation or voice.received_ms <= 0.0:
                continue
            # Rule I5: never truncate at 0 ms; what nobody heard is taken out of the conversation.
            end_ms = floor(voice.heard_ms)
            cuts.append(Cut(item_id, voice.content_index, voice.response_id, end_ms if end_ms >= 1 else None))
        self._open = {}
        return cuts

    def forget(self, item_id: str) -> None:
        """The item is gone from the conversation."""
        self._voices.pop(item_id, None)
        self._open.pop(item_id, None)

    def received_ms(self, item_id: str) -> float | None:
        """Milliseconds received of an item; None for one that has no voice."""
        voice = self._voices.get(item_id)
        return None if voice is None else voice.received_ms

    def heard_ms(self, item_id: str) -> float | None:
        """Milliseconds heard of an item; None for one that has no voice."""
        voice = self._voices.get(item_id)
        return None if voice is None else voice.heard_ms

    @property
    def unsettled(self) -> bool:
        """Whether there is voice that has not been heard to its end."""
        return any(voice.received_ms > 0.0 for voice in self._open.values())

    def response_of(self, item_id: str) -> str | None:
        """The response that an item's voice belongs to."""
        voice = self._voices.get(item_id)
        return None if voice is None else voice.response_id

    def being_heard(self) -> str | None:
        """The item that was last heard but not to its end."""
        partly = [item_id for item_id, voice in self._open.items() if voice.heard_ms > 0.0]
        return partly[-1] if partly else None


def heard_text(text: str, heard_ms: float, received_ms: float) -> str:
    """An estimate of the words heard: the text cut in proportion to the time, at the end of a word."""
    if received_ms <= 0.0 or heard_ms >= received_ms:
        return text if heard_ms > 0.0 or received_ms <= 0.0 else ""
    end = floor(len(text) * heard_ms / received_ms)
    if end < len(text) and not text[end].isspace():
        end = text.rfind(" ", 0, end + 1)
    return text[: max(end, 0)].rstrip()
