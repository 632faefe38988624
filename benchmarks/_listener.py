"""Records what a virtual sound card plays, and says when each frame of it was played.

A process of its own, so that no load of the program under test is in its way, and no code of rtagent: the
times are those that PortAudio gives for the card's monitor, carried to the monotonic clock, which all processes
share. Run as ``python -m benchmarks._listener FILE``; it prints ``ready``, and writes when its input ends.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._marker import RATE

__all__ = ("Recording", "recorded")

ROOT = Path(__file__).parents[1]
_NEAR_S = 1.0
"""A frame's time is the middle one of what all blocks within so many seconds say."""


@dataclass(frozen=True)
class Recording:
    """Samples, and the time base that their blocks gave."""

    samples: NDArray[np.float64]
    block_frames: NDArray[np.int64]
    """The first frame of each block."""
    block_begins: NDArray[np.float64]
    """When the card played it minus what a steady clock gives for that frame, in monotonic seconds."""
    flags: int
    """Blocks before which the recorder itself lost something, as the library says."""

    def time_of(self, frame: float) -> float:
        """When the card played that frame, in monotonic seconds."""
        return frame / RATE + self._begin(frame)

    def frame_at(self, when: float) -> float:
        """Which frame the card played at that time."""
        frame = (when - float(self.block_begins[0])) * RATE
        return (when - self._begin(frame)) * RATE

    def scatter_ms(self) -> float:
        """The 99th percentile of how far single blocks depart from the time that is used."""
        picked = range(0, len(self.block_frames), 20)
        departures = [
            abs(self.block_begins[i] - self._begin(float(self.block_frames[i]))) * 1000 for i in picked
        ]
        return float(np.percentile(departures, 99))

    def _begin(self, frame: float) -> float:
        near = np.searchsorted(self.block_frames, (frame - _NEAR_S * RATE, frame + _NEAR_S * RATE))
        low = min(int(near[0]), len(self.block_frames) - 1)
        return float(np.median(self.block_begins[low : max(int(near[1]), low + 1)]))


@contextmanager
def recorded(env: Mapping[str, str], path: Path) -> Generator[None]:
    """Record the card of that environment into a file while the body runs."""
    command = [sys.executable, "-m", "benchmarks._listener", str(path)]
    with subprocess.Popen(  # noqa: S603
        command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            if child.stdout.readline() != "ready\n":
                message = "the listener did not start"
                raise RuntimeError(message)
            yield
        finally:
            child.stdin.close()
            child.wait(30)


def read(path: Path) -> Recording:
    """What ``recorded`` wrote."""
    with np.load(path) as data:
        return Recording(
            samples=data["samples"].astype(np.float64),
            block_frames=data["frames"],
            block_begins=data["begins"],
            flags=int(data["flags"]),
        )


def listen(path: Path) -> None:
    import sounddevice

    blocks: list[bytes] = []
    stamps: list[tuple[int, float, float, float]] = []
    flags = 0
    total = 0

    def callback(data: Any, frames: int, times: Any, status: Any) -> None:
        nonlocal flags, total
        now = time.monotonic()
        flags += bool(status)
        stamps.append((total, times.inputBufferAdcTime, times.currentTime, now))
        blocks.append(bytes(data))
        total += frames

    with sounddevice.RawInputStream(
        samplerate=RATE,
        blocksize=240,
        device="speaker_monitor",
        channels=1,
        dtype="int16",
        latency="high",
        callback=callback,
    ):
        while len(blocks) < 10:
            time.sleep(0.01)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
        time.sleep(0.3)
    table = np.array(stamps[: len(blocks)])
    # The monotonic clock is read second and perhaps late, so the smallest difference is the right one.
    offset = float(np.min(table[:, 3] - table[:, 2]))
    np.savez(
        path,
        samples=np.frombuffer(b"".join(blocks), "<i2"),
        frames=table[:, 0].astype(np.int64),
        begins=table[:, 1] + offset - table[:, 0] / RATE,
        flags=flags,
    )


if __name__ == "__main__":
    listen(Path(sys.argv[1]))
