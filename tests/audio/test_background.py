from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rtagent.audio import AudioClip, Background
from rtagent.audio._background import require_volume
from rtagent.audio._playback_mixer import Mixer
from rtagent.errors import ConfigurationError


@pytest.fixture
def mixer() -> Mixer:
    return Mixer(1_000, 1.0)


@pytest.fixture
def background(mixer: Mixer) -> Background:
    return Background(lambda: mixer)


def clip_of(value: float, frames: int = 100, *, rate: int = 1_000, channels: int = 1) -> AudioClip:
    return AudioClip(rate, channels, np.full((frames, channels), value, np.float32))


def sine(periods: int, frames: int, rate: int) -> AudioClip:
    wave = np.sin(2 * np.pi * periods * np.arange(frames) / frames)
    return AudioClip(rate, 1, (0.5 * wave).astype(np.float32)[:, None])


def heard(mixer: Mixer, frames: int) -> NDArray[np.int16]:
    return np.frombuffer(mixer.mix(bytes(2 * frames), voice=False), "<i2")


def test_a_sound_fades_in_and_goes_on(background: Background, mixer: Mixer) -> None:
    background.play("music", clip_of(0.5), volume=0.5, fade_ms=100)
    assert background.names == ("music",)
    sounded = heard(mixer, 300)
    assert sounded[[0, 49, 99]].tolist() == [82, 4_096, 8_192]
    assert set(sounded[99:]) == {8_192}


def test_a_sound_fades_out_and_is_gone(background: Background, mixer: Mixer) -> None:
    background.play("music", clip_of(0.5), volume=1.0, fade_ms=0)
    heard(mixer, 10)
    background.stop("music", fade_ms=100)
    background.stop("music")
    assert background.names == ()
    sounded = heard(mixer, 110)
    assert sounded[[0, 49, 99]].tolist() == [16_220, 8_192, 0]
    background.stop("nothing")
    assert mixer.tracks == ()


def test_a_sound_that_ends_by_itself_has_no_name_any_more(background: Background, mixer: Mixer) -> None:
    background.play("bell", clip_of(0.5, 50), loop=False, fade_ms=0)
    assert set(heard(mixer, 50)) == {round(0.3 * 0.5 * 32_768)}
    heard(mixer, 1)
    assert background.names == ()


def test_a_name_that_is_played_again_cross_fades(background: Background, mixer: Mixer) -> None:
    background.play("music", clip_of(0.5), volume=1.0, fade_ms=0)
    heard(mixer, 10)
    background.play("music", clip_of(-0.5), volume=1.0, fade_ms=100)
    assert background.names == ("music",)
    sounded = heard(mixer, 200)
    assert sounded[49] == 0
    assert set(sounded[100:]) == {-16_384}
    assert np.abs(np.diff(sounded.astype(int))).max() <= 2 * 164


def test_clearing_fades_all_of_them_out(background: Background, mixer: Mixer) -> None:
    background.play("a", clip_of(0.1))
    background.play("b", clip_of(0.2))
    heard(mixer, 300)
    background.clear()
    assert background.names == ()
    sounded = heard(mixer, 250)
    assert sounded[0] > 0
    assert not sounded[200:].any()


def test_eight_sounds_have_names_and_a_ninth_is_refused(background: Background) -> None:
    for number in range(8):
        background.play(str(number), clip_of(0.1))
    background.play("3", clip_of(0.2))
    with pytest.raises(ConfigurationError, match="8 sounds") as caught:
        background.play("8", clip_of(0.1))
    assert caught.value.hint == "stop one of 0, 1, 2, 4, 5, 6, 7, 3"


def test_those_that_fade_out_are_bounded_even_if_nobody_listens(background: Background, mixer: Mixer) -> None:
    for number in range(50):
        background.play("music", clip_of(number / 100))
    assert len(mixer.tracks) == 9
    heard(mixer, 300)
    background.stop("nothing")
    assert len(mixer.tracks) == 1


def test_ducking_is_a_factor_of_its_own(background: Background, mixer: Mixer) -> None:
    assert background.ducked == 0.3
    background.ducked = 0
    assert mixer.ducked == 0.0
    with pytest.raises(ConfigurationError, match="out of range"):
        background.ducked = 1.1


