"""A mouth: a sound device as an ``AudioSink`` that knows what has been heard.

The device's callback pulls each block from the playback queue and notes when its first frame reaches the
converter; both are lock-free. Everything else runs on the event loop: queueing, resampling if the device
insisted on a rate of its own, the question "what was heard", the far side's tap, and the watch that brings a
lost device back. The stream runs from entering the block to leaving it and is never stopped in between:
stopping drains or cuts hard, starting again takes a time of its own, and a barge-in can wait for neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from ..errors import AudioUnavailable, ConfigurationError, LocalProtocolError
from ._clock import MonotonicClock
from ._dac_clock import DacClock
from ._device_backend import SoundBackend, StreamTimes
from ._device_hints import unavailable
from ._device_line import DeviceLine, Patience
from ._device_rate import FromDevice, ToDevice
from ._device_ring import DeviceRing
from ._devices import DeviceInfo, library_of
from ._format import AudioBlock, AudioFormat, Clock, Heard, PlaybackItem
from ._playback import PlaybackQueue, PlaybackStatistics, require_playable
from ._playback_desk import Desk
from ._playback_sink import QueuedSink
from ._playback_tasks import OwnedTasks

__all__ = ("Speaker", "SpeakerStatistics")

_DEFAULT_RATE = 24_000
_TAP_MS = 2_000
_TAP_WAKE_MS = 20
_DRAIN_POLL_S = 0.020
"""How long to sleep at least while the end of playback is not known yet."""
_DRAIN_LOOK_S = 0.100
"""How long to sleep at most: a stop may bring the end forward."""


@dataclass(frozen=True, slots=True)
class SpeakerStatistics:
    """Counters of one speaker since it was opened."""

    playback: PlaybackStatistics
    losses: int
    """How often the device was lost and came back."""
    lost_ms: float
    """Audio that a lost device had taken and never played."""
    away_ms: float
    """For how long it was away in all."""
    flags: int
    """Callbacks with an underflow flag; only a hint."""
    clock_jumps: int
    """How often the device's clock was set."""
    estimated: bool
    """The device gives no usable playback times, so positions rest on its usual delay."""
    tap_dropped_ms: float
    """Output that the tap did not take in time."""


