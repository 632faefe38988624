from __future__ import annotations

import struct
from typing import Any

import pytest

from rtagent.audio._playback_stereo import on_both_channels


def test_both_channels_get_the_same_samples() -> None:
    def render(data: Any, frames: int, times: str, status: int) -> None:
        assert (frames, times, status) == (3, "times", 5)
        data[:] = struct.pack("<3h", 1, -2, 30_000)

    data = bytearray(b"\x55" * 12)
    on_both_channels(render)(memoryview(data), 3, "times", 5)
    assert struct.unpack("<6h", data) == (1, 1, -2, -2, 30_000, 30_000)


def test_a_callback_that_ends_its_stream_leaves_silence() -> None:
    def render(data: Any, frames: int, times: object, status: object) -> None:
        raise KeyError

    data = bytearray(b"\x55" * 8)
    with pytest.raises(KeyError):
        on_both_channels(render)(memoryview(data), 2, None, 0)
    assert not any(data)
