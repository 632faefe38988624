from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent.audio._dac_clock import ClockOffset, DacClock

RATE = 1_000
WALL = 1_700_000_000.0  # the device's clock is the wall clock, the other one the machine's uptime


def record(clock: DacClock, first: int, frames: int, now: float, lead: float, *, wall: float = WALL) -> float:
    return clock.record(first, frames, device_now=wall + now, dac_time=wall + now + lead, monotonic_now=now)


def steady(blocks: int = 5, *, lead: float = 0.040) -> DacClock:
    """Blocks of 10 ms from second 10 on."""
    clock = DacClock(RATE)
    for k in range(blocks):
        record(clock, 10 * k, 10, 10 + 0.01 * k, lead)
    return clock


@pytest.mark.parametrize(
    ("now", "frame"),
    [
        (9.0, 0),
        (10.0, 0),  # handed over, not heard
        (10.0399, 0),
        (10.041, 1),
        (10.0555, 15),
        (10.080, 40),
        (10.089, 49),
        (10.5, 50),  # never beyond what was handed over
    ],
)
def test_the_frame_that_is_heard_follows_the_converter(now: float, frame: int) -> None:
    assert steady().played_frame(now) == frame


def test_the_position_never_goes_back() -> None:
    clock = steady()
    assert clock.played_frame(10.070) == 30
    assert clock.played_frame(10.050) == 30


def test_an_xrun_of_the_host_holds_the_position_at_the_end_of_the_block_before() -> None:
    clock = steady(2)
    record(clock, 20, 10, 10.200, 0.040)  # 180 ms late
    assert clock.played_frame(10.150) == 20
    assert clock.played_frame(10.2455) == 25


def test_nothing_was_heard_before_the_first_block() -> None:
    clock = DacClock(RATE)
    assert clock.played_frame(5.0) == 0
    assert clock.time_of(0) is None


@pytest.mark.parametrize(("frame", "time"), [(0, 10.040), (15, 10.055), (49, 10.089), (60, 10.100)])
def test_the_time_of_a_frame_past_or_to_come(frame: int, time: float) -> None:
    assert steady().time_of(frame) == pytest.approx(time, abs=1e-4)


def test_the_time_of_a_frame_that_is_older_than_the_records_is_told_by_the_oldest() -> None:
    clock = DacClock(RATE)
    for k in range(2_000):
        record(clock, 10 * k, 10, 10 + 0.01 * k, 0.040)
    assert clock.time_of(0) == pytest.approx(10.040, abs=0.05)
    assert clock.played_frame(10.0) == 0, "unknown, so not confirmed"
    assert clock.played_frame(10 + 0.01 * 1_500) == pytest.approx(15_000 - 40, abs=1)


# -- times that cannot be


@pytest.mark.parametrize("lead", [-0.5, 1.5, -WALL])
def test_an_impossible_time_is_replaced_by_the_last_good_delay(lead: float) -> None:
    clock = steady(3, lead=0.030)
    at = record(clock, 30, 10, 10.030, lead)
    assert at == pytest.approx(10.060, abs=1e-3)
    assert clock.estimated
    record(clock, 40, 10, 10.040, 0.030)
    assert not clock.estimated


def test_a_library_that_gives_no_times_is_believed_its_latency() -> None:
    clock = DacClock(RATE)
    clock.expect_lead(0.100)
    for k in range(3):
        clock.record(10 * k, 10, device_now=0.0, dac_time=0.0, monotonic_now=5 + 0.01 * k)
    assert clock.estimated
    assert clock.played_frame(5.105) == 5


def test_one_outlier_is_ignored_and_a_lasting_change_is_followed() -> None:
    clock = steady(3)
    assert record(clock, 30, 10, 10.030, 0.300) == pytest.approx(10.070, abs=1e-3)
    assert clock.estimated
    assert record(clock, 40, 10, 10.040, 0.040) == pytest.approx(10.080, abs=1e-3)
    assert record(clock, 50, 10, 10.050, 0.200) == pytest.approx(10.090, abs=1e-3)
    assert record(clock, 60, 10, 10.060, 0.201) == pytest.approx(10.261, abs=1e-3)
    assert not clock.estimated


