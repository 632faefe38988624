"""A canceller that is not trusted for a while after a device has stumbled."""

from __future__ import annotations

import numpy as np
import pytest

from rtagent.audio._echo import HalfDuplexGate
from rtagent.audio._echo_guard import GuardedCanceller, Steadiness
from tests.audio.echo_room import noise, pcm

HISS = noise(240, 1.0)
HISS[np.abs(HISS) < 0.3] = 0.3
LOUD, QUIET, SHOUT = pcm(5_000 * HISS), pcm(1_000 * HISS), pcm(15_000 * HISS)
CLEANED = b"\x01\x00" * 240


class Filter:
    """A canceller that gives the same whatever it hears."""

    return_loss_db, removed_db, ducked_ms = 14.0, 40.0, 0.0

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, bytes]] = []
        self.resets = 0
        self._far = b""

    def reverse(self, far: bytes) -> None:
        self._far = far

    def process(self, near: bytes) -> bytes:
        self.heard.append((self._far, near))
        return CLEANED

    def reset(self) -> None:
        self.resets += 1


def guarded() -> tuple[GuardedCanceller, Filter]:
    """One that knows the room: the echo is 14 dB quieter than what is played."""
    inner = Filter()
    guard = GuardedCanceller(inner, HalfDuplexGate(), frame_ms=10.0)
    run(guard, 150)
    return guard, inner


def run(guard: GuardedCanceller, frames: int, near: bytes = QUIET) -> list[bytes]:
    out = []
    for _ in range(frames):
        guard.reverse(LOUD)
        out.append(guard.process(near))
    return out


def test_as_long_as_nothing_stumbles_the_canceller_decides_alone() -> None:
    guard, inner = guarded()
    assert run(guard, 50) == [CLEANED] * 50
    assert inner.heard[-1] == (LOUD, QUIET)
    assert (guard.return_loss_db, guard.removed_db, guard.ducked_ms) == (14.0, 40.0, 0.0)


def test_after_a_stumble_echo_is_silence_for_two_seconds() -> None:
    guard, _ = guarded()
    guard.disturbed()
    out = run(guard, 250)
    assert out[:200] == [bytes(480)] * 200
    assert out[200:] == [CLEANED] * 50
    assert guard.ducked_ms == 2_000.0


def test_somebody_who_talks_gets_through_meanwhile() -> None:
    guard, _ = guarded()
    guard.disturbed()
    out = run(guard, 60, near=SHOUT)
    assert out[-1] == CLEANED
    assert out.index(CLEANED) < 20


def test_a_break_in_the_stream_is_a_stumble() -> None:
    guard, inner = guarded()
    guard.reset()
    assert inner.resets == 1
    assert run(guard, 1) == [bytes(480)]


# -- noticing it


def moves(late_ms: list[float]) -> list[int]:
    """The blocks of 20 ms at which the times are said to have moved."""
    steady = Steadiness(24_000)
    return [k for k, late in enumerate(late_ms) if steady.moved(5.0 + 0.02 * k + late / 1000, 480)]


@pytest.mark.parametrize("late", [0.0, 20.0, -20.0, 400.0])
def test_times_that_move_for_good_are_noticed_once(late: float) -> None:
    assert moves([0.0] * 50 + [late] * 50) == ([52] if late else [])


def test_jitter_drift_and_one_late_block_are_no_move() -> None:
    jitter = np.random.default_rng(3).uniform(-5, 5, 200).tolist()
    assert moves(jitter) == []
    assert moves([0.02 * k for k in range(1_000)]) == [], "a crystal that is a thousandth off"
    assert moves([0.0] * 10 + [300.0, 250.0] + [0.0] * 10) == []


def test_a_time_that_is_none_tells_nothing_and_a_new_stream_begins_anew() -> None:
    steady = Steadiness(24_000)
    assert not steady.moved(float("nan"), 480)
    for k in range(10):
        assert not steady.moved(5.0 + 0.02 * k, 480)
    steady.reset()
    assert not any(steady.moved(9.0 + 0.02 * k, 480) for k in range(10))
