"""The user's audio on its way from the program to the wire."""

from __future__ import annotations

from collections.abc import Callable

import anyio.abc

from .. import events
from ..audio import Clock
from ..events.lifecycle import AudioDropped, LifecycleEvent
from ..protocol import Core, SpokenBlock
from ._flow import InputFlow
from ._wire import Wire

__all__ = ("InputAudio",)


class InputAudio:
    """Owns whether, and how, input audio goes out: encoded, measured, counted where it is dropped.

    Args:
        core: learns of every block that is written.
        wire: takes the encoded blocks.
        clock: the session's.
        publish: is told what was dropped.
    """

    def __init__(
        self, core: Core, wire: Wire, clock: Clock, publish: Callable[[LifecycleEvent], None]
    ) -> None:
        self._core = core
        self._dialect = core.dialect
        self._wire = wire
        self._clock = clock
        self._publish = publish
        self._ended = False
        self._taken = core.dialect.takes(events.vocabulary(core.dialect.protocol).append_type)
        self._flow = InputFlow(clock, self._put) if core.dialect.input_must_flow else None

    def check_taken(self) -> None:
        """Raise ``Unsupported`` where the server takes no input audio."""
        if not self._taken:
            raise self._dialect.unsupported("input audio", hint="its sound is carried elsewhere")

    def append(self, pcm: bytes, captured_at: float) -> float:
        """Queue input audio; returns the milliseconds of older audio that were dropped for it.

        Args:
            pcm: sound in the session's input format.
            captured_at: when its first sample was captured, in seconds of the session's clock.

        Raises:
            Unsupported: the sound of this session is carried elsewhere.
        """
        if not self._taken:
            self.check_taken()
        if self._ended or not pcm:
            return 0.0
        if self._flow is not None:
            self._flow.wrote()
        return self._put(pcm, captured_at)

    def keep_flowing(self, group: anyio.abc.TaskGroup) -> None:
        """From now on send silence where nobody speaks, if this kind of server needs that."""
        if self._flow is not None:
            group.start_soon(
                self._flow.run, lambda: self._core.effective.input_format, name="session silence"
            )

    def end(self) -> None:
        """The session is over: what comes now goes nowhere."""
        self._ended = True

    def repeat(self, block: SpokenBlock) -> None:
        """Say again on a new connection what was said to the old one; nothing of it is dropped."""
        self._core.audio_written(block.pcm, block.ms, block.at)
        self._wire.put(events.encode_append(block.pcm, self._dialect))

    def _put(self, pcm: bytes, captured_at: float) -> float:
        ms = self._core.effective.input_format.ms_of(len(pcm))
        self._core.audio_written(pcm, ms, captured_at)
        dropped = self._wire.put_audio(events.encode_append(pcm, self._dialect), ms)
        if dropped:
            self._publish(AudioDropped(at=self._clock.now(), ms=dropped, reason="the network is too slow"))
        return dropped
