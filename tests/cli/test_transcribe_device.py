"""What is said into a microphone, written down: the whole way from a sound card to a line."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from importlib.resources import files

import pytest

from rtagent.testing import VirtualSoundCard


@pytest.fixture
def card() -> Iterator[VirtualSoundCard]:
    if lacking := VirtualSoundCard.missing():
        reason = f"the virtual sound card needs {', '.join(lacking)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with VirtualSoundCard() as card:
        yield card


def wait_until_heard(card: VirtualSoundCard) -> None:
    """Return when a program listens, beside the card itself: a session is ready before its microphone."""
    command = ["pactl", "list", "short", "source-outputs"]
    while len(subprocess.check_output(command, env=card.env, text=True, timeout=10).splitlines()) < 2:
        pass  # asking takes some milliseconds; the test's own timeout is the end of patience


@pytest.mark.device
@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_spoken_question_is_written_down(card, start_rtagent):
    process = start_rtagent("transcribe", "mic", "--endpoint", "local", env=card.env)
    wait_until_heard(card)
    card.play_into_microphone(str(files("rtagent.cli") / "caller" / "02_weather.wav"))
    line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    told = [line for line in err.splitlines() if not line.startswith("ALSA lib ")]  # a busy machine
    assert (process.returncode, out, told) == (0, "", [])
    assert "weather" in line
