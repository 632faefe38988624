"""One run of one mouth on the virtual card: a minute of voice, then some interruptions; load beside it if wanted.

The program is ``python -m benchmarks._busy``; ``run`` starts it on a card of its own and reads its recording.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import anyio
import numpy as np
from pybase64 import b64encode_as_string

from benchmarks import _listener
from benchmarks._load import Beside
from benchmarks._marker import RATE, frames_within, gaps, largest_step, marker, passages
from benchmarks._mouths import MOUTHS, Mouth
from rtagent import events
from rtagent.testing._sound_card import VirtualSoundCard

__all__ = ("Condition", "run")

ROOT = Path(__file__).parents[1]
BURST_S = 30
DELTA_MS = 100
STOPPED_VOICE_S = 1.5
SETTLED_S = 0.35
_VOICE, _STOPPED = 10_000, 20_000
"""Seeds of the markers."""


@dataclass(frozen=True)
class Condition:
    """What is done beside the playback."""

    mouth: str = "Speaker"
    threads: int = 0
    """Threads that compute in pure Python all the time."""
    switch_ms: float | None = None
    """The interpreter's switch interval while it plays; None leaves it as the mouth sets it."""
    seconds: int = 60
    stops: int = 0
    """Interruptions after the minute."""


def deltas(pcm: bytes) -> list[str]:
    """The frames in which a server sends that voice."""
    size = 2 * RATE * DELTA_MS // 1000
    ids = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
    return [
        json.dumps(
            {
                "type": "response.output_audio.delta",
                "event_id": f"event_{at}",
                **ids,
                "delta": b64encode_as_string(pcm[at : at + size]),
            }
        )
        for at in range(0, len(pcm), size)
    ]


# -- the program on the card


async def perform(condition: Condition) -> dict[str, Any]:
    """Play, stop, and say what was counted."""
    pcm = marker(_VOICE, condition.seconds * RATE).astype("<i2").tobytes()
    burst = 2 * RATE * BURST_S
    bursts = [deltas(pcm[at : at + burst]) for at in range(0, len(pcm), burst)]
    facts: dict[str, Any] = {}
    async with MOUTHS[condition.mouth]() as mouth:
        await anyio.sleep(0.5)
        if condition.switch_ms is not None:
            sys.setswitchinterval(condition.switch_ms / 1000)
        facts["switch_ms"] = sys.getswitchinterval() * 1000
        with _busy(condition.threads) as done:
            cpu, facts["begun"] = time.process_time(), time.monotonic()
            for number, frames in enumerate(bursts):
                await anyio.sleep(max(0.0, facts["begun"] + number * (BURST_S - 2) - time.monotonic()))
                begin = time.monotonic()
                _decode_and_play(mouth, frames)
                facts.setdefault("decode_ms", []).append((time.monotonic() - begin) * 1000)
            mouth.finish()
            await anyio.sleep(facts["begun"] + condition.seconds + 1 - time.monotonic())
            facts["cpu_share"] = (time.process_time() - cpu) / (time.monotonic() - facts["begun"])
            facts["work_per_s"] = sum(done) / (time.monotonic() - facts["begun"])
            facts["counters"] = mouth.counters()
            facts["stops"] = [await _stop(mouth, number) for number in range(condition.stops)]
    waits = mouth.waits_ms
    if waits:
        facts["waits_ms"] = {q: float(np.percentile(waits, float(q))) for q in ("50", "99", "100")}
        facts["callbacks"] = len(waits)
    return facts


def _decode_and_play(mouth: Mouth, frames: Sequence[str]) -> None:
    for frame in frames:
        event = events.decode(frame)
        assert isinstance(event, events.ResponseOutputAudioDelta)
        mouth.play("the long voice", event.audio)


