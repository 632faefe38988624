"""The pure core of a GPT-Live session: full duplex, without turns (protocol document, section 7).

Theory of operation. Nothing is asked of the model and nothing is cut: the client starts the session, audio
goes both ways at all times, and the model decides when it speaks and when it stops. So there is no gate, no
interruption and no item ledger here, but the same small machines where they fit and others where not, each
the only owner of its fields: what may be sent when (``_live_sends``), which event answers which
(``_live_answers``), the voice and the words (``_stream``), work that was handed over and its function calls
(``_live_delegations``). What a server event means for them stands in ``_live_meaning``, how the program's
wishes are said in ``_live_phrases``. Unknown events pass through without any effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .. import events
from ..events import live
from ..events.lifecycle import SessionState
from ._begin_again import BeginAgain
from ._formats import Effective
from ._happenings import Happening, Refused
from ._items import HistoryEntry
from ._live_meaning import LiveMachines, LiveMeaning
from ._live_memory import LiveMemory
from ._live_phrases import LivePhrases
from ._response import Usage

__all__ = ("LiveConversation",)

_APPENDS = (live.SessionInstructionsAppend, live.SessionThinkingAppend, live.SessionCommentaryAppend)
_CANCELLING = (live.SessionThinkingAppend, live.SessionCommentaryAppend)


class LiveConversation:
    """One GPT-Live session. Not for use from two threads or two tasks at once.

    Args:
        new_id: makes a new id with the given prefix, unique in this session.
        dialect: what the server takes and answers.
    """

    def __init__(self, *, new_id: Callable[[str], str], dialect: events.Dialect = events.LIVE) -> None:
        self.dialect = dialect
        self.phrases = LivePhrases(dialect)
        self._machines = LiveMachines(dialect, new_id)
        self._meaning = LiveMeaning(self._machines, dialect)
        self._memory = LiveMemory(dialect)
        self.resumption = BeginAgain(
            self._meaning.lost,
            self.receive,
            lambda: self.state == "listening",
            lambda wanted, max_tokens: self._memory.within(wanted, self.history, max_tokens),
            self._tell_the_rest,
        )
        """A new session is told what was said as a part of its instructions."""

    # -- from the server ---------------------------------------------------------------------------

    def receive(self, event: events.ServerEvent, now: float) -> None:
        """Take one server event. Then take ``happenings()`` and ``events_to_send()``."""
        self._meaning.take(event, now)

    # -- what to send ------------------------------------------------------------------------------

    def send(self, event: events.ClientEvent, now: float, *, awaited: bool = False) -> str:
        """Queue a client event; until the session has started, it is held back (rule L1).

        Args:
            event: the event; the id that it lacks is given to it.
            now: monotonic seconds.
            awaited: whether an ``Answered`` or ``Refused`` happening is wanted for it; where the server
                answers nothing, ``Answered`` comes at once.

        Returns:
            The event's id, which those happenings name.

        Raises:
            Unsupported: this dialect does not take that event.
            LocalProtocolError: too many events wait for the session to start.
        """
        self.phrases.check(event)
        self._machines.sends.check_room(event)
        event_id = self._machines.sends.send(event)
        if isinstance(event, _CANCELLING):
            self._machines.answers.cancel_acknowledgements()
        if isinstance(event, _APPENDS):
            self._machines.delegations.answered(event.delegation_id)
        if awaited and self._machines.sends.ended:
            self._machines.outbox.tell(Refused(event_id, self._meaning.ending()))
        elif awaited:
            self._machines.answers.expect(event_id, event)
        return event_id

    def create_response(self, params: events.ResponseParams | None, now: float) -> str:
        """Nothing to be had here: raises ``Unsupported``."""
        raise self.phrases.no_response()

    # -- what happens on our side ------------------------------------------------------------------

    def interrupt(self, now: float) -> None:
        """Nothing to be had here: raises ``Unsupported``."""
        raise self.phrases.no_interruption()

    def playback_stopped(self, heard_ms: Mapping[str, float] | None, now: float) -> None:
        """The sink was silenced on our side alone; the model does not learn of it."""
        self._machines.voice.finished(heard_ms or {})

    def playback_progress(self, heard_ms: Mapping[str, float]) -> None:
        """What was heard of each utterance so far."""
        self._machines.voice.progress(heard_ms)

    def playback_finished(self, heard_ms: Mapping[str, float], now: float) -> None:
        """Everything that was to be played has been heard."""
        self._machines.voice.finished(heard_ms)

    def tool_finished(self, call_id: str, output: str, now: float, *, follow_up: bool = True) -> None:
        """A call ended; ``follow_up`` False when the backing model need not go on.

        Raises:
            LocalProtocolError: no such call runs.
        """
        self._machines.delegations.tool_finished(call_id, output, follow_up=follow_up)

    def audio_written(self, pcm: bytes, ms: float, captured_at: float) -> None:
        """Nothing depends on its position: there are no turns whose end could be measured."""
        self.resumption.wrote(ms)

    def give_up(self, event_id: str) -> None:
        """Nobody waits for the answer to this send any more."""
        self._machines.answers.forget(event_id)

    def _tell_the_rest(self) -> None:
        rest = self._memory.since(self.history)
        if rest is not None:
            self._machines.sends.send(rest)

    def drop_response(self, request_id: str, now: float, *, spare_voice: bool = False) -> None:
        """Nothing to do: no response can be asked for."""

    # -- hand-over ---------------------------------------------------------------------------------

    def events_to_send(self) -> list[events.ClientEvent]:
        """The events to send now, in this order; the list starts empty again."""
        return self._machines.outbox.take_events()

    def happenings(self) -> list[Happening]:
        """What the shell must carry out now, in this order; the list starts empty again."""
        return self._machines.outbox.take_happenings()

    def next_deadline(self) -> float | None:
        """When ``handle_timeout`` must be called, or None."""
        return self._machines.voice.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Time has passed: an utterance that was not continued has ended."""
        self._machines.voice.handle_timeout(now)

    # -- state -------------------------------------------------------------------------------------

    @property
    def config(self) -> live.SessionResource | None:
        """The server's last snapshot of the session, None before the first."""
        return self._meaning.config

    @property
    def effective(self) -> Effective:
        """What that snapshot means for the sound: one format for both directions."""
        return self._meaning.effective

    @property
    def greeted(self) -> bool:
        """True: the client speaks first."""
        return True

    @property
    def close_reason(self) -> str | None:
        """Why the server ended the session; None where it did not say, which is no good order (rule L1)."""
        return self._meaning.close_reason

    @property
    def started(self) -> bool:
        """Whether the session runs, so that input audio may be sent (rule L1)."""
        return self._machines.sends.started

    @property
    def state(self) -> SessionState:
        """What the session is doing, seen by the user."""
        if self.resumption.away:
            return "reconnecting"
        if self._machines.voice.sounding:
            return "speaking"
        if self._machines.delegations.calls.running:
            return "tool_running"
        return "thinking" if self._machines.delegations.open else "listening"

    @property
    def quiet(self) -> bool:
        """Whether there is a connection, and the voice is silent."""
        return not self.resumption.away and not self._machines.voice.sounding

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """What was said by both sides; what overlapped in time stands in the order of its beginning."""
        return self._machines.transcript.entries

    @property
    def history_dropped(self) -> int:
        """Entries of the history that had to make room for newer ones."""
        return self._machines.transcript.dropped

    @property
    def usage(self) -> Usage:
        """The seconds that the server has counted."""
        return self._meaning.usage

    @property
    def context_used(self) -> float | None:
        """How full the model's memory is, 0 to 1; None where the server has not said."""
        return self._meaning.context_used

    @property
    def late_audio_ms(self) -> float:
        """0.0: no voice is cut, so none comes too late."""
        return 0.0
