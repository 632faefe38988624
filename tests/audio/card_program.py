"""A program for the virtual sound card: plays or listens, and prints what it measured as one JSON line.

Run as a child process, because the card's environment has to be set before PortAudio starts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict
from itertools import pairwise

import anyio

from rtagent.audio import Microphone, PlaybackItem, Speaker, Vad, list_devices, read_wav, write_wav
from rtagent.audio._device_line import Patience
from rtagent.audio._echo_path import EchoCancel
from rtagent.errors import AudioUnavailable

ITEM = PlaybackItem("item")


def report(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def until_heard(speaker: Speaker, ms: float) -> None:
    while (heard_ms := speaker.heard().of("item")) < ms:  # noqa: ASYNC110 - a position has no event
        await anyio.sleep((ms - heard_ms) / 1000)


async def play(path: str) -> None:
    pcm = read_wav(path).mono_pcm16()
    async with Speaker() as speaker:
        far = bytearray()
        speaker.tap = lambda block: far.extend(block.pcm)
        speaker.play(ITEM, pcm)
        speaker.finish()
        await speaker.wait_drained()
        heard_ms = speaker.heard().of("item")
        await anyio.sleep(0.3)
        report(heard_ms=heard_ms, tapped=pcm in bytes(far), **asdict(speaker.statistics()))


async def stop(path: str, after_ms: str) -> None:
    pcm = read_wav(path).mono_pcm16()
    async with Speaker() as speaker:
        speaker.play(ITEM, pcm)
        await until_heard(speaker, float(after_ms))
        at = time.monotonic()
        heard = speaker.stop()
        await anyio.sleep(0.4)
        report(
            heard_ms=heard.of("item"),
            silent_after_ms=((heard.silent_at or 0) - at) * 1000,
            heard_in_all_ms=speaker.heard().of("item"),
            statistics=asdict(speaker.statistics()),
        )


async def play_through_loss(path: str, attempts: str) -> None:
    pcm = read_wav(path).mono_pcm16()
    async with Speaker(patience=Patience(attempts=int(attempts))) as speaker:
        speaker.play(ITEM, pcm)
        await until_heard(speaker, 300)
        report(playing=True)
        error = None
        try:
            await speaker.wait_drained()
        except AudioUnavailable as gone:
            error = gone.reason
        statistics = asdict(speaker.statistics())
        report(
            error=error,
            heard_ms=speaker.heard().of("item"),
            received_ms=speaker.received_ms("item"),
            **statistics,
        )


async def both_through_loss(path: str) -> None:
    """Ears and mouth at once: tell when both work, and when both work again after they were lost."""
    pcm = read_wav(path).mono_pcm16()
    microphone, speaker = Microphone(), Speaker()

    async def back(times: int) -> None:
        while microphone.statistics().losses < times or speaker.statistics().losses < times:  # noqa: ASYNC110
            await anyio.sleep(0.02)
        captured_ms, heard_ms = microphone.statistics().captured_ms, speaker.heard().of("item")
        while microphone.statistics().captured_ms < captured_ms + 200:  # noqa: ASYNC110
            await anyio.sleep(0.02)
        await until_heard(speaker, heard_ms + 200)

    async def listen_on() -> None:
        async with aclosing(microphone.blocks()) as blocks:
            async for _ in blocks:
                pass

    async with speaker, anyio.create_task_group() as group:
        group.start_soon(listen_on)
        speaker.play(ITEM, pcm)
        await back(0)
        report(working=True)
        await back(1)
        report(away_ms=[microphone.statistics().away_ms, speaker.statistics().away_ms])
        group.cancel_scope.cancel()


async def listen(path: str, seconds: str) -> None:
    microphone = Microphone()
    pcm = bytearray()
    times: list[float] = []
    age_ms = 0.0
    async with aclosing(microphone.blocks()) as blocks:
        async for block in blocks:
            if not times:
                report(ready=True)
            times.append(block.at)
            pcm += block.pcm
            if len(pcm) >= float(seconds) * 48_000:
                age_ms = (time.monotonic() - block.at) * 1000 - 20
                break
    write_wav(path, bytes(pcm), 24_000)
    steps = [later - earlier for earlier, later in pairwise(times)]
    report(
        age_ms=age_ms,
        shortest_ms=min(steps) * 1000,
        longest_ms=max(steps) * 1000,
        **asdict(microphone.statistics()),
    )


async def hear_itself(path: str, echo_cancel: EchoCancel) -> None:
    """The microphone is what the speaker plays: no echo is louder."""
    pcm = read_wav(path).mono_pcm16()
    speaker = Speaker()
    microphone = Microphone("speaker_monitor", echo_cancel=echo_cancel, far=speaker)
    vad = Vad()
    speech = 0

    async def listen_on() -> None:
        nonlocal speech
        async with aclosing(microphone.blocks()) as blocks:
            async for block in blocks:
                speech += vad.is_speech(block.pcm)

    async with speaker, anyio.create_task_group() as group:
        group.start_soon(listen_on)
        await anyio.sleep(0.5)
        speaker.play(ITEM, pcm)
        speaker.finish()
        await speaker.wait_drained()
        await anyio.sleep(0.5)
        group.cancel_scope.cancel()
    report(speech=speech, **asdict(microphone.statistics()))


async def devices() -> None:
    found = await anyio.to_thread.run_sync(list_devices)
    report(names=[device.name for device in found], default=[d.name for d in found if d.is_default_output])


if __name__ == "__main__":
    commands: dict[str, Callable[..., Awaitable[None]]] = {
        "play": play,
        "stop": stop,
        "play_through_loss": play_through_loss,
        "both_through_loss": both_through_loss,
        "listen": listen,
        "hear_itself": hear_itself,
        "devices": devices,
    }
    anyio.run(commands[sys.argv[1]], *sys.argv[2:])
