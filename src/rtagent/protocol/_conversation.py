"""The pure core of a conversation: events and intents in, what to send and what to do out.

Theory of operation. The core never waits, never looks at a clock and never makes an id of its own
accord: times are passed in, ids come from a callable. Its methods form four groups:

* from the server: ``receive``;
* intents of the program and the shell: ``send``, ``create_response``, ``interrupt``, ``playback_*``,
  ``tool_finished``, ``audio_written``, ``give_up``;
* hand-over lists: ``events_to_send`` and ``happenings``, to be called after each of the above, and
  timers: ``next_deadline`` tells when to call ``handle_timeout``;
* read-only state: ``state``, ``history``, ``config``, ``usage``.

It joins small machines (``_machines``), each the only owner of its fields: the response gate and the
call ledger (``_responses``), the heard ledger and the interruption (``_voice``), the item ledger
(``_items``), the user's side (``_input``, ``_speech``), the matching of answers (``_answers``, ``_mail``).
What a server event means for them stands in ``_meaning``, how the program's wishes are said in this dialect
in ``_phrases``, and what happens to all of it when a connection is lost in ``_resumption``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .. import events
from ..events.lifecycle import SessionState
from ._formats import Effective
from ._gate import ANSWER_WITHIN_S
from ._happenings import Answered, Happening
from ._input import InputState
from ._items import HistoryEntry
from ._machines import Machines
from ._meaning import Meaning
from ._phrases import Phrases
from ._response import Usage
from ._resumption import Resumption

__all__ = ("Conversation",)


class Conversation:
    """One conversation of one session. Not for use from two threads or two tasks at once.

    Args:
        new_id: makes a new id with the given prefix, unique in this conversation and at most 32
            characters of ``[A-Za-z0-9_-]`` long.
        dialect: what the server takes, answers and announces.
        answer_within_s: how long ``response.created`` may take (rule A7), in seconds.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[str], str],
        dialect: events.Dialect = events.GA,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self.dialect = dialect
        self.phrases = Phrases(dialect)
        self._machines = Machines(dialect, new_id, answer_within_s)
        self._meaning = Meaning(self._machines)
        self.resumption = Resumption(self._machines, self._meaning)
        """What becomes of the conversation when its connection is lost."""

    # -- from the server ---------------------------------------------------------------------------

    def receive(self, event: events.ServerEvent, now: float) -> None:
        """Take one server event. Then take ``happenings()`` and ``events_to_send()``."""
        self._machines.speech.alive()
        self._meaning.take(event, now)

    # -- intents -----------------------------------------------------------------------------------

    def send(self, event: events.ClientEvent, now: float, *, awaited: bool = False) -> str:
        """Queue a client event; a ``response.create`` waits for the conversation to be free.

        Args:
            event: the event; ids that it lacks are given to it.
            now: monotonic seconds.
            awaited: whether an ``Answered`` or ``Refused`` happening is wanted for it; where the server
                answers nothing, ``Answered`` comes at once.

        Returns:
            The event's id, which those happenings name.

        Raises:
            Unsupported: this dialect does not take that event.
        """
        self.phrases.check(event)
        if isinstance(event, events.ResponseCreate):
            request_id = event.event_id or self._machines.outbox.new_id("evt")
            self._machines.responses.ask(event.response, request_id)
            self._machines.responses.flush(now)
            return request_id
        if isinstance(event, events.ResponseCancel) and not self._machines.responses.gate.cancel():
            event_id = event.event_id or self._machines.outbox.new_id("evt")
            self._machines.outbox.tell(Answered(event_id, None))  # rule A5: nothing runs, nothing to cancel
            return event_id
        return self._machines.send(event, awaited=awaited)

    def create_response(self, params: events.ResponseParams | None, now: float) -> str:
        """Ask for a response as soon as the conversation is free; ``ResponseFinished`` names the id."""
        return self.send(events.ResponseCreate(response=params), now)

    def interrupt(self, now: float) -> None:
        """Stop the voice now. The shell then silences the sink and calls ``playback_stopped``."""
        self._meaning.interrupt("program")
        self._machines.responses.flush(now)

    def playback_stopped(self, heard_ms: Mapping[str, float] | None, now: float) -> None:
        """The sink is silent. ``heard_ms`` per item; None when no sink is attached."""
        self._machines.voice.stopped(heard_ms, self._machines.responses.gate.active_id)
        self._machines.responses.flush(now)

    def playback_progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard of each item so far."""
        self._machines.voice.progress(heard_ms)

    def playback_finished(self, heard_ms: Mapping[str, float], now: float) -> None:
        """Everything that was to be played has been heard."""
        self._machines.voice.finished(heard_ms)
        self._machines.responses.flush(now)

    def tool_finished(self, call_id: str, output: str, now: float, *, follow_up: bool = True) -> None:
        """A call ended; ``follow_up`` False when nothing is to be said about it.

        Raises:
            LocalProtocolError: no such call runs.
        """
        self._machines.responses.tool_finished(call_id, output, follow_up=follow_up)
        self._machines.responses.flush(now)

    def audio_written(self, pcm: bytes, ms: float, captured_at: float) -> None:
        """Input audio was appended; ``captured_at`` is when its first sample was captured."""
        self._machines.input.wrote(ms, captured_at)
        self._machines.speech.wrote(pcm, ms, captured_at)

    def give_up(self, event_id: str) -> None:
        """Nobody waits for the answer to this send any more."""
        self._machines.mail.forget(event_id)
        self._machines.responses.give_up(event_id)

    def drop_response(self, request_id: str, now: float, *, spare_voice: bool = False) -> None:
        """A response that was asked for is not wanted any more, whether it has begun or not.

        Args:
            request_id: what ``create_response`` or ``send`` returned.
            now: monotonic seconds.
            spare_voice: whether one that has been given a voice already may speak on until another one does.
        """
        m = self._machines
        response_id = m.responses.drop(request_id)
        if response_id is not None:
            if spare_voice and m.voice.is_audible(response_id):
                m.voice.give_way(response_id)
            else:
                m.voice.silence(response_id)
                m.responses.cancel(response_id)
        m.responses.flush(now)

    # -- hand-over ---------------------------------------------------------------------------------

    def events_to_send(self) -> list[events.ClientEvent]:
        """The events to send now, in this order; the list starts empty again."""
        return self._machines.outbox.take_events()

    def happenings(self) -> list[Happening]:
        """What the shell must carry out now, in this order; the list starts empty again."""
        return self._machines.outbox.take_happenings()

    def next_deadline(self) -> float | None:
        """When ``handle_timeout`` must be called, or None."""
        return self._machines.responses.gate.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Time has passed: what was due by ``now`` fails."""
        self._machines.responses.handle_timeout(now)
        self._machines.responses.flush(now)

    # -- state -------------------------------------------------------------------------------------

    @property
    def config(self) -> events.SessionConfig | None:
        """The server's last snapshot of the session, None before the first."""
        return self._machines.config

    @property
    def effective(self) -> Effective:
        """What that snapshot means for the core."""
        return self._machines.effective

    @property
    def greeted(self) -> bool:
        """Whether the server has said that the session is there."""
        return self._machines.greeted

    @property
    def close_reason(self) -> str | None:
        """None: Realtime says it by the close code alone."""
        return None

    @property
    def state(self) -> SessionState:
        """What the conversation is doing, seen by the user."""
        if not self._machines.mail.online:
            return "reconnecting"
        if self._machines.voice.sounding:
            return "speaking"
        if self._machines.responses.calls.running:
            return "tool_running"
        waiting = self._machines.input.state is InputState.COMMITTED and self.effective.server_answers
        return "thinking" if waiting or self._machines.responses.gate.busy else "listening"

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks, and no response is asked for or runs; tools may."""
        return self._machines.quiet

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """The items, in the order of the conversation."""
        return tuple(self._machines.items)

    @property
    def usage(self) -> Usage:
        """The tokens of all responses so far."""
        return self._machines.responses.usage

    @property
    def late_audio_ms(self) -> float:
        """Audio of interrupted responses that came too late and was not played."""
        return self._machines.voice.dropped_ms
