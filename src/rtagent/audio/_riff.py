"""RIFF/WAVE bytes to samples: finds the audio in its chunks and decodes its layout."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import g711

__all__ = ("Layout", "RiffError", "parse")

Floats = NDArray[np.float32]

_EXTENSIBLE = 0xFFFE
_GUID_TAIL = bytes.fromhex("0000 1000 8000 00AA 0038 9B71")
"""How the id of a codec goes on after its number, in WAVE_FORMAT_EXTENSIBLE."""
_UNTOLD = 0x7FFF_F000
"""Sizes from here on mean "not known when the header was written": sox pipes this one, ffmpeg 0xFFFFFFFF."""
_LOUDEST_FLOAT = 1e6
"""Floats may go beyond full scale; these would only overflow the arithmetic."""
_CODECS = {
    0x0001: "PCM",
    0x0002: "Microsoft ADPCM",
    0x0003: "float",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0050: "MPEG",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x2000: "AC-3",
}


class RiffError(Exception):
    """Why these bytes are no audio that can be read."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a fmt chunk says about the audio."""

    codec: int
    """The format tag, also of WAVE_FORMAT_EXTENSIBLE."""
    channels: int
    rate: int
    """Samples per second and channel (Hz)."""
    frame_bytes: int
    bits: int
    """Of one sample, as stored."""


def parse(raw: bytes) -> tuple[Layout, Floats]:
    """The layout of a file's audio, and its samples: frames in rows, channels in columns, full scale 1.0.

    Raises:
        RiffError: the bytes are damaged, hold no audio, or are of a codec that is not decoded.
    """
    if not raw:
        raise RiffError("the file is empty")
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise RiffError("this is not a WAV file: it does not begin with a RIFF/WAVE header")
    chunks = dict(_chunks(raw))
    for name in (b"fmt ", b"data"):
        if name not in chunks:
            message = f"it has no {name.decode().strip()} chunk"
            raise RiffError(message)
    layout = _layout(chunks[b"fmt "])
    data = chunks[b"data"]
    frames = len(data) // layout.frame_bytes
    if frames == 0:
        raise RiffError("it holds no audio")
    samples = _DECODERS[layout.codec, layout.bits](data[: frames * layout.frame_bytes])
    return layout, samples.reshape(frames, layout.channels)


def _chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks up to the audio; those behind it are titles and markers."""
    position = 12
    while position + 8 <= len(raw):
        name, size = struct.unpack_from("<4sI", raw, position)
        position += 8
        there = len(raw) - position
        if name == b"data" and (size == 0 or size >= _UNTOLD):
            size = there
        if size > there:
            label = name.decode("latin-1").strip()
            message = f"it is truncated: of its {label} chunk {there} of {size} bytes are there"
            raise RiffError(message)
        yield name, raw[position : position + size]
        if name == b"data":
            return
        position += size + size % 2  # chunks begin at even offsets


def _layout(chunk: bytes) -> Layout:
    if len(chunk) < 16:
        raise RiffError("its fmt chunk is too short")
    codec, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", chunk)
    if codec == _EXTENSIBLE and chunk[28:40] == _GUID_TAIL:
        (codec,) = struct.unpack_from("<I", chunk, 24)
    if (codec, bits) not in _DECODERS:
        message = f"its codec is not supported: {_CODECS.get(codec, f'number 0x{codec:04x}')}, {bits} bits"
        raise RiffError(message)
    if channels == 0 or not 1_000 <= rate <= 768_000 or frame_bytes != channels * bits // 8:
        message = f"its fmt chunk makes no sense: {channels} channels, {rate} Hz, {frame_bytes} bytes a frame"
        raise RiffError(message)
    return Layout(codec, channels, rate, frame_bytes, bits)


def _unsigned_8(data: bytes) -> Floats:
    return (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)


def _signed_16(data: bytes) -> Floats:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(2**15)


def _signed_24(data: bytes) -> Floats:
    widened = np.zeros((len(data) // 3, 4), np.uint8)
    widened[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return _signed_32(widened.tobytes())


def _signed_32(data: bytes) -> Floats:
    return np.frombuffer(data, "<i4").astype(np.float32) / np.float32(2**31)


def _float_32(data: bytes) -> Floats:
    return _limited(np.frombuffer(data, "<f4"))


def _float_64(data: bytes) -> Floats:
    return _limited(np.frombuffer(data, "<f8"))


def _limited(floats: NDArray[np.floating]) -> Floats:
    """What is infinite is damage like what is not a number; what is only absurd stays a number."""
    limited: Floats = np.clip(floats, -_LOUDEST_FLOAT, _LOUDEST_FLOAT).astype(np.float32)
    limited[np.isinf(floats)] = np.nan
    return limited


def _alaw(data: bytes) -> Floats:
    return _signed_16(g711.decode_alaw(data))


def _ulaw(data: bytes) -> Floats:
    return _signed_16(g711.decode_ulaw(data))


_DECODERS: dict[tuple[int, int], Callable[[bytes], Floats]] = {
    (0x0001, 8): _unsigned_8,
    (0x0001, 16): _signed_16,
    (0x0001, 24): _signed_24,
    (0x0001, 32): _signed_32,
    (0x0003, 32): _float_32,
    (0x0003, 64): _float_64,
    (0x0006, 8): _alaw,
    (0x0007, 8): _ulaw,
}
"""By codec and bits of a sample."""
