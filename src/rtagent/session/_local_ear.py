"""Ears that know by themselves when somebody speaks: they make the voice pause, and may end turns as well."""

from __future__ import annotations

from typing import Protocol

import anyio.abc

from ..audio import (
    AudioBlock,
    AudioSource,
    Clock,
    EndOfTurn,
    GatedSource,
    Heard,
    SpeechStarted,
    SpeechStopped,
)
from ..events.lifecycle import LifecycleEvent, PlaybackPaused, PlaybackResumed
from ._barge_in import BargeIn, Doubt, Verdict
from ._local_turns import LocalTurns, turn_detector
from ._mouth import Mouth
from ._timer import Timer

__all__ = ("ConversationFloor", "LocalEar", "being_heard")

SILENCE_MS = 300.0
"""A pause of this length ends speech that made the voice pause."""


class ConversationFloor(Protocol):
    """What is asked of the conversation; see ``Floor``."""

    @property
    def is_ours(self) -> bool: ...

    def interrupt(self, since: float) -> None: ...

    def end_turn(self) -> None: ...

    def take_back(self) -> None: ...

    def publish(self, event: LifecycleEvent) -> None: ...


class LocalEar:
    """Owns the detector of speech on this side, and what follows from its moves.

    Args:
        source: what is listened to.
        how: ``BargeIn`` where the server hears turns as well, ``LocalTurns`` where it does not.
        mouth: the voice that may be interrupted; None without one.
        floor: the conversation.
        clock: the session's.
    """

    def __init__(
        self,
        source: AudioSource,
        how: BargeIn | LocalTurns,
        mouth: Mouth | None,
        floor: ConversationFloor,
        clock: Clock,
    ) -> None:
        self._mouth = mouth
        self._floor = floor
        self._clock = clock
        self.source = source
        """What is sent: all of it, or only the speech."""
        self._end_of_turn: EndOfTurn | None = None
        if isinstance(how, LocalTurns):
            self._doubt = Doubt(resume_after_s=0.0, sure_after_s=how.sure_after_s)
            self._detector = turn_detector(
                how.detector,
                source.format,
                start_ms=how.start_ms,
                silence_ms=how.silence_ms,
                pre_roll_ms=how.pre_roll_ms,
            )
            self._end_of_turn = EndOfTurn(
                self._detector, how.judge, longest_ms=how.longest_pause_ms, clock=clock
            )
            self.source = GatedSource(source, self._detector, on_move=self._moved)
        else:
            self._doubt = Doubt(resume_after_s=how.resume_after_s, sure_after_s=how.sure_after_s)
            self._detector = turn_detector(
                how.detector, source.format, start_ms=how.start_ms, silence_ms=SILENCE_MS, pre_roll_ms=0.0
            )
        self._timer = Timer(clock, self._doubt.deadline, self._due)
        self._group: anyio.abc.TaskGroup | None = None

    async def run(self) -> None:
        """Keep time, and wait for turns to end, until cancelled."""
        async with anyio.create_task_group() as self._group:
            self._group.start_soon(self._timer.run)

    def hear(self, block: AudioBlock) -> None:
        """What is sent next."""
        if self._end_of_turn is None:
            for move in self._detector.feed(block):
                self._moved(move)

    # -- what the server says ------------------------------------------------------------------------

    def server_hears(self, item_id: str | None) -> None:
        """The server hears speech, which that item will hold. Where it interrupts, it has done so."""
        if not self._floor.is_ours:
            self._settle()
            return
        if self._mouth is not None and self._mouth.sounding and not self._doubt.open:
            self._pause()
        self._doubt.heard_by_server(item_id)

    def words(self, item_id: str | None) -> float | None:
        """Words came of that item, or the server will answer it: since when the voice is silent, if that settles it."""
        return self._since() if self._doubt.words(item_id) == "interrupt" else None

    def stopped(self) -> None:
        """The voice was stopped, for whatever reason."""
        self._doubt.settle()

    # -- what is heard here --------------------------------------------------------------------------

    def _moved(self, move: SpeechStarted | SpeechStopped) -> None:
        if isinstance(move, SpeechStarted):
            if self._mouth is not None and self._mouth.sounding:
                self._pause()
            return
        doubtful = self._doubt.open
        self._doubt.silence(self._clock.now())
        self._timer.look()
        if self._end_of_turn is None:
            return
        if doubtful:  # too short to be meant for us
            self._floor.take_back()
        elif self._group is not None:
            self._group.start_soon(self._await_end, self._end_of_turn, move)

    async def _await_end(self, end_of_turn: EndOfTurn, pause: SpeechStopped) -> None:
        if await end_of_turn.wait_over(pause):
            self._floor.interrupt(self._clock.now())  # what is still being answered is answered no more
            self._floor.end_turn()

    def _pause(self) -> None:
        assert self._mouth is not None  # there is a voice that sounds  # noqa: S101
        now = self._clock.now()
        self._doubt.speech(now, alone=self._end_of_turn is not None or self._floor.is_ours)
        heard = self._mouth.pause("speech")
        if heard is not None:
            item_id, heard_ms = being_heard(heard)
            self._floor.publish(PlaybackPaused(at=now, item_id=item_id, heard_ms=heard_ms, reason="speech"))
        self._timer.look()

    def _due(self) -> None:
        now = self._clock.now()
        verdict: Verdict | None = self._doubt.due(now)
        if verdict == "interrupt":
            self._floor.interrupt(self._since())
            self._settle()
        elif verdict == "resume":
            self._settle()

    def _since(self) -> float:
        since = None if self._mouth is None else self._mouth.paused_since("speech")
        return self._clock.now() if since is None else since

    def _settle(self) -> None:
        """No doubt any more: what still pauses goes on."""
        self._doubt.settle()
        paused_s = None if self._mouth is None else self._mouth.resume("speech")
        if self._mouth is not None and paused_s is not None:
            item_id, heard_ms = being_heard(self._mouth.sink.heard())
            self._floor.publish(
                PlaybackResumed(
                    at=self._clock.now(),
                    item_id=item_id,
                    heard_ms=heard_ms,
                    reason="speech",
                    paused_ms=paused_s * 1000,
                )
            )


def being_heard(heard: Heard) -> tuple[str | None, float]:
    """The item that was heard last, and how much of it, in milliseconds."""
    last = [*heard.ms.items()][-1:]
    return last[0] if last else (None, 0.0)
