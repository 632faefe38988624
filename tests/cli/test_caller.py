from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from rtagent.audio import level_dbfs, read_wav
from rtagent.audio._vad import peak
from rtagent.engine._turns import SpeechStarted, SpeechStopped, TurnDetector

CALLER = Path(str(files("rtagent.cli") / "caller"))
MANIFEST = json.loads((CALLER / "manifest.json").read_text(encoding="utf-8"))
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_caller.py"

recordings = pytest.mark.parametrize("name", sorted(MANIFEST))


def need_flite_2_2() -> None:
    in_ci = os.environ.get("CI") == "true"
    if shutil.which("flite") is None:
        (pytest.fail if in_ci else pytest.skip)("the command flite is not installed")
    version = subprocess.run(["flite", "--version"], capture_output=True, text=True).stdout
    if "flite-2.2" not in version:
        pytest.skip("another version of flite speaks other samples")


def test_manifest_lists_the_recordings_and_nothing_else():
    assert sorted(MANIFEST) == sorted(path.name for path in CALLER.glob("*.wav"))
    assert all(set(entry) == {"text", "over_assistant"} for entry in MANIFEST.values())


def test_one_caller_barges_in_and_says_stop_first():
    over = [entry["text"] for entry in MANIFEST.values() if entry["over_assistant"]]

    assert len(over) == 1
    assert over[0].startswith("Stop.")


@recordings
def test_recording_is_telephone_wideband_and_small(name: str):
    wav = read_wav(CALLER / name)

    assert (wav.rate, wav.channels) == (16_000, 1)
    assert (CALLER / name).stat().st_size <= 120_000
    words = len(MANIFEST[name]["text"].split())
    assert 1.5 <= words / wav.duration_s <= 4.5, "as fast as people speak"


@recordings
def test_recording_is_level_and_never_clips(name: str):
    pcm = read_wav(CALLER / name).mono_pcm16()

    assert level_dbfs(pcm) == pytest.approx(-20, abs=0.5)
    assert peak(pcm) < 32768 * 10 ** (-3 / 20)


@recordings
def test_recording_has_short_quiet_ends_but_no_digital_silence(name: str):
    pcm = read_wav(CALLER / name).mono_pcm16()
    frames = [pcm[start : start + 640] for start in range(0, len(pcm) - 639, 640)]
    levels = [level_dbfs(frame) for frame in frames]

    assert min(levels) == pytest.approx(-62, abs=1.5)
    assert max(levels[:6]) > -46, "speech within 120 ms"
    assert max(levels[-6:]) > -46, "speech until 120 ms before the end"


@recordings
def test_recording_is_one_turn(name: str):
    pcm = read_wav(CALLER / name).mono_pcm16()

    turns = TurnDetector(16_000).feed(bytes(32_000) + pcm + bytes(32_000))

    assert [type(turn) for turn in turns] == [SpeechStarted, SpeechStopped]


@pytest.mark.slow
def test_script_makes_the_same_bytes_again(tmp_path: Path):
    need_flite_2_2()

    made = subprocess.run([sys.executable, SCRIPT, "--out", tmp_path], capture_output=True, text=True)

    assert made.returncode == 0, made.stderr
    for name in [*MANIFEST, "manifest.json"]:
        assert (tmp_path / name).read_bytes() == (CALLER / name).read_bytes(), name


@pytest.mark.slow
def test_script_says_in_one_line_that_flite_is_missing(tmp_path: Path):
    made = subprocess.run(
        [sys.executable, SCRIPT, "--out", tmp_path],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": str(tmp_path)},
    )

    assert made.returncode == 1
    assert made.stderr.count("\n") == 1
    assert made.stderr.startswith("flite cannot speak: ")
