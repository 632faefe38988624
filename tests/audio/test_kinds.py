from __future__ import annotations

import pytest

from rtagent.audio._kinds import a_or_an, kind_of

ID3 = b"ID3\x04\0\0\0\0\x01\x05" + bytes(133)


def ogg(first: bytes) -> bytes:
    return b"OggS" + bytes(24) + first + bytes(8)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", "WAV"),
        (b"RIFX\x24\0\0\0WAVEfmt ", "big-endian WAV"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "RF64"),
        (b"fLaC\0\0\0\x22", "FLAC"),
        (ID3 + b"fLaC", "FLAC"),
        (ID3 + b"\xff\xfb\x90\x64", "MP3"),
        (ID3, "MP3"),
        (b"ID3\x04\0\0\0\0\x7f\x7f", "MP3"),
        (b"\xff\xfb\x90\x64", "MP3"),
        (b"\xff\xf3\x48\xc4", "MP3"),
        (b"\xff\xfd\x90\x64", "MP2"),
        (b"\xff\xff\x90\x64", "MP1"),
        (b"\xff\xf1\x50\x80", "AAC"),
        (ogg(b"OpusHead"), "Ogg Opus"),
        (ogg(b"\x01vorbis"), "Ogg Vorbis"),
        (ogg(b"\x7fFLAC"), "Ogg FLAC"),
        (ogg(b"Speex   "), "Ogg Speex"),
        (ogg(b"\x80theora"), "Ogg"),
        (b"FORM\0\0\0\0AIFF", "AIFF"),
        (b"\0\0\0\x20ftypM4A ", "MP4 or M4A"),
        (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
        (b"", None),
        (b"RIFF", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"ID3", None),
        (b"hello, world", None),
        (b"\xff\xfe", None),
        (b"\xff\xfeh\0e\0", "MP1"),  # text in UTF-16 looks like it for its first two bytes
        (b"\xff\xff\xff\xff", None),
        (b"\xff\xeb\x90\x64", None),
    ],
)
def test_kinds(raw: bytes, kind: str | None) -> None:
    assert kind_of(raw) == kind


def test_articles() -> None:
    assert [a_or_an(kind) for kind in ("MP3", "FLAC", "Ogg Opus", "AAC", "RF64", "WAV")] == [
        "an MP3", "a FLAC", "an Ogg Opus", "an AAC", "an RF64", "a WAV",
    ]  # fmt: skip
