from __future__ import annotations

import pytest

from rtagent.audio import FileSource, Microphone, NullSink, Speaker, WavSink
from rtagent.cli import _scribe_ears
from rtagent.cli._scribe_ears import ears, mouth, require_device
from rtagent.errors import AudioFileError, AudioUnavailable


class Device:
    def serves(self, direction: str) -> bool:
        return direction == "input"


class Speaking:
    def serves(self, direction: str) -> bool:
        return direction == "output"


def test_a_file(question):
    assert isinstance(ears(str(question), device=None, pace=None), FileSource)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(AudioFileError, match="no such file"):
        ears(str(tmp_path / "no.wav"), device=None, pace=None)


def test_mouths(monkeypatch, tmp_path):
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Speaking()])
    assert isinstance(mouth("none", None), NullSink)
    assert isinstance(mouth(str(tmp_path / "said.wav"), None), WavSink)
    assert isinstance(mouth("speaker", None), Speaker)


def test_a_microphone(monkeypatch):
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Device()])
    alone = ears("mic", device=None, pace=None)
    assert isinstance(alone, Microphone)
    assert alone.echo_policy == "none"


@pytest.mark.parametrize(("beside", "cancels"), [(Speaker(), True), (NullSink(), False), (None, False)])
def test_a_microphone_beside_a_speaker_does_not_hear_it(monkeypatch, beside, cancels):
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Device()])
    microphone = ears("mic", device=None, pace=None, beside=beside)
    assert isinstance(microphone, Microphone)
    assert (microphone.echo_policy != "none") is cancels


@pytest.mark.parametrize(
    ("direction", "reason"), [("input", "no_input_device"), ("output", "no_output_device")]
)
def test_a_machine_without_sound_says_so(monkeypatch, direction, reason):
    monkeypatch.setattr(_scribe_ears, "list_devices", list)
    with pytest.raises(AudioUnavailable) as missing:
        require_device(direction)
    assert (missing.value.reason, bool(missing.value.hint)) == (reason, True)
