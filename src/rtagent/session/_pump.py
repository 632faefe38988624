"""The shell around the pure core: read, feed the core, carry out what it decided, repeat.

Theory of operation. One task reads the transport, one writes it (``Wire``), one waits for the core's
deadlines. Whoever changes the core, the reader, a finished tool, the program, does so through a method
here, and each of these ends in ``_carry_out``: first the happenings in their order, then the events to
send, then the state. All of that is synchronous, so nothing can come in between. When the transport
ends, everybody who waits is told why, once.
"""

from __future__ import annotations

import logging
import time

import anyio
import anyio.abc
import anyio.lowlevel

from .. import events
from ..audio import Clock, Heard, PlaybackItem
from ..errors import (
    ConnectionLost,
    EndOfStream,
    LocalProtocolError,
    RtagentError,
    ServerError,
    SessionClosed,
    Timeout,
)
from ..events.lifecycle import (
    Closed,
    DialectDeparted,
    Interrupted,
    LifecycleEvent,
    PlaybackFinished,
    PlaybackStarted,
    SessionState,
    StateChanged,
)
from ..protocol import (
    Answered,
    CallDue,
    CallsInterrupted,
    Core,
    Happening,
    History,
    InputTurn,
    PlayDue,
    Refused,
    Response,
    ResponseFinished,
    StopDue,
    VoiceCut,
    VoiceEnded,
)
from ..transport import Transport
from ._attachment import Attachment
from ._departures import Departures
from ._fanout import Fanout, Observer
from ._input import InputAudio
from ._measure import Metrics, SessionStatistics, TurnMeter
from ._tools import ToolRunner
from ._waiters import Waiters
from ._wire import Wire

__all__ = ("Pump", "refusal")

ANSWER_WITHIN_S = 10.0
"""How long the gate waits for ``response.created``."""

logger = logging.getLogger(__name__)


