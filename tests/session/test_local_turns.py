"""How turns are heard on this side."""

from __future__ import annotations

import math

import pytest

from rtagent.audio import AudioFormat, EnergyDetector
from rtagent.errors import ConfigurationError
from rtagent.session import LocalTurns
from rtagent.session._local_turns import turn_detector


@pytest.mark.parametrize(
    "times",
    [
        {"sure_after_s": -1.0},
        {"sure_after_s": math.nan},
        {"longest_pause_ms": -1.0},
        {"longest_pause_ms": math.inf},
    ],
)
def test_times_that_cannot_be_are_refused(times: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be"):
        LocalTurns(**times)  # type: ignore[arg-type]


def test_loud_against_quiet_is_what_is_heard_unless_told_otherwise() -> None:
    pcm_8k = AudioFormat.pcm16(8_000)
    own = turn_detector(None, pcm_8k, start_ms=100, silence_ms=500, pre_roll_ms=0)
    given = turn_detector(EnergyDetector(16_000), pcm_8k, start_ms=100, silence_ms=500, pre_roll_ms=0)
    assert own.format == given.format == pcm_8k
    assert given.look_back_ms > own.look_back_ms, "the given one hears at another rate, through a filter"


def test_a_source_that_is_not_pcm_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="PCM16"):
        turn_detector(None, AudioFormat.pcmu(), start_ms=100, silence_ms=500, pre_roll_ms=0)
