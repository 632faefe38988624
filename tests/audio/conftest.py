"""What the tests of the audio room share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import read_wav
from rtagent.testing._clock import FakeClock
from rtagent.testing._devices import FakeSoundBackend
from rtagent.testing._sound_card import VirtualSoundCard

PROGRAM = Path(__file__).with_name("card_program.py")


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only the test moves."""
    return FakeClock(start=100.0)


@pytest.fixture
def library(clock: FakeClock) -> FakeSoundBackend:
    """A sound library with one card, driven callback by callback."""
    return FakeSoundBackend(now=clock.now)


def require_card() -> None:
    """Skip, and say why, where the programs are missing; on CI that is a failure."""
    if lacking := VirtualSoundCard.missing():
        reason = f"the virtual sound card needs {', '.join(lacking)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def sound_card() -> Iterator[VirtualSoundCard]:
    """One virtual sound card for all tests; do not kill it."""
    require_card()
    with VirtualSoundCard() as card:
        yield card


@pytest.fixture
def own_card() -> Iterator[VirtualSoundCard]:
    """A virtual sound card of the test's own."""
    require_card()
    with VirtualSoundCard() as card:
        yield card


class CardProgram:
    """A running ``card_program.py`` and the facts that it reports."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def next_report(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate(timeout=10)[1]
        facts: dict[str, Any] = json.loads(line)
        return facts


@pytest.fixture
def start_program() -> Iterator[Callable[..., CardProgram]]:
    """Start ``card_program.py`` with a card's environment; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(card: VirtualSoundCard, *arguments: object) -> CardProgram:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *map(str, arguments)],
            env=card.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return CardProgram(process)

    yield start
    for process in started:
        with process:
            process.kill()


def samples_of(path: Path) -> NDArray[np.float64]:
    """The samples of a WAV file."""
    return np.frombuffer(read_wav(path).mono_pcm16(), "<i2").astype(np.float64)


def best_match(recording: NDArray[np.float64], sound: NDArray[np.float64]) -> float:
    size = 1 << (len(recording) + len(sound)).bit_length()
    product = np.fft.irfft(np.fft.rfft(recording, size) * np.conj(np.fft.rfft(sound, size)))
    at = int(np.argmax(product[: len(recording) - len(sound) + 1]))
    piece = recording[at : at + len(sound)]
    return float(np.dot(piece, sound) / (np.linalg.norm(piece) * np.linalg.norm(sound)))


@pytest.fixture
def correlate() -> Callable[[Path, NDArray[np.int16]], float]:
    """How well a recording holds a known sound: 1.0 is perfectly.

    The median over quarters of a second, because on a shared machine the sound server itself may miss a
    deadline, and one gap shifts all that follows.
    """

    def match(recording: Path, sound: NDArray[np.int16]) -> float:
        heard = samples_of(recording)
        pieces = np.array_split(sound.astype(np.float64), 4 * len(sound) // 24_000)
        return float(np.median([best_match(heard, piece) for piece in pieces]))

    return match


@pytest.fixture
def audible_ms() -> Callable[[Path], float]:
    """From the first to the last sound of a 24 kHz recording, in milliseconds."""

    def measure(recording: Path) -> float:
        loud = np.nonzero(np.abs(samples_of(recording)) > 100)[0]
        return float(loud[-1] - loud[0] + 1) / 24

    return measure


@pytest.fixture(scope="session")
def chirp() -> NDArray[np.int16]:
    """Two seconds that rise from 200 to 3000 Hz, at 24 kHz: they match themselves at one place only."""
    seconds = np.arange(2 * 24_000) / 24_000
    wave = np.sin(2 * np.pi * (200 * seconds + 700 * seconds**2))
    return (16_000 * wave).astype(np.int16)
