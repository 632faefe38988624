from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from rtagent.audio import AudioClip
from rtagent.audio._playback_desk import Desk
from rtagent.errors import ConfigurationError

BLOCK = np.full(480, 1_000, "<i2").tobytes()


def test_without_a_volume_and_a_background_blocks_pass_untouched() -> None:
    desk = Desk(24_000)
    assert desk.volume == 1.0
    desk.volume = 1.0
    assert desk.mix(BLOCK, voice=True) is BLOCK
    desk.run_at(48_000)
    assert desk.background.names == ()


def test_numpy_is_loaded_only_when_something_is_mixed() -> None:
    program = """
import sys
from rtagent.audio import Background, Speaker
speaker = Speaker()
speaker.volume = 1.0
speaker.background.clear()
assert speaker.background.names == ()
assert "numpy" not in sys.modules
speaker.volume = 0.5
assert "numpy" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_volume_to_begin_with_needs_no_ramp() -> None:
    desk = Desk(24_000, 0.5)
    assert set(np.frombuffer(desk.mix(BLOCK, voice=True), "<i2")) == {500}


def test_a_volume_that_changes_ramps() -> None:
    desk = Desk(24_000)
    desk.volume = 0.5
    assert desk.volume == 0.5
    heard = np.frombuffer(desk.mix(BLOCK, voice=True), "<i2")
    assert (heard[0], heard[239], heard[479]) == (999, 750, 500)


@pytest.mark.parametrize("volume", [-0.01, 4.01, math.nan])
def test_volumes_that_make_no_sense_are_refused(volume: float) -> None:
    desk = Desk(24_000)
    with pytest.raises(ConfigurationError, match="out of range"):
        desk.volume = volume
    with pytest.raises(ConfigurationError, match="out of range"):
        Desk(24_000, volume)
    assert desk.volume == 1.0


def test_a_background_survives_another_rate() -> None:
    desk = Desk(24_000)
    desk.background.play("hum", AudioClip(24_000, 1, np.full((2_400, 1), 0.5, np.float32)), fade_ms=0)
    desk.run_at(24_000)
    desk.run_at(48_000)
    heard = np.frombuffer(desk.mix(bytes(19_200), voice=False), "<i2")
    assert heard == pytest.approx(round(0.3 * 0.5 * 32_768), abs=3)
