from __future__ import annotations

import numpy as np
import pytest

from rtagent.audio._echo_bands import BandLevels
from tests.audio.echo_room import RATE, Sound, bursts, echo_of, frames_of, noise


def tone(hz: float, seconds: float, level: float, rate: int = RATE) -> Sound:
    wave: Sound = level * np.sqrt(2) * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)
    return wave


def heard(bands: BandLevels, far: Sound, near: Sound, size: int = 240) -> list[float]:
    out = []
    for played, captured in zip(frames_of(far, size), frames_of(near, size), strict=True):
        bands.play(played)
        out.append(bands.excess_db(captured))
    return out


def taught(far: Sound, near: Sound, size: int = 240) -> BandLevels:
    bands = BandLevels(250, 10)
    for played, captured in zip(frames_of(far, size), frames_of(near, size), strict=True):
        bands.play(played)
        bands.learn(captured)
    return bands


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_a_voice_in_other_bands_shows_although_it_is_quieter_than_the_echo(rate: int) -> None:
    far = tone(400, 3, 4_000, rate)
    bands = taught(far, far / 4, rate // 100)
    voice = tone(2_000, 1, 300, rate)
    assert sum(heard(bands, far[:rate], far[:rate] / 4, rate // 100)[10:]) < 10
    assert min(heard(bands, far[:rate], far[:rate] / 4 + voice, rate // 100)[10:]) > 3


def test_what_a_loudspeaker_distorts_is_no_voice() -> None:
    far = tone(400, 3, 4_000)
    bands = taught(far, far / 4)
    distorted = far / 4 + tone(1_200, 3, 40)
    assert np.mean(heard(bands, far, distorted)[10:]) < 1


def test_a_band_that_was_not_played_in_yet_is_believed_to_be_like_the_others() -> None:
    low, high = tone(300, 3, 4_000), tone(3_000, 0.2, 4_000)
    bands = taught(low, low / 4)
    assert max(heard(bands, high, high / 4)[1:]) < 8, "an echo as loud as those before"


def test_all_bands_may_be_unknown() -> None:
    bands = BandLevels(250, 10)
    far = bursts(1, seed=1)
    assert all(np.isfinite(heard(bands, far, far / 4)))


def test_the_noise_of_the_room_is_no_excess_once_it_is_known() -> None:
    bands = BandLevels(250, 10)
    hiss = noise(3 * RATE, 100)
    for frame in frames_of(hiss):
        bands.rest(frame)
    far = bursts(3, seed=2)
    echo = echo_of(far, db=-30)
    for played, captured in zip(frames_of(far[:RATE]), frames_of((echo + hiss)[:RATE]), strict=True):
        bands.play(played)
        bands.learn(captured)
    assert np.mean(heard(bands, far[RATE:], (echo + hiss)[RATE:])) < 4


def test_a_loudspeaker_that_is_turned_up_is_followed() -> None:
    far = bursts(12, seed=3, pauses=0)
    bands = taught(far[: 3 * RATE], echo_of(far, db=-18)[: 3 * RATE])
    excess = heard(bands, far[3 * RATE :], echo_of(far, db=-6)[3 * RATE :])
    assert np.mean(excess[:50]) > 15
    assert np.mean(excess[-200:]) < 4


@pytest.mark.parametrize("level", [0, 1, 32_767])
def test_extremes_are_numbers(level: int) -> None:
    bands = BandLevels(250, 10)
    loud, near = np.full(RATE, 32_767.0), np.full(RATE, float(level))
    assert all(np.isfinite(heard(bands, loud, near)))
    assert all(np.isfinite(heard(bands, np.zeros(RATE), near)))
    bands.play(b"")
    assert np.isfinite(bands.excess_db(b""))


def test_frames_may_differ_by_a_sample_and_streams_may_break() -> None:
    bands = BandLevels(250, 10)
    far = frames_of(bursts(3, seed=4), 221)
    for k, frame in enumerate(far):
        bands.play(frame[: len(frame) - 2 * (k % 2)])
        assert np.isfinite(bands.excess_db(frame[: len(frame) - 2 * (k % 2)]))
    bands.forget_played()
    bands.play(far[0])
    assert np.isfinite(bands.excess_db(far[0]))
