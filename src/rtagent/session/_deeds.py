"""Carrying out what the core has decided: play, fall silent, run a tool, let somebody go on who waits."""

from __future__ import annotations

import anyio.abc

from ..audio import Clock
from ..errors import ConnectionLost
from ..events.lifecycle import Interrupted, LifecycleEvent
from ..protocol import (
    Answered,
    CallDue,
    CallsInterrupted,
    Core,
    Effective,
    Happening,
    InputTurn,
    PlayDue,
    Refused,
    ResponseFinished,
    StopDue,
    Undelivered,
    VoiceCut,
    VoiceEnded,
)
from ._attachment import Attachment
from ._fanout import Fanout
from ._measure import TurnMeter
from ._refusal import refusal
from ._tool_port import CallRunner
from ._waiters import Waiters

__all__ = ("Deeds",)


class Deeds:
    """Owns what the core acts on: ears and mouth, the tools, those who wait, the measuring of turns."""

    def __init__(self, core: Core, clock: Clock, fanout: Fanout) -> None:
        self.waiters = Waiters()
        self.meter = TurnMeter()
        self.attachment: Attachment | None = None
        self.loss: ConnectionLost | None = None
        """The last loss of a connection."""
        self._core = core
        self._clock = clock
        self._fanout = fanout
        self._tools: CallRunner | None = None
        self._group: anyio.abc.TaskGroup | None = None

    def start(self, group: anyio.abc.TaskGroup, tools: CallRunner) -> None:
        """From now on tools can run, in the group."""
        self._group, self._tools = group, tools

    @property
    def has_mouth(self) -> bool:
        """Whether what is said would be heard here."""
        attachment = self.attachment
        return attachment is not None and attachment.sink is not None and not attachment.ended

    @property
    def idle(self) -> bool:
        """Whether no tool runs."""
        return self._tools is None or self._tools.idle

    def set_formats(self, effective: Effective) -> None:
        """What the server takes and sends has changed."""
        if self.attachment is not None:
            self.attachment.set_formats(effective.input_format, effective.output_format)

    def do(self, happening: Happening) -> bool:
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
                self._publish(
                    Interrupted(
                        at=self._clock.now(),
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
                self._turn_moved(happening)
            case Answered() | Refused() | Undelivered() | ResponseFinished():
                return self._answer(happening)
        return False

    def _answer(self, happening: Answered | Refused | Undelivered | ResponseFinished) -> bool:
        match happening:
            case Answered(event_id, event):
                return self.waiters.resolve(event_id, event)
            case Refused(event_id, error):
                return self._fail(event_id, refusal(error, event_id))
            case Undelivered(event_id, kind):
                code = None if self.loss is None else self.loss.code
                reason = f"before {kind} was answered, and it is not sent again: the server may have taken it"
                return self._fail(event_id, ConnectionLost(code, reason))
            case ResponseFinished(response, serves, final):
                told = False
                if final:
                    for request_id in serves:
                        told = self.waiters.resolve(f"response:{request_id}", response) or told
                return told

    def _fail(self, event_id: str, failure: Exception) -> bool:
        told = self.waiters.fail(event_id, failure)
        return self.waiters.fail(f"response:{event_id}", failure) or told

    def _turn_moved(self, turn: InputTurn) -> None:
        if turn.kind in ("started", "stopped"):
            self.meter.speech_ended(turn.ended_at if turn.kind == "stopped" else None)
        ear = None if self.attachment is None else self.attachment.ear
        if ear is None or turn.kind == "stopped":
            return
        if turn.kind == "started":
            ear.server_hears(turn.item_id)
        elif (since := ear.words(turn.item_id)) is not None:
            self._core.interrupt(self._clock.now())
            self.meter.interrupted(since)

    def _stop_voice(self, happening: StopDue) -> None:
        now = self._clock.now()
        if happening.reason == "speech":
            self.meter.interrupted(now)
        if self._tools is not None:
            self._tools.hush()
        heard = self.attachment.stop() if self.attachment is not None else None
        if heard is not None:
            self.meter.silent(heard.silent_at if heard.silent_at is not None else now)
        self._core.playback_stopped(None if heard is None else heard.ms, now)

    def _drain_voice(self) -> None:
        if self.attachment is not None and self.has_mouth:
            self.attachment.drain()
        else:
            self._core.playback_finished({}, self._clock.now())

    def _publish(self, event: LifecycleEvent) -> None:
        self._fanout.publish(event)
