"""Ears without a microphone: files, arrays and silence, delivered at the pace of a microphone.

A block is handed out when its last sample would have been captured, one block after its ``at``,
just as a device does it; latencies measured with a file are then those of a real caller.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from os import PathLike
from typing import Any
from weakref import ReferenceType, ref

from anyio.lowlevel import checkpoint
from numpy.typing import NDArray

from ..errors import ConfigurationError, LocalProtocolError
from ._clock import MonotonicClock, Pacer
from ._files import read_audio
from ._format import AudioBlock, AudioFormat, Clock
from ._resample import resample
from ._samples import AudioClip, Pcm16, pcm16_of_array
from ._wav import read_wav

__all__ = ("ArraySource", "FileSource", "Silence", "WavSource")


class _PacedSource(ABC):
    """An ``AudioSource`` over samples that are known: subclasses say which bytes stand where."""

    def __init__(
        self,
        format: AudioFormat,  # noqa: A002 - the field's term, as in AudioSource.format
        *,
        pace: float | None,
        block_ms: float,
        clock: Clock | None,
    ) -> None:
        if format.encoding != "pcm16" or format.channels != 1:
            message = f"a source gives mono PCM16, not {format.channels} channels of {format.encoding}"
            raise ConfigurationError(message, hint="AudioFormat.pcm16(24000)")
        if pace is not None and not 0 < pace < math.inf:
            message = f"audio cannot be delivered at pace {pace:g}"
            raise ConfigurationError(message, hint="1.0 is real time; None is as fast as it is read")
        frames = round(block_ms * format.rate / 1000)
        if frames < 1:
            message = f"a block of {block_ms:g} ms holds no sample"
            raise ConfigurationError(message, hint="20 is usual")
        self.format = format
        self.block_bytes = frames * format.frame_bytes
        self.block_s = frames / format.rate / (pace or 1.0)
        self._paced = pace is not None
        self._clock = clock if clock is not None else MonotonicClock()
        self._reading: ReferenceType[_Reading] | None = None

    @property
    def waits(self) -> bool:
        """Whether it can be read as slowly as anybody likes: it has no pace of its own."""
        return not self._paced

    def blocks(self) -> AsyncIterator[AudioBlock]:
        """Start from the beginning, as often as wanted but not twice at the same time."""
        running = self._reading() if self._reading is not None else None
        if running is not None and not running.ended:
            message = "this source is being read already; make one source for each reader"
            raise LocalProtocolError(message)
        pacer = Pacer(self._clock, self.block_s) if self._paced else None
        reading = _Reading(self, self._clock.now(), pacer)
        self._reading = ref(reading)  # weak, so that a loop left by ``break`` has ended its reading
        return reading

    @abstractmethod
    def _read(self, start: int) -> bytes:
        """One block of PCM16 from that byte on, shorter at the end, empty behind it."""

    def pcm_from(self, start: int) -> bytes:
        """One whole block from that byte on, filled up with silence at the end; empty behind it."""
        pcm = self._read(start)
        return pcm.ljust(self.block_bytes, b"\0") if pcm else b""


class _Reading:
    """One pass through a source."""

    def __init__(self, source: _PacedSource, begin: float, pacer: Pacer | None) -> None:
        self._source = source
        self._begin = begin
        self._pacer = pacer
        self._count = 0
        self.ended = False

    def __aiter__(self) -> _Reading:
        return self

    async def __anext__(self) -> AudioBlock:
        source = self._source
        pcm = b"" if self.ended else source.pcm_from(self._count * source.block_bytes)
        if not pcm:
            self.ended = True
            raise StopAsyncIteration
        if self._pacer is None:
            await checkpoint()
            at = self._begin + self._count * source.block_s
        else:
            if self._count == 0:
                await self._pacer.next()  # the beginning; each further deadline is the end of a block
            at = await self._pacer.next() - source.block_s
        self._count += 1
        return AudioBlock(pcm, at)

    async def aclose(self) -> None:
        """End the pass early."""
        self.ended = True


class _MemorySource(_PacedSource):
    """Samples that are in memory."""

    def __init__(
        self,
        samples: Pcm16,
        rate: int,
        *,
        format: AudioFormat,  # noqa: A002 - the field's term
        pace: float | None,
        block_ms: float,
        clock: Clock | None,
        loop: bool,
        pad_ms: float,
    ) -> None:
        super().__init__(format, pace=pace, block_ms=block_ms, clock=clock)
        if not 0 <= pad_ms < math.inf:
            message = f"silence of {pad_ms:g} ms cannot be added"
            raise ConfigurationError(message)
        padding = bytes(format.bytes_of(pad_ms))
        self._pcm = padding + resample(samples.pcm, rate, format.rate) + padding
        self._loop = loop
        self.repaired_samples = samples.repaired_samples
        """Samples that were not a number, or infinite: they are silent."""
        self.clipped_samples = samples.clipped_samples
        """Samples that were beyond full scale: they are at full scale."""

    @property
    def duration_s(self) -> float:
        """Seconds of audio, padding included, of one pass."""
        return len(self._pcm) / self.format.bytes_per_second

    def _read(self, start: int) -> bytes:
        if not self._loop or not self._pcm:
            return self._pcm[start : start + self.block_bytes]
        start %= len(self._pcm)
        pcm = self._pcm[start : start + self.block_bytes]
        while len(pcm) < self.block_bytes:
            pcm += self._pcm[: self.block_bytes - len(pcm)]
        return pcm


class ArraySource(_MemorySource):
    """Samples in memory as a microphone.

    What is not a number becomes silence and is counted in ``repaired_samples``; what is beyond full
    scale is clipped and counted in ``clipped_samples``.

    Args:
        samples: PCM16 as ``bytes``; or a numpy array of int8, uint8, int16, int32, or floats of full
            scale 1.0, with frames in rows and channels, if several, in columns (they are mixed).
        rate: samples per second of the array (Hz).
        format: what the blocks shall be: mono PCM16, at the array's own rate if absent.
        pace: 1.0 is real time, 2.0 twice as fast; None is as fast as it is read.
        block_ms: audio per block, in milliseconds; the last block is filled up with silence.
        clock: what to pace by; the machine's monotonic clock if absent.
        loop: begin again at the end, without a gap, for ever.
        pad_ms: silence before and after, in milliseconds.
    """

    def __init__(
        self,
        samples: bytes | bytearray | memoryview | NDArray[Any],
        rate: int,
        *,
        format: AudioFormat | None = None,  # noqa: A002 - the field's term
        pace: float | None = 1.0,
        block_ms: float = 20,
        clock: Clock | None = None,
        loop: bool = False,
        pad_ms: float = 0,
    ) -> None:
        super().__init__(
            pcm16_of_array(samples),
            rate,
            format=format if format is not None else AudioFormat.pcm16(rate),
            pace=pace,
            block_ms=block_ms,
            clock=clock,
            loop=loop,
            pad_ms=pad_ms,
        )


class FileSource(_MemorySource):
    """An audio file as a microphone: WAV, FLAC, MP3, Ogg Vorbis or Opus, any rate, any number of channels.

    All but WAV need the extra ``files``: ``pip install 'rtagent[files]'``.

    The file is read, mixed and resampled at once, when the source is made: a problem shows there
    and not in the middle of a conversation. A minute of audio takes some tens of milliseconds.

    Args:
        path: the file.
        pace: 1.0 is real time, 2.0 twice as fast; None is as fast as it is read.
        format: what the blocks shall be: mono PCM16, 24 kHz if absent.
        block_ms: audio per block, in milliseconds; the last block is filled up with silence.
        clock: what to pace by; the machine's monotonic clock if absent.
        loop: begin again at the end, without a gap, for ever.
        pad_ms: silence before and after, in milliseconds.

    Raises:
        AudioFileError: the file cannot be read.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        pace: float | None = 1.0,
        format: AudioFormat | None = None,  # noqa: A002 - the field's term
        block_ms: float = 20,
        clock: Clock | None = None,
        loop: bool = False,
        pad_ms: float = 0,
    ) -> None:
        clip = self._read_file(path)
        super().__init__(
            clip.mono(),
            clip.rate,
            format=format if format is not None else AudioFormat.pcm16(24_000),
            pace=pace,
            block_ms=block_ms,
            clock=clock,
            loop=loop,
            pad_ms=pad_ms,
        )

    @staticmethod
    def _read_file(path: str | PathLike[str]) -> AudioClip:
        return read_audio(path)


class WavSource(FileSource):
    """A WAV file as a microphone: as ``FileSource``, but whatever is not WAV is refused."""

    @staticmethod
    def _read_file(path: str | PathLike[str]) -> AudioClip:
        return read_wav(path)


class Silence(_PacedSource):
    """Digital silence.

    Args:
        duration_s: seconds of it; endless if absent.
        format: mono PCM16, 24 kHz if absent.
        pace: 1.0 is real time, 2.0 twice as fast; None is as fast as it is read.
        block_ms: audio per block, in milliseconds.
        clock: what to pace by; the machine's monotonic clock if absent.
    """

    def __init__(
        self,
        duration_s: float | None = None,
        *,
        format: AudioFormat | None = None,  # noqa: A002 - the field's term
        pace: float | None = 1.0,
        block_ms: float = 20,
        clock: Clock | None = None,
    ) -> None:
        wanted = format if format is not None else AudioFormat.pcm16(24_000)
        super().__init__(wanted, pace=pace, block_ms=block_ms, clock=clock)
        self._size = math.inf if duration_s is None else wanted.bytes_of(duration_s * 1000)
        self._block = bytes(self.block_bytes)

    def _read(self, start: int) -> bytes:
        return self._block if start < self._size else b""
