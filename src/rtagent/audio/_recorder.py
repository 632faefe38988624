"""A conversation as a stereo file: the caller left, the assistant right, aligned on one clock.

Theory of operation
    Frames are counted from the ``at`` of the first block of either side. Each side is a ``_Track``:
    the audio that is not yet on disk, and the place where its current *run* ends. A block that
    begins within 20 ms of there continues the run, whatever its ``at`` says exactly, since device
    times wobble while samples do not. Any other block is placed by its ``at``: a gap becomes
    silence, an overlap is cut off.

    What both sides have passed is finished and goes to disk in quarter seconds. A side that says
    nothing for two seconds holds the other one back no longer, so memory is bounded; audio that
    comes later than that is dropped and counted.

    Writing happens on a thread of the recorder's own, one job after the other, as a disk may take
    its time. A recording that fails ends quietly: the conversation goes on, ``failure`` tells it and
    ``close`` raises it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from anyio import CancelScope, to_thread

from ..errors import AudioFileError, ConfigurationError
from . import g711
from ._format import AudioBlock, AudioFormat
from ._pcm import pcm_bytes
from ._resample import Resampler
from ._wav import WavWriter

__all__ = ("Recorder",)

_JITTER_S = 0.02
_HOLD_S = 2.0
_STRETCH_S = 0.25
_WAITING_S = 30.0
"""How much audio may wait for the disk before the recording is given up."""
_LONGEST_PAUSE_S = 24 * 3600.0
"""What begins later than this behind the rest was stamped by another clock."""

_DECODERS = {"pcmu": g711.decode_ulaw, "pcma": g711.decode_alaw}
_Content = TypeVar("_Content")


class _Run:
    """Blocks that follow each other without a gap, brought to the file's rate without the filter's delay."""

    def __init__(self, begin: int, source_rate: int, rate: int) -> None:
        self.source_rate = source_rate
        self.expected = begin
        """The frame at which the next block begins."""
        self._resampler = Resampler(source_rate, rate)
        self._lead = self._resampler.delay_frames

    def process(self, pcm: bytes) -> bytes:
        """The audio that this block completes."""
        converted = self._resampler.process(pcm)
        self.expected += len(converted) // 2
        early = min(self._lead, len(converted) // 2)
        self._lead -= early
        return converted[2 * early :]

    def finish(self) -> bytes:
        """What the filter still holds."""
        return self._resampler.flush()[2 * self._lead : 2 * self._resampler.delay_frames]


class _Track:
    """One side: what of it is not written yet, as PCM16 at the file's rate."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pending = bytearray()
        self.written = 0
        """Frames before the pending ones: both tracks have the same."""
        self._run: _Run | None = None
        self._place = 0  # of the run's next audio
        self.dropped_frames = 0

    @property
    def end(self) -> int:
        """The frame behind the last one that is known."""
        return self.written + len(self._pending) // 2

    def add(self, pcm: bytes, rate: int, begin: int) -> None:
        """Take a block that begins, by its time, at that frame."""
        run = self._run
        if run is not None and abs(begin - run.expected) < _JITTER_S * self._rate:
            begin = run.expected
        if run is None or begin != run.expected or rate != run.source_rate:
            self.end_run()
            run = self._run = _Run(begin, rate, self._rate)
            self._place = begin
        self._put(run.process(pcm))

    def end_run(self) -> None:
        """What comes next is placed by its time alone."""
        if self._run is not None:
            self._put(self._run.finish())
        self._run = None

    def take(self, frames: int) -> bytes:
        """The next frames for the file, with silence where there are none."""
        taken = bytes(self._pending[: 2 * frames]).ljust(2 * frames, b"\0")
        del self._pending[: 2 * frames]
        self.written += frames
        return taken

    def skip(self, frames: int) -> None:
        """The file goes on by so many silent frames; nothing is pending then."""
        self.written += frames

    def _put(self, pcm: bytes) -> None:
        frames = len(pcm) // 2
        missing = self._place - self.end
        self._place += frames
        if missing >= 0:
            self._pending += bytes(2 * missing)
        else:  # its place is taken, or written already
            late = min(-missing, frames)
            self.dropped_frames += late
            pcm = pcm[2 * late :]
        self._pending += pcm


