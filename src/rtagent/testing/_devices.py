"""A sound library without sound: devices that a test lists, breaks and drives callback by callback.

It has the shape of ``sounddevice`` as far as ``Microphone`` and ``Speaker`` use it::

    clock = FakeClock()
    library = FakeSoundBackend(now=clock.now)
    async with Speaker(backend=library, clock=clock) as speaker:
        speaker.play(item, pcm)
        heard_by_the_device = library.output.run(480)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ..audio._device_backend import Direction

__all__ = ("FakeDevice", "FakeSoundBackend", "FakeStream")

_NOT_AVAILABLE = ("Device unavailable [fake]", -9985)
_INVALID_RATE = ("Invalid sample rate [fake]", -9997)
_INVALID_CHANNELS = ("Invalid number of channels [fake]", -9998)


class FakePortAudioError(Exception):
    """As in sounddevice: text, then PortAudio's code."""


class FakeCallbackAbort(Exception):
    """Raised by a callback to end its stream."""


@dataclass(slots=True)
class FakeDevice:
    """One device of the list."""

    name: str
    inputs: int = 1
    outputs: int = 1
    default_rate: int = 48_000
    rates: frozenset[int] | None = None
    """The rates that it takes; all if absent."""
    host_api: int = 0
    mono: bool = True
    """It takes a single channel; else two at least."""


@dataclass(slots=True)
class FakeStream:
    """An open stream; the test plays the part of its thread."""

    backend: FakeSoundBackend
    direction: Direction
    device: int
    rate: int
    callback: Callable[..., None]
    finished_callback: Callable[[], None]
    channels: int = 1
    latency: float = 0.035
    started: bool = False
    closed: bool = False
    played: bytearray = field(default_factory=bytearray)
    """All that the device was given."""

    def start(self) -> None:
        """Begin; like the real one it asks for the first output block before it returns."""
        if self.backend.start_failures:
            raise self.backend.start_failures.pop(0)
        self.started = True
        if self.direction == "output" and self.backend.first_block_frames:
            self.run(self.backend.first_block_frames)

    def abort(self) -> None:
        """End at once."""
        self.started = False

    def close(self) -> None:
        """End for good."""
        self.closed = True

    def run(self, frames: int, *, lead_s: float | None = 0.040, flags: int = 0) -> bytes:
        """One output callback, now.

        Args:
            frames: the block's size.
            lead_s: when its first sample is heard, from now; None for a library that does not say.
            flags: what the library reports, 0 for nothing.

        Returns:
            What the device was given, all channels interleaved.
        """
        now = self.backend.device_now()
        dac_time = 0.0 if lead_s is None else now + lead_s
        data = bytearray(b"\x55" * (2 * frames * self.channels))  # a callback has to overwrite all of it
        self._call(data, frames, now, dac_time, flags)
        self.played += data
        return bytes(data)

    def feed(self, pcm: bytes, *, age_s: float | None = None, flags: int = 0) -> None:
        """One input callback, now.

        Args:
            pcm: what was captured.
            age_s: how long ago its first sample was; its own duration if absent, negative for a library
                that does not say.
            flags: what the library reports, 0 for nothing.
        """
        now = self.backend.device_now()
        frames = len(pcm) // 2
        adc_time = now - (frames / self.rate if age_s is None else age_s)
        self._call(bytearray(pcm), frames, now, adc_time, flags)

    def lose(self) -> None:
        """The device vanishes: no call raises, the finished-callback fires."""
        self.started = False
        self.finished_callback()

    def _call(self, data: bytearray, frames: int, now: float, at: float, flags: int) -> None:
        times = SimpleNamespace(currentTime=now, inputBufferAdcTime=at, outputBufferDacTime=at)
        try:
            self.callback(memoryview(data), frames, times, flags)
        except FakeCallbackAbort:
            self.lose()


class FakeSoundBackend:
    """The library: give it to ``Microphone`` or ``Speaker`` as ``backend``.

    Args:
        devices: what is connected; one card with both directions if absent.
        default: indices of the default input and output; -1 for none.
        now: the clock that the test moves; the device's own clock runs with it, ``clock_offset_s`` ahead.
    """

    PortAudioError: type[Exception] = FakePortAudioError
    CallbackAbort: type[Exception] = FakeCallbackAbort

    def __init__(
        self,
        devices: Sequence[FakeDevice] | None = None,
        *,
        default: tuple[int, int] = (0, 0),
        now: Callable[[], float],
    ) -> None:
        self.devices = list(devices) if devices is not None else [FakeDevice("card")]
        self.default = SimpleNamespace(device=default)
        self.streams: list[FakeStream] = []
        """Every stream that was opened, oldest first."""
        self.open_failures: list[Exception] = []
        """Raised by the next attempts to open, in order."""
        self.start_failures: list[Exception] = []
        """Raised by the next attempts to start, in order."""
        self.first_block_frames = 0
        """Frames of the output callback that runs inside ``start``; 0 for none."""
        self.clock_offset_s = 1_000_000.0
        """How far the device's clock is ahead; change it and it has been set."""
        self.refreshes = 0
        """How often the library was started anew to find devices."""
        self._now = now

    @property
    def output(self) -> FakeStream:
        """The newest output stream."""
        return next(stream for stream in reversed(self.streams) if stream.direction == "output")

    @property
    def input(self) -> FakeStream:
        """The newest input stream."""
        return next(stream for stream in reversed(self.streams) if stream.direction == "input")

    def device_now(self) -> float:
        """The device's clock."""
        return self._now() + self.clock_offset_s

    def busy(self) -> Exception:
        """The error of a device that another program holds."""
        return FakePortAudioError(*_NOT_AVAILABLE)

    def query_devices(self) -> Sequence[Mapping[str, Any]]:
        """As in sounddevice."""
        return [
            {
                "name": device.name,
                "hostapi": device.host_api,
                "max_input_channels": device.inputs,
                "max_output_channels": device.outputs,
                "default_samplerate": float(device.default_rate),
            }
            for device in self.devices
        ]

    def query_hostapis(self) -> Sequence[Mapping[str, Any]]:
        """As in sounddevice."""
        return [{"name": "Fake API"}, {"name": "Other API"}]

    def check_input_settings(self, **settings: Any) -> None:
        """As in sounddevice."""
        device = self.devices[int(settings["device"])]
        if settings["channels"] == 1 and not device.mono:
            raise FakePortAudioError(*_INVALID_CHANNELS)
        if device.rates is not None and settings["samplerate"] not in device.rates:
            raise FakePortAudioError(*_INVALID_RATE)

    def check_output_settings(self, **settings: Any) -> None:
        """As in sounddevice."""
        self.check_input_settings(**settings)

    def RawInputStream(self, **settings: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        """As in sounddevice."""
        return self._open("input", settings)

    def RawOutputStream(self, **settings: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        """As in sounddevice."""
        return self._open("output", settings)

    def _open(self, direction: Direction, settings: Mapping[str, Any]) -> FakeStream:
        if self.open_failures:
            raise self.open_failures.pop(0)
        self.check_input_settings(**settings)
        stream = FakeStream(
            self,
            direction,
            settings["device"],
            settings["samplerate"],
            settings["callback"],
            settings["finished_callback"],
            settings["channels"],
        )
        self.streams.append(stream)
        return stream

    def _initialize(self) -> None:
        self.refreshes += 1

    def _terminate(self) -> None:
        assert all(stream.closed for stream in self.streams), "a stream was still open"  # noqa: S101
