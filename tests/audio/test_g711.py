from __future__ import annotations

import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from rtagent.audio import g711

ALL_SAMPLES = struct.pack("<65536h", *range(-32768, 32768))
ALL_CODES = bytes(range(256))

# ITU-T G.711, tables 1a to 2b: the ends of the segments' ranges, here as 16-bit samples.
ULAW_DECODED = {0xFF: 0, 0x7F: 0, 0xFE: 8, 0x7E: -8, 0xEF: 132, 0xDF: 396, 0x80: 32124, 0x00: -32124}
ALAW_DECODED = {0xD5: 8, 0x55: -8, 0xD4: 24, 0xC5: 264, 0xF5: 528, 0xAA: 32256, 0x2A: -32256}


@pytest.fixture(params=["numpy", "plain"])
def lookup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both ways through the tables: numpy's, and the one without it."""
    caches = (g711._ulaw, g711._alaw)
    for cached in caches:
        cached.cache_clear()
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "numpy", None)
    yield request.param
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def audioop() -> ModuleType:
    """The module that Python had until 3.12: telephony's reference in C."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module: ModuleType = pytest.importorskip("audioop")
    return module


@pytest.mark.usefixtures("lookup")
@pytest.mark.parametrize(("ours", "theirs"), [(g711.encode_ulaw, "lin2ulaw"), (g711.encode_alaw, "lin2alaw")])
def test_every_sample_is_encoded_like_the_reference(
    audioop: ModuleType, ours: Callable[[bytes], bytes], theirs: str
) -> None:
    assert ours(ALL_SAMPLES) == getattr(audioop, theirs)(ALL_SAMPLES, 2)


@pytest.mark.usefixtures("lookup")
@pytest.mark.parametrize(("ours", "theirs"), [(g711.decode_ulaw, "ulaw2lin"), (g711.decode_alaw, "alaw2lin")])
def test_every_code_is_decoded_like_the_reference(
    audioop: ModuleType, ours: Callable[[bytes], bytes], theirs: str
) -> None:
    assert ours(ALL_CODES) == getattr(audioop, theirs)(ALL_CODES, 2)


@pytest.mark.usefixtures("lookup")
@pytest.mark.parametrize(
    ("encode", "decode", "values"),
    [
        (g711.encode_ulaw, g711.decode_ulaw, ULAW_DECODED),
        (g711.encode_alaw, g711.decode_alaw, ALAW_DECODED),
    ],
)
def test_values_of_the_recommendation(
    encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes], values: dict[int, int]
) -> None:
    codes = bytes(values)
    assert struct.unpack(f"<{len(codes)}h", decode(codes)) == tuple(values.values())
    for code, sample in values.items():
        if code != 0x7F:  # mu-law has two zeros; zero is encoded as the positive one
            assert encode(struct.pack("<h", sample)) == bytes([code])


@pytest.mark.usefixtures("lookup")
@pytest.mark.parametrize(
    ("encode", "decode"), [(g711.encode_ulaw, g711.decode_ulaw), (g711.encode_alaw, g711.decode_alaw)]
)
def test_what_was_coded_once_is_not_changed_by_coding_again(
    encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes]
) -> None:
    once = decode(encode(ALL_SAMPLES))
    assert decode(encode(once)) == once
    for before, after in zip(range(-32768, 32768), struct.unpack("<65536h", once), strict=True):
        assert abs(before - after) <= abs(before) / 32 + 9  # half of one of 16 steps, and the cut bits


def test_silence() -> None:
    assert g711.encode_ulaw(bytes(4)) == g711.ULAW_SILENCE * 2
    assert g711.encode_alaw(bytes(4)) == g711.ALAW_SILENCE * 2
    assert g711.encode_ulaw(b"") == g711.decode_alaw(b"") == b""


@pytest.mark.parametrize("encode", [g711.encode_ulaw, g711.encode_alaw])
def test_half_a_sample_is_refused(encode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match="3 bytes are not whole samples"):
        encode(b"abc")
