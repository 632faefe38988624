"""For devices that take two channels and no single one: both get the same samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ("on_both_channels",)

_MONO_BYTES, _STEREO_BYTES = 2, 4


def on_both_channels(render: Callable[..., None]) -> Callable[..., None]:
    """A callback for two channels out of one that fills mono PCM16. Runs on the device's thread."""

    def render_both(data: Any, frames: int, times: Any, status: Any) -> None:
        mono = bytearray(frames * _MONO_BYTES)
        try:
            render(memoryview(mono), frames, times, status)
        finally:  # it also ends the stream by an exception, and leaves silence then
            both = bytearray(frames * _STEREO_BYTES)
            for at in range(_STEREO_BYTES):
                both[at::_STEREO_BYTES] = mono[at % _MONO_BYTES :: _MONO_BYTES]
            data[:] = both

    return render_both
