"""Speech without turns: a voice that is one endless stream, and the words of two sides that may overlap.

Theory of operation. Turn-less servers name neither items nor responses: audio just comes, and such a
server may go on sending silence while it says nothing. ``StreamVoice`` makes utterances of it. An
utterance begins with audio that can be heard and ends when there was none for ``UTTERANCE_GAP_S``,
whether nothing came or only silence did; silence between utterances is not played, so a late player
catches up there. ``TranscriptLedger`` joins transcript deltas into entries: in the order of delivery, a
new one when the other side spoke in between or after a pause. What overlaps in time did not speak in
between, so two people who talk at once do not cut each other into single words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from ..audio import AudioFormat, PlaybackItem
from ._happenings import PlayDue, VoiceEnded
from ._heard import HeardLedger
from ._items import HistoryEntry
from ._outbox import Outbox

__all__ = ("StreamVoice", "TranscriptLedger")

UTTERANCE_GAP_S = 0.4
"""Without audible audio for so long, an utterance has ended."""
WORDS_GAP_MS = 1_000
"""Words that begin so long after the last ones of their side are a new entry."""
KEPT_ENTRIES = 1_000
KEPT_CHARACTERS = 20_000
"""Of one entry; what follows is a new one."""

_QUIET_BYTES = {
    "pcm16": b"\x00\xff",  # the upper bytes of samples between -256 and 255
    "pcmu": bytes(sign | (0x7F - code) for sign in (0, 0x80) for code in range(24)),
    "pcma": bytes((sign | code) ^ 0x55 for sign in (0, 0x80) for code in range(16)),
}
"""What audio below -42 dBFS consists of: no speech has its loudest sample there."""


class StreamVoice:
    """Owns the assistant's voice where audio has no ids: its utterances, and what was heard of them.

    Args:
        outbox: takes ``PlayDue`` for each piece of audio and ``VoiceEnded`` for each utterance.
        prefix: utterances are named by it and a number, which is the item's id and the response's.
    """

    def __init__(self, outbox: Outbox, prefix: str = "voice") -> None:
        self._outbox = outbox
        self._prefix = prefix
        self._heard = HeardLedger()
        self._count = 0
        self._running_id: str | None = None
        self._sounded_at = -inf
        self._arrived_at = -inf
        self._quiet_ms = 0.0
        self._rest = b""

    @property
    def sounding(self) -> bool:
        """Whether there is voice that has not been heard to its end."""
        return self._heard.unsettled

    @property
    def running_id(self) -> str | None:
        """The utterance that is being spoken."""
        return self._running_id

    @property
    def last_id(self) -> str:
        """The utterance that began last; before the first, a name that none will have."""
        return f"{self._prefix}_{self._count}"

    @property
    def next_id(self) -> str:
        """What the next utterance will be called."""
        return f"{self._prefix}_{self._count + 1}"

    def delta(self, pcm: bytes, now: float, audio_format: AudioFormat) -> None:
        """Audio came in; a sample that it ends within is kept for the next delta (rule D6)."""
        self.handle_timeout(now)
        if now - self._arrived_at >= UTTERANCE_GAP_S:
            self._rest = b""  # the other half never came
        self._arrived_at = now
        joined = self._rest + pcm
        whole = len(joined) - len(joined) % audio_format.frame_bytes
        pcm, self._rest = joined[:whole], joined[whole:]
        if not pcm:
            return
        quiet = _is_quiet(pcm, audio_format)
        if quiet and self._running_id is None:
            return
        ms = audio_format.ms_of(whole)
        if quiet:
            self._quiet_ms += ms
        else:
            self._quiet_ms, self._sounded_at = 0.0, now
        self._play(pcm, ms)
        if self._quiet_ms >= UTTERANCE_GAP_S * 1000:
            self.end()

    def next_deadline(self) -> float | None:
        """When the utterance ends unless more of it comes."""
        return None if self._running_id is None else self._sounded_at + UTTERANCE_GAP_S

    def handle_timeout(self, now: float) -> None:
        """Time has passed: an utterance that was not continued has ended."""
        deadline = self.next_deadline()
        if deadline is not None and now >= deadline:
            self.end()

    def end(self) -> None:
        """No more audio of the running utterance will come."""
        if self._running_id is not None:
            self._heard.completed(self._running_id)
            self._outbox.tell(VoiceEnded(self._running_id))
            self._running_id = None

    def progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard of each utterance so far."""
        self._heard.progress(heard_ms)

    def finished(self, heard_ms: Mapping[str, float]) -> None:
        """Everything that was queued has been heard."""
        self._heard.progress(heard_ms)
        self._heard.settle()

    def received_ms(self, item_id: str) -> float:
        """Milliseconds of audio that came of an utterance."""
        return self._heard.received_ms(item_id) or 0.0

    def heard_ms(self, item_id: str) -> float | None:
        """Milliseconds heard of an utterance; None for one that has not begun or is long forgotten."""
        return self._heard.heard_ms(item_id)

    def _play(self, pcm: bytes, ms: float) -> None:
        if self._running_id is None:
            self._running_id = self.next_id
            self._count += 1
        item_id = self._running_id
        self._heard.received(item_id, 0, item_id, ms, in_conversation=True)
        self._outbox.tell(PlayDue(PlaybackItem(item_id, 0, response_id=item_id), pcm))