async def _stop(mouth: Mouth, number: int) -> dict[str, Any]:
    pcm = marker(_STOPPED + number, round(STOPPED_VOICE_S * RATE)).astype("<i2").tobytes()
    after_s = Random(number).uniform(0.2, 0.8)  # noqa: S311 -- repeatable on purpose
    begun = time.monotonic()
    mouth.play(f"stopped {number}", pcm)
    await anyio.sleep(after_s)
    called = time.monotonic()
    heard_ms = mouth.stop()
    returned = time.monotonic()
    await anyio.sleep(SETTLED_S)
    return {"begun": begun, "called": called, "returned": returned, "heard_ms": heard_ms}


@contextmanager
def _busy(threads: int) -> Generator[list[int]]:
    """So many threads that compute without end and without leaving the interpreter; yields how much each did."""
    end = threading.Event()
    done = [0] * threads

    def compute(own: int) -> None:
        total = 0
        while not end.is_set():
            for number in range(1_000):
                total += number * number % 7
            done[own] += 1

    workers = [threading.Thread(target=compute, args=(own,)) for own in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield done
    finally:
        end.set()
        for worker in workers:
            worker.join()


# -- what the recording says of it


def run(condition: Condition) -> dict[str, Any]:
    """Start the program on a card of its own; what it counted and what was recorded."""
    beside = Beside()
    with tempfile.TemporaryDirectory() as directory, VirtualSoundCard() as card:
        path = Path(directory) / "played.npz"
        with _listener.recorded(card.env, path):
            facts = _perform_in(card.env, condition)
        recording = _listener.read(path)
    facts["others"] = beside.cores()
    return facts | judged(condition, facts, recording)


def _perform_in(env: dict[str, str], condition: Condition) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks._busy", json.dumps(condition.__dict__)]
    done = subprocess.run(  # noqa: S603
        command,
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=condition.seconds + 120,
        check=False,
    )
    if done.returncode:
        message = f"the program on the card ended with status {done.returncode}: {done.stderr[-2_000:]}"
        raise RuntimeError(message)
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts | {"driver_messages": done.stderr.count("underrun occurred")}


def judged(condition: Condition, facts: dict[str, Any], recording: _listener.Recording) -> dict[str, Any]:
    """The gaps of the long voice, and the interruptions."""
    begin = max(0, round(recording.frame_at(facts["begun"])) - RATE // 10)
    end = round(recording.frame_at(facts["begun"] + condition.seconds + 1))
    voice = marker(_VOICE, condition.seconds * RATE)
    found = passages(recording.samples[begin:end], voice)
    between = gaps(found)
    played = frames_within(found, 0, len(voice))
    return {
        "gaps": len(between),
        "silence_ms": sum(max(0, silence) for silence, _ in between) * 1000 / RATE,
        "lost_ms": (len(voice) - played) * 1000 / RATE,
        "recorder_flags": recording.flags,
        "stopped": [_stopped(number, said, recording) for number, said in enumerate(facts["stops"])],
    }


def _stopped(number: int, said: dict[str, Any], recording: _listener.Recording) -> dict[str, float]:
    begin = round(recording.frame_at(said["begun"])) - RATE // 20
    piece = recording.samples[begin : round(recording.frame_at(said["called"] + SETTLED_S))]
    voice = marker(_STOPPED + number, round(STOPPED_VOICE_S * RATE))
    found = passages(piece, voice)
    last = found[-1].end if found else 0
    cut = piece[max(0, last - RATE // 100) : last + RATE // 100]
    heard = frames_within(found, 0, len(voice), until=recording.frame_at(said["called"]) - begin)
    return {
        "silent_ms": (recording.time_of(begin + last) - said["called"]) * 1000,
        "step": largest_step(cut) / largest_step(voice),
        "heard_error_ms": said["heard_ms"] - heard * 1000 / RATE,
        "took_ms": (said["returned"] - said["called"]) * 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("condition", type=json.loads)
    facts = anyio.run(perform, Condition(**parser.parse_args().condition))
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
