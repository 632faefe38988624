"""G.711 (ITU-T, 1988): mu-law and A-law, one byte a sample, by table.

Bit-exact with what telephony does: 16-bit samples are cut to the 14 (mu-law) or 13 bits (A-law)
that the recommendation codes. PCM is signed 16-bit little-endian. The tables are built on first
use; numpy looks them up when it is installed (1-2 us per 20 ms), plain Python otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ._pcm import pcm_bytes

__all__ = ("ALAW_SILENCE", "ULAW_SILENCE", "decode_alaw", "decode_ulaw", "encode_alaw", "encode_ulaw")

ULAW_SILENCE = b"\xff"
"""The mu-law byte of silence; 0x00 is the loudest negative sample."""

ALAW_SILENCE = b"\xd5"
"""The A-law byte of silence: +8, as A-law has no zero."""


def encode_ulaw(pcm: bytes) -> bytes:
    """PCM16 to mu-law, half as many bytes."""
    return _ulaw().encode(_whole_samples(pcm))


def decode_ulaw(data: bytes) -> bytes:
    """Mu-law to PCM16, twice as many bytes."""
    return _ulaw().decode(pcm_bytes(data))


def encode_alaw(pcm: bytes) -> bytes:
    """PCM16 to A-law, half as many bytes."""
    return _alaw().encode(_whole_samples(pcm))


def decode_alaw(data: bytes) -> bytes:
    """A-law to PCM16, twice as many bytes."""
    return _alaw().decode(pcm_bytes(data))


def _whole_samples(pcm: bytes) -> bytes:
    pcm = pcm_bytes(pcm)
    if len(pcm) % 2:
        message = f"PCM16 has two bytes a sample: {len(pcm)} bytes are not whole samples"
        raise ValueError(message)
    return pcm


@dataclass(frozen=True, slots=True)
class _Codec:
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


@cache
def _ulaw() -> _Codec:
    return _codec(*_ulaw_tables())


@cache
def _alaw() -> _Codec:
    return _codec(*_alaw_tables())


def _codec(codes: bytes, samples: tuple[int, ...]) -> _Codec:
    """Look-ups in both tables.

    Args:
        codes: the code of every 16-bit sample, by the sample's value as an unsigned number.
        samples: the sample of every code.
    """
    try:
        return _numpy_codec(codes, samples)
    except ImportError:
        return _plain_codec(codes, samples)


def _numpy_codec(codes: bytes, samples: tuple[int, ...]) -> _Codec:
    import numpy as np

    code_table = np.frombuffer(codes, np.uint8)
    sample_table = np.array(samples, "<i2")

    def encode(pcm: bytes) -> bytes:
        return code_table.take(np.frombuffer(pcm, "<u2")).tobytes()

    def decode(data: bytes) -> bytes:
        return sample_table.take(np.frombuffer(data, np.uint8)).tobytes()

    return _Codec(encode, decode)


def _plain_codec(codes: bytes, samples: tuple[int, ...]) -> _Codec:
    packed = [struct.pack("<h", sample) for sample in samples]

    def encode(pcm: bytes) -> bytes:
        return bytes(map(codes.__getitem__, struct.unpack(f"<{len(pcm) // 2}H", pcm)))

    def decode(data: bytes) -> bytes:
        return b"".join(map(packed.__getitem__, data))

    return _Codec(encode, decode)


def _ulaw_tables() -> tuple[bytes, tuple[int, ...]]:
    """Eight segments, each twice as wide as the last; with 33 added each begins at a power of two."""
    codes: list[int] = []
    for magnitude in range(8193):  # of 14-bit samples
        biased = min(magnitude + 33, 8191)
        segment = biased.bit_length() - 6
        codes.append(segment << 4 | (biased >> (segment + 1)) & 0xF)
    positive = [0xFF ^ codes[sample >> 2] for sample in range(32768)]
    negative = [0x7F ^ codes[-(sample >> 2)] for sample in range(-32768, 0)]
    return bytes(positive + negative), tuple(map(_ulaw_sample, range(256)))


def _ulaw_sample(code: int) -> int:
    code ^= 0xFF
    magnitude = (((code & 0xF) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _alaw_tables() -> tuple[bytes, tuple[int, ...]]:
    """Seven segments, the lowest twice as wide; every even bit of a code is inverted (mask 0x55)."""
    codes: list[int] = []
    for magnitude in range(4096):  # of 13-bit samples
        segment = max(0, magnitude.bit_length() - 5)
        codes.append(segment << 4 | (magnitude >> max(1, segment)) & 0xF)
    positive = [0xD5 ^ codes[sample >> 3] for sample in range(32768)]
    negative = [0x55 ^ codes[-1 - (sample >> 3)] for sample in range(-32768, 0)]
    return bytes(positive + negative), tuple(map(_alaw_sample, range(256)))


def _alaw_sample(code: int) -> int:
    code ^= 0x55
    segment = code >> 4 & 7
    step = ((code & 0xF) << 4) + 8
    magnitude = step if segment == 0 else step + 0x100 << segment - 1
    return magnitude if code & 0x80 else -magnitude
