"""What each server event of GPT-Live means for the machines of a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import events
from ..events import live
from ._formats import Effective, audio_format
from ._live_answers import LiveAnswers
from ._live_delegations import Delegations
from ._live_sends import LiveSends
from ._outbox import Outbox
from ._response import Usage
from ._stream import StreamVoice, TranscriptLedger

__all__ = ("LiveMachines", "LiveMeaning")


class LiveMachines:
    """Each machine is the only owner of its fields; this holds them."""

    def __init__(self, dialect: events.Dialect, new_id: Callable[[str], str]) -> None:
        self.outbox = Outbox(new_id)
        self.sends = LiveSends(self.outbox, dialect)
        self.answers = LiveAnswers(self.outbox, dialect)
        self.voice = StreamVoice(self.outbox)
        self.transcript = TranscriptLedger(self.voice)
        self.delegations = Delegations(self.outbox, self.sends.send)


class LiveMeaning:
    """Carries server events to the machines, and owns what the server said of the session itself.

    Events that it does not know change nothing, and neither does anything after ``session.closed``.
    """

    def __init__(self, machines: LiveMachines, dialect: events.Dialect) -> None:
        self.config: live.SessionResource | None = None
        self.effective = effective_sound(None, dialect)
        self.close_reason: str | None = None
        self.usage = Usage()
        self.context_used: float | None = None
        self._seconds_before = 0.0
        self._m = machines
        self._dialect = dialect
        self._handlers: dict[type[events.ServerEvent], Callable[[Any], None]] = {
            live.SessionStarted: self._started,
            live.SessionUpdated: self._snapshot,
            live.SessionClosed: self._closed,
            live.SessionUsageUpdated: self._used,
            live.SessionInputTranscriptDelta: self._user_said,
            live.SessionOutputTranscriptDelta: self._assistant_said,
            live.SessionDelegationCreated: self._delegated,
            live.DecisionEvent: self._decided,
            live.ResponseEvent: self._wrapped,
        }

    def take(self, event: events.ServerEvent, now: float) -> None:
        """One server event."""
        if self._m.sends.ended:
            return
        if isinstance(event, live.SessionOutputAudioDelta):
            self._m.voice.delta(event.audio, now, self.effective.output_format)
            return
        self._m.answers.hear(event)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def ending(self) -> events.ErrorDetail:
        """Why a send will not be answered: the session is closed."""
        message = f"the session was closed ({self.close_reason}) before this was answered"
        return live.ErrorDetail(type="session_closed", code="session_closed", message=message)

    def lost(self) -> None:
        """The connection is gone, and its session with it."""
        self.config, self.close_reason, self.context_used = None, None, None
        self._seconds_before = self.usage.seconds
        self._m.sends.lost()
        self._m.voice.end()
        self._m.transcript.restart()
        self._m.delegations.lost()
        self._m.answers.lost()

    def _started(self, event: live.SessionStarted) -> None:
        self._snapshot(event)
        self._m.sends.start()

    def _snapshot(self, event: live.SessionStarted | live.SessionUpdated | live.SessionClosed) -> None:
        if self.config is None or event.session.model_fields_set:
            self.config = event.session
            self.effective = effective_sound(event.session, self._dialect)

    def _closed(self, event: live.SessionClosed) -> None:
        self._snapshot(event)
        self._count(event.usage)
        self.close_reason = event.reason or "unknown"
        self._m.sends.end()
        self._m.voice.end()
        self._m.transcript.end()
        self._m.delegations.end()
        self._m.answers.end(self.ending())

    def _used(self, event: live.SessionUsageUpdated) -> None:
        self._count(event.usage)
        if event.context_window is not None and event.context_window.usage_ratio is not None:
            self.context_used = event.context_window.usage_ratio

    def _count(self, usage: live.SessionUsage | None) -> None:
        if usage is not None and usage.seconds is not None:
            # The server's total of this session, not an addition to it.
            self.usage = Usage(seconds=self._seconds_before + usage.seconds)

    def _user_said(self, event: live.SessionInputTranscriptDelta) -> None:
        self._m.transcript.add("user", event.delta, event.start_ms, event.end_ms)

    def _assistant_said(self, event: live.SessionOutputTranscriptDelta) -> None:
        self._m.transcript.add("assistant", event.delta, event.start_ms, event.end_ms)

    def _delegated(self, event: live.SessionDelegationCreated) -> None:
        self._m.delegations.created(event.delegation)

    def _decided(self, event: live.DecisionEvent) -> None:
        self._m.delegations.answered(event.delegation_id)

    def _wrapped(self, event: live.ResponseEvent) -> None:
        self._m.delegations.wrapped(event)


def effective_sound(session: live.SessionResource | None, dialect: events.Dialect) -> Effective:
    """What a snapshot means for the sound; an attached socket hears PCM at 24 kHz whatever it says."""
    if not dialect.takes("session.start"):
        return Effective()
    wire = session.audio.format if session is not None and session.audio is not None else None
    own = audio_format(wire, dialect.input_rates[0])
    return Effective(input_format=own, output_format=own)
