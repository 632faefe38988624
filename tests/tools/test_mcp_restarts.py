from __future__ import annotations

from itertools import pairwise

import pytest

from rtagent.errors import ConfigurationError
from rtagent.tools import McpRestarts


def test_waits_double_up_to_the_longest_and_then_it_is_given_up() -> None:
    restarts = McpRestarts(attempts=4, first_s=1, longest_s=3)
    assert [restarts.delay_s(failures, chance=1) for failures in range(1, 6)] == [1, 2, 3, 3, None]


def test_waits_are_spread_over_their_upper_half() -> None:
    waits = [McpRestarts(first_s=2).delay_s(1, chance) or 0 for chance in (0, 0.5, 1)]
    assert waits == [1, 1.5, 2]
    assert all(shorter < longer for shorter, longer in pairwise(waits))


def test_no_attempts_is_never() -> None:
    assert McpRestarts(attempts=0).delay_s(1, 0.5) is None


def test_very_many_failures_are_no_overflow() -> None:
    assert McpRestarts(attempts=10**9).delay_s(10**6, 1) == 30


@pytest.mark.parametrize("wrong", [{"attempts": -1}, {"first_s": -1.0}, {"first_s": 2.0, "longest_s": 1.0}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="first_s <= longest_s"):
        McpRestarts(**wrong)  # type: ignore[arg-type]
