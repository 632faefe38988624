"""A spoken conversation through a sound card: the whole way from a microphone to a speaker and back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import anyio
import pytest

from rtagent.audio import level_dbfs, read_wav
from rtagent.audio._resample import resample
from rtagent.engine import PocketsphinxRecognizer
from rtagent.testing import VirtualSoundCard

HOME = '''
from typing import Literal
from rtagent import Agent, tool

@tool
def set_light(room: Literal["kitchen", "bedroom", "garden"], on: bool) -> str:
    """Switch the light of a room."""
    return f"The {room} light is {'on' if on else 'off'}."

@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"It rains in {city}."

@tool
def set_timer(minutes: int) -> str:
    """Set a timer."""
    return f"The timer is set for {minutes} minutes."

agent = Agent(instructions="You run a small home. Be brief.", tools=[set_light, get_weather, set_timer])
'''


@pytest.fixture
def card() -> Iterator[VirtualSoundCard]:
    if lacking := VirtualSoundCard.missing():
        reason = f"the virtual sound card needs {', '.join(lacking)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with VirtualSoundCard() as card:
        yield card


def wait_until_heard(card: VirtualSoundCard) -> None:
    """Return when a second program listens, beside the recorder: a session is ready before its microphone."""
    command = ["pactl", "list", "short", "source-outputs"]
    while len(subprocess.check_output(command, env=card.env, text=True, timeout=10).splitlines()) < 2:
        pass  # asking takes some milliseconds; the test's own timeout is the end of patience


async def recognised(path: Path) -> str:
    """The words of a recording, among those that a home is asked about."""
    wav = read_wav(path)
    recogniser = PocketsphinxRecognizer("grammar")  # an open vocabulary does not understand this voice
    await recogniser.start()
    try:
        light = {
            "type": "function",
            "name": "set_light",
            "description": "Switch the light of a room.",
            "parameters": {
                "type": "object",
                "properties": {
                    "room": {"type": "string", "enum": ["kitchen", "bedroom", "garden"]},
                    "on": {"type": "boolean"},
                },
            },
        }
        await recogniser.set_tools([light])
        await recogniser.feed(resample(wav.mono_pcm16(), wav.rate, 16_000))
        return (await recogniser.finish()).text
    finally:
        await recogniser.aclose()


@pytest.mark.device
@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_spoken_question_is_answered_aloud(card, start_rtagent, tmp_path):
    agent = tmp_path / "home.py"
    agent.write_text(HOME)
    heard = tmp_path / "heard.wav"
    question = files("rtagent.cli") / "caller" / "01_light.wav"

    with card.record_speaker(heard):
        process = start_rtagent("talk", agent, "--endpoint", "local", env=card.env)
        lines = iter(process.stdout.readline, "")
        assert any("state     listening" in line for line in lines), process.stderr.read()
        card.play_into_microphone(str(question))
        seen = []
        for line in lines:
            seen.append(line)
            if "state     listening" in line and any("assistant" in before for before in seen):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)

    told = "".join(seen)
    ours = [
        line for line in err.splitlines() if not line.startswith("ALSA lib ")
    ]  # underruns of a busy machine
    assert (process.returncode, ours) == (130, [])
    assert 'set_light(room="kitchen", on=true) -> "The kitchen light is on."' in told
    assert "from the end of speech to the first sample heard" in told + out
    assert level_dbfs(read_wav(heard).mono_pcm16()) > -45
    words = anyio.run(recognised, heard)
    assert "kitchen" in words
    assert "light" in words
