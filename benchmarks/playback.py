"""What a block costs on the device's thread: microseconds per 20 ms, plain, with a volume, with a background.

Run with ``python benchmarks/playback.py``. All kinds take turns in each round, and each figure is the median
over rounds of a round's median: the largest are what the machine did meanwhile.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from rtagent.audio import AudioClip, AudioFormat, PlaybackItem, PlaybackQueue
from rtagent.audio._playback_desk import Desk

BLOCK_MS = 20
NOISE = np.random.default_rng(1).normal(0, 3_000, 24_000).astype("<i2")


def plain(desk: Desk) -> None:
    assert desk.volume == 1.0


def quieter(desk: Desk) -> None:
    desk.volume = 0.7


def sounds(count: int) -> Callable[[Desk], None]:
    def play(desk: Desk) -> None:
        clip = AudioClip(24_000, 1, (NOISE / 32_768).astype(np.float32)[:, None])
        for number in range(count):
            desk.background.play(str(number), clip)

    return play


KINDS: dict[str, Callable[[Desk], None]] = {
    "plain": plain,
    "a volume": quieter,
    "one background": sounds(1),
    "eight backgrounds": sounds(8),
}


def measure(rate: int, prepare: Callable[[Desk], None], blocks: int) -> float:
    """The median over blocks, in microseconds."""
    queue, desk = PlaybackQueue(AudioFormat.pcm16(rate)), Desk(rate)
    prepare(desk)
    frames = rate * BLOCK_MS // 1000
    voice = np.resize(NOISE, blocks * frames).tobytes()
    for start in range(0, len(voice), 9_600):
        queue.push(PlaybackItem("voice"), voice[start : start + 9_600])
    queue.finish()
    spent = []
    for _ in range(blocks):
        begin = time.perf_counter_ns()
        desk.mix(queue.pull(frames), voice=queue.sounding)
        spent.append(time.perf_counter_ns() - begin)
    return statistics.median(spent) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--blocks", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=24_000)
    options = parser.parse_args()
    rounds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(options.rounds):
        for kind, prepare in KINDS.items():
            rounds[kind].append(measure(options.rate, prepare, options.blocks))
    for kind, medians in rounds.items():
        print(f"{kind:18} {statistics.median(medians):6.1f} µs")


if __name__ == "__main__":
    main()
