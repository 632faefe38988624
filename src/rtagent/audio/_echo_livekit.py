"""WebRTC's echo canceller, from the package ``livekit``, as an ``EchoCanceller``.

It works at 24 kHz as it is and finds the echo's delay itself; the delay hint stays at 0, with which it took out
some 47 dB in simulated rooms of 10 to 400 ms delay (``docs/topics/echo.md``).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any, Protocol, cast

from ..errors import ConfigurationError
from ._echo import EchoLevel, amplitude

__all__ = ("LiveKitCanceller", "LiveKitRtc", "livekit_works")

_TALK_FRAMES = 30
"""After a frame that is more than echo, so many are not measured: somebody talks."""
_REMEMBERED = 0.99
"""How much of the measured reduction is kept with each frame in which an echo is heard: a second of it."""


class _Frame(Protocol):
    @property
    def data(self) -> memoryview: ...


class _Processing(Protocol):
    def process_reverse_stream(self, data: Any) -> None: ...

    def process_stream(self, data: Any) -> None: ...

    def set_stream_delay_ms(self, delay_ms: int) -> None: ...


class LiveKitRtc(Protocol):
    """The module ``livekit.rtc``, as far as it is used."""

    @property
    def AudioFrame(self) -> Callable[[bytearray, int, int, int], _Frame]: ...  # noqa: N802

    @property
    def AudioProcessingModule(self) -> Callable[..., _Processing]: ...  # noqa: N802


def livekit_works() -> bool:
    """Whether the package is there and loads."""
    try:
        _livekit()
    except ConfigurationError:
        return False
    return True


class LiveKitCanceller:
    """Takes the echo out; both sides may speak at once, the near one somewhat dimmed.

    Args:
        rate: samples per second (Hz); a multiple of 100, because a frame is exactly 10 ms.
        noise_suppression: also take out steady noise.
        rtc: the module, for tests; ``livekit.rtc`` if absent.

    Raises:
        ConfigurationError: the package is missing or does not work here, or the rate does not fit.
    """

    def __init__(self, rate: int, *, noise_suppression: bool = False, rtc: LiveKitRtc | None = None) -> None:
        if rate % 100:
            message = f"10 ms at {rate} Hz are no whole number of samples, as echo cancellation needs them"
            raise ConfigurationError(message, hint="24000 is usual")
        self._rtc = rtc if rtc is not None else _livekit()
        self._rate = rate
        self._noise_suppression = noise_suppression
        self._level = EchoLevel()
        self._heard = self._left = 0.0
        self._talks = 0
        self.reset()

    @property
    def return_loss_db(self) -> float | None:
        """How much quieter the microphone hears the loudspeaker than it was played."""
        return self._level.return_loss_db

    @property
    def removed_db(self) -> float | None:
        """How much quieter the echo has become in about the last second of it."""
        if not self._heard:
            return None
        return 10 * math.log10(self._heard / max(self._left, 1e-2))

    @property
    def ducked_ms(self) -> float:
        """Nothing is silenced as a whole."""
        return 0.0

    def reverse(self, far: bytes) -> None:
        """Take the frame that is played while the next near frame is captured."""
        self._level.play(amplitude(far))
        self._processing.process_reverse_stream(self._frame(far))

    def process(self, near: bytes) -> bytes:
        """The frame without the echo."""
        frame = self._frame(near)
        self._processing.set_stream_delay_ms(0)
        self._processing.process_stream(frame)
        cleaned = bytes(frame.data.cast("B"))
        self._measure(near, cleaned)
        return cleaned

    def reset(self) -> None:
        """A break in the stream: begin afresh."""
        self._processing = self._rtc.AudioProcessingModule(
            echo_cancellation=True, noise_suppression=self._noise_suppression
        )
        self._level.forget_played()

    def _frame(self, pcm: bytes) -> _Frame:
        return self._rtc.AudioFrame(bytearray(pcm), self._rate, 1, len(pcm) // 2)

    def _measure(self, near: bytes, cleaned: bytes) -> None:
        heard = amplitude(near)
        if self._level.exceeds(heard):
            self._talks = _TALK_FRAMES
        elif self._talks:
            self._talks -= 1
        if self._talks or not self._level.reference:
            return
        self._heard = self._heard * _REMEMBERED + heard**2
        self._left = self._left * _REMEMBERED + amplitude(cleaned) ** 2


def _livekit() -> LiveKitRtc:
    try:
        return cast("LiveKitRtc", importlib.import_module("livekit.rtc"))
    except ImportError as error:
        message = "echo cancellation needs the package livekit"
        hint = "pip install 'rtagent[echo]', or use 'half_duplex'"
        raise ConfigurationError(message, hint=hint) from error
    except OSError as error:  # its native library does not load
        message = f"the package livekit does not work here: {error}"
        raise ConfigurationError(message, hint="use 'half_duplex'") from error
