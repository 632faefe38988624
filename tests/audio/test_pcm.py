from __future__ import annotations

import array

import numpy as np
import pytest

from rtagent.audio._pcm import pcm_bytes


@pytest.mark.parametrize(
    "pcm", [b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), memoryview(array.array("h", b"abcd"))]
)
def test_what_holds_bytes_becomes_bytes(pcm: object) -> None:
    assert pcm_bytes(pcm) == b"abcd"


def test_what_can_change_is_copied_and_what_cannot_is_not() -> None:
    buffer, fixed = bytearray(b"ab"), b"ab"
    taken = pcm_bytes(buffer)
    buffer[:] = b"xy"
    assert taken == b"ab"
    assert pcm_bytes(fixed) is fixed


@pytest.mark.parametrize("pcm", ["text", None, 5, [1, 2]])
def test_other_things_are_named(pcm: object) -> None:
    with pytest.raises(TypeError, match=f"audio is bytes, not {type(pcm).__name__}$"):
        pcm_bytes(pcm)


def test_arrays_are_told_the_way() -> None:
    with pytest.raises(TypeError, match=r"not ndarray: use .astype\('<i2'\).tobytes\(\)"):
        pcm_bytes(np.zeros(4, np.int16))
