"""The pure core of a conversation: events and intents in, what to send and what to do out.

Theory of operation. The core never waits, never looks at a clock and never makes an id of its own
accord: times are passed in, ids come from a callable. Its methods form four groups:

* from the server: ``receive``;
* intents of the program and the shell: ``send``, ``create_response``, ``interrupt``, ``playback_*``,
  ``tool_finished``, ``audio_written``, ``give_up``;
* hand-over lists: ``events_to_send`` and ``happenings``, to be called after each of the above, and
  timers: ``next_deadline`` tells when to call ``handle_timeout``;
* read-only state: ``state``, ``history``, ``config``, ``usage``.

It joins small machines, each the only owner of its fields: the response gate and the call ledger
(``_responses``), the heard ledger and the interruption (``_voice``), the item ledger (``_items``), the
user's side (``_input``) and the matching of answers (``_answers``). Unknown events pass through
without any effect; they are not errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from .. import events
from ..events.lifecycle import SessionState
from ._answers import AnswerLedger
from ._formats import Effective
from ._gate import ANSWER_WITHIN_S, Gate
from ._happenings import Answered, CallsInterrupted, Happening, InputTurn, Refused
from ._input import InputAudio, InputMove, InputState
from ._items import HistoryEntry, ItemLedger
from ._outbox import Outbox
from ._reading import read_into
from ._response import Usage
from ._responses import Responses
from ._voice import Voice

__all__ = ("Conversation",)

NOT_ACTIVE = "response_cancel_not_active"


class Conversation:
    """One conversation of one session. Not for use from two threads or two tasks at once.

    Args:
        new_id: makes a new id with the given prefix, unique in this conversation and at most 32
            characters of ``[A-Za-z0-9_-]`` long.
        answer_within_s: how long ``response.created`` may take (rule A7), in seconds.
    """

    def __init__(self, *, new_id: Callable[[str], str], answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self.config: events.SessionConfig | None = None
        """The server's last snapshot of the session, None before the first."""
        self.effective = Effective()
        self._outbox = Outbox(new_id)
        self._items = ItemLedger()
        self._input = InputAudio()
        self._answers = AnswerLedger()
        self._voice = Voice(self._outbox, self._items)
        self._responses = Responses(
            self._outbox, self._items, self._voice.received_ms, Gate(answer_within_s=answer_within_s)
        )
        self._handlers: dict[type[events.ServerEvent], Callable[[Any, float], None]] = {
            events.SessionCreated: self._snapshot,
            events.SessionUpdated: self._snapshot,
            events.InputAudioBufferSpeechStarted: self._speech_started,
            events.InputAudioBufferSpeechStopped: self._speech_stopped,
            events.InputAudioBufferCommitted: self._committed,
            events.InputAudioBufferCleared: self._cleared,
            events.ConversationItemDeleted: self._deleted,
            events.ResponseCreated: self._created,
            events.ResponseOutputItemAdded: self._item_added,
            events.ResponseOutputItemDone: self._item_done,
            events.ResponseDone: self._done,
            events.Error: self._error,
        }

    # -- from the server ---------------------------------------------------------------------------

    def receive(self, event: events.ServerEvent, now: float) -> None:
        """Take one server event. Then take ``happenings()`` and ``events_to_send()``."""
        if isinstance(event, events.ResponseOutputAudioDelta):
            response_id = event.response_id or self._responses.gate.active_id or ""
            beside = self._responses.is_beside(response_id)
            self._voice.delta(event, response_id, in_conversation=not beside)
            return
        if not self._responses.is_beside(getattr(event, "response_id", None)):
            read_into(self._items, event)
        answered = self._answers.answered(event)
        if answered is not None:
            self._outbox.tell(Answered(answered, event))
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event, now)
            self._responses.flush(now)

    # -- intents -----------------------------------------------------------------------------------

    def send(self, event: events.ClientEvent, now: float, *, awaited: bool = False) -> str:
        """Queue a client event; a ``response.create`` waits for the conversation to be free.

        Args:
            event: the event; ids that it lacks are given to it.
            now: monotonic seconds.
            awaited: whether an ``Answered`` or ``Refused`` happening is wanted for it.

        Returns:
            The event's id, which those happenings name.
        """
        if isinstance(event, events.ResponseCreate):
            request_id = event.event_id or self._outbox.new_id("evt")
            self._responses.ask(event.response, request_id)
            self._responses.flush(now)
            return request_id
        if isinstance(event, events.ConversationItemCreate) and event.item.id is None:
            item = event.item.model_copy(update={"id": self._outbox.new_id("item")})
            event = event.model_copy(update={"item": item})
        if isinstance(event, events.ResponseCancel) and not self._responses.gate.cancel():
            event_id = event.event_id or self._outbox.new_id("evt")
            self._outbox.tell(Answered(event_id, None))  # rule A5: nothing runs, nothing to cancel
            return event_id
        sent = self._outbox.send(event)
        event_id = sent.event_id or ""
        if awaited:
            self._answers.expect(event_id, sent)
        return event_id

    def create_response(self, params: events.ResponseParams | None, now: float) -> str:
        """Ask for a response as soon as the conversation is free; ``ResponseFinished`` names the id."""
        return self.send(events.ResponseCreate(response=params), now)

    def interrupt(self, now: float) -> None:
        """Stop the voice now. The shell then silences the sink and calls ``playback_stopped``."""
        self._interrupt("program")
        self._responses.flush(now)

    def playback_stopped(self, heard_ms: Mapping[str, float] | None, now: float) -> None:
        """The sink is silent. ``heard_ms`` per item; None when no sink is attached."""
        self._voice.stopped(heard_ms, self._responses.gate.active_id)
        self._responses.flush(now)

    def playback_progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard of each item so far."""
        self._voice.progress(heard_ms)

    def playback_finished(self, heard_ms: Mapping[str, float], now: float) -> None:
        """Everything that was to be played has been heard."""
        self._voice.finished(heard_ms)
        self._responses.flush(now)

    def tool_finished(self, call_id: str, output: str, now: float, *, follow_up: bool = True) -> None:
        """A call ended; ``follow_up`` False when nothing is to be said about it.

        Raises:
            LocalProtocolError: no such call runs.
        """
        self._responses.tool_finished(call_id, output, follow_up=follow_up)
        self._responses.flush(now)

    def audio_written(self, ms: float, captured_at: float) -> None:
        """Input audio was appended; ``captured_at`` is when its first sample was captured."""
        self._input.wrote(ms, captured_at)

    def give_up(self, event_id: str) -> None:
        """Nobody waits for the answer to this send any more."""
        self._answers.forget(event_id)
        self._responses.give_up(event_id)

    # -- hand-over ---------------------------------------------------------------------------------

    def events_to_send(self) -> list[events.ClientEvent]:
        """The events to send now, in this order; the list starts empty again."""
        return self._outbox.take_events()

    def happenings(self) -> list[Happening]:
        """What the shell must carry out now, in this order; the list starts empty again."""
        return self._outbox.take_happenings()

    def next_deadline(self) -> float | None:
        """When ``handle_timeout`` must be called, or None."""
        return self._responses.gate.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Time has passed: what was due by ``now`` fails."""
        self._responses.handle_timeout(now)
        self._responses.flush(now)

    # -- state -------------------------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        """What the conversation is doing, seen by the user."""
        if self._voice.sounding:
            return "speaking"
        if self._responses.calls.running:
            return "tool_running"
        waiting = self._input.state is InputState.COMMITTED and self.effective.server_answers
        return "thinking" if waiting or self._responses.gate.busy else "listening"

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """The items, in the order of the conversation."""
        return tuple(self._items)

    @property
    def usage(self) -> Usage:
        """The tokens of all responses so far."""
        return self._responses.usage

    @property
    def late_audio_ms(self) -> float:
        """Audio of interrupted responses that came too late and was not played."""
        return self._voice.dropped_ms

    # -- what each server event means ---------------------------------------------------------------

    def _snapshot(self, event: events.SessionCreated | events.SessionUpdated, now: float) -> None:
        self.config = event.session
        self.effective = Effective.of(event.session)
        self._voice.format = self.effective.output_format

    def _speech_started(self, event: events.InputAudioBufferSpeechStarted, now: float) -> None:
        self._input.move(InputMove.STARTED)
        if event.item_id:
            self._items.spoken_to(event.item_id)
        self._outbox.tell(InputTurn("started", event.item_id or None))
        if self.effective.server_interrupts:
            self._interrupt("speech")

    def _speech_stopped(self, event: events.InputAudioBufferSpeechStopped, now: float) -> None:
        self._input.move(InputMove.STOPPED)
        self._input.speech_ended(float(event.audio_end_ms or 0), self.effective.silence_ms)
        self._outbox.tell(InputTurn("stopped", event.item_id or None, self._input.speech_ended_at))

    def _committed(self, event: events.InputAudioBufferCommitted, now: float) -> None:
        self._input.move(InputMove.COMMITTED)

    def _cleared(self, event: events.InputAudioBufferCleared, now: float) -> None:
        self._input.move(InputMove.CLEARED)

    def _deleted(self, event: events.ConversationItemDeleted, now: float) -> None:
        self._voice.forget(event.item_id)

    def _created(self, event: events.ResponseCreated, now: float) -> None:
        self._input.move(InputMove.ANSWERED)
        if not self._responses.created(event) and event.response.id is not None:
            self._voice.silence(event.response.id)

    def _item_added(self, event: events.ResponseOutputItemAdded, now: float) -> None:
        if event.item.id is not None:
            self._voice.item_announced(event.item.id)

    def _item_done(self, event: events.ResponseOutputItemDone, now: float) -> None:
        self._responses.item_done(event, wanted=not self._voice.is_silenced(event.response_id))

    def _done(self, event: events.ResponseDone, now: float) -> None:
        response_id = event.response.id or self._responses.gate.active_id or ""
        self._responses.done(event, wanted=not self._voice.is_silenced(response_id))
        self._voice.response_done(response_id)

    def _error(self, event: events.Error, now: float) -> None:
        error = event.error
        if self._responses.refused(error, now) or error.event_id is None:
            return
        if self._answers.answered_by_id(error.event_id):
            benign = error.code == NOT_ACTIVE
            self._outbox.tell(Answered(error.event_id, None) if benign else Refused(error.event_id, error))

    # -- interruption ------------------------------------------------------------------------------

    def _interrupt(self, reason: Literal["speech", "program"]) -> None:
        active_id = self._responses.gate.active_id
        if active_id is not None or self._voice.sounding:
            self._voice.stop(active_id, reason)
            if reason == "program" and self._responses.gate.cancel():
                self._outbox.send(events.ResponseCancel())
        running = tuple(call.call_id for call in self._responses.calls.running)
        if running:
            self._outbox.tell(CallsInterrupted(running))
