"""Audio formats, and the small values that pass between the parts."""

from __future__ import annotations

import pytest

from rtagent.audio import AudioFormat, AudioSink, AudioSource, Heard, NullSink, PlaybackItem, Silence
from rtagent.errors import ConfigurationError


@pytest.mark.parametrize(
    ("own", "rate", "frame_bytes", "bytes_per_second"),
    [
        (AudioFormat.pcm16(), 24_000, 2, 48_000),
        (AudioFormat.pcm16(16_000), 16_000, 2, 32_000),
        (AudioFormat.pcmu(), 8_000, 1, 8_000),
        (AudioFormat.pcma(), 8_000, 1, 8_000),
        (AudioFormat("pcm16", 48_000, 2), 48_000, 4, 192_000),
    ],
)
def test_sizes(own: AudioFormat, rate: int, frame_bytes: int, bytes_per_second: int) -> None:
    assert (own.rate, own.frame_bytes, own.bytes_per_second) == (rate, frame_bytes, bytes_per_second)
    assert own.ms_of(own.bytes_of(20)) == 20.0


def test_only_whole_frames_fit() -> None:
    assert AudioFormat.pcm16(44_100).bytes_of(10.1) == 445 * 2


@pytest.mark.parametrize(
    ("encoding", "rate", "channels", "message"),
    [
        ("mp3", 24_000, 1, "unknown audio encoding 'mp3'"),
        ("pcm16", 0, 1, "0 Hz is out of range"),
        ("pcm16", 1_000_000, 1, "out of range"),
        ("pcm16", 24_000, 0, "at least one channel"),
    ],
)
def test_impossible_formats_are_refused(encoding, rate, channels, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        AudioFormat(encoding, rate, channels)


def test_what_was_never_heard_is_zero() -> None:
    heard = Heard({"a": 12.5})
    assert (heard.of("a"), heard.of("b"), heard.silent_at) == (12.5, 0.0, None)
    assert Heard().of("a") == 0.0
    assert PlaybackItem("a") == PlaybackItem("a", 0, None)


def test_ours_implement_the_ports() -> None:
    assert isinstance(Silence(), AudioSource)
    assert isinstance(NullSink(), AudioSink)
