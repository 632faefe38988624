from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from rtagent.audio import _samples as module
from rtagent.audio._samples import clip_of, pcm16_of, pcm16_of_array
from rtagent.errors import ConfigurationError


def test_floats_are_rounded_clipped_and_never_noise() -> None:
    floats = np.array([0.5, 1.0, -1.0, 7.0, -7.0, np.nan, np.inf, -np.inf, 0.4 / 32768, 0.6 / 32768, 1e300])
    expected = (16384, 32767, -32768, 32767, -32768, 0, 0, 0, 0, 1, 32767)
    made = pcm16_of(floats)
    assert struct.unpack("<11h", made.pcm) == expected
    assert (made.repaired_samples, made.clipped_samples) == (3, 3)


HALF_AND_MINUS_QUARTER = [
    np.array([64, -32], np.int8),
    np.array([192, 96], np.uint8),
    np.array([16384, -8192], np.int16),
    np.array([16384, -8192], ">i2"),
    np.array([1 << 30, -(1 << 29)], np.int32),
    np.array([0.5, -0.25], np.float16),
    np.array([0.5, -0.25], np.float32),
    np.array([0.5, -0.25], ">f4"),
    np.array([0.5, -0.25], np.float64),
    np.array([0.5, -0.25], np.longdouble),
]


@pytest.mark.parametrize("array", HALF_AND_MINUS_QUARTER, ids=lambda array: str(array.dtype))
def test_every_type_gives_the_same_samples(array: Any) -> None:
    expected = struct.pack("<2h", 16384, -8192)
    assert pcm16_of_array(array).pcm == expected
    assert pcm16_of_array(np.stack([array] * 2, axis=1)).pcm == expected
    assert pcm16_of_array(np.repeat(array, 2)[::2]).pcm == expected
    array.setflags(write=False)
    assert pcm16_of_array(array).pcm == expected
    assert pcm16_of_array(array[:0]).pcm == b""
    assert pcm16_of_array(array[:1].reshape(1, 1)).pcm == expected[:2]


def test_extremes_of_integers_do_not_turn_over() -> None:
    for kind in (np.int8, np.uint8, np.int16, np.int32):
        limits = np.iinfo(kind)
        low, high = struct.unpack("<2h", pcm16_of_array(np.array([limits.min, limits.max], kind)).pcm)
        assert low == -32768
        assert high >= 32767 - 256


@pytest.mark.parametrize("pcm", [b"abcd", bytearray(b"abcd"), memoryview(b"abcd")])
def test_pcm16_stays_as_it_is(pcm: Any) -> None:
    assert pcm16_of_array(pcm).pcm == b"abcd"


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (b"abc", "3 bytes are not whole samples"),
        ([1, 2], r"not list \(numpy"),
        ("ab", "not str"),
        (None, "not NoneType"),
        (np.zeros(4, bool), "of bool is not"),
        (np.zeros(4, np.int64), "of int64 is not"),
        (np.zeros(4, np.uint16), "of uint16 is not"),
        (np.zeros(4, np.complex64), "of complex64 is not"),
        (np.array(["a"]), "of <U1 is not"),
        (np.array([None]), "of object is not"),
        (np.array(0.5), "of 0 dimensions"),
        (np.zeros((1, 2, 3)), "of 3 dimensions"),
        (np.zeros((2, 480)), "2 x 480 would be 2 frames of 480 channels.*array.T"),
        (np.zeros((1, 480), np.int16), "1 frames of 480 channels"),
        (np.zeros((480, 0)), "0 channels"),
        (np.zeros((480, 65)), "65 channels"),
        (np.array([20_000.0, -3.0]), r"floats of up to 20000 are not audio.*32768"),
    ],
)
def test_what_is_no_audio_or_could_be_two_things(samples: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        pcm16_of_array(samples)


def test_an_array_is_repaired_before_it_is_mixed() -> None:
    made = pcm16_of_array(np.array([[0.5, np.nan], [np.inf, 0.5], [1.5, 1.5], [1.5, -1.5]], np.float16))
    assert struct.unpack("<4h", made.pcm) == (8192, 8192, 32767, 0)
    assert (made.repaired_samples, made.clipped_samples) == (2, 1)


def test_a_clip_is_repaired_once_and_counts() -> None:
    clip = clip_of(8_000, np.array([[0.5, np.nan], [1.5, 1.5]], np.float32))
    assert clip.samples.tolist() == [[0.5, 0], [1.5, 1.5]]
    assert (clip.rate, clip.channels, clip.duration_s, clip.repaired_samples) == (8_000, 2, 0.00025, 1)
    mono = clip.mono()
    assert struct.unpack("<2h", mono.pcm) == (8192, 32767)
    assert (mono.repaired_samples, mono.clipped_samples) == (1, 1)
    assert clip.mono_pcm16() == mono.pcm


def test_a_long_clip_is_worked_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.linspace(-1.2, 1.2, 2_000, dtype=np.float32).reshape(-1, 2)
    samples[[3, 500, 999], 1] = np.nan
    whole = clip_of(8_000, samples)
    monkeypatch.setattr(module, "_FRAMES_AT_ONCE", 7)
    pieces = clip_of(8_000, samples)
    assert pieces.samples.tolist() == whole.samples.tolist()
    assert pieces.mono() == whole.mono()
    assert pieces.repaired_samples == 3
    assert pieces.mono().clipped_samples > 100
