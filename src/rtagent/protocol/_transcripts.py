"""What was said, utterance by utterance: which are still open, and the text of each.

The writing down runs beside everything else (rule O4): the text of one utterance may be complete after
the next has begun, or after the answer to it. So utterances are told apart by their item, stand in the
order in which they were announced, and are open from their announcement (speech was heard, or audio was
committed) until their final text, or the news that there will be none. A server that names no items
writes one utterance at a time, under the empty name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .. import events

__all__ = ("Transcript", "Transcripts")

KEPT_UTTERANCES = 10_000
"""Utterances whose texts are kept; the oldest are forgotten. A day of talking has fewer."""
NAMELESS = ""
_LOST = events.ErrorDetail(
    type="connection_lost", message="the connection was lost before this utterance was written down"
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of one utterance, as far as it is known."""

    item_id: str
    """Which utterance; empty where the server does not name them."""
    text: str
    """All of it so far: it replaces what was said about the same utterance before. One that is not final
    but says who speaks is a piece of its own, what one of several speakers said."""
    final: bool
    start_ms: float | None = None
    """Where it begins, in milliseconds of the audio that was sent."""
    end_ms: float | None = None
    speaker: str | None = None
    language: str | None = None
    """What was spoken, such as ``en``, where the server says it."""
    error: events.ErrorDetail | None = None
    """Why it could not be written down; such a transcript is final too."""


@dataclass(slots=True, eq=False)
class _Utterance:
    item_id: str
    text: str = ""
    start_ms: float | None = None
    end_ms: float | None = None
    speakers: set[str] = field(default_factory=set[str])
    open: bool = True
    said: bool = False
    """Whether ``text`` is final and counts."""

    def transcript(self, **more: Any) -> Transcript:
        return Transcript(
            self.item_id, self.text, not self.open, start_ms=self.start_ms, end_ms=self.end_ms, **more
        )