def _is_quiet(pcm: bytes, audio_format: AudioFormat) -> bool:
    loudness = pcm[1::2] if audio_format.encoding == "pcm16" else pcm
    return not loudness.strip(_QUIET_BYTES[audio_format.encoding])


_OTHER_SIDE: Mapping[str, str] = {"user": "assistant", "assistant": "user"}


@dataclass(slots=True)
class _Words:
    id: str
    role: str
    start_ms: float | None
    end_ms: float | None = None
    text: str = ""
    said: int = 0
    """The number of its last delta, counted over both sides."""
    spoken_in: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    """The utterances that carry these words, and how far into each of them the words begin (ms)."""


class TranscriptLedger:
    """Owns the words of both sides; the oldest entries go first, and are counted.

    Args:
        voice: whose utterances carry the assistant's words, to tell how much of an entry was heard.
    """

    def __init__(self, voice: StreamVoice | None = None) -> None:
        self.dropped = 0
        """Entries that had to make room for newer ones."""
        self._voice = voice
        self._entries: deque[_Words] = deque()
        self._latest: dict[str, _Words] = {}
        self._count = 0
        self._deltas = 0
        self._ended = False
        self._marked_id = ""

    def add(
        self,
        role: Literal["user", "assistant"],
        delta: str,
        start_ms: float | None = None,
        end_ms: float | None = None,
    ) -> None:
        """A piece of what one side says came in; its times are those of the session, where it has any."""
        if not delta:
            return
        entry = self._latest.get(role)
        if entry is None or not self._goes_on(entry, delta, start_ms):
            entry = self._begin(role, start_ms)
        entry.text += delta
        entry.end_ms = end_ms
        self._deltas += 1
        entry.said = self._deltas
        if role == "assistant" and self._voice is not None:
            self._mark(entry, self._voice)

    def end(self) -> None:
        """No more words will come."""
        self._ended = True

    def restart(self) -> None:
        """Another session begins, whose time counts from the beginning: what is said from now on is new."""
        self._latest.clear()
        self._ended = False
        self._deltas += 1  # what was said until now is complete

    @property
    def entries(self) -> tuple[HistoryEntry, ...]:
        """What was said, in the order in which each entry began to be delivered."""
        heard_ms = self._heard_ms()
        return tuple(
            HistoryEntry(
                id=entry.id,
                role=entry.role,
                type="message",
                text=entry.text,
                status="completed" if self._ended or entry.said < self._deltas else "in_progress",
                heard_ms=heard_ms.get(entry.id),
            )
            for entry in self._entries
        )

    def _goes_on(self, entry: _Words, delta: str, start_ms: float | None) -> bool:
        if len(entry.text) + len(delta) > KEPT_CHARACTERS:
            return False
        other = self._latest.get(_OTHER_SIDE[entry.role])
        spoke_since = other is not None and other.said > entry.said
        if start_ms is None or entry.end_ms is None:
            return not spoke_since
        if start_ms - entry.end_ms > WORDS_GAP_MS:
            return False
        if other is None or other.start_ms is None:
            return not spoke_since
        return not (spoke_since and entry.end_ms <= other.start_ms <= start_ms)

    def _begin(self, role: str, start_ms: float | None) -> _Words:
        self._count += 1
        entry = self._latest[role] = _Words(f"words_{self._count}", role, start_ms)
        self._entries.append(entry)
        if len(self._entries) > KEPT_ENTRIES:
            oldest = self._entries.popleft()
            self.dropped += 1
            if self._latest.get(oldest.role) is oldest:
                del self._latest[oldest.role]
        return entry

    def _mark(self, entry: _Words, voice: StreamVoice) -> None:
        known_id = entry.spoken_in[-1][0] if entry.spoken_in else None
        item_id = voice.running_id
        if item_id is None:
            if known_id is not None:
                return
            # Words behind their sound belong to an utterance that has none yet, otherwise they are ahead.
            behind = voice.heard_ms(voice.last_id) is not None and voice.last_id != self._marked_id
            item_id = voice.last_id if behind else voice.next_id
        if item_id != known_id:
            start_ms = voice.received_ms(item_id) if item_id == self._marked_id else 0.0
            entry.spoken_in.append((item_id, start_ms))
            self._marked_id = item_id

    def _heard_ms(self) -> dict[str, float]:
        """How much was heard of each entry: its share of the utterances that carry it."""
        if self._voice is None:
            return {}
        shares: dict[str, list[tuple[str, float]]] = {}
        for entry in self._entries:
            for item_id, start_ms in entry.spoken_in:
                shares.setdefault(item_id, []).append((entry.id, start_ms))
        heard_ms: dict[str, float] = {}
        for item_id, starts in shares.items():
            until_ms = self._voice.heard_ms(item_id)
            if until_ms is None:
                continue
            ends = [start_ms for _, start_ms in starts[1:]] + [inf]
            for (entry_id, start_ms), end_ms in zip(starts, ends, strict=True):
                share_ms = max(0.0, min(until_ms, end_ms) - start_ms)
                heard_ms[entry_id] = heard_ms.get(entry_id, 0.0) + share_ms
        return heard_ms
