"""One stream to one device, kept open.

PortAudio reports the loss of a device by nothing but silence: callbacks cease, perhaps the finished-callback
fires, no call raises. So a stream counts as lost when it finishes without our doing, or when no callback
came for a while. Then it is closed on a worker thread, the library looks for devices anew, and the device is
opened again, with growing pauses: the one that was asked for by its name, or else the default one.

The library looks for devices only when it starts, and it cannot be started anew under an open stream. Where
a lost device does not come back and another line is open, that one therefore leaves its own device for
a moment as well, so that both can find what is there now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import anyio
from anyio import to_thread

from ..errors import AudioUnavailable
from ._device_backend import DeviceStream, Direction, StreamTimes
from ._device_hints import unavailable
from ._device_ring import LoopBell
from ._devices import DeviceInfo, PortAudio

__all__ = ("DeviceCallback", "DeviceLine", "Patience")


class DeviceCallback(Protocol):
    """What a microphone or speaker does with one block, on the device's thread."""

    def __call__(self, data: Any, frames: int, times: StreamTimes, now: float, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a silent device is borne, and how often it is tried again."""

    silence_s: float = 0.25
    """Without a callback for so long (or for five times its latency), the device is lost."""
    first_callback_s: float = 3.0
    """How long the first callback may take: some sound servers wake up slowly."""
    attempts: int = 18
    """With these pauses it is given up after some 20 seconds."""
    first_pause_s: float = 0.1
    longest_pause_s: float = 1.5
    """Pauses double up to this, so that a device that has returned is in use within two seconds."""


class DeviceLine:
    """Opens a stream, notices its loss, opens it again. Owned by one microphone or speaker.

    Args:
        library: gives the sound library; called on a worker thread.
        device: index, name, part of a name, or None for the default device.
        wanted_rate: the rate to try first (Hz).
        callback: called on the device's thread with each block.
        now: the monotonic clock.
    """

    def __init__(
        self,
        library: Callable[[], PortAudio],
        direction: Direction,
        device: int | str | None,
        wanted_rate: int,
        *,
        callback: DeviceCallback,
        now: Callable[[], float],
        patience: Patience,
    ) -> None:
        self._library = library
        self._direction: Direction = direction
        self._wanted = device
        self._wanted_rate = wanted_rate
        self._callback = callback
        self._now = now
        self._patience = patience
        self._stream: DeviceStream | None = None
        self._opened: DeviceInfo | None = None
        self._name: str | None = None
        """What is looked for when it was lost; None is the default device, whichever that is by then."""
        self._wishes_met = 0
        self._generation = 0
        self._finished = False
        self._failure: Exception | None = None
        self._beats = 0
        self.rate = wanted_rate
        """The rate at which the device was opened (Hz)."""
        self.latency_s = 0.0
        """What the device says of its own delay; the truth is in the callbacks' times."""
        self.last_beat_at: float | None = None
        """When the last callback came (monotonic seconds)."""
        self.losses = 0
        """How often the device was lost and came back, or was left for a moment because another one was lost."""
        self.away_s = 0.0
        """For how long it was away in all."""
        self.flags = 0
        """Callbacks that came with an overflow or underflow flag; a hint only."""

    @property
    def device(self) -> DeviceInfo | None:
        """The device that is, or was last, open."""
        return self._opened

    async def open(self, prepare: Callable[[], None]) -> None:
        """Open and start the stream.

        Args:
            prepare: called on a worker thread before the first callback, when the rate is known; what it
                raises ends the attempt.

        Raises:
            AudioUnavailable: there is no such device, or it cannot be opened.
        """
        self._bell = LoopBell()
        await to_thread.run_sync(self._open_first, prepare)

    async def close(self) -> None:
        """Close the stream; what is buffered is dropped. Idempotent."""
        self._generation += 1
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._close)

    async def alive(self) -> bool:
        """Wait for the bell, or for as long as the device may be silent; False when it is lost, or to be left."""
        before = self._beats
        silence_s = self._patience.silence_s if before else self._patience.first_callback_s
        rung = await self._bell.wait(max(silence_s, 5 * self.latency_s))
        lost = self._finished or not (rung or self._beats != before)
        return not lost and self._library().restart_wishes == self._wishes_met

    async def reopen(self, prepare: Callable[[], None]) -> None:
        """Bring a lost line back, patiently.

        Raises:
            AudioUnavailable: it stayed lost, or our own callback had failed.
        """
        await self.close()
        if self._failure is not None:
            detail = f"the callback failed: {self._failure!r}"
            raise unavailable("device_busy_or_lost", detail=detail) from self._failure
        lost_at = self.last_beat_at
        pause_s = 0.0
        problem: AudioUnavailable | None = None
        for _ in range(self._patience.attempts):
            await anyio.sleep(pause_s)
            pause_s = min(max(2 * pause_s, self._patience.first_pause_s), self._patience.longest_pause_s)
            try:
                await to_thread.run_sync(self._open_again, prepare)
            except AudioUnavailable as error:
                problem = error
            else:
                self.losses += 1
                self.away_s += 0.0 if lost_at is None else self._now() - lost_at
                return
        raise unavailable("device_busy_or_lost", detail=f"it stayed lost ({problem})") from problem

    # -- on a worker thread

    def _open(self, device: int | str | None, prepare: Callable[[], None]) -> None:
        library = self._library()
        self._wishes_met = library.restart_wishes
        info = library.choose(device, self._direction)
        self.rate = library.usable_rate(info, self._direction, self._wanted_rate)
        self._generation += 1
        self._finished = False
        self._beats = 0
        stream = library.open_stream(
            info,
            self._direction,
            self.rate,
            partial(self._on_block, self._generation, library.abort_signal),
            partial(self._on_finished, self._generation),
        )
        self._stream, self._opened, self.latency_s = stream, info, stream.latency
        try:
            prepare()
            library.start_stream(stream, info)
        except BaseException:
            self._close()
            raise
        self._wanted_rate = self.rate

    def _open_first(self, prepare: Callable[[], None]) -> None:
        self._library().look_anew()
        self._open(self._wanted, prepare)
        if self._wanted is not None and self._opened is not None:
            self._name = self._opened.name

    def _open_again(self, prepare: Callable[[], None]) -> None:
        library = self._library()
        library.refresh()
        try:
            self._open(self._name, prepare)
        except AudioUnavailable as problem:
            try:
                if self._name is None:
                    raise
                self._open(None, prepare)
            except AudioUnavailable:
                library.want_restart()
                raise problem from None

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._library().close_stream(stream)

    # -- on the device's thread

    def _on_block(
        self, generation: int, abort: type[Exception], data: Any, frames: int, times: StreamTimes, status: Any
    ) -> None:
        now = self._now()
        if generation != self._generation:
            self._silence(data)
            raise abort
        self.last_beat_at = now
        self._beats += 1
        if status:
            self.flags += 1
        try:
            self._callback(data, frames, times, now)
        except Exception as error:  # the boundary to C: reopen() reports it
            self._failure = error
            self._silence(data)
            raise abort from error

    def _silence(self, data: Any) -> None:
        if self._direction == "output":
            data[:] = bytes(len(data))

    def _on_finished(self, generation: int) -> None:
        if generation == self._generation:
            self._finished = True
            self.ring()

    def ring(self) -> None:
        """Wake whoever waits in ``alive``; from any thread."""
        self._bell.ring()
