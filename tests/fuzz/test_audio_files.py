"""Damaged audio files are read or refused, in bounded time and memory, and end nothing."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtagent.audio import FileSource, g711, read_audio
from rtagent.errors import AudioFileError, ConfigurationError

GUID_TAIL = bytes.fromhex("000010008000 00AA00389B71")
LAYOUTS = [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (6, 8), (7, 8)]
SAMPLES = 400
TONE = (0.3 * np.sin(np.arange(24_000) * 0.1)).astype(np.float32)

many = settings(max_examples=400, deadline=5_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(many, max_examples=150)


def wav(codec: int, bits: int, channels: int, *, extensible: bool) -> bytes:
    frame = channels * bits // 8
    tag = 0xFFFE if extensible else codec
    fmt = struct.pack("<HHIIHH", tag, channels, 24_000, 24_000 * frame, frame, bits)
    if extensible:
        fmt += struct.pack("<HHII", 22, bits, 4, codec) + GUID_TAIL
    wave = 0.3 * np.sin(np.arange(SAMPLES * channels) * 0.1)
    data = {
        (1, 8): lambda: (wave * 127 + 128).astype(np.uint8).tobytes(),
        (1, 16): lambda: (wave * 32767).astype("<i2").tobytes(),
        (3, 32): lambda: wave.astype("<f4").tobytes(),
        (3, 64): lambda: wave.astype("<f8").tobytes(),
    }.get((codec, bits), lambda: bytes(SAMPLES * frame))()
    chunks = [(b"fmt ", fmt), (b"LIST", b"INFOodd"), (b"fact", bytes(4)), (b"data", data)]
    body = b"WAVE" + b"".join(
        name + struct.pack("<I", len(part)) + part + bytes(len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


WAVS = [
    wav(codec, bits, channels, extensible=extensible)
    for (codec, bits), channels, extensible in itertools.product(LAYOUTS, (1, 2), (False, True))
]


def compressed() -> list[bytes]:
    """One file of each kind that the library reads; none where it is not installed."""
    if find_spec("soundfile") is None:
        return []
    import soundfile

    files: list[bytes] = []
    for kind, codec in [("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")]:
        file = io.BytesIO()
        soundfile.write(file, np.stack([TONE] * 2, axis=1), 24_000, format=kind, subtype=codec)
        files.append(file.getvalue())
    return files


COMPRESSED = compressed()


@st.composite
def damaged(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """A file that was cut, overwritten in places (most often in its header), or has pieces put in."""
    raw = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, 100) | st.integers(0, len(raw)))
        noise = draw(
            st.binary(min_size=1, max_size=8)
            | st.sampled_from(
                (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\0\0\0\x80", b"data", b"OggS")
            )
        )
        if draw(st.booleans()):
            raw[at : at + len(noise)] = noise
        else:
            raw[at:at] = noise
    return bytes(raw[: draw(st.just(len(raw)) | st.integers(0, len(raw)))])


@pytest.fixture(autouse=True)
def tables() -> None:
    """They are built once for all, and are no part of what a file costs."""
    g711.decode_alaw(b"")
    g711.decode_ulaw(b"")


def read(path: Path, raw: bytes) -> None:
    """Samples or an error of ours, and never more of them than the bytes can hold."""
    path.write_bytes(raw)
    try:
        clip = read_audio(path)
    except AudioFileError:
        return
    assert clip.samples.shape[1] == clip.channels > 0
    assert len(clip.samples) > 0
    assert np.isfinite(clip.samples).all()
    assert len(clip.mono_pcm16()) == 2 * len(clip.samples)


@many
@given(raw=damaged(WAVS))
def test_wav(tmp_path: Path, raw: bytes) -> None:
    tracemalloc.start()
    try:
        read(tmp_path / "x", raw)
        assert tracemalloc.get_traced_memory()[1] < 100 * len(raw) + 100_000
    finally:
        tracemalloc.stop()


@few
@given(raw=damaged(WAVS))
def test_a_source_of_it_is_made_or_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x").write_bytes(raw)
    try:
        source = FileSource(tmp_path / "x", pace=None)
    except (AudioFileError, ConfigurationError):
        return
    assert len(source.pcm_from(0)) == source.block_bytes


@pytest.mark.parametrize("raw", WAVS)
def test_a_header_that_claims_four_gigabytes_takes_none(tmp_path: Path, raw: bytes) -> None:
    place = raw.index(b"data") + 4
    for claimed in (0x7FFF_EFFF, 0x7FFF_F000, 0xFFFF_FFFF):
        tracemalloc.start()
        read(tmp_path / "x", raw[:place] + struct.pack("<I", claimed) + raw[place + 4 :])
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert used < 1_000_000


@many
@given(
    raw=st.binary(max_size=200)
    | st.builds(lambda head, rest: head + rest, st.sampled_from((b"RIFF", b"ID3")), st.binary(max_size=60))
)
def test_noise(tmp_path: Path, raw: bytes) -> None:
    read(tmp_path / "x", raw)


@pytest.mark.skipif(not COMPRESSED, reason="soundfile is not installed")
@few
@given(raw=st.deferred(lambda: damaged(COMPRESSED)))
def test_compressed(tmp_path: Path, raw: bytes) -> None:
    read(tmp_path / "x", raw)


@pytest.mark.skipif(not COMPRESSED, reason="soundfile is not installed")
def test_a_flac_file_that_claims_days_takes_no_memory_for_them(tmp_path: Path) -> None:
    raw = bytearray(COMPRESSED[0])
    raw[21:26] = bytes([raw[21] | 0x0F]) + b"\xff\xff\xff\xff"  # the 36 bits of the number of frames
    tracemalloc.start()
    read(tmp_path / "x", bytes(raw))
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 10_000_000
