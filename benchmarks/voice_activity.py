"""What local voice activity costs: microseconds per 20 ms of audio, of the detectors alone and in a ``TurnDetector``.

Run with ``python benchmarks/voice_activity.py``. Silero is measured with whichever package is installed.
Each figure is the median over rounds of the time that passes; the CPU time of all threads is shown
beside it, since a model may use several.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from rtagent.audio import AudioBlock, AudioFormat, EnergyDetector, SileroVad, SpeechDetector, TurnDetector
from rtagent.errors import ConfigurationError

BLOCK_MS = 20
RATES = (8_000, 16_000, 24_000)
_AT = 0.0


def noise(samples: int) -> bytes:
    return np.random.default_rng(1).normal(0, 3000, samples).astype("<i2").tobytes()


def kinds() -> Iterator[tuple[str, Callable[[int], SpeechDetector]]]:
    yield "energy", EnergyDetector
    try:
        package = SileroVad().package
    except ConfigurationError as missing:
        print(f"silero: not run, {missing}")
    else:
        yield package, lambda _: SileroVad()


def cases() -> Iterator[tuple[str, Callable[[], object], float]]:
    """What to run, and how many milliseconds of audio one run is."""
    for name, make in kinds():
        alone = make(24_000)
        frame = noise(round(alone.rate * alone.frame_ms / 1000))
        yield f"{name}, {alone.frame_ms:g} ms at {alone.rate}", judge(alone, frame), alone.frame_ms
        for rate in RATES:
            turns = TurnDetector(make(rate), format=AudioFormat.pcm16(rate))
            block = AudioBlock(noise(rate * BLOCK_MS // 1000), _AT)
            yield f"{name}, turns of {rate}", feed(turns, block), BLOCK_MS


def judge(detector: SpeechDetector, frame: bytes) -> Callable[[], object]:
    return lambda: detector.probability(frame)


def feed(turns: TurnDetector, block: AudioBlock) -> Callable[[], object]:
    return lambda: turns.feed(block)


def measure(work: Callable[[], object], rounds: int, calls: int) -> tuple[list[float], list[float]]:
    for _ in range(calls):
        work()
    passed: list[float] = []
    used: list[float] = []
    for _ in range(rounds):
        cpu, begin = time.process_time_ns(), time.perf_counter_ns()
        for _ in range(calls):
            work()
        passed.append((time.perf_counter_ns() - begin) / calls / 1000)
        used.append((time.process_time_ns() - cpu) / calls / 1000)
    return passed, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=160, help="blocks per round")
    options = parser.parse_args()
    print(f"{'20 ms of':38} {'us':>8} {'min..max':>16} {'CPU us':>8} {'of a core':>10}")
    for name, work, audio_ms in cases():
        share = BLOCK_MS / audio_ms
        passed, used = (
            [micros * share for micros in row] for row in measure(work, options.rounds, options.calls)
        )
        spread = f"{min(passed):.1f}..{max(passed):.1f}"
        cpu = statistics.median(used)
        print(f"{name:38} {statistics.median(passed):8.1f} {spread:>16} {cpu:8.1f} {cpu / 20_000:10.3%}")


if __name__ == "__main__":
    main()
