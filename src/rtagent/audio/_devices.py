"""Sound devices: finding them, choosing one, opening streams. The only module that imports sounddevice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import cast

from ._device_backend import DeviceStream, Direction, SoundBackend
from ._device_hints import unavailable
from ._device_stderr import quiet_alsa, quiet_stderr
from ._playback_stereo import on_both_channels

__all__ = ("DeviceInfo", "PortAudio", "library_of", "list_devices", "load_portaudio")

_INVALID_DEVICE = -9996
_REFUSALS = frozenset({-9998, -9997, -9994})
"""PortAudio's codes for a channel count, rate or sample format that a device does not take."""

_SWITCH_S = 0.0005
"""How long a busy thread may keep the interpreter from a device's callback while a stream is open. With
the usual 5 ms, two busy tools delay callbacks by up to 41 ms, with this by 10 ms."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device as the sound library lists it."""

    index: int
    name: str
    host_api: str
    inputs: int
    """Input channels; plug-in devices on Linux report 32 each way, whatever they are."""
    outputs: int
    default_rate: int
    """The rate at which the device runs by itself (Hz)."""
    is_default_input: bool
    is_default_output: bool

    def serves(self, direction: Direction) -> bool:
        return (self.inputs if direction == "input" else self.outputs) > 0

    def is_default(self, direction: Direction) -> bool:
        return self.is_default_input if direction == "input" else self.is_default_output