class Recorder:
    """Records both sides of a conversation into one stereo WAV file: left near, right far.

    ``near`` and ``far`` belong to one task or thread, the owner's; neither ever waits. Use it as a
    context manager, with ``async with`` inside an event loop.

    Args:
        path: the file, overwritten if it exists.
        rate: the file's sample rate (Hz); sides with another rate are resampled.

    Raises:
        AudioFileError: the file cannot be created.
    """

    def __init__(self, path: str | PathLike[str], rate: int = 24_000) -> None:
        self._path = path
        self._format = AudioFormat.pcm16(rate)
        self._near = _Track(rate)
        self._far = _Track(rate)
        self._zero: float | None = None
        self._writer = WavWriter(path, rate, channels=2)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rtagent-recorder")
        self._jobs: deque[tuple[int, Future[None]]] = deque()
        self._waiting = 0  # frames in these jobs
        self._failure: AudioFileError | None = None
        self._closed = False

    @property
    def dropped_ms(self) -> float:
        """Milliseconds of both sides that overlapped, came too late for their place, or have no true time."""
        return (self._near.dropped_frames + self._far.dropped_frames) * 1000 / self._format.rate

    @property
    def buffered_ms(self) -> float:
        """Milliseconds of the conversation that are not handed to the disk yet."""
        return (max(self._near.end, self._far.end) - self._near.written) * 1000 / self._format.rate

    @property
    def failure(self) -> AudioFileError | None:
        """Why nothing is recorded any more."""
        self._collect()
        return self._failure

    def near(self, block: AudioBlock, format: AudioFormat | None = None) -> None:  # noqa: A002
        """Record a block of the caller, in the recorder's own format if none is told."""
        self._record(self._near, block, format)

    def far(self, block: AudioBlock, format: AudioFormat | None = None) -> None:  # noqa: A002
        """Record a block of the assistant, at the time at which it is heard."""
        self._record(self._far, block, format)

    def close(self) -> None:
        """Write what is left and complete the file; waits for the disk. Closing again does nothing.

        Raises:
            AudioFileError: the recording failed, now or earlier; the file is complete up to there.
        """
        if self._closed:
            return
        self._closed = True
        self._near.end_run()
        self._far.end_run()
        self._write_until(max(self._near.end, self._far.end))
        self._jobs.append((0, self._thread.submit(self._writer.close)))
        self._thread.shutdown(wait=True)
        self._collect()
        if self._failure is not None:
            raise self._failure

    async def aclose(self) -> None:
        """``close`` without keeping the event loop waiting."""
        with CancelScope(shield=True):  # a cancelled conversation shall leave a complete file, too
            await to_thread.run_sync(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _record(self, track: _Track, block: AudioBlock, told: AudioFormat | None) -> None:
        if self._closed or self._failure is not None:
            return
        source = told if told is not None else self._format
        pcm = _mono_pcm16(pcm_bytes(block.pcm), source)
        if not self._is_time(block.at):
            track.dropped_frames += len(pcm) // 2 * self._format.rate // source.rate
            return
        if self._zero is None:
            self._zero = block.at
        begin = round((block.at - self._zero) * self._format.rate)
        hold = round(_HOLD_S * self._format.rate)
        if begin - hold > max(self._near.end, self._far.end):
            self._write_until(begin - hold)  # a long pause goes to disk before the block, and not into memory
        track.add(pcm, source.rate, begin)
        near, far = self._near.end, self._far.end
        finished = max(min(near, far), max(near, far) - hold)
        if finished - self._near.written >= _STRETCH_S * self._format.rate:
            self._write_until(finished)

    def _is_time(self, at: float) -> bool:
        """Whether a block can have begun then: the file cannot be as long as two clocks are apart."""
        if self._zero is None:
            return math.isfinite(at)
        end_s = max(self._near.end, self._far.end) / self._format.rate
        return at - self._zero - end_s < _LONGEST_PAUSE_S and at > -math.inf

    def _write_until(self, frame: int) -> None:
        for track in (self._near, self._far):
            if track.end < frame:
                track.end_run()
        audible = min(frame, max(self._near.end, self._far.end)) - self._near.written
        if audible > 0:
            stereo = np.empty((audible, 2), "<i2")
            stereo[:, 0] = np.frombuffer(self._near.take(audible), "<i2")
            stereo[:, 1] = np.frombuffer(self._far.take(audible), "<i2")
            self._submit(audible, self._writer.write, stereo.tobytes())
        silent = frame - self._near.written
        if silent > 0:
            self._near.skip(silent)
            self._far.skip(silent)
            self._submit(0, self._writer.write_silence, silent)

    def _submit(self, frames: int, write: Callable[[_Content], None], content: _Content) -> None:
        self._collect()
        if self._waiting + frames > _WAITING_S * self._format.rate and self._failure is None:
            self._failure = AudioFileError(self._path, "the disk is too slow for the recording")
        if self._failure is None:
            self._waiting += frames
            self._jobs.append((frames, self._thread.submit(write, content)))

    def _collect(self) -> None:
        """Learn from the jobs that are done whether one failed."""
        while self._jobs and self._jobs[0][1].done():
            frames, job = self._jobs.popleft()
            self._waiting -= frames
            try:
                job.result()
            except AudioFileError as error:
                self._failure = self._failure or error


def _mono_pcm16(pcm: bytes, source: AudioFormat) -> bytes:
    if source.channels != 1:
        message = f"a side of a recording is mono, not {source.channels} channels"
        raise ConfigurationError(message)
    decode = _DECODERS.get(source.encoding)
    return pcm if decode is None else decode(pcm)
