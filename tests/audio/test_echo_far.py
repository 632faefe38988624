from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio import AudioBlock, FarEnd

RATE = 1_000


def block(first: int, samples: int, at: float) -> AudioBlock:
    return AudioBlock(struct.pack(f"<{samples}h", *range(first, first + samples)), at)


def numbers(pcm: bytes | None) -> list[int]:
    assert pcm is not None
    return list(struct.unpack(f"<{len(pcm) // 2}h", pcm))


def far_end(**changes: float) -> FarEnd:
    return FarEnd(RATE, **{"lead_ms": 0, **changes})


def test_nothing_is_known_before_anything_was_played() -> None:
    far = far_end()
    assert far.take(5.0, 10) is None
    assert (far.dropped_ms, far.buffered_ms, far.gaps, far.slips) == (0, 0, 0, 0)


def test_it_gives_what_is_heard_at_that_time() -> None:
    far = far_end()
    for k in range(10):
        far.put(block(1 + 10 * k, 10, at=5 + 0.010 * k))
    assert numbers(far.take(5.020, 10)) == list(range(21, 31))
    assert numbers(far.take(5.030, 10)) == list(range(31, 41))
    assert far.buffered_ms == 60
    assert far.dropped_ms == 0, "what lies before the first question was in time, and not asked for"


def test_it_reads_ahead_by_its_lead() -> None:
    far = FarEnd(RATE, lead_ms=30)
    far.put(block(1, 100, at=5.0))
    assert numbers(far.take(5.0, 10)) == list(range(31, 41))


def test_what_is_not_known_is_silence() -> None:
    far = far_end()
    far.put(block(1, 10, at=5.0))
    assert numbers(far.take(4.995, 10)) == [0] * 5 + [1, 2, 3, 4, 5]
    assert numbers(far.take(5.005, 10)) == [6, 7, 8, 9, 10] + [0] * 5
    assert far.take(5.015, 10) is None


def test_silence_that_was_played_is_none_as_well() -> None:
    far = far_end()
    far.put(AudioBlock(bytes(200), 5.0))
    assert far.take(5.0, 10) is None
    far.put(block(1, 50, at=5.1))
    assert far.take(5.010, 10) is None
    assert far.take(5.095, 10) is not None


def test_a_gap_is_silence_and_counted() -> None:
    far = far_end()
    far.put(block(1, 20, at=5.0))
    far.put(block(21, 5, at=5.120))
    assert far.gaps == 0, "one block alone may have been given a wrong time"
    far.put(block(26, 20, at=5.125))
    assert far.gaps == 1
    assert numbers(far.take(5.0, 30)) == list(range(1, 26)) + [0] * 5
    assert far.take(5.030, 80) is None
    assert numbers(far.take(5.110, 30)) == [0] * 15 + list(range(26, 41))


def test_a_single_wrong_time_changes_nothing() -> None:
    far = far_end()
    for k in range(10):
        far.put(block(1 + 10 * k, 10, at=5 + 0.010 * k + (0.2 if k == 4 else 0)))
    assert far.gaps == 0
    assert numbers(far.take(5.0, 100)) == list(range(1, 101))


def test_a_gap_longer_than_the_memory_costs_no_memory() -> None:
    far = far_end(capacity_ms=200)
    far.put(block(1, 20, at=5.0))
    far.put(block(21, 20, at=3_605.0))
    assert far.buffered_ms == 20
    assert far.dropped_ms == 20
    assert numbers(far.take(3_605.0, 20)) == list(range(21, 41))


def test_a_clock_that_is_set_back_takes_back_what_was_not_played_yet() -> None:
    far = far_end()
    far.put(block(1, 200, at=5.0))
    assert numbers(far.take(5.0, 10)) == list(range(1, 11))
    far.put(block(500, 20, at=5.100))
    assert far.gaps == 1
    assert far.dropped_ms == 100
    assert numbers(far.take(5.090, 20)) == [*range(91, 101), *range(500, 510)]
    far.put(block(700, 20, at=1.0))
    assert numbers(far.take(1.0, 20)) == list(range(700, 720))


