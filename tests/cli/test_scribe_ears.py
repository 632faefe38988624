from __future__ import annotations

import pytest

from rtagent.audio import ArraySource, AudioBlock, Microphone, WavSource
from rtagent.cli import _scribe_ears
from rtagent.cli._scribe_ears import MOST_WAITING_MS, Unhurried, ears, require_device
from rtagent.errors import AudioFileError, AudioUnavailable


class Device:
    def serves(self, direction: str) -> bool:
        return direction == "input"


def test_a_file(question):
    assert isinstance(ears(str(question), device=None, pace=None), WavSource)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        ears(str(tmp_path / "no.wav"), device=None, pace=None)


def test_a_microphone(monkeypatch):
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Device()])
    assert isinstance(ears("mic", device=None, pace=None), Microphone)


@pytest.mark.parametrize(
    ("direction", "reason"), [("input", "no_input_device"), ("output", "no_output_device")]
)
def test_a_machine_without_sound_says_so(monkeypatch, direction, reason):
    monkeypatch.setattr(_scribe_ears, "list_devices", list)
    with pytest.raises(AudioUnavailable) as missing:
        require_device(direction)
    assert (missing.value.reason, bool(missing.value.hint)) == (reason, True)


async def test_a_file_is_read_no_faster_than_it_leaves():
    file = ArraySource(bytes(48 * 2000), 24_000, pace=None)
    waiting_ms = 0.0
    most_ms = 0.0
    looks = 0

    def waiting() -> float:
        """Every second look 100 ms have left."""
        nonlocal waiting_ms, looks
        looks += 1
        if looks % 2 == 0:
            waiting_ms = max(0.0, waiting_ms - 100)
        return waiting_ms

    source = Unhurried(file, waiting)
    got: list[AudioBlock] = []
    async for block in source.blocks():
        got.append(block)
        waiting_ms += 200
        most_ms = max(most_ms, waiting_ms)

    assert source.format == file.format
    assert b"".join(block.pcm for block in got) == bytes(48 * 2000)
    assert most_ms <= MOST_WAITING_MS + 200