@pytest.mark.parametrize("volume", [-0.1, 4.1, math.nan, math.inf])
def test_volumes_that_make_no_sense_are_refused(background: Background, volume: float) -> None:
    with pytest.raises(ConfigurationError, match="out of range"):
        background.play("music", clip_of(0.1), volume=volume)


def test_a_volume_of_any_kind_of_number_is_a_float() -> None:
    assert type(require_volume(1)) is float
    assert type(require_volume(np.float32(0.5))) is float  # type: ignore[arg-type]  # what programs do


@pytest.mark.parametrize("fade_ms", [-1, math.nan, math.inf])
def test_fades_that_make_no_sense_are_refused(background: Background, fade_ms: float) -> None:
    with pytest.raises(ConfigurationError, match="makes no sense"):
        background.play("music", clip_of(0.1), fade_ms=fade_ms)
    with pytest.raises(ConfigurationError, match="makes no sense"):
        background.stop("music", fade_ms=fade_ms)


def test_clips_without_sound_or_end_are_refused(background: Background) -> None:
    with pytest.raises(ConfigurationError, match="of 0 s"):
        background.play("music", clip_of(0.1, 0))
    with pytest.raises(ConfigurationError, match="of 601 s"):
        background.play("music", clip_of(0.1, 60_100, rate=100))


def test_channels_become_one(background: Background, mixer: Mixer) -> None:
    stereo = AudioClip(1_000, 2, np.tile(np.array([[0.5, 0.25]], np.float32), (10, 1)))
    background.play("music", stereo, volume=1.0, fade_ms=0)
    assert set(heard(mixer, 20)) == {round(0.375 * 32_768)}


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_a_loop_of_another_rate_has_no_seam(rate: int) -> None:
    mixer = Mixer(24_000, 1.0)
    background = Background(lambda: mixer)
    background.play("hum", sine(40, rate // 5, rate), volume=1.0, fade_ms=0)  # 200 Hz
    sounded = heard(mixer, 24_000).astype(float)
    expected = 16_384 * np.sin(2 * np.pi * 200 * np.arange(24_000) / 24_000)
    assert np.abs(sounded - expected).max() < 60


def test_a_sound_of_another_rate_that_is_no_loop_lasts_as_long() -> None:
    mixer = Mixer(24_000, 1.0)
    background = Background(lambda: mixer)
    background.play("bell", sine(40, 9_600, 48_000), volume=1.0, fade_ms=0, loop=False)
    sounded = heard(mixer, 9_600).astype(float)
    expected = 16_384 * np.sin(2 * np.pi * 200 * np.arange(4_800) / 24_000)
    assert np.abs(sounded[100:4_700] - expected[100:4_700]).max() < 60
    assert not sounded[4_800:].any()


def test_a_device_of_another_rate_gets_the_same_sound() -> None:
    mixer = Mixer(24_000, 1.0)
    background = Background(lambda: mixer)
    background.play("gone", clip_of(0.5))
    background.stop("gone")
    background.play("hum", sine(40, 4_800, 24_000), volume=1.0, fade_ms=0)
    mixer.rate = 48_000
    background.convert_again()
    sounded = heard(mixer, 48_000).astype(float)
    expected = 16_384 * np.sin(2 * np.pi * 200 * np.arange(48_000) / 48_000)
    assert np.abs(sounded - expected).max() < 60
    assert len(mixer.tracks) == 1


def test_a_clip_is_converted_once_and_not_kept_for_ever(background: Background, mixer: Mixer) -> None:
    music = sine(10, 2_000, 2_000)
    tracks = []
    for _ in range(2):
        background.play("music", music)
        tracks.append(mixer.tracks[-1])
        background.stop("music")
    assert tracks[0].pcm is tracks[1].pcm
    for number in range(8):
        background.play("other", clip_of(0.1 * number + 0.1, rate=2_000))
    background.play("music", music)
    assert mixer.tracks[-1].pcm is not tracks[0].pcm
    assert np.array_equal(mixer.tracks[-1].pcm, tracks[0].pcm)