class PortAudio:
    """The sound library of this process.

    Opening, closing and re-initialising are not thread-safe in the library and print to file descriptor
    2, so all of them pass here, one at a time. While any stream is open, the interpreter switches threads
    more often, so that busy tools do not starve the callbacks. All methods block: call them from a
    worker thread.
    """

    def __init__(self, backend: SoundBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._open_streams = 0
        self._stale = False
        """Since the list of devices was made, streams came and went: time has passed."""
        self.restart_wishes = 0
        """How often a lost device could not be found because other streams are open. They should then be left for a
        moment."""
        self._usual_switch_s = sys.getswitchinterval()

    @property
    def abort_signal(self) -> type[Exception]:
        """What a callback raises to end its stream at once."""
        return self._backend.CallbackAbort

    def devices(self) -> tuple[DeviceInfo, ...]:
        """Every device, in the library's order."""
        with self._alone():
            host_apis = [str(api["name"]) for api in self._backend.query_hostapis()]
            default_input, default_output = self._backend.default.device
            return tuple(
                DeviceInfo(
                    index=index,
                    name=str(device["name"]),
                    host_api=host_apis[int(device["hostapi"])],
                    inputs=int(device["max_input_channels"]),
                    outputs=int(device["max_output_channels"]),
                    default_rate=round(device["default_samplerate"]),
                    is_default_input=index == default_input,
                    is_default_output=index == default_output,
                )
                for index, device in enumerate(self._backend.query_devices())
            )

    def choose(self, device: int | str | None, direction: Direction) -> DeviceInfo:
        """The device of that index, exact name or part of a name; the default one for None.

        Raises:
            AudioUnavailable: there is none, or the name fits several.
        """
        serving = [info for info in self.devices() if info.serves(direction)]
        if not serving:
            raise unavailable(f"no_{direction}_device")
        if device is None:
            found = [info for info in serving if info.is_default(direction)]
            if not found:
                raise unavailable(f"no_{direction}_device", detail="no device is the default one")
            return found[0]
        if isinstance(device, int):
            found = [info for info in serving if info.index == device]
        else:
            found = _named(device, serving)
        if len(found) == 1:
            return found[0]
        names = ", ".join(f"{info.index} {info.name!r} ({info.host_api})" for info in found or serving)
        problem = f"{device!r} fits several" if found else f"no {direction} device is {device!r}"
        raise unavailable("device_not_found", detail=problem, hint=f"Choose one of: {names}")

    def usable_rate(self, device: DeviceInfo, direction: Direction, wanted: int) -> int:
        """The wanted rate if the device takes it, else the device's own.

        Raises:
            AudioUnavailable: it takes neither, or does not answer.
        """
        refusal: Exception | None = None
        for rate in dict.fromkeys((wanted, device.default_rate)):
            for channels in _channels(device, direction):
                settings = {
                    "device": device.index,
                    "channels": channels,
                    "dtype": "int16",
                    "samplerate": rate,
                }
                try:
                    with self._alone():
                        self._check(direction)(**settings)
                except self._backend.PortAudioError as error:
                    refusal = error
                else:
                    return rate
        assert refusal is not None  # the loop runs at least once  # noqa: S101
        raise self._explained(refusal, device) from refusal

    def open_stream(
        self,
        device: DeviceInfo,
        direction: Direction,
        rate: int,
        callback: Callable[..., None],
        finished: Callable[[], None],
    ) -> DeviceStream:
        """Open a mono PCM16 stream that is not started yet.

        A device that takes no single output channel gets the same on two. The block size is left to the
        device and the latency is its 'high' one: with that pair the figures were best, 40 ms of output delay
        in small callbacks without underruns.

        Raises:
            AudioUnavailable: the device is busy, has gone, or refuses the format.
        """
        refusal: Exception | None = None
        with self._alone():
            for channels in _channels(device, direction):
                try:
                    stream = self._make(direction)(
                        samplerate=rate,
                        blocksize=0,
                        device=device.index,
                        channels=channels,
                        dtype="int16",
                        latency="high",
                        callback=callback if channels == 1 else on_both_channels(callback),
                        finished_callback=finished,
                    )
                except self._backend.PortAudioError as error:
                    refusal = error
                    if _code_of(error) not in _REFUSALS:
                        break
                else:
                    self._count_opened()
                    return stream
        assert refusal is not None  # the loop runs at least once  # noqa: S101
        raise self._explained(refusal, device) from refusal

    def start_stream(self, stream: DeviceStream, device: DeviceInfo) -> None:
        """Let the callbacks begin; the first one may run before this returns."""
        try:
            with self._alone():
                stream.start()
        except self._backend.PortAudioError as error:
            raise self._explained(error, device) from error

    def close_stream(self, stream: DeviceStream) -> None:
        """Drop what is buffered and close."""
        with self._alone():
            self._open_streams -= 1
            if self._open_streams == 0:
                sys.setswitchinterval(self._usual_switch_s)
                self._stale = True
            stream.abort()
            stream.close()

    def want_restart(self) -> None:
        """Ask those with open streams to leave them for a moment, so that ``refresh`` can do its work."""
        with self._alone():
            self.restart_wishes += self._open_streams > 0

    def look_anew(self) -> None:
        """``refresh`` if streams were open since the last time: the default device may be another by now."""
        if self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Look for devices anew, which the library does only when it starts.

        It would end every stream, so nothing happens while another one is open.
        """
        with self._alone():
            if self._open_streams == 0:
                self._stale = False
                self._backend._terminate()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public name
                self._backend._initialize()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def _count_opened(self) -> None:
        if self._open_streams == 0:
            self._usual_switch_s = sys.getswitchinterval()
            sys.setswitchinterval(min(_SWITCH_S, self._usual_switch_s))
        self._open_streams += 1

    def _make(self, direction: Direction) -> Callable[..., DeviceStream]:
        backend = self._backend
        return backend.RawInputStream if direction == "input" else backend.RawOutputStream

    def _check(self, direction: Direction) -> Callable[..., None]:
        backend = self._backend
        return backend.check_input_settings if direction == "input" else backend.check_output_settings

    def _explained(self, error: Exception, device: DeviceInfo) -> Exception:
        code = _code_of(error)
        detail = f"{device.name}: {error.args[0] if error.args else error}"
        if code in _REFUSALS:
            return unavailable("format_refused", detail=detail)
        if code == _INVALID_DEVICE:
            return unavailable("device_not_found", detail=detail)
        return unavailable("device_busy_or_lost", detail=detail)

    @contextmanager
    def _alone(self) -> Generator[None]:
        with self._lock, quiet_stderr():
            yield


def _channels(device: DeviceInfo, direction: Direction) -> tuple[int, ...]:
    """How many channels to ask for, the best first."""
    return (1, 2) if direction == "output" and device.outputs >= 2 else (1,)


def _code_of(error: Exception) -> object:
    return error.args[1] if len(error.args) > 1 else None


def _named(name: str, devices: list[DeviceInfo]) -> list[DeviceInfo]:
    """Those whose name, alone or with its host API, is exactly that; else those that contain it."""
    wanted = name.casefold()
    exact = [
        info
        for info in devices
        if wanted in (info.name.casefold(), f"{info.name}, {info.host_api}".casefold())
    ]
    return exact or [info for info in devices if wanted in info.name.casefold()]


@cache
def load_portaudio() -> PortAudio:
    """The sound library, loaded at the first call; there is one per process, as it is one itself.

    Raises:
        AudioUnavailable: the package or the PortAudio library is missing.
    """
    return PortAudio(_load())


def _load() -> SoundBackend:
    """Import sounddevice; on Linux it fails with OSError when the PortAudio library is missing."""
    try:
        with quiet_stderr():
            import sounddevice

            quiet_alsa()
    except ImportError as error:
        raise unavailable("package_missing", detail=str(error)) from error
    except OSError as error:
        raise unavailable("portaudio_missing", detail=str(error)) from error
    return cast("SoundBackend", sounddevice)


def library_of(backend: SoundBackend | None) -> Callable[[], PortAudio]:
    """Where a microphone or speaker gets its library from: the process's own one, or a test's."""
    if backend is None:
        return load_portaudio
    library = PortAudio(backend)
    return lambda: library


def list_devices() -> tuple[DeviceInfo, ...]:
    """Every sound device of this machine; empty when there is none. Blocks while the library loads.

    Raises:
        AudioUnavailable: the package or the PortAudio library is missing.
    """
    return load_portaudio().devices()
