"""The shell around the pure core: feed the core, carry out what it decided, repeat.

Theory of operation. Whoever changes the core, the reader of a connection, a finished tool, the timer, the
program, does so through a method here, and each of these ends in ``_carry_out``: first the happenings in
their order, then the events to send, then the state. All of that is synchronous, so nothing can come in
between. Connections come and go (``_lifeline``); the core, and everybody who waits, stay. When the session
ends, everybody who waits is told why, once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
import anyio.abc

from .. import events
from ..audio import Clock, Heard, PlaybackItem
from ..errors import ConnectionLost, LocalProtocolError, RtagentError, SessionClosed
from ..events.lifecycle import (
    AudioDropped,
    Closed,
    LifecycleEvent,
    PlaybackFinished,
    PlaybackStarted,
    SessionState,
    StateChanged,
)
from ..protocol import Core, History, Opened, Response, Resumable
from ._attachment import Attachment
from ._deeds import Deeds
from ._fanout import Fanout, Observer
from ._input import InputAudio
from ._measure import Metrics, SessionStatistics
from ._timer import Timer
from ._tool_port import CallRunner
from ._traffic import Traffic
from ._wire import Wire

__all__ = ("Pump",)

logger = logging.getLogger(__name__)


class Pump:
    """Owns the core and everything that moves it. The session above is its public face."""

    def __init__(self, core: Core, clock: Clock, observer: Observer | None = None) -> None:
        self.core = core
        self.clock = clock
        self.fanout = Fanout(observer, clock.now)
        self.traffic = Traffic(core.dialect, self.fanout, clock)
        self.deeds = Deeds(core, clock, self.fanout)
        self.waiters = self.deeds.waiters
        self.wire = Wire()
        self.input = InputAudio(core, self.wire, clock, self.publish)
        self.state: SessionState = "connecting"
        self.closed: Closed | None = None
        self.ended = anyio.Event()
        self.farewell_said = False
        self._effective = core.effective
        self._dialect = core.dialect
        self._moved = anyio.Event()
        self._timer = Timer(clock, core.next_deadline, self._deadline_due)

    def start(self, group: anyio.abc.TaskGroup, tools: CallRunner) -> None:
        """Tools can run from now on, and deadlines are kept, in the group."""
        self.deeds.start(group, tools)
        group.start_soon(self._timer.run, name="session timer")

    # -- what others do to the conversation ----------------------------------------------------------

    def post(self, event: events.ClientEvent, *, awaited: bool = False) -> str:
        """Send an event (a response waits for its turn); returns its id.

        Raises:
            SessionClosed: the session has ended.
            ConnectionLost: it ended without our doing.
        """
        self.check_open()
        event_id = self.core.send(event, self.clock.now(), awaited=awaited)
        if awaited:
            self.waiters.open(event_id)  # before _carry_out, which may hold the answer already
        self._carry_out()
        return event_id

    async def respond(self, params: events.ResponseParams, timeout: float | None) -> Response:
        """Ask for a response and wait until it, and what its tools lead to, is finished."""
        self.check_open()
        request_id = self.core.create_response(params, self.clock.now())
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

    def interrupt(self, since: float | None = None) -> None:
        """Stop the voice now; ``since`` is when it was decided, if it has paused since then."""
        self.check_open()
        self.core.interrupt(self.clock.now())
        self.deeds.meter.interrupted(self.clock.now() if since is None else since)
        self._carry_out()

    async def carry_audio(self, attachment: Attachment) -> None:
        """Carry audio both ways until the attachment ends; what is queued then is dropped."""
        await attachment.run(self.playback_started, self.playback_finished)
        if attachment.error is not None:
            logger.warning("ears and mouth were taken away: %s", attachment.error)
        if attachment.sink is not None:
            self.core.playback_finished(attachment.sink.heard().ms, self.clock.now())
            self._carry_out()

    def tool_finished(self, call_id: str, output: str, follow_up: bool) -> None:
        """A tool has its output."""
        if self.closed is None:
            self.core.tool_finished(call_id, output, self.clock.now(), follow_up=follow_up)
            self._carry_out()

    def drop_response(self, request_id: str, *, spare_voice: bool = False) -> None:
        """A response that was asked for is not wanted any more; ``spare_voice``: unless it speaks already."""
        if self.closed is None:
            self.core.drop_response(request_id, self.clock.now(), spare_voice=spare_voice)
            self._carry_out()

    def playback_started(self, item: PlaybackItem, at: float) -> None:
        """The first sample of an answer was heard."""
        measured = self.deeds.meter.first_heard(at, item.response_id, self.clock.now())
        self.publish(PlaybackStarted(at=at, item_id=item.item_id))
        if measured is not None:
            self.publish(measured)

    def playback_finished(self, heard: Heard) -> None:
        """Everything that was queued has been heard."""
        self.core.playback_finished(heard.ms, self.clock.now())
        last = list(heard.ms)[-1:]
        for item_id in last:
            self.publish(PlaybackFinished(at=self.clock.now(), item_id=item_id, heard_ms=heard.of(item_id)))
        self._carry_out()

    # -- what the connections bring ------------------------------------------------------------------

    def take(self, event: events.ServerEvent) -> bool:
        """One event of the conversation; True when it let somebody who waited go on."""
        self.traffic.hear(event)
        self.core.receive(event, self.clock.now())
        self._follow_formats()
        return self._carry_out()

    def connect(self, opened: Opened) -> None:
        """The first connection is open."""
        self.wire.connect()
        for event in opened.events:
            self.core.receive(event, self.clock.now())
        self._follow_formats()
        self._carry_out()

    def disconnect(
        self,
        resumption: Resumable,
        loss: ConnectionLost | None = None,
        *,
        resend: bool = True,
        resume: bool = True,
        deaf: bool = False,
    ) -> None:
        """The connection is gone (or left, without ``loss``), and another one is to take the conversation up."""
        self.deeds.loss = loss
        unsent = self.wire.disconnect()
        resumption.lost(self.clock.now(), unsent=unsent, resend=resend, resume=resume, deaf=deaf)
        if loss is not None:  # otherwise the next one takes over in this moment, and nobody is to notice
            self._carry_out()

    def reconnect(self, resumption: Resumable, opened: Opened, *, seamless: bool = False) -> None:
        """Another connection takes the conversation up."""
        now = self.clock.now()
        self.wire.connect()
        repeat = resumption.connected(opened, now, seamless=seamless)
        self._follow_formats()
        for block in repeat.blocks:
            self.input.repeat(block)
        resumption.go_on(now)
        self._carry_out()
        if repeat.dropped_ms > 0.0:
            self.publish(AudioDropped(at=now, ms=repeat.dropped_ms, reason="there was no connection"))

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as the conversation is in such a state."""
        while not condition():
            if self._moved.is_set():  # otherwise somebody else waits for it already
                self._moved = anyio.Event()
            await self._moved.wait()

    def publish(self, event: LifecycleEvent) -> None:
        """Tell everybody who wants to know."""
        self.fanout.publish(event)

    def set_state(self, state: SessionState) -> None:
        """Move the session's state, and say so when it changed."""
        if state != self.state:
            previous, self.state = self.state, state
            if self.deeds.attachment is not None and self.deeds.attachment.backdrop is not None:
                self.deeds.attachment.backdrop.follow(state)
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
        if self.deeds.attachment is not None and silence:
            self.deeds.attachment.stop()
        self.set_state("closed")
        self.publish(self.closed)
        self.waiters.close(error if error is not None else SessionClosed())
        self.fanout.end(error)
        self.ended.set()

    # -- what is known -------------------------------------------------------------------------------

    def history(self) -> History:
        """The conversation so far, with what the sink says was heard until now."""
        attachment = self.deeds.attachment
        if attachment is not None and attachment.sink is not None:
            self.core.playback_progress(attachment.sink.heard().ms)
        return History(self.core.history)

    def metrics(self) -> Metrics:
        """What was measured so far."""
        return Metrics(
            turns=tuple(self.deeds.meter.turns),
            audio_dropped_ms=self.wire.statistics().audio_dropped_ms,
            late_audio_dropped_ms=self.core.late_audio_ms,
            departures=dict(self.traffic.departures),
        )

    def statistics(self) -> SessionStatistics:
        """What went over the wire so far."""
        wire = self.wire.statistics()
        return SessionStatistics(
            events_received=self.traffic.heard,
            frames_sent=self.traffic.said + wire.frames_sent,
            audio_waiting_ms=wire.audio_waiting_ms,
            at_rest=self.wire.idle and self.deeds.idle,
        )

    # -- carrying out --------------------------------------------------------------------------------

    def _deadline_due(self) -> None:
        self.core.handle_timeout(self.clock.now())
        self._carry_out()

    def _follow_formats(self) -> None:
        effective = self.core.effective  # what the server does counts, not what was asked (rule U4)
        if effective is not self._effective:
            self._effective = effective
            self.deeds.set_formats(effective)

    def _carry_out(self) -> bool:
        resumed = False
        while happenings := self.core.happenings():
            for happening in happenings:
                resumed = self.deeds.do(happening) or resumed
        try:
            for event in self.core.events_to_send():
                self.wire.put(events.encode(event, self._dialect), event)
                self.fanout.sent(event)
        except LocalProtocolError as error:  # the other side has not read for very long
            self.end(error, None, str(error))
        self._timer.look()
        self._moved.set()
        if self.closed is None and self.state != "connecting":
            self.set_state(self.core.state)
        return resumed
