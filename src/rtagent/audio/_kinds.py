"""What kind of file begins with these bytes; names lie, and so do their endings."""

from __future__ import annotations

__all__ = ("HEAD_BYTES", "a_or_an", "kind_of")

HEAD_BYTES = 64
"""How much of a file is looked at, behind a tag that may stand before the audio."""

_OGG_CODECS = {
    b"OpusHead": "Ogg Opus",
    b"\x01vorbis": "Ogg Vorbis",
    b"\x7fFLAC": "Ogg FLAC",
    b"Speex   ": "Ogg Speex",
}
_BEGINNINGS = (
    (0, b"fLaC", "FLAC"),
    (0, b"RIFX", "big-endian WAV"),
    (0, b"RF64", "RF64"),
    (0, b"BW64", "RF64"),
    (8, b"AIFF", "AIFF"),
    (8, b"AIFC", "AIFF"),
    (4, b"ftyp", "MP4 or M4A"),
    (0, b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
)


def kind_of(raw: bytes) -> str | None:
    """The kind of file, in the words in which people speak of it; None if it is not known."""
    behind_tag = _end_of_id3(raw)
    head = raw[behind_tag : behind_tag + HEAD_BYTES]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "WAV"
    if head[:4] == b"OggS":
        codecs = (name for mark, name in _OGG_CODECS.items() if head[28:].startswith(mark))
        return next(codecs, "Ogg")
    for place, mark, name in _BEGINNINGS:
        if head.startswith(mark, place):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return _mpeg_kind(head)
    return "MP3" if behind_tag else None


def a_or_an(kind: str) -> str:
    """The kind as people say it: an MP3, a FLAC."""
    letter_by_letter = kind.startswith(("MP", "RF", "AU"))
    return f"{'an' if letter_by_letter or kind[0] in 'AO' else 'a'} {kind}"


def _end_of_id3(raw: bytes) -> int:
    """Where the audio begins behind a tag of ID3v2: its size is told in four times seven bits."""
    if raw[:3] != b"ID3" or len(raw) < 10:
        return 0
    size = 0
    for byte in raw[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _mpeg_kind(head: bytes) -> str | None:
    """MPEG audio by the layer in its first frame; AAC in ADTS says layer 0, and text in UTF-16 all ones."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return "AAC"
    bit_rate = head[2] >> 4 if len(head) > 2 else 15
    if version == 1 or bit_rate == 15:
        return None
    return {1: "MP3", 2: "MP2", 3: "MP1"}[layer]
