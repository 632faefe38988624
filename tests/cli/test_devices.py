from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import anyio
import anyio.lowlevel
import pytest

from rtagent.audio import DeviceInfo, Microphone, write_wav
from rtagent.cli import main
from rtagent.cli.devices import _listen, _table, level_verdict
from rtagent.testing import FakeSoundBackend, VirtualSoundCard

TONE = (b"\x00\x20" * 12 + b"\x00\xe0" * 12) * 4_000
"""Four seconds of 1 kHz at -12 dBFS."""


def test_a_table_of_devices():
    devices = [
        DeviceInfo(0, "mic", "ALSA", 1, 0, 48_000, is_default_input=True, is_default_output=False),
        DeviceInfo(
            12, "headset, both", "ALSA", 32, 32, 44_100, is_default_input=False, is_default_output=True
        ),
    ]
    assert _table(devices).splitlines() == [
        "index  name           host API  ins  outs  rate   default",
        "0      mic            ALSA      1    0     48000  >",
        "12     headset, both  ALSA      32   32    44100  <",
    ]


def test_a_machine_without_devices():
    assert _table([]) == "no sound devices"


@pytest.mark.parametrize(
    ("peak_dbfs", "word"),
    [(-100, "silence"), (-90, "silence"), (-60, "quiet"), (-12, "good"), (-0.5, "loud")],
)
def test_verdicts(peak_dbfs, word):
    assert word in level_verdict(peak_dbfs)


async def test_two_seconds_of_a_microphone_are_measured():
    library = FakeSoundBackend(now=time.monotonic)
    out = io.StringIO()

    async def speak() -> None:
        with anyio.fail_after(5):
            while not library.streams or not library.input.started:
                await anyio.lowlevel.checkpoint()
            for start in range(0, len(TONE), 48_000):
                library.input.feed(TONE[start : start + 48_000])
                await anyio.wait_all_tasks_blocked()

    async with anyio.create_task_group() as group:
        group.start_soon(speak)
        peak, rms = await _listen(Microphone(backend=library), out)
        group.cancel_scope.cancel()
    assert (peak, rms) == (-12.0, -12.0)
    assert out.getvalue() == "listening to card for 2 s: speak now\n"


@pytest.fixture(scope="module")
def card() -> Iterator[VirtualSoundCard]:
    if lacking := VirtualSoundCard.missing():
        reason = f"the virtual sound card needs {', '.join(lacking)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with VirtualSoundCard() as card:
        yield card


def devices(card: VirtualSoundCard, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rtagent", "devices", *flags], env=card.env, capture_output=True, text=True
    )


@pytest.mark.device
def test_the_devices_of_a_card(card):
    table = devices(card)
    listed = json.loads(devices(card, "--json").stdout)

    assert table.returncode == 0
    assert {"mic", "speaker"} <= {device["name"] for device in listed}
    assert sum(device["is_default_input"] for device in listed) == 1
    assert any(line.endswith("><") for line in table.stdout.splitlines())


@pytest.mark.device
def test_a_silent_microphone_is_told_apart_from_a_good_one(card, tmp_path):
    silent = devices(card, "--test", "--device", "mic")
    write_wav(tmp_path / "tone.wav", TONE, 24_000)
    with subprocess.Popen(
        ["paplay", "--device=micfeed", str(tmp_path / "tone.wav")], env=card.env
    ) as playing:
        loud = devices(card, "--test", "--device", "mic", "--json")
        playing.kill()

    assert "listening to mic for 2 s" in silent.stdout
    assert "digital silence" in silent.stdout
    heard = json.loads(loud.stdout)
    assert heard["verdict"] == "good"
    assert heard["peak_dbfs"] == pytest.approx(-12, abs=2)


@pytest.mark.device
def test_a_microphone_that_is_not_there_is_one_line(card):
    tested = devices(card, "--test", "--device", "nothing like it")
    assert tested.returncode == 1
    assert tested.stderr.startswith("rtagent: device not found: no input device is 'nothing like it'.")
    assert tested.stderr.count("\n") == 1


def test_the_command_without_a_card(capsys):
    assert main(["devices", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)
    assert main(["devices"]) == 0
    assert capsys.readouterr().out.strip()
