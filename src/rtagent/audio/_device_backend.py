"""The seam to the sound library: what is used of ``sounddevice``, and nothing more.

The microphone and the speaker take anything of this shape, so tests drive their callbacks without a
device (``rtagent.testing.FakeSoundBackend``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

__all__ = ("DeviceStream", "Direction", "SoundBackend", "StreamTimes")

Direction = Literal["input", "output"]


class StreamTimes(Protocol):
    """The times of one callback, on the device's clock, in seconds."""

    @property
    def inputBufferAdcTime(self) -> float: ...  # noqa: N802 - PortAudio's name

    @property
    def outputBufferDacTime(self) -> float: ...  # noqa: N802 - PortAudio's name

    @property
    def currentTime(self) -> float: ...  # noqa: N802 - PortAudio's name


class DeviceStream(Protocol):
    """An open stream."""

    @property
    def latency(self) -> float: ...

    def start(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


class _Defaults(Protocol):
    @property
    def device(self) -> Any: ...


class SoundBackend(Protocol):
    """The module ``sounddevice``, as far as it is used."""

    @property
    def PortAudioError(self) -> type[Exception]: ...  # noqa: N802

    @property
    def CallbackAbort(self) -> type[Exception]: ...  # noqa: N802

    @property
    def default(self) -> _Defaults: ...

    @property
    def RawInputStream(self) -> Callable[..., DeviceStream]: ...  # noqa: N802

    @property
    def RawOutputStream(self) -> Callable[..., DeviceStream]: ...  # noqa: N802

    def query_devices(self) -> Sequence[Mapping[str, Any]]: ...

    def query_hostapis(self) -> Sequence[Mapping[str, Any]]: ...

    def check_input_settings(self, **settings: Any) -> None: ...

    def check_output_settings(self, **settings: Any) -> None: ...

    def _initialize(self) -> None: ...

    def _terminate(self) -> None: ...
