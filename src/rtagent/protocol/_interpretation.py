"""The pure core of a translation session: speech in, the same speech in another language out.

There are no turns, items or responses, and nobody interrupts: the server translates what it hears while
it hears it. So this core has no gate and no tools. The voice is cut into utterances where it pauses, the
transcripts of both languages become the history, and everything that belongs to a conversation is refused
with the reason.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Literal

from .. import events
from ..audio import AudioFormat
from ..errors import LocalProtocolError
from ..events import translation
from ..events.lifecycle import SessionState
from ._begin_again import BeginAgain
from ._formats import USABLE_RATES, Effective
from ._happenings import Answered, Happening, Refused, Undelivered
from ._interpretation_phrases import TranslationPhrases
from ._items import HistoryEntry
from ._outbox import Outbox
from ._response import Usage
from ._stream import StreamVoice, TranscriptLedger

__all__ = ("Interpretation",)

KEPT_EXPECTATIONS = 64
"""Unanswered sends remembered; the oldest is forgotten first."""
WORDS_MS = 1_000
"""How long the words of one delta may take to say. Both languages run side by side all the time: without
this the one would cut the other's sentences into single words."""
_ANSWERS = {"session.update": "session.updated", "session.close": "session.closed"}


class Interpretation:
    """One translation session. Not for use from two threads or two tasks at once.

    Args:
        new_id: makes a new id with the given prefix, unique in this session.
        dialect: what the server is called, for messages.
    """

    def __init__(self, *, new_id: Callable[[str], str], dialect: events.Dialect = events.TRANSLATION) -> None:
        self.dialect = dialect
        self.config: translation.TranslationSession | None = None
        """The server's last snapshot of the session, None before the first."""
        self.effective = Effective()
        """24 kHz both ways, unless the voice that comes says otherwise."""
        self.close_reason: str | None = None
        self.phrases = TranslationPhrases(dialect)
        self._outbox = Outbox(new_id)
        self._voice = StreamVoice(self._outbox)
        self._words = TranscriptLedger(self._voice)
        self._mono = _FirstChannel()
        self._waiting: OrderedDict[str, str] = OrderedDict()
        self._closing = False
        self._began: float | None = None
        self.resumption = BeginAgain(self._break_off, self.receive, lambda: not self._voice.sounding)
        """What was said while there was no connection is not translated: it would come too late."""

    # -- from the server ---------------------------------------------------------------------------

    def receive(self, event: events.ServerEvent, now: float) -> None:
        """Take one server event. Then take ``happenings()`` and ``events_to_send()``."""
        match event:
            case translation.SessionOutputAudioDelta():
                self._hear(event, now)
            case translation.SessionInputTranscriptDelta():
                self._note("user", event.delta, event.elapsed_ms, now)
            case translation.SessionOutputTranscriptDelta():
                self._note("assistant", event.delta, event.elapsed_ms, now)
            case translation.SessionCreated() | translation.SessionUpdated():
                self.config = event.session
            case translation.SessionClosed():
                self.close_reason = "close_requested" if self._closing else "closed"
                self._voice.end()
                self._words.end()
            case events.Error():
                self._refused(event.error)
            case _:
                return
        self._answered(event)

    # -- what to send ------------------------------------------------------------------------------

    def send(self, event: events.ClientEvent, now: float, *, awaited: bool = False) -> str:
        """Queue a client event of this vocabulary.

        Returns:
            The event's id, which ``Answered`` or ``Refused`` name where ``awaited``.

        Raises:
            Unsupported: an event of another vocabulary, also where its wire type is the same.
        """
        self.phrases.check(event)
        self._closing = self._closing or isinstance(event, translation.SessionClose)
        event_id = self._outbox.send(event).event_id or ""
        if awaited and event.type in _ANSWERS:
            self._waiting[event_id] = _ANSWERS[event.type]
            if len(self._waiting) > KEPT_EXPECTATIONS:
                self._waiting.popitem(last=False)
        elif awaited:
            self._outbox.tell(Answered(event_id, None))
        return event_id

    def create_response(self, params: events.ResponseParams | None, now: float) -> str:
        """There are no responses.

        Raises:
            Unsupported: always.
        """
        self.phrases.refuse("responses", "it translates what it hears while it hears it")

    # -- what happens on our side ------------------------------------------------------------------

    def interrupt(self, now: float) -> None:
        """The interpreter cannot be interrupted.

        Raises:
            Unsupported: always.
        """
        self.phrases.refuse("interruptions", "mute the source, or detach the sink, to have quiet")

    def playback_stopped(self, heard_ms: Mapping[str, float] | None, now: float) -> None:
        """The sink is silent; ``heard_ms`` per utterance, None when no sink is attached."""
        self._voice.end()
        self._voice.finished(heard_ms or {})

    def playback_progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard of each utterance so far."""
        self._voice.progress(heard_ms)

    def playback_finished(self, heard_ms: Mapping[str, float], now: float) -> None:
        """Everything that was to be played has been heard."""
        self._voice.finished(heard_ms)

    def tool_finished(self, call_id: str, output: str, now: float, *, follow_up: bool = True) -> None:
        """There are no function calls.

        Raises:
            LocalProtocolError: always.
        """
        message = f"no call {call_id!r} runs: a translation session has no tools"
        raise LocalProtocolError(message)

    def audio_written(self, pcm: bytes, ms: float, captured_at: float) -> None:
        """Input audio was appended: nothing here depends on its position."""
        self.resumption.wrote(ms)

    def give_up(self, event_id: str) -> None:
        """Nobody waits for the answer to this send any more."""
        self._waiting.pop(event_id, None)

    def drop_response(self, request_id: str, now: float, *, spare_voice: bool = False) -> None:
        """Nothing to do: no response can be asked for."""

    # -- hand-over ---------------------------------------------------------------------------------

    def events_to_send(self) -> list[events.ClientEvent]:
        """The events to send now, in this order; the list starts empty again."""
        return self._outbox.take_events()

    def happenings(self) -> list[Happening]:
        """What the shell must carry out now, in this order; the list starts empty again."""
        return self._outbox.take_happenings()

    def next_deadline(self) -> float | None:
        """When the utterance that is being spoken ends, unless more of it comes."""
        return self._voice.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Time has passed: the utterance may have ended."""
        self._voice.handle_timeout(now)

    # -- state -------------------------------------------------------------------------------------

    @property
    def greeted(self) -> bool:
        """Whether the server has said that the session is there."""
        return self.config is not None

    @property
    def state(self) -> SessionState:
        """``speaking`` while there is translation that was not heard to its end."""
        if self.resumption.away:
            return "reconnecting"
        return "speaking" if self._voice.sounding else "listening"

    @property
    def quiet(self) -> bool:
        """Whether there is a connection, and the voice is silent."""
        return not self.resumption.away and not self._voice.sounding

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """What was said (``user``) and its translation (``assistant``), as far as they were written down."""
        return self._words.entries

    @property
    def usage(self) -> Usage:
        """Nothing: this vocabulary does not count."""
        return Usage()

    @property
    def late_audio_ms(self) -> float:
        """Nothing: nobody interrupts."""
        return 0.0

    # -- what each server event means ---------------------------------------------------------------

    def _hear(self, event: translation.SessionOutputAudioDelta, now: float) -> None:
        rate = event.sample_rate if event.sample_rate in USABLE_RATES else None
        output = AudioFormat.pcm16(rate or self.effective.output_format.rate)
        if output != self.effective.output_format:
            self.effective = Effective(output_format=output)
        self._voice.delta(self._mono.of(event.audio, max(1, event.channels or 1)), now, output)

    def _note(
        self, role: Literal["user", "assistant"], delta: str, elapsed_ms: int | None, now: float
    ) -> None:
        if self._began is None:
            self._began = now
        start_ms = float(elapsed_ms) if elapsed_ms is not None else (now - self._began) * 1000
        self._words.add(role, delta, start_ms, start_ms + WORDS_MS)

    def _break_off(self) -> None:
        self.config, self.close_reason, self._began = None, None, None
        self._voice.end()
        self._words.restart()
        self._mono = _FirstChannel()
        sent = {answer: kind for kind, answer in _ANSWERS.items()}
        for event_id, answer in self._waiting.items():
            self._outbox.tell(Undelivered(event_id, sent[answer]))
        self._waiting.clear()

    def _answered(self, event: events.ServerEvent) -> None:
        for event_id, kind in self._waiting.items():
            if kind == event.type:
                del self._waiting[event_id]
                self._outbox.tell(Answered(event_id, event))
                return

    def _refused(self, error: events.ErrorDetail) -> None:
        if error.event_id is not None and self._waiting.pop(error.event_id, None) is not None:
            self._outbox.tell(Refused(error.event_id, error))


class _FirstChannel:
    """One channel of several. The protocol has one; a server that says two is heard with its first."""

    def __init__(self) -> None:
        self._rest = b""

    def of(self, pcm: bytes, channels: int) -> bytes:
        """The samples of the first channel; a frame that is cut waits for its other part."""
        if channels == 1:
            return pcm
        joined = self._rest + pcm
        whole = len(joined) - len(joined) % (2 * channels)
        self._rest = joined[whole:]
        first = bytearray(whole // channels)
        first[0::2], first[1::2] = joined[0 : whole : 2 * channels], joined[1 : whole : 2 * channels]
        return bytes(first)
