"""Ears: a sound device as an ``AudioSource``.

Two threads meet here. The device's callback copies each block, with the monotonic time of its first sample,
into a bounded ring and rings a bell about once per block; the task that iterates ``blocks()`` does all
the rest: it resamples if the device insisted on a rate of its own, cuts equal blocks, measures the level,
does what the echo policy says, mutes, and brings the device back when it is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from ._clock import MonotonicClock
from ._dac_clock import ClockOffset
from ._device_backend import SoundBackend, StreamTimes
from ._device_line import DeviceLine, Patience
from ._device_push_to_talk import PushToTalk
from ._device_rate import FromDevice
from ._device_reblock import Reblocker
from ._device_ring import DeviceRing
from ._devices import DeviceInfo, library_of
from ._echo_path import EchoCancel, EchoPath, EchoPolicy, FarSide, choose_policy
from ._format import AudioBlock, AudioFormat, Clock

__all__ = ("EchoCancel", "Microphone", "MicrophoneStatistics", "PushToTalk")

_DEFAULT_RATE = 24_000
_RING_MS = 2_000
_LONGEST_BLOCK_MS = 1_000
"""More would not fit into the ring together with what comes while it is read."""
_MAX_AGE_S = 1.0
"""A block that claims to have been captured longer ago has a wrong timestamp."""


@dataclass(frozen=True, slots=True)
class MicrophoneStatistics:
    """Counters of one microphone since it was made."""

    captured_ms: float
    """Audio that was handed on."""
    dropped_ms: float
    """Audio that nobody took in time; the oldest goes first."""
    losses: int
    """How often the device was lost and came back."""
    away_ms: float
    """For how long it was away in all."""
    zero_ms: float
    """How long it has delivered nothing but zeros by now, which no real microphone does."""
    flags: int
    """Callbacks with an overflow flag; only a hint."""
    clock_jumps: int
    """How often the device's clock was set."""
    echo_policy: EchoPolicy = "none"
    """What is done against hearing the own voice."""
    echo_return_loss_db: float | None = None
    """How much quieter the loudspeaker is heard than it was played, once that is known."""
    echo_removed_db: float | None = None
    """How much of it was taken out lately, with ``aec`` and once there was any."""
    echo_ducked_ms: float = 0.0
    """How long the microphone was silenced because of it, with ``half_duplex``."""


