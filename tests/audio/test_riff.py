from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import g711
from rtagent.audio._riff import RiffError, parse

GUID_TAIL = bytes.fromhex("000010008000 00AA00389B71")


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + bytes(len(body) % 2)


def fmt(
    codec: int = 1,
    channels: int = 1,
    rate: int = 8000,
    bits: int = 16,
    *,
    frame_bytes: int | None = None,
    extra: bytes = b"",
) -> bytes:
    frame_bytes = channels * bits // 8 if frame_bytes is None else frame_bytes
    body = struct.pack("<HHIIHH", codec, channels, rate, rate * frame_bytes, frame_bytes, bits)
    return chunk(b"fmt ", body + extra)


def extensible(codec: int, bits: int, tail: bytes = GUID_TAIL) -> bytes:
    return fmt(0xFFFE, 1, 8000, bits, extra=struct.pack("<HHII", 22, bits, 4, codec) + tail)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


HALF_AND_MINUS_QUARTER = [
    (1, 8, bytes([192, 96])),
    (1, 16, struct.pack("<2h", 16384, -8192)),
    (1, 24, struct.pack("<i", 1 << 22)[:3] + struct.pack("<i", -(1 << 21))[:3]),
    (1, 32, struct.pack("<2i", 1 << 30, -(1 << 29))),
    (3, 32, struct.pack("<2f", 0.5, -0.25)),
    (3, 64, struct.pack("<2d", 0.5, -0.25)),
]


@pytest.mark.parametrize(("codec", "bits", "data"), HALF_AND_MINUS_QUARTER)
def test_every_layout_gives_the_same_samples(codec: int, bits: int, data: bytes) -> None:
    for header in (fmt(codec, bits=bits), extensible(codec, bits)):
        layout, samples = parse(riff(header, chunk(b"data", data)))
        assert (layout.codec, layout.bits, layout.rate, layout.channels) == (codec, bits, 8000, 1)
        assert samples.dtype == np.float32
        assert samples.tolist() == [[0.5], [-0.25]]


@pytest.mark.parametrize(("codec", "decode"), [(6, g711.decode_alaw), (7, g711.decode_ulaw)])
def test_telephone_recordings(codec: int, decode: Callable[[bytes], bytes]) -> None:
    _, samples = parse(riff(fmt(codec, bits=8), chunk(b"data", bytes(range(256)))))
    assert (samples * 32768).astype("<i2").tobytes() == decode(bytes(range(256)))


def test_channels_are_columns() -> None:
    _, samples = parse(riff(fmt(channels=3), chunk(b"data", struct.pack("<6h", 0, 8192, 16384, 0, 0, 0))))
    assert samples.shape == (2, 3)
    assert samples[0].tolist() == [0, 0.25, 0.5]


def test_chunks_of_any_size_may_stand_before_and_behind() -> None:
    data = struct.pack("<h", 8192)
    raw = riff(chunk(b"LIST", b"odd"), fmt(), chunk(b"fact", b"1234"), chunk(b"data", data), b"junk" * 5)
    assert parse(raw)[1].tolist() == [[0.25]]


@pytest.mark.parametrize("untold", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_piped_header_takes_all_there_is(untold: int) -> None:
    raw = riff(fmt(channels=2), chunk(b"data", bytes(4 * 5 + 2), untold))
    assert len(parse(raw)[1]) == 5


def test_floats_beyond_full_scale_survive_and_absurd_ones_are_limited() -> None:
    raw = riff(fmt(3, bits=64), chunk(b"data", struct.pack("<3d", 1.5, 1e300, -1e300)))
    assert parse(raw)[1].ravel().tolist() == [1.5, 1e6, -1e6]


DATA = chunk(b"data", bytes(4))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"RIFF", "not a WAV file"),
        (b"ID3\x04" + bytes(40), "not a WAV file"),
        (b"RIFX" + riff(fmt(), DATA)[4:], "not a WAV file"),
        (b"RIFF\0\0\0\0AVI " + bytes(40), "not a WAV file"),
        (riff(), "no fmt chunk"),
        (riff(DATA), "no fmt chunk"),
        (riff(fmt()), "no data chunk"),
        (riff(chunk(b"fmt ", bytes(14)), DATA), "fmt chunk is too short"),
        (riff(fmt(), chunk(b"data", b"")), "holds no audio"),
        (riff(fmt(), chunk(b"data", b"x")), "holds no audio"),
        (riff(fmt(), chunk(b"data", bytes(10), 16)), "truncated: of its data chunk 10 of 16 bytes"),
        (riff(fmt()[:-4]), "truncated: of its fmt chunk 12 of 16 bytes"),
        (riff(fmt(0x11, bits=4), DATA), "not supported: IMA ADPCM, 4 bits"),
        (riff(fmt(0x55, bits=0), DATA), "not supported: MP3"),
        (riff(fmt(1, bits=12), DATA), "not supported: PCM, 12 bits"),
        (riff(fmt(0x1234), DATA), "not supported: number 0x1234, 16 bits"),
        (riff(extensible(1, 16, bytes(12)), DATA), "not supported: number 0xfffe"),
        (riff(fmt(channels=0), DATA), "makes no sense: 0 channels"),
        (riff(fmt(rate=0), DATA), "makes no sense: 1 channels, 0 Hz"),
        (riff(fmt(frame_bytes=3), DATA), "makes no sense: 1 channels, 8000 Hz, 3 bytes a frame"),
    ],
)
def test_what_cannot_be_read_is_named(raw: bytes, reason: str) -> None:
    with pytest.raises(RiffError, match=reason):
        parse(raw)


@given(st.binary(max_size=80), st.integers(0, 60))
def test_damage_never_ends_in_another_error(noise: bytes, position: int) -> None:
    sound = riff(chunk(b"LIST", b"abc"), fmt(channels=2), chunk(b"data", bytes(32)))
    try:
        layout, samples = parse(sound[:position] + noise + sound[position + len(noise) :])
    except RiffError:
        return
    assert samples.shape[1] == layout.channels
