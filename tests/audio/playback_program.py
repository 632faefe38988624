"""A program for the virtual sound card: pauses, mixes, and prints what it knows about it as one JSON line.

Run as a child process, because the card's environment has to be set before PortAudio starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import anyio
import numpy as np

from rtagent.audio import AudioClip, PlaybackItem, Speaker, read_wav

ITEM = PlaybackItem("item")


def report(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def until_heard(speaker: Speaker, ms: float) -> None:
    while (heard_ms := speaker.heard().of("item")) < ms:  # noqa: ASYNC110 - a position has no event
        await anyio.sleep((ms - heard_ms) / 1000)


async def pause(path: str, after_ms: str, for_s: str) -> None:
    pcm = read_wav(path).mono_pcm16()
    async with Speaker() as speaker:
        speaker.play(ITEM, pcm)
        speaker.finish()
        await until_heard(speaker, float(after_ms))
        speaker.pause()
        await anyio.sleep(float(for_s))
        paused_at_ms = speaker.heard().of("item")
        speaker.resume()
        await speaker.wait_drained()
        heard_ms = speaker.heard().of("item")
        await anyio.sleep(0.3)
        report(paused_at_ms=paused_at_ms, heard_ms=heard_ms, **asdict(speaker.statistics()))


async def background(path: str) -> None:
    """Two seconds of a hum, the voice on top of it, a stop in its middle, a second of hum at half the volume."""
    pcm = read_wav(path).mono_pcm16()
    hum = (0.5 * np.sin(2 * np.pi * 400 * np.arange(24_000) / 24_000)).astype(np.float32)
    async with Speaker() as speaker:
        speaker.background.play("hum", AudioClip(24_000, 1, hum[:, None]), volume=0.5)
        await anyio.sleep(2.0)
        drained_before = speaker.heard().ms == {}
        await speaker.wait_drained()
        speaker.play(ITEM, pcm)
        await until_heard(speaker, 1_000)
        heard_ms = speaker.stop().of("item")
        await anyio.sleep(1.0)
        speaker.volume = 0.5
        await anyio.sleep(1.0)
        speaker.background.clear()
        await anyio.sleep(0.6)
        report(
            drained_before=drained_before,
            heard_ms=heard_ms,
            heard_in_all_ms=speaker.heard().of("item"),
            names=speaker.background.names,
            **asdict(speaker.statistics()),
        )


if __name__ == "__main__":
    commands: dict[str, Callable[..., Awaitable[None]]] = {"pause": pause, "background": background}
    anyio.run(commands[sys.argv[1]], *sys.argv[2:])