class Transcripts:
    """Owns the utterances of one session."""

    def __init__(self) -> None:
        self._order: deque[_Utterance] = deque()
        self._named: dict[str, _Utterance] = {}
        self._current: str | None = None
        """Speech that was heard and not committed yet."""
        self._ending = False
        self._handlers: dict[type[events.ServerEvent], Callable[[Any], Transcript | None]] = {
            events.InputAudioBufferSpeechStarted: self._started,
            events.InputAudioBufferSpeechStopped: self._stopped,
            events.InputAudioBufferCommitted: self._committed,
            events.InputAudioBufferCleared: self._cleared,
            events.ConversationItemDeleted: self._deleted,
            events.ConversationItemInputAudioTranscriptionDelta: self._delta,
            events.ConversationItemInputAudioTranscriptionUpdated: self._updated,
            events.ConversationItemInputAudioTranscriptionSegment: self._segment,
            events.ConversationItemInputAudioTranscriptionCompleted: self._completed,
            events.ConversationItemInputAudioTranscriptionFailed: self._failed,
            events.Error: self._error,
        }

    def receive(self, event: events.ServerEvent) -> Transcript | None:
        """Take one server event; returns what is new about an utterance, if anything is."""
        handler = self._handlers.get(type(event))
        return None if handler is None else handler(event)

    def expect(self) -> None:
        """Audio was handed over to a server that names no utterances: its text will come."""
        self._utterance(NAMELESS)

    def lost(self) -> tuple[Transcript, ...]:
        """The connection was lost, and another one is there; returns the utterances that end with that.

        What was being spoken is said again to the new one, under another name. What was handed over to
        the old one will not be written down any more.
        """
        if self._current is not None:
            self._forget(self._current)
        open_ = [utterance for utterance in self._order if utterance.open]
        return tuple(self._close(utterance.item_id).transcript(error=_LOST) for utterance in open_)

    @property
    def open(self) -> tuple[str, ...]:
        """The utterances whose final texts are still to come."""
        return tuple(utterance.item_id for utterance in self._order if utterance.open)

    @property
    def ending(self) -> bool:
        """Whether the server has heard an utterance end and is about to commit it."""
        return self._ending

    @property
    def text(self) -> str:
        """All final texts, in the order in which they were spoken."""
        return " ".join(utterance.text for utterance in self._order if utterance.said and utterance.text)

    # -- where utterances lie ----------------------------------------------------------------------

    def _started(self, event: events.InputAudioBufferSpeechStarted) -> None:
        self._current, self._ending = event.item_id or NAMELESS, False
        self._utterance(self._current).start_ms = event.audio_start_ms

    def _stopped(self, event: events.InputAudioBufferSpeechStopped) -> None:
        self._ending = self._current is not None
        utterance = self._named.get(event.item_id or self._current or NAMELESS)
        if utterance is not None:
            utterance.end_ms = event.audio_end_ms

    def _committed(self, event: events.InputAudioBufferCommitted) -> None:
        utterance = self._utterance(event.item_id or self._current or NAMELESS)
        if self._current not in (None, utterance.item_id):
            if self._ending and self._current != NAMELESS:
                return  # the program's commit came first; the server's own follows
            # A commit of the program's in the middle of speech gives it another name (rule T6).
            spoken = self._named.get(self._current or NAMELESS)
            if spoken is not None:
                utterance.start_ms, utterance.end_ms = spoken.start_ms, spoken.end_ms
                self._forget(spoken.item_id)
        self._current, self._ending = None, False

    def _cleared(self, event: events.InputAudioBufferCleared) -> None:
        if self._current is not None:
            self._forget(self._current)

    def _deleted(self, event: events.ConversationItemDeleted) -> None:
        self._forget(event.item_id)

    # -- what they say -----------------------------------------------------------------------------

    def _delta(self, event: events.ConversationItemInputAudioTranscriptionDelta) -> Transcript | None:
        return self._grow(event.item_id, lambda text: text + event.delta)

    def _updated(self, event: events.ConversationItemInputAudioTranscriptionUpdated) -> Transcript | None:
        return self._grow(event.item_id, lambda _: event.transcript)

    def _grow(self, item_id: str, change: Callable[[str], str]) -> Transcript | None:
        utterance = self._utterance(item_id)
        if not utterance.open:
            return None  # the final text stands
        utterance.text = change(utterance.text)
        return utterance.transcript()

    def _segment(self, event: events.ConversationItemInputAudioTranscriptionSegment) -> Transcript:
        if event.speaker is not None:
            self._utterance(event.item_id).speakers.add(event.speaker)
        return Transcript(
            event.item_id,
            event.text,
            final=False,
            start_ms=_ms(event.start),
            end_ms=_ms(event.end),
            speaker=event.speaker,
        )

    def _completed(self, event: events.ConversationItemInputAudioTranscriptionCompleted) -> Transcript:
        utterance = self._close(event.item_id)
        utterance.text, utterance.said = event.transcript, True
        only = next(iter(utterance.speakers)) if len(utterance.speakers) == 1 else None
        language = event.languages[0].code if event.languages else None
        return utterance.transcript(speaker=only, language=language)

    def _failed(self, event: events.ConversationItemInputAudioTranscriptionFailed) -> Transcript:
        return self._close(event.item_id).transcript(error=event.error)

    def _error(self, event: events.Error) -> Transcript | None:
        # Where nothing has a name, an error can only be about the one utterance that is being written.
        nameless = NAMELESS in self._named and event.error.event_id is None
        return self._close(NAMELESS).transcript(error=event.error) if nameless else None

    # -- the ledger --------------------------------------------------------------------------------

    def _utterance(self, item_id: str) -> _Utterance:
        utterance = self._named.get(item_id)
        if utterance is None:
            utterance = self._named[item_id] = _Utterance(item_id)
            self._order.append(utterance)
            if len(self._order) > KEPT_UTTERANCES:
                self._forget_oldest()
        return utterance

    def _close(self, item_id: str) -> _Utterance:
        if item_id not in self._named and NAMELESS in self._named:
            item_id = NAMELESS  # it was announced without its name
        utterance = self._utterance(item_id)
        utterance.open = False
        if item_id == NAMELESS:
            del self._named[NAMELESS]  # the next one is another
        return utterance

    def _forget_oldest(self) -> None:
        oldest = self._order.popleft()
        if self._named.get(oldest.item_id) is oldest:
            del self._named[oldest.item_id]

    def _forget(self, item_id: str) -> None:
        """No text will come for it."""
        utterance = self._named.pop(item_id, None)
        if utterance is not None:
            self._order.remove(utterance)
        if item_id == self._current:
            self._current, self._ending = None, False


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