class Microphone:
    """A microphone as an ``AudioSource`` of equal PCM16 blocks.

    The device is opened when ``blocks()`` is iterated and closed when the iteration ends. A device that
    vanishes is opened again, by name or else the default one; the gap shows in the blocks' times.

    Args:
        device: index, exact name, or a part of the name that fits one device; the default one if absent.
        rate: samples per second of the blocks (Hz), 24000 if absent. The device is opened at this rate if
            it can be, else at its own, and converted.
        echo_cancel: what is done against hearing the own voice: ``none``; ``half_duplex``, silence while the
            far end is heard unless somebody talks clearly louder than its echo; ``aec``, the echo is
            taken out, with the package ``livekit``. ``auto`` takes the best that there is: ``aec`` if
            that is installed, else ``half_duplex``, and ``none`` without ``far``.
        block_ms: audio in each block; 10 or 20 is usual, 1000 the most.
        far: the speaker whose sound this microphone may hear.
        backend: the sound library, for tests; sounddevice if absent.
        clock: the clock of the blocks' times, for tests; the monotonic one if absent.
        patience: when a device counts as lost and how often it is tried again.

    Raises:
        ConfigurationError: an echo policy that this installation cannot carry out, or a block length that cannot be.
    """

    def __init__(
        self,
        device: int | str | None = None,
        rate: int | None = None,
        echo_cancel: EchoCancel = "auto",
        block_ms: float = 20,
        *,
        far: FarSide | None = None,
        backend: SoundBackend | None = None,
        clock: Clock | None = None,
        patience: Patience | None = None,
    ) -> None:
        if not 0 < block_ms <= _LONGEST_BLOCK_MS:
            message = f"blocks of {block_ms:g} ms cannot be"
            raise ConfigurationError(message, hint=f"up to {_LONGEST_BLOCK_MS:g} ms; 10 or 20 is usual")
        self.format = AudioFormat.pcm16(rate if rate is not None else _DEFAULT_RATE)
        self._echo_wanted: EchoCancel = echo_cancel
        self._far = far
        self.echo_policy: EchoPolicy = choose_policy(
            echo_cancel, far=far is not None, rate=self.format.rate, block_ms=block_ms
        )
        """What is done against hearing the own voice."""
        self._echo: EchoPath | None = None
        if far is not None and self.echo_policy != "none":
            self._echo = EchoPath(far, self.echo_policy, self.format.rate, block_ms)
        self.muted = False
        """While true the blocks are silent; they keep coming, so that time goes on for the server."""
        self.level = 0.0
        """The peak of the last block, 0.0 to 1.0, muted or not."""
        self._now = (clock if clock is not None else MonotonicClock()).now
        self._line = DeviceLine(
            library_of(backend),
            "input",
            device,
            self.format.rate,
            callback=self._capture,
            now=self._now,
            patience=patience if patience is not None else Patience(),
        )
        self._block_ms = block_ms
        self._reblocker = Reblocker(self.format, block_ms)
        self._told: deque[AudioBlock] = deque()
        """What the echo policy has let go and nobody has read: at most what it holds back."""
        self._ring = self._make_ring(self.format.rate)
        self._rate = FromDevice(self.format.rate, self.format.rate)
        self._offset = ClockOffset(patient=True)
        self._captured_bytes = 0
        self._zero_bytes = 0
        self._dropped_ms = 0.0
        self._clock_jumps = 0

    def beside(self, far: FarSide) -> None:
        """Learn of the speaker whose sound it may hear, as with ``far``; a session does this when both are attached.

        Nothing changes where a policy was asked for, or a speaker is known already. To be called before it
        is opened.
        """
        if self._echo_wanted == "auto" and self._far is None:
            self._far = far
            self.echo_policy = choose_policy("auto", far=True, rate=self.format.rate, block_ms=self._block_ms)
            self._echo = EchoPath(far, self.echo_policy, self.format.rate, self._block_ms)

    @property
    def device(self) -> DeviceInfo | None:
        """The device that is, or was last, open."""
        return self._line.device

    def mute(self) -> None:
        """Deliver silence from now on."""
        self.muted = True

    def unmute(self) -> None:
        """Deliver what is heard again."""
        self.muted = False

    async def blocks(self) -> AsyncGenerator[AudioBlock, None]:
        """Open the device and capture until the iteration ends.

        End it with ``aclose()`` (or ``contextlib.aclosing``) when you break out early.

        Raises:
            AudioUnavailable: there is no such device, it cannot be opened, or it was lost and stayed lost.
        """
        echo = self._echo
        try:
            self._told.clear()
            if echo is not None:
                echo.open()
            await self._line.open(self._prepare)
            while True:
                while (block := self._next_block()) is not None:
                    yield block
                if not await self._line.alive():
                    await self._line.reopen(self._prepare)
        finally:
            if echo is not None:
                echo.close()
            await self._line.close()

    def statistics(self) -> MicrophoneStatistics:
        """A snapshot of the counters."""
        path = self._echo
        echo = path.canceller if path is not None else None
        return MicrophoneStatistics(
            captured_ms=self.format.ms_of(self._captured_bytes),
            dropped_ms=self._dropped_ms + self._ring_dropped_ms(),
            losses=self._line.losses,
            away_ms=self._line.away_s * 1000,
            zero_ms=self.format.ms_of(self._zero_bytes),
            flags=self._line.flags,
            clock_jumps=self._clock_jumps + self._offset.jumps,
            echo_policy=self.echo_policy,
            echo_return_loss_db=echo.return_loss_db if echo is not None else None,
            echo_removed_db=echo.removed_db if echo is not None else None,
            echo_ducked_ms=path.ducked_ms if path is not None else 0.0,
        )

    # -- on the device's thread

    def _capture(self, data: Any, frames: int, times: StreamTimes, now: float) -> None:
        device_now = times.currentTime
        age = device_now - times.inputBufferAdcTime
        if device_now > 0 and 0 <= age <= _MAX_AGE_S:
            at = device_now + self._offset.update(device_now, now) - age
        else:  # no usable clock: the block ended just now
            at = now - frames / self._line.rate
        self._ring.put(AudioBlock(bytes(data), at))

    # -- on the event loop

    def _next_block(self) -> AudioBlock | None:
        while not self._told:
            block = self._next_heard()
            if block is None:
                return None
            self._measure(block.pcm)
            if self._echo is not None:
                self._told += self._echo.process(block, muted=self.muted)
            else:
                self._told.append(block)
        block = self._told.popleft()
        return AudioBlock(bytes(len(block.pcm)), block.at) if self.muted else block

    def _next_heard(self) -> AudioBlock | None:
        while (block := self._reblocker.take()) is None:
            chunk = self._ring.take()
            if chunk is None:
                return None
            converted = self._rate.convert(chunk)
            self._reblocker.put(converted.pcm, converted.at)
        return block

    def _measure(self, pcm: bytes) -> None:
        self._captured_bytes += len(pcm)
        peak = max(map(abs, memoryview(pcm).cast("h")))
        self.level = min(1.0, peak / 32767)
        self._zero_bytes = 0 if peak else self._zero_bytes + len(pcm)

    # -- on a worker thread, while no callback runs

    def _prepare(self) -> None:
        """The device's rate is known: make what depends on it, and forget the stream before."""
        self._dropped_ms += self._ring_dropped_ms()
        self._clock_jumps += self._offset.jumps
        self._ring = self._make_ring(self._line.rate)
        self._offset = ClockOffset(patient=True)
        self._reblocker.reset()
        self._rate = FromDevice(self._line.rate, self.format.rate)

    def _make_ring(self, rate: int) -> DeviceRing:
        self._ring_format = AudioFormat.pcm16(rate)
        return DeviceRing(
            capacity_bytes=self._ring_format.bytes_of(_RING_MS),
            wake_bytes=self._ring_format.bytes_of(self._block_ms),
            ring=self._line.ring,
        )

    def _ring_dropped_ms(self) -> float:
        return self._ring_format.ms_of(self._ring.dropped_bytes)
