"""Mouths without a device: what would be heard goes at its own pace into a file, or nowhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from types import TracebackType
from typing import Self

import anyio
from anyio import to_thread

from ..errors import AudioFileError, ConfigurationError, LocalProtocolError
from ._clock import MonotonicClock, Pacer
from ._format import AudioBlock, AudioFormat, Clock, Heard, PlaybackItem
from ._playback import PlaybackQueue, PlaybackStatistics
from ._playback_desk import Desk
from ._playback_sink import QueuedSink
from ._playback_tasks import OwnedTasks
from ._wav import WavWriter

__all__ = ("NullSink", "WavSink")

_PCM16_24K = AudioFormat.pcm16(24_000)
_UNWRITTEN_LIMIT_S = 60
"""How much output may wait for the disk before the pace waits too."""


class NullSink(QueuedSink):
    """An ``AudioSink`` that nobody hears, paced by an absolute schedule like a device by its crystal.

    One block leaves at each step of the schedule, silence included; a block that has left is heard.
    Enter it with ``async with``: its pacing task lives as long as the block.

    Args:
        format: mono PCM16 at any rate.
        pace: 1.0 is real time, 4.0 four times as fast.
        clock: what to pace by; the machine's monotonic clock if absent.
        block_ms: audio per step, in milliseconds.
    """

    def __init__(
        self,
        *,
        format: AudioFormat = _PCM16_24K,  # noqa: A002 - the field's term, as in AudioSink.format
        pace: float = 1.0,
        clock: Clock | None = None,
        block_ms: float = 20,
    ) -> None:
        if not 0 < pace < math.inf:
            message = f"a sink cannot play at pace {pace:g}"
            raise ConfigurationError(message, hint="1.0 is real time")
        self.format = format
        self.tap: Callable[[AudioBlock], None] | None = None
        """Called on the event loop with every block that leaves, silence included, as it leaves."""
        self._queue = PlaybackQueue(format)
        self._desk = Desk(format.rate)
        self._block_frames = max(1, round(format.rate * block_ms / 1000))
        self._frames_per_second = format.rate * pace
        self._clock = clock if clock is not None else MonotonicClock()
        self._tasks = OwnedTasks()
        self._next_at: float | None = None
        self._left = anyio.Event()
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._tasks.start(self._keep_pace)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed = True
        self._queue.close()
        try:
            await self._tasks.stop()
        finally:
            self._left.set()

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio behind what is queued; what does not fit into ten minutes is refused and counted.

        So is all that comes when the sink has been closed.
        """
        self._queue.push(item, pcm)

    def finish(self) -> None:
        """The reply is complete: what is queued need not wait for more."""
        self._queue.finish()

    def stop(self) -> Heard:
        """Fall silent within one block. Returns what was heard, and when the last sample sounds."""
        return self._silent_from(self._queue.flush())

    async def wait_drained(self) -> None:
        """Return when the last queued sample has left, or when the sink was closed meanwhile.

        Not while audio is paused.

        Raises:
            LocalProtocolError: the sink is not open, so nothing would ever leave.
        """
        while not self._closed:
            end = self._queue.drained_at_frame
            if end is not None and end <= self._queue.frames_out:
                return
            if not self._tasks.running:
                message = "a sink plays only inside its 'async with' block"
                raise LocalProtocolError(message)
            await self._left.wait()

    def statistics(self) -> PlaybackStatistics:
        """A snapshot of the counters."""
        return self._queue.statistics()

    async def _keep_pace(self) -> None:
        step_s = self._block_frames / self._frames_per_second
        pacer = Pacer(self._clock, step_s)
        while True:
            at = await pacer.next()
            pcm = self._pull(self._block_frames)
            self._next_at = at + step_s
            if self.tap is not None:
                self.tap(AudioBlock(pcm, at))
            left, self._left = self._left, anyio.Event()
            left.set()
            await self._store(pcm)

    async def _store(self, pcm: bytes) -> None:
        """Keep a block that has left; this sink does not."""

    def _played_frame(self) -> int:
        return self._queue.frames_out  # a block that has left is heard

    def _time_of(self, frame: int) -> float:
        next_at = self._clock.now() if self._next_at is None else self._next_at
        return next_at + (frame - self._queue.frames_out) / self._frames_per_second


class WavSink(NullSink):
    """An ``AudioSink`` that writes what would be heard into a WAV file, at its own pace, silence included.

    The file is opened when the block is entered and valid when it is left.

    Args:
        path: the file; one that exists is overwritten.
        format: mono PCM16 at any rate.
        pace: 1.0 is real time, 4.0 four times as fast.
        clock: what to pace by; the machine's monotonic clock if absent.
        block_ms: audio per step, in milliseconds.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        format: AudioFormat = _PCM16_24K,  # noqa: A002 - the field's term, as in AudioSink.format
        pace: float = 1.0,
        clock: Clock | None = None,
        block_ms: float = 20,
    ) -> None:
        super().__init__(format=format, pace=pace, clock=clock, block_ms=block_ms)
        self.path = path
        self._writer: WavWriter | None = None
        self._unwritten = bytearray()
        self._work = anyio.Event()
        self._room = anyio.Event()
        self._failure: AudioFileError | None = None

    async def __aenter__(self) -> Self:
        """Open the file and start to play.

        Raises:
            AudioFileError: the file cannot be written.
        """
        self._writer = await to_thread.run_sync(WavWriter, self.path, self.format.rate)
        await self._tasks.start(self._keep_pace, self._write_out)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop and complete the file.

        Raises:
            AudioFileError: the file could not be written to its end.
        """
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._close)
        if self._failure is not None and error is None:
            raise self._failure

    async def _store(self, pcm: bytes) -> None:
        self._unwritten += pcm
        self._work.set()
        while len(self._unwritten) > _UNWRITTEN_LIMIT_S * self.format.bytes_per_second:
            self._room = anyio.Event()
            await self._room.wait()

    async def _write_out(self) -> None:
        """The disk must not hold up the pace, so writing has a task of its own."""
        while True:
            await self._work.wait()
            self._work = anyio.Event()
            with anyio.CancelScope(shield=True):  # what was taken gets written
                await to_thread.run_sync(self._write, self._take_unwritten())
            self._room.set()

    def _take_unwritten(self) -> bytes:
        pcm = bytes(self._unwritten)
        self._unwritten.clear()
        return pcm

    def _write(self, pcm: bytes) -> None:
        if self._writer is None or self._failure is not None:
            return
        try:
            self._writer.write(pcm)
        except AudioFileError as error:
            self._failure = error

    def _close(self) -> None:
        self._write(self._take_unwritten())
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except AudioFileError as error:
                self._failure = error
