"""What the signal parts cost: microseconds of CPU per 20 ms chunk, and the share of a core that is.

Run with ``python benchmarks/audio_signal.py``. Each figure is the median over rounds of the CPU
time of this thread; the spread to the fastest and slowest round is shown beside it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from rtagent.audio import Resampler, Vad, g711, level_dbfs

PAIRS = (
    (48_000, 24_000),
    (24_000, 48_000),
    (44_100, 24_000),
    (22_050, 24_000),
    (16_000, 24_000),
    (24_000, 16_000),
    (8_000, 24_000),
    (24_000, 8_000),
    (22_255, 24_000),
)


def chunk(rate: int) -> bytes:
    return np.random.default_rng(1).normal(0, 3000, rate // 50).astype("<i2").tobytes()


def cases() -> Iterator[tuple[str, Callable[[bytes], object], bytes]]:
    for source, target in PAIRS:
        yield f"resample {source} -> {target}", Resampler(source, target).process, chunk(source)
    narrow = chunk(8_000)
    yield "g711 encode mu-law", g711.encode_ulaw, narrow
    yield "g711 decode mu-law", g711.decode_ulaw, g711.encode_ulaw(narrow)
    yield "g711 encode A-law", g711.encode_alaw, narrow
    yield "g711 decode A-law", g711.decode_alaw, g711.encode_alaw(narrow)
    yield "vad 24000", Vad().is_speech, chunk(24_000)
    yield "level 24000", level_dbfs, chunk(24_000)


def measure(work: Callable[[bytes], object], data: bytes, rounds: int, calls: int) -> list[float]:
    for _ in range(calls):
        work(data)
    micros: list[float] = []
    for _ in range(rounds):
        begin = time.thread_time_ns()
        for _ in range(calls):
            work(data)
        micros.append((time.thread_time_ns() - begin) / calls / 1000)
    return micros


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--calls", type=int, default=400, help="chunks per round")
    options = parser.parse_args()
    print(f"{'20 ms of':26} {'us':>8} {'min..max':>16} {'of a core':>10}")
    for name, work, data in cases():
        micros = measure(work, data, options.rounds, options.calls)
        median = statistics.median(micros)
        spread = f"{min(micros):.1f}..{max(micros):.1f}"
        print(f"{name:26} {median:8.1f} {spread:>16} {median / 20_000:10.3%}")


if __name__ == "__main__":
    main()
