from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rtagent.audio import read_wav
from rtagent.errors import AudioUnavailable, ConfigurationError
from rtagent.testing import _sound_card as module
from rtagent.testing._sound_card import VirtualSoundCard


def sinks(card: VirtualSoundCard) -> list[str]:
    listed = subprocess.run(
        ["pactl", "list", "short", "sinks"], env=card.env, capture_output=True, text=True, check=True
    )
    return [line.split("\t")[1] for line in listed.stdout.splitlines()]


def test_what_is_missing_is_listed_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(module, "find_library", lambda name: None)
    monkeypatch.setattr(module, "_alsa_pulse_plugins", lambda: iter(()))
    lacking = ("pulseaudio", "pactl", "paplay", "parec", "libportaudio2", "libasound2-plugins")
    assert VirtualSoundCard.missing() == lacking
    with pytest.raises(ConfigurationError) as caught, VirtualSoundCard():
        pass
    assert all(name in str(caught.value) for name in lacking)
    assert caught.value.hint is not None
    assert "apt-get install" in caught.value.hint


@pytest.mark.device
def test_a_card_has_a_speaker_and_a_microphone_feed(sound_card: VirtualSoundCard) -> None:
    assert sinks(sound_card) == ["speaker", "micfeed"]
    assert "DBUS_SESSION_BUS_ADDRESS" not in sound_card.env
    assert sound_card.env["PATH"] == os.environ["PATH"]


@pytest.mark.device
def test_an_idle_speaker_records_as_silence(sound_card: VirtualSoundCard, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    with sound_card.record_speaker(path):
        pass
    wav = read_wav(path)
    assert (wav.rate, wav.channels) == (24_000, 1)
    assert not any(wav.mono_pcm16())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.device
def test_two_cards_live_side_by_side_and_leave_nothing_behind(own_card: VirtualSoundCard) -> None:
    with VirtualSoundCard() as other:
        directory = other._directory
        assert directory is not None
        assert other.env["PULSE_SERVER"] != own_card.env["PULSE_SERVER"]
        assert sinks(other) == sinks(own_card)
    assert not directory.exists()
    assert sinks(own_card) == ["speaker", "micfeed"], "only the own server was ended"


@pytest.mark.device
def test_a_card_can_be_pulled_out_and_put_back(own_card: VirtualSoundCard) -> None:
    own_card.kill()
    with pytest.raises(subprocess.CalledProcessError):
        sinks(own_card)
    own_card.plug_in()
    assert sinks(own_card) == ["speaker", "micfeed"]


@pytest.mark.device
def test_a_headset_becomes_the_default_device_and_leaves(own_card: VirtualSoundCard) -> None:
    def default() -> str:
        return own_card._ask("get-default-sink").strip()

    own_card.connect_headset()
    assert (sinks(own_card), default()) == (["speaker", "micfeed", "headset"], "headset")
    own_card.disconnect_headset()
    assert (sinks(own_card), default()) == (["speaker", "micfeed"], "speaker")


def test_pulling_out_a_card_that_never_ran_does_nothing() -> None:
    VirtualSoundCard().kill()


@pytest.mark.device
def test_a_server_that_does_not_start_is_told(
    own_card: VirtualSoundCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "pulseaudio"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(AudioUnavailable, match="status 3"), VirtualSoundCard():
        pass


def test_waiting_for_what_never_happens_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READY_WITHIN_S", 0.0)
    with pytest.raises(AudioUnavailable, match="nothing came"):
        module._wait_until(lambda: False, "nothing came")
