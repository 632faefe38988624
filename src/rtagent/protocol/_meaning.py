"""What each server event means for the machines of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from .. import events
from ._formats import Effective
from ._happenings import Answered, CallsInterrupted, InputTurn, Refused
from ._input import InputMove
from ._machines import Machines
from ._reading import read_into

__all__ = ("Meaning",)

NOT_ACTIVE = "response_cancel_not_active"


class Meaning:
    """Carries server events to the machines. Events that it does not know change nothing."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._handlers: dict[type[events.ServerEvent], Callable[[Any, float], None]] = {
            events.SessionCreated: self._snapshot,
            events.SessionUpdated: self._updated,
            events.InputAudioBufferSpeechStarted: self._speech_started,
            events.InputAudioBufferSpeechStopped: self._speech_stopped,
            events.InputAudioBufferCommitted: self._committed,
            events.InputAudioBufferCleared: self._cleared,
            events.ConversationItemDeleted: self._deleted,
            events.ConversationItemInputAudioTranscriptionDelta: self._written,
            events.ConversationItemInputAudioTranscriptionCompleted: self._written_down,
            events.ResponseCreated: self._created,
            events.ResponseOutputItemAdded: self._item_added,
            events.ResponseOutputItemDone: self._item_done,
            events.ResponseFunctionCallArgumentsDone: self._arguments_done,
            events.ResponseDone: self._done,
            events.Error: self._error,
        }

    def take(self, event: events.ServerEvent, now: float) -> None:
        """One server event."""
        m = self._m
        m.items.now = now
        if isinstance(event, events.ResponseOutputAudioDelta):
            owner = event.response_id or m.responses.gate.active_id or ""
            m.voice.delta(event, owner, in_conversation=not m.responses.is_beside(owner))
            return
        if not m.greeted and event.type in m.dialect.greeting:
            m.greeted = True
        response_id: str | None = getattr(event, "response_id", None)
        item_id: str | None = getattr(event, "item_id", None)
        if not m.responses.is_beside(response_id):
            read_into(m.items, event)
        if response_id is not None and item_id is not None:
            m.responses.touched(response_id, item_id)
        answered = m.answers.answered(event)
        if answered is not None:
            m.outbox.tell(Answered(answered, event))
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event, now)
            m.responses.flush(now)

    def interrupt(self, reason: Literal["speech", "program"]) -> None:
        """The voice is to fall silent."""
        m = self._m
        active_id = m.responses.gate.active_id
        if active_id is not None or m.voice.sounding:
            m.voice.stop(active_id, reason)
            if reason == "program" and m.dialect.takes("response.cancel") and m.responses.gate.cancel():
                m.outbox.send(events.ResponseCancel())
        running = tuple(call.call_id for call in m.responses.calls.running)
        if running:
            m.outbox.tell(CallsInterrupted(running))

    def _snapshot(self, event: events.SessionCreated | events.SessionUpdated, now: float) -> None:
        m = self._m
        m.config = event.session
        m.effective = Effective.of(event.session, m.dialect)
        m.voice.format = m.effective.output_format
        m.speech.manual = not m.effective.detects_turns

    def _updated(self, event: events.SessionUpdated, now: float) -> None:
        self._m.agreed.updated()
        self._snapshot(event, now)

    def _speech_started(self, event: events.InputAudioBufferSpeechStarted, now: float) -> None:
        m = self._m
        m.input.move(InputMove.STARTED)
        begun_ms = None if event.audio_start_ms is None else float(event.audio_start_ms)
        m.speech.started(begun_ms, event.item_id or None)
        if event.item_id:
            m.items.spoken_to(event.item_id)
        if m.effective.server_interrupts:
            self.interrupt("speech")
        m.outbox.tell(InputTurn("started", event.item_id or None))

    def _speech_stopped(self, event: events.InputAudioBufferSpeechStopped, now: float) -> None:
        m = self._m
        m.input.move(InputMove.STOPPED)
        if event.audio_end_ms is not None:
            m.input.speech_ended(float(event.audio_end_ms), m.effective.silence_ms)
            m.speech.stopped(float(event.audio_end_ms))
        m.outbox.tell(InputTurn("stopped", event.item_id or None, m.input.speech_ended_at))

    def _committed(self, event: events.InputAudioBufferCommitted, now: float) -> None:
        self._m.input.move(InputMove.COMMITTED)
        self._m.input.turn_id = event.item_id
        self._m.speech.committed(event.item_id or "")
        if self._m.effective.server_answers:
            self._m.outbox.tell(InputTurn("taken", event.item_id or None))

    def _written(self, event: events.ConversationItemInputAudioTranscriptionDelta, now: float) -> None:
        self._words(event.item_id, event.delta)

    def _written_down(
        self, event: events.ConversationItemInputAudioTranscriptionCompleted, now: float
    ) -> None:
        self._m.speech.written(event.item_id)
        self._words(event.item_id, event.transcript)

    def _words(self, item_id: str, text: str | None) -> None:
        if self._m.voice.sounding and text and text.strip():
            self._m.outbox.tell(InputTurn("words", item_id))

    def _cleared(self, event: events.InputAudioBufferCleared, now: float) -> None:
        self._m.input.move(InputMove.CLEARED)

    def _deleted(self, event: events.ConversationItemDeleted, now: float) -> None:
        self._m.voice.forget(event.item_id)
        self._m.speech.written(event.item_id)

    def _created(self, event: events.ResponseCreated, now: float) -> None:
        m = self._m
        if not m.responses.created(event) and event.response.id is not None:
            m.voice.silence(event.response.id)
        if not m.responses.is_beside(event.response.id):
            m.input.move(InputMove.ANSWERED)
            m.speech.answered()

    def _item_added(self, event: events.ResponseOutputItemAdded, now: float) -> None:
        if event.item.id is not None:
            self._m.voice.item_announced(event.item.id)

    def _item_done(self, event: events.ResponseOutputItemDone, now: float) -> None:
        m = self._m
        m.responses.item_done(event, wanted=not m.voice.is_silenced(event.response_id))

    def _arguments_done(self, event: events.ResponseFunctionCallArgumentsDone, now: float) -> None:
        self._m.responses.arguments_done(event)

    def _done(self, event: events.ResponseDone, now: float) -> None:
        m = self._m
        response_id = event.response.id or m.responses.gate.active_id or ""
        m.responses.done(event, wanted=not m.voice.is_silenced(response_id))
        m.voice.response_done(response_id)

    def _error(self, event: events.Error, now: float) -> None:
        m, error = self._m, event.error
        if error.event_id is not None:
            m.agreed.refused(error.event_id)
        if m.responses.refused(error, now) or error.event_id is None:
            return
        if m.answers.answered_by_id(error.event_id):
            benign = error.code == NOT_ACTIVE
            m.outbox.tell(Answered(error.event_id, None) if benign else Refused(error.event_id, error))