# -- the device's clock against ours


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 0.2, -0.2])
def test_setting_the_wall_clock_moves_nothing(jump: float) -> None:
    clock = steady(5)
    for k in range(5, 10):
        record(clock, 10 * k, 10, 10 + 0.01 * k, 0.040, wall=WALL + jump)
        assert clock.played_frame(10 + 0.01 * k) == pytest.approx(max(0, 10 * k - 40), abs=1)
    assert clock.jumps == 1


def test_a_callback_that_waited_for_the_interpreter_does_not_shift_the_offset() -> None:
    offset = ClockOffset()
    assert offset.update(100.0, 10.0) == pytest.approx(-90.0)
    assert offset.update(100.01, 10.04) == pytest.approx(-90.0, abs=1e-3), "our clock was read 30 ms late"
    assert offset.update(100.02, 10.019) == pytest.approx(-90.001), "an earlier reading is a better one"
    assert offset.jumps == 0


@pytest.mark.parametrize(("patient", "stalled"), [(True, -90.0), (False, -89.7)])
def test_a_callback_that_waited_for_long_is_doubted(patient: bool, stalled: float) -> None:
    offset = ClockOffset(patient=patient)
    offset.update(100.0, 10.0)
    assert offset.update(100.01, 10.31) == pytest.approx(stalled, abs=1e-3)
    assert offset.update(100.02, 10.22) == pytest.approx(-90.0 if patient else -89.8, abs=1e-3)
    assert offset.update(100.32, 10.32) == pytest.approx(-90.0, abs=1e-3)
    assert offset.jumps == 0


@pytest.mark.parametrize("patient", [True, False])
def test_a_clock_that_was_set_is_believed_at_once_or_when_it_says_so_twice(patient: bool) -> None:
    offset = ClockOffset(patient=patient)
    offset.update(100.0, 10.0)
    assert offset.update(90.01, 10.01) == pytest.approx(-80.0), "no thread waits for ten seconds"
    offset.update(89.82, 10.02)
    assert offset.update(89.83, 10.03) == pytest.approx(-79.8)
    assert offset.update(95.0, 10.04) == pytest.approx(-84.96), "backwards only a clock that was set"
    assert offset.jumps == 3


def test_a_slewed_device_clock_is_followed() -> None:
    offset, last = ClockOffset(), 0.0
    for k in range(10_000):
        passed = k * 0.02
        last = offset.update(100 + passed * (1 - 500e-6), 10 + passed)
    assert last == pytest.approx(-90 + 200 * 500e-6, abs=1e-3)
    assert offset.jumps == 0


def test_a_lost_device_leaves_its_position_and_nothing_else() -> None:
    clock = steady()
    assert clock.played_frame(10.060) == 20
    clock.reset()
    assert clock.played_frame(99.0) == 20
    assert clock.time_of(30) is None
    record(clock, 50, 10, 12.0, 0.040, wall=WALL + 77)
    assert clock.played_frame(12.030) == 20
    assert clock.played_frame(12.045) == 55
    assert clock.jumps == 0, "another device, another clock"


@given(
    st.lists(st.tuples(st.integers(1, 64), st.floats(0, 0.030), st.floats(0, 0.004)), min_size=1, max_size=40)
)
def test_jitter_of_callbacks_never_moves_the_position_backwards_or_beyond_the_output(
    blocks: list[tuple[int, float, float]],
) -> None:
    clock = DacClock(RATE)
    first, before = 0, 0
    due = now = 10.0
    for frames, late, waited in blocks:
        now = max(now, due + late)
        clock.record(
            first,
            frames,
            device_now=WALL + now,
            dac_time=WALL + due + 0.040,
            monotonic_now=now + waited,
        )
        first += frames
        due += frames / RATE
        heard = clock.played_frame(now)
        assert before <= heard <= first
        truth = min(max(0.0, (now - 10.040) * RATE), first)
        assert heard == pytest.approx(truth, abs=6), "within the wait for the interpreter"
        before = heard
