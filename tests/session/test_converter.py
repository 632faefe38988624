"""Sound between the device's format and the wire's."""

from __future__ import annotations

import numpy as np
import pytest

from rtagent.audio import AudioFormat, g711
from rtagent.session._converter import Converter, silence_of

PCM_24K = AudioFormat.pcm16(24_000)
TONE = (8_000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype("<i2").tobytes()


def test_what_is_the_same_needs_no_converter() -> None:
    assert Converter.between(PCM_24K, AudioFormat.pcm16(24_000)) is None


@pytest.mark.parametrize("line", [AudioFormat.pcmu(), AudioFormat.pcma()], ids=["pcmu", "pcma"])
def test_there_and_back_over_a_telephone_line(line: AudioFormat) -> None:
    there, back = Converter.between(PCM_24K, line), Converter.between(line, PCM_24K)
    assert there is not None
    assert back is not None
    coded = there.convert(TONE)
    assert 7_900 <= len(coded) <= 8_000
    heard = np.frombuffer(back.convert(coded), "<i2")[4_800:].astype(float)
    assert np.sqrt((heard**2).mean()) == pytest.approx(8_000 / np.sqrt(2), rel=0.03)


def test_after_a_reset_nothing_of_the_past_is_left() -> None:
    converter = Converter(PCM_24K, AudioFormat.pcm16(48_000))
    converter.convert(TONE)
    converter.reset()
    assert not any(converter.convert(bytes(4_800)))
    Converter(AudioFormat.pcmu(), AudioFormat.pcm16(8_000)).reset()  # no filter, nothing to forget


@pytest.mark.parametrize(
    ("own", "value"),
    [
        (PCM_24K, b"\0"),
        (AudioFormat.pcmu(), g711.ULAW_SILENCE),
        (AudioFormat.pcma(), g711.ALAW_SILENCE),
    ],
)
def test_each_format_has_a_silence(own: AudioFormat, value: bytes) -> None:
    assert silence_of(own)(4) == value * 4