class Pump:
    """Owns the core and everything that moves it. The session above is its public face."""

    def __init__(
        self,
        transport: Transport,
        core: Core,
        clock: Clock,
        observer: Observer | None = None,
    ) -> None:
        self.core = core
        self.clock = clock
        self.fanout = Fanout(observer, clock.now)
        self.waiters = Waiters()
        self.meter = TurnMeter()
        self.wire = Wire(transport)
        self.input = InputAudio(core, self.wire, clock, self.publish)
        self.state: SessionState = "connecting"
        self.closed: Closed | None = None
        self.ended = anyio.Event()
        self.attachment: Attachment | None = None
        self.farewell_said = False
        self._effective = core.effective
        self._received = 0
        self._tools: ToolRunner | None = None
        self._group: anyio.abc.TaskGroup | None = None
        self._transport = transport
        self._dialect = core.dialect
        self._decoder = events.Decoder(core.dialect)
        self._departures = Departures(core.dialect)
        self._deadline_moved = anyio.Event()

    def start(self, group: anyio.abc.TaskGroup, tools: ToolRunner) -> None:
        """Begin to read, write and keep time, in the group."""
        self._group, self._tools = group, tools
        group.start_soon(self._read, name="session reader")
        group.start_soon(self._write, name="session writer")
        group.start_soon(self._keep_time, name="session timer")

    # -- what others do to the conversation ----------------------------------------------------------

    def post(self, event: events.ClientEvent, *, awaited: bool = False) -> str:
        """Send an event (a response waits for its turn); returns its id.

        Raises:
            SessionClosed: the session has ended.
            ConnectionLost: it ended without our doing.
        """
        self.check_open()
        event_id = self.core.send(event, time.monotonic(), awaited=awaited)
        if awaited:
            self.waiters.open(event_id)  # before _carry_out, which may hold the answer already
        self._carry_out()
        return event_id

    async def respond(self, params: events.ResponseParams, timeout: float | None) -> Response:
        """Ask for a response and wait until it, and what its tools lead to, is finished."""
        self.check_open()
        request_id = self.core.create_response(params, time.monotonic())
        key = f"response:{request_id}"
        self.waiters.open(key)
        self._carry_out()
        try:
            response: Response = await self.waiters.wait(key, timeout, "the response")
        except BaseException:
            self.core.give_up(request_id)
            raise
        return response

    def input_muted(self, muted: bool) -> None:
        """The program wants to be heard no more, or again: tell a server that wants to know."""
        event = self.core.phrases.mute(muted)
        if event is not None and self.closed is None:
            self.post(event)

    def interrupt(self) -> None:
        """Stop the voice now."""
        self.check_open()
        self.core.interrupt(time.monotonic())
        self.meter.interrupted(self.clock.now())
        self._carry_out()

    async def carry_audio(self, attachment: Attachment) -> None:
        """Carry audio both ways until the attachment ends; what is queued then is dropped."""
        await attachment.run(self.playback_started, self.playback_finished)
        if attachment.error is not None:
            logger.warning("ears and mouth were taken away: %s", attachment.error)
        if attachment.sink is not None:
            self.core.playback_finished(attachment.sink.heard().ms, time.monotonic())
            self._carry_out()

    def tool_finished(self, call_id: str, output: str, follow_up: bool) -> None:
        """A tool has its output."""
        if self.closed is None:
            self.core.tool_finished(call_id, output, time.monotonic(), follow_up=follow_up)
            self._carry_out()

    def playback_started(self, item: PlaybackItem, at: float) -> None:
        """The first sample of an answer was heard."""
        measured = self.meter.first_heard(at, item.response_id, self.clock.now())
        self.publish(PlaybackStarted(at=at, item_id=item.item_id))
        if measured is not None:
            self.publish(measured)

    def playback_finished(self, heard: Heard) -> None:
        """Everything that was queued has been heard."""
        self.core.playback_finished(heard.ms, time.monotonic())
        last = list(heard.ms)[-1:]
        for item_id in last:
            self.publish(PlaybackFinished(at=self.clock.now(), item_id=item_id, heard_ms=heard.of(item_id)))
        self._carry_out()

    def publish(self, event: LifecycleEvent) -> None:
        """Tell everybody who wants to know."""
        self.fanout.publish(event)

    def set_state(self, state: SessionState) -> None:
        """Move the session's state, and say so when it changed."""
        if state != self.state:
            previous, self.state = self.state, state
            self.publish(StateChanged(at=self.clock.now(), state=state, previous=previous))

    def check_open(self) -> None:
        """Raise what ended the session, if it has ended."""
        if self.closed is not None:
            raise self.closed.error if self.closed.error is not None else SessionClosed()

    def end(self, error: RtagentError | None, code: int | None, reason: str, *, silence: bool = True) -> None:
        """The session is over: tell everybody who waits, once.

        With ``silence`` False what was said before may still be heard.
        """
        if self.closed is not None:
            return
        self.closed = Closed(at=self.clock.now(), code=code, reason=reason, error=error)
        self.input.end()
        if self.attachment is not None and silence:
            self.attachment.stop()
        self.set_state("closed")
        self.publish(self.closed)
        self.waiters.close(error if error is not None else SessionClosed())
        self.fanout.end(error)
        self.ended.set()

    def history(self) -> History:
        """The conversation so far, with what the sink says was heard until now."""
        if self.attachment is not None and self.attachment.sink is not None:
            self.core.playback_progress(self.attachment.sink.heard().ms)
        return History(self.core.history)

    def metrics(self) -> Metrics:
        """What was measured so far."""
        return Metrics(
            turns=tuple(self.meter.turns),
            audio_dropped_ms=self.wire.statistics().audio_dropped_ms,
            late_audio_dropped_ms=self.core.late_audio_ms,
            departures=dict(self._departures.counts),
        )

    def statistics(self) -> SessionStatistics:
        """What went over the wire so far."""
        wire = self.wire.statistics()
        return SessionStatistics(
            events_received=self._received,
            frames_sent=wire.frames_sent,
            audio_waiting_ms=wire.audio_waiting_ms,
            at_rest=self.wire.idle and (self._tools is None or self._tools.idle),
        )

    # -- the three tasks -----------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while True:
                frame = await self._transport.receive()
                event = self._decoder.decode(frame)
                if self._take(event):
                    # Let the one who waited go on before the next event is read, so that a
                    # subscription made right after an answer misses nothing.
                    await anyio.lowlevel.checkpoint()
        except SessionClosed:
            self.end(None, 1000, "closed by us")
        except EndOfStream as end:
            said = self.core.close_reason
            # Where sessions end with a word of the server's, an end without it is none in good order (L1).
            by_us = self.farewell_said and (said is not None or not self._dialect.turnless)
            error = None if by_us else ConnectionLost(end.code, said or end.reason)
            self.end(error, end.code, said or end.reason, silence=not by_us)
        except ConnectionLost as lost:
            self.end(lost, lost.code, lost.reason)

    def _take(self, event: events.ServerEvent) -> bool:
        """One event of the server; True when it let somebody who waited go on."""
        self._received += 1
        for what in self._departures.note(event):
            logger.warning("%s departs from its dialect: %s", self._dialect.title, what)
            self.publish(DialectDeparted(at=self.clock.now(), what=what))
        self.fanout.publish(event)
        self.core.receive(event, time.monotonic())
        effective = self.core.effective  # what the server does counts, not what was asked (rule U4)
        if effective is not self._effective:
            self._effective = effective
            if self.attachment is not None:
                self.attachment.set_formats(effective.input_format, effective.output_format)
        return self._carry_out()

    async def _write(self) -> None:
        try:
            await self.wire.run()
        except SessionClosed:
            return
        except ConnectionLost as lost:
            logger.debug("writing ended: %s", lost)  # the reader reports the end, with its code

    async def _keep_time(self) -> None:
        while True:
            self._deadline_moved = anyio.Event()
            deadline = self.core.next_deadline()
            wait_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            with anyio.move_on_after(wait_s) as scope:
                await self._deadline_moved.wait()
            if scope.cancelled_caught:
                self.core.handle_timeout(time.monotonic())
                self._carry_out()

    # -- carrying out --------------------------------------------------------------------------------

    def _carry_out(self) -> bool:
        resumed = False
        deadline = self.core.next_deadline()
        while happenings := self.core.happenings():
            for happening in happenings:
                resumed = self._do(happening) or resumed
        try:
            for event in self.core.events_to_send():
                self.wire.put(events.encode(event, self._dialect))
                self.fanout.sent(event)
        except LocalProtocolError as error:  # the other side has not read for very long
            self.end(error, None, str(error))
        if self.core.next_deadline() != deadline or deadline is not None:
            self._deadline_moved.set()
        if self.closed is None and self.state != "connecting":
            self.set_state(self.core.state)
        return resumed

    def _do(self, happening: Happening) -> bool:
        """Carry out one happening; True when it let somebody who waited go on."""
        match happening:
            case PlayDue(item, pcm):
                if self.attachment is not None:
                    self.attachment.play(item, pcm)
            case StopDue():
                self._stop_voice(happening)
            case VoiceEnded():
                self._drain_voice()
            case VoiceCut():
                self.publish(
                    Interrupted(
                        at=self.clock.now(),
                        item_id=happening.item_id,
                        heard_ms=happening.heard_ms,
                        response_id=happening.response_id,
                    )
                )
            case CallDue(call):
                if self._tools is not None and self._group is not None:
                    self._tools.start(call, self._group)
            case CallsInterrupted(call_ids):
                if self._tools is not None:
                    self._tools.interrupt(call_ids)
            case InputTurn():
                self.meter.speech_ended(happening.ended_at if happening.kind == "stopped" else None)
            case Answered() | Refused() | ResponseFinished():
                return self._answer(happening)
        return False

    def _answer(self, happening: Answered | Refused | ResponseFinished) -> bool:
        match happening:
            case Answered(event_id, event):
                return self.waiters.resolve(event_id, event)
            case Refused(event_id, error):
                failure = refusal(error, event_id)
                told = self.waiters.fail(event_id, failure)
                return self.waiters.fail(f"response:{event_id}", failure) or told
            case ResponseFinished(response, serves, final):
                told = False
                if final:
                    for request_id in serves:
                        told = self.waiters.resolve(f"response:{request_id}", response) or told
                return told

    def _stop_voice(self, happening: StopDue) -> None:
        now = self.clock.now()
        if happening.reason == "speech":
            self.meter.interrupted(now)
        heard = self.attachment.stop() if self.attachment is not None else None
        if heard is not None:
            self.meter.silent(heard.silent_at if heard.silent_at is not None else now)
        self.core.playback_stopped(None if heard is None else heard.ms, time.monotonic())

    def _drain_voice(self) -> None:
        attachment = self.attachment
        if attachment is not None and attachment.sink is not None and not attachment.ended:
            attachment.drain()
        else:
            self.core.playback_finished({}, time.monotonic())


def refusal(error: events.ErrorDetail | None, event_id: str | None = None) -> RtagentError:
    """The exception for an error of the server; None is an answer that never came."""
    if error is None:
        return Timeout(f"an answer to {event_id}", waited_s=ANSWER_WITHIN_S)
    return ServerError(
        error.message or "the server refused the event",
        code=error.code,
        event_id=event_id,
        param=error.param,
        kind=error.type,
    )
