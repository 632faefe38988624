"""The echo policies in many rooms made of numbers: false alarms, and how soon a person gets through.

Run with ``python -m benchmarks.echo_rooms --minutes 3``. The assistant and the persons are voices of eSpeak NG (the
extra ``local``); the times of the loudspeaker's blocks are off by up to 0.8 ms, as on real streams. What the policy
lets through goes to the turn detection of the embedded engine: ``speech_started`` while nobody talks is a false
alarm. The delay is counted from the first sample of a word; 0.1 s of it is the turn detection's, which wants so
much speech.
Nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks._echo_call import STORY
from benchmarks.echo_room import WORDS, spoken
from rtagent.audio import AudioBlock, AudioFormat
from rtagent.audio._echo_livekit import livekit_works
from rtagent.audio._echo_path import EchoPath, EchoPolicy
from rtagent.engine._turns import SpeechStarted, TurnDetector
from tests.audio.echo_room import RATE, Sound, echo_of, loudness, noise, pcm

ROOMS = ((-30, 120), (-12, 120), (-12, 300), (-6, 120), (-6, 300), (0, 120), (0, 300))
"""Level of the echo (dB) and the time in which it decays by 60 dB (ms); every third loudspeaker distorts."""
ABOVE_DB = (0, 3, 6, 10)
_BLOCK = RATE // 50
_DEVICE_BLOCK = 104
_AHEAD_S = 0.06
_JITTER_S = 0.0008
_ANSWERED_S = 0.3


class Mouth:
    """A loudspeaker that gives its sound to one tap."""

    format = AudioFormat.pcm16(RATE)

    def __init__(self) -> None:
        self.tap: Callable[[AudioBlock], None] = lambda _: None

    def add_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        self.tap = tap

    def remove_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        pass

    def deliver_taps(self) -> None:
        pass


@dataclass
class Scene:
    """What is played, what is heard, and when somebody says something (seconds)."""

    far: Sound
    near: Sound
    said: list[tuple[float, float]]


def story(seconds: float, voice: str, first: int) -> Sound:
    sentences = [spoken(sentence, voice) for sentence in STORY]
    pause = np.zeros(int(0.24 * RATE))
    pieces: list[Sound] = []
    while sum(map(len, pieces)) < seconds * RATE:
        pieces += [sentences[(first + len(pieces) // 2) % len(sentences)], pause]
    return np.concatenate(pieces)[: int(seconds * RATE)]


def scene(far: Sound, room: int, words: list[Sound], above_db: float | None) -> Scene:
    db, decay_ms = ROOMS[room]
    played = np.tanh(far / 9_000) * 9_000 if room % 3 == 2 else far
    echo = echo_of(played, db=db, decay_ms=decay_ms)
    near = echo + noise(len(far), 5)
    said: list[tuple[float, float]] = []
    if above_db is not None:
        random = np.random.default_rng(room)
        at = 8 * RATE
        while at < len(far) - 3 * RATE:
            word = words[int(random.integers(len(words)))]
            word = word * (loudness(echo) * 10 ** (above_db / 20) / loudness(word))
            near[at : at + len(word)] += word
            said.append((at / RATE, (at + len(word)) / RATE))
            at += int(RATE * random.uniform(5, 7))
    return Scene(far, near, said)


def started(policy: EchoPolicy, heard: Scene) -> list[float]:
    """When the server would say that speech has started, in seconds."""
    random, mouth = np.random.default_rng(1), Mouth()
    path = EchoPath(mouth, policy, RATE, 20)
    path.open()
    turns, place = TurnDetector(RATE), 0
    starts: list[float] = []
    for block in range(len(heard.near) // _BLOCK):
        at = block * _BLOCK / RATE
        while place < len(heard.far) and place / RATE <= at + _AHEAD_S:
            when = place / RATE + random.uniform(-_JITTER_S, _JITTER_S)
            mouth.tap(AudioBlock(pcm(heard.far[place : place + _DEVICE_BLOCK]), when))
            place += _DEVICE_BLOCK
        near = AudioBlock(pcm(heard.near[block * _BLOCK : (block + 1) * _BLOCK]), at)
        for told in path.process(near):
            starts += [at + 0.02 for move in turns.feed(told.pcm) if isinstance(move, SpeechStarted)]
    return starts


def judge(policy: EchoPolicy, minutes: float) -> None:
    words = [spoken(text, voice) for voice, text in WORDS]
    alarms = 0
    for voice in ("alloy", "cedar"):
        for room in range(len(ROOMS)):
            alarms += len(started(policy, scene(story(60 * minutes, voice, room), room, words, None)))
    print(
        f"{policy}: {alarms} false alarms in {2 * len(ROOMS) * minutes:g} minutes of the assistant alone",
        flush=True,
    )
    for above_db in ABOVE_DB:
        delays: list[float] = []
        for room in range(
            1, len(ROOMS)
        ):  # over the quietest echo a word is too quiet for the turn detection itself
            heard = scene(story(60, "alloy", room), room, words, above_db)
            starts = started(policy, heard)
            for begin, end in heard.said:
                late = [at - begin for at in starts if begin < at < end + _ANSWERED_S]
                delays.append(late[0] * 1000 if late else float("inf"))
        told = np.array(delays)
        shares = ", ".join(f"{np.mean(told <= limit):4.0%} within {limit} ms" for limit in (200, 300, 500))
        never = np.mean(np.isinf(told))
        print(
            f"  a person {above_db:+d} dB over the echo ({len(told)} words): median {np.median(told):.0f} ms, "
            f"{shares}, {never:.0%} not at all",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=3, help="of the assistant alone, in each room and voice"
    )
    options = parser.parse_args()
    judge("half_duplex", options.minutes)
    if livekit_works():
        judge("aec", options.minutes)
    else:
        print("aec: not run, the package livekit is missing")


if __name__ == "__main__":
    main()