def test_jitter_makes_no_seam() -> None:
    far = far_end()
    jitter = np.random.default_rng(3)
    taken: list[int] = []
    for k in range(300):
        far.put(block(1 + 10 * k, 10, at=5 + 0.010 * k + jitter.uniform(-0.008, 0.008)))
        if k >= 30:
            at = 5 + 0.010 * (k - 20) + jitter.uniform(-0.003, 0.003)
            taken += numbers(far.take(at, 10))
    steps = {b - a for a, b in pairwise(taken)}
    assert steps == {1}
    assert (far.gaps, far.slips) == (0, 0)


def test_a_wrong_place_is_mended_in_silence_for_nothing_and_in_sound_when_it_is_too_wrong() -> None:
    far = far_end()
    far.put(block(1, 300, at=5.0))
    assert numbers(far.take(5.0, 10))[0] == 1
    assert numbers(far.take(5.025, 10))[0] == 11, "15 ms off: no seam"
    assert numbers(far.take(5.060, 10))[0] == 61, "40 ms off"
    assert far.slips == 1
    far.put(AudioBlock(bytes(200), 5.300))
    far.put(block(1, 20, at=5.400))
    assert far.take(5.310, 10) is None
    assert far.take(5.330, 10) is None
    assert numbers(far.take(5.395, 10)) == [0] * 5 + [1, 2, 3, 4, 5]
    assert far.slips == 2, "the jump from 5.070 to 5.310 lay in sound"


def test_what_comes_after_its_time_is_dropped_and_counted() -> None:
    far = far_end()
    far.put(block(1, 10, at=5.0))
    far.take(5.0, 10)
    far.take(5.010, 10)
    far.put(block(11, 20, at=5.010))
    assert far.dropped_ms == 10
    assert numbers(far.take(5.020, 10)) == list(range(21, 31))


def test_when_nobody_reads_the_oldest_goes_and_is_counted() -> None:
    far = far_end(capacity_ms=500)
    for k in range(1_000):
        far.put(block(1, 10, at=5 + 0.010 * k))
        assert far.buffered_ms <= 500
    assert far.dropped_ms == 9_500


def test_a_reset_keeps_the_counters() -> None:
    far = far_end(capacity_ms=50)
    far.put(block(1, 100, at=5.0))
    far.reset()
    assert far.take(5.050, 10) is None
    assert (far.buffered_ms, far.dropped_ms) == (0, 50)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(("put", "take")),
            st.integers(0, 60),
            st.floats(-3, 5) | st.floats(-0.02, 0.02),
        ),
        max_size=60,
    )
)
def test_whatever_the_times_are_it_gives_that_many_samples_within_its_bound(
    steps: list[tuple[str, int, float]],
) -> None:
    far = FarEnd(RATE, capacity_ms=200)
    put_at = take_at = 100.0
    for what, samples, off in steps:
        if what == "put":
            far.put(block(1, samples, at=put_at + off))
            put_at += samples / RATE
            assert far.buffered_ms <= 200
        else:
            pcm = far.take(take_at + off, samples)
            take_at += samples / RATE
            assert pcm is None or len(pcm) == 2 * samples


def test_half_a_sample_at_the_end_is_left_out() -> None:
    far = far_end()
    far.put(AudioBlock(b"\1\0\2\0\3", 5.0))
    assert numbers(far.take(5.0, 2)) == [1, 2]
    assert far.buffered_ms == pytest.approx(0)


def test_jitter_is_not_corrected_in_silence_and_a_real_error_is() -> None:
    """An adaptive filter loses what it has learned with each correction."""
    for late_ms, expected in ((3, 41), (8, 33)):
        far = far_end()
        far.put(block(1, 20, at=5.0))
        far.put(AudioBlock(bytes(2 * 20), 5.02))
        far.put(block(41, 100, at=5.04))
        assert numbers(far.take(5.0, 20))[0] == 1
        assert far.take(5.02 - late_ms / 1000, 20) is None or late_ms == 8
        heard = numbers(far.take(5.04 - late_ms / 1000, 10))
        assert next(number for number in heard if number) == 41
        assert heard.index(41) == (41 - expected if late_ms == 8 else 0)
        assert far.slips == 0


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -float("inf")])
def test_what_has_no_time_is_not_laid_beside_anything(at: float) -> None:
    far = far_end()
    far.put(block(1, 100, at=5.0))
    far.put(block(1, 50, at=at))
    assert far.dropped_ms == 50
    assert far.take(at, 10) is None
    assert numbers(far.take(5.0, 10)) == list(range(1, 11))