class Speaker(QueuedSink):
    """A loudspeaker as an ``AudioSink``; open it with ``async with``.

    A device that vanishes is opened again, by name or else the default one; what it had taken and not
    played is not counted as heard. If it stays lost, ``play`` and ``wait_drained``
    raise ``AudioUnavailable``.

    Args:
        device: index, exact name, or a part of the name that fits one device; the default one if absent.
        rate: samples per second that ``play`` takes (Hz), 24000 if absent. The device is opened at this
            rate if it can be, else at its own, and converted.
        format: instead of ``rate``; mono PCM16.
        volume: how loud it is, a factor from 0.0 to 4.0; see the property.
        backend: the sound library, for tests; sounddevice if absent.
        clock: the sink's clock, for tests; the monotonic one if absent.
        patience: when a device counts as lost and how often it is tried again.

    Raises:
        ConfigurationError: a format that is not mono PCM16, ``rate`` and ``format`` that differ, or a volume
            out of range.
    """

    def __init__(
        self,
        device: int | str | None = None,
        rate: int | None = None,
        format: AudioFormat | None = None,  # noqa: A002 - the field's term, as in AudioSink.format
        *,
        volume: float = 1.0,
        backend: SoundBackend | None = None,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        if format is None:
            format = AudioFormat.pcm16(rate if rate is not None else _DEFAULT_RATE)  # noqa: A001
        elif rate is not None and rate != format.rate:
            message = f"the rate {rate} Hz and a format at {format.rate} Hz contradict each other"
            raise ConfigurationError(message, hint="give one of them")
        require_playable(format)
        self.format = format
        self.tap: Callable[[AudioBlock], None] | None = None
        """Called on the event loop with every block that the device takes, silence included; ``at`` is when
        its first sample is heard. Blocks have the device's sizes and this sink's format."""
        self._taps: tuple[Callable[[AudioBlock], None], ...] = ()
        self._clock = clock if clock is not None else MonotonicClock()
        self._line = DeviceLine(
            library_of(backend),
            "output",
            device,
            format.rate,
            callback=self._render,
            now=self._clock.now,
            patience=patience if patience is not None else Patience(),
        )
        self._desk = Desk(format.rate, volume)
        self._tasks = OwnedTasks()
        self._failure: AudioUnavailable | None = None
        self._lost_ms = 0.0
        self._clock_jumps = 0
        self._running = False
        self._set_up()

    @property
    def device(self) -> DeviceInfo | None:
        """The device that is, or was last, open."""
        return self._line.device

    async def __aenter__(self) -> Self:
        """Open the device and start its stream.

        Raises:
            AudioUnavailable: there is no such device, or it cannot be opened.
        """
        try:
            await self._line.open(self._set_up)
            await self._tasks.start(self._watch)
        except BaseException:
            await self._line.close()
            raise
        self._failure = None
        self._running = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the device; what was not heard is dropped. ``wait_drained`` first to hear it all."""
        self._running = False
        try:
            await self._tasks.stop()
        finally:
            await self._line.close()
        self.deliver_taps()

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        """Queue audio behind what is queued; what does not fit into ten minutes is refused and counted.

        Raises:
            LocalProtocolError: the speaker is not open.
            AudioUnavailable: the device was lost and did not come back.
        """
        self._require_open()
        self._feed.push(item, pcm)

    def finish(self) -> None:
        """The reply is complete: what is queued need not wait for more."""
        self._feed.end()
        self._queue.finish()

    def stop(self) -> Heard:
        """Fall silent: a ramp of 5 ms at the next block, then nothing; the stream goes on.

        Returns:
            What will have been heard of each item when it is silent: also what the device has taken and not played
            yet; and when the end of the ramp leaves the device.
        """
        silent_frame = self._queue.flush()
        self._feed.reset()
        return self._silent_from(silent_frame)

    async def wait_drained(self) -> None:
        """Return when the last queued sample has been heard, or when the speaker was closed meanwhile.

        Not while audio is paused.

        Raises:
            LocalProtocolError: the speaker is not open.
            AudioUnavailable: the device was lost and did not come back.
        """
        self._require_open()
        while self._running:
            self._require_open()
            now = self._clock.now()
            end = self._queue.drained_at_frame
            if end is not None and self._dac.played_frame(now) >= end:
                return
            due = now + self._queue.queued_ms / 1000 if end is None else self._dac.time_of(end)
            await self._clock.sleep_until(min(max(due or now, now + _DRAIN_POLL_S), now + _DRAIN_LOOK_S))

    def add_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        """Call that as well with every block that the device takes, as ``tap``; a microphone does it."""
        self._taps = (*self._taps, tap)

    def remove_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        """Call it no longer; nothing happens if it is not called."""
        self._taps = tuple(added for added in self._taps if added != tap)

    def deliver_taps(self) -> None:
        """Call the taps with what the device took until now, which else happens about every 20 ms."""
        while (block := self._far.take()) is not None:
            block = self._back.convert(block)
            for tap in self._taps if self.tap is None else (self.tap, *self._taps):
                tap(block)

    def statistics(self) -> SpeakerStatistics:
        """A snapshot of the counters."""
        return SpeakerStatistics(
            playback=self._queue.statistics(),
            losses=self._line.losses,
            lost_ms=self._lost_ms,
            away_ms=self._line.away_s * 1000,
            flags=self._line.flags,
            clock_jumps=self._clock_jumps + self._dac.jumps,
            estimated=self._dac.estimated,
            tap_dropped_ms=self._queue.format.ms_of(self._far.dropped_bytes),
        )

    # -- on the device's thread

    def _render(self, data: Any, frames: int, times: StreamTimes, now: float) -> None:
        first = self._queue.frames_out
        pcm = self._pull(frames)
        at = self._dac.record(
            first, frames, device_now=times.currentTime, dac_time=times.outputBufferDacTime, monotonic_now=now
        )
        data[:] = pcm
        if self.tap is not None or self._taps:
            self._far.put(AudioBlock(pcm, at))

    # -- on a worker thread, while no callback runs

    def _set_up(self) -> None:
        """The device's rate is known: make what depends on it."""
        device_format = AudioFormat.pcm16(self._line.rate)
        self._queue = PlaybackQueue(device_format)
        self._desk.run_at(device_format.rate)
        self._dac = DacClock(device_format.rate)
        self._dac.expect_lead(max(self._line.latency_s, 0.0))
        self._far = DeviceRing(
            capacity_bytes=device_format.bytes_of(_TAP_MS),
            wake_bytes=device_format.bytes_of(_TAP_WAKE_MS),
            ring=self._line.ring,
        )
        self._feed = ToDevice(self.format.rate, self._queue)
        self._back = FromDevice(device_format.rate, self.format.rate)

    def _take_over(self) -> None:
        """Another stream continues the queue, so it has to run at the same rate."""
        if self._line.rate != self._queue.format.rate:
            detail = f"it runs at {self._line.rate} Hz and not at {self._queue.format.rate} Hz as before"
            raise unavailable("format_refused", detail=detail)
        self._dac.expect_lead(max(self._line.latency_s, 0.0))

    # -- on the event loop

    async def _watch(self) -> None:
        try:
            while True:
                while await self._line.alive():
                    self.deliver_taps()
                await self._recover()
        except AudioUnavailable as error:  # play() and wait_drained() raise it
            self._failure = error

    async def _recover(self) -> None:
        await self._line.close()
        last_beat_at = self._line.last_beat_at
        if last_beat_at is not None:
            self._lost_ms += self._queue.forget_after(self._dac.played_frame(last_beat_at))
        self._clock_jumps += self._dac.jumps
        self._dac.reset()
        await self._line.reopen(self._take_over)

    def _played_frame(self) -> int:
        return self._dac.played_frame(self._clock.now())

    def _time_of(self, frame: int) -> float:
        at = self._dac.time_of(frame)
        return self._clock.now() if at is None else at

    def _require_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        if not self._running:
            message = "a speaker plays only inside its 'async with' block"
            raise LocalProtocolError(message)
