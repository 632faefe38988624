from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtagent.audio import AudioClip
from rtagent.audio._playback_mixer import Glide, Mixer, Track

CLIP = AudioClip(1_000, 1, np.zeros((1, 1), np.float32))
SILENCE = bytes(2 * 50)


def values(glide: Glide, *blocks: int) -> list[float]:
    gains: list[float] = []
    for frames in blocks:
        gains += np.broadcast_to(np.asarray(glide.gains(frames)), frames).tolist()
    return gains


def track_of(*samples: int, loop: bool = True, gain: float = 1.0) -> Track:
    track = Track("track", CLIP, np.array(samples, np.int16), loop=loop)
    track.gain.goal = (gain, 0)
    return track


def mixed(mixer: Mixer, pcm: bytes = SILENCE, *, voice: bool = False) -> NDArray[np.int16]:
    return np.frombuffer(mixer.mix(pcm, voice=voice), "<i2")


def pcm(*samples: int) -> bytes:
    return np.array(samples, "<i2").tobytes()


# -- gains


def test_a_gain_that_rests_is_a_number() -> None:
    glide = Glide(0.5)
    assert glide.gains(10) == 0.5
    assert glide.rests_at(0.5)
    assert not glide.rests_at(1.0)


def test_a_gain_moves_in_a_straight_line_over_any_blocks() -> None:
    glide = Glide(0.0)
    glide.goal = (1.0, 4)
    assert not glide.rests_at(0.0)
    assert values(glide, 3, 3, 1) == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0])
    assert glide.rests_at(1.0)


def test_a_gain_that_is_told_otherwise_goes_on_from_where_it_is() -> None:
    glide = Glide(0.0)
    glide.goal = (1.0, 4)
    glide.gains(2)
    glide.goal = (0.0, 2)
    assert values(glide, 4) == pytest.approx([0.25, 0.0, 0.0, 0.0])
    glide.goal = (0.7, 0)
    assert glide.gains(3) == 0.7


# -- volume


def test_at_full_volume_the_block_passes_untouched() -> None:
    block = pcm(*range(50))
    assert Mixer(1_000, 1.0).mix(block, voice=True) is block


def test_a_volume_ramps_over_20_ms_and_saturates() -> None:
    mixer = Mixer(1_000, 1.0)
    mixer.turn_to(4.0)
    block = pcm(*[10_000, -10_000] * 15)
    sounded = mixed(mixer, block)
    assert sounded[:2].tolist() == [11_500, -13_000]
    assert sounded[20:].tolist() == [32_767, -32_768] * 5
    mixer.turn_to(1.0)
    mixed(mixer, block)
    assert mixer.mix(block, voice=True) is block


def test_a_mixer_may_begin_at_any_volume() -> None:
    assert mixed(Mixer(1_000, 0.5), pcm(100, 3)).tolist() == [50, 2]
    assert Mixer(1_000, 0.5).mix(b"", voice=False) == b""


@given(volume=st.floats(0, 4), before=st.floats(0, 4), block=st.integers(1, 700))
def test_a_change_of_volume_does_not_click(volume: float, before: float, block: int) -> None:
    mixer = Mixer(24_000, before)
    mixer.turn_to(volume)
    tone = pcm(*[8_000] * block)
    heard = np.concatenate([mixed(mixer, tone) for _ in range(960 // block + 1)]).astype(int)
    assert np.abs(np.diff(heard)).max(initial=0) <= 8_000 * 4 / 480 + 2
    assert heard[-1] == pytest.approx(min(8_000 * volume, 32_767), abs=1)


# -- tracks


def test_a_track_goes_round_and_round() -> None:
    mixer = Mixer(1_000, 1.0)
    mixer.tracks = (track_of(1, 2, 3),)
    heard = [sample for frames in (2, 2, 1, 7) for sample in mixed(mixer, bytes(2 * frames))]
    assert heard == [1, 2, 3] * 4


def test_a_track_that_is_no_loop_ends() -> None:
    mixer = Mixer(1_000, 1.0)
    track = track_of(1, 2, 3, 4, loop=False)
    track.gain.goal = (1.0, 2)
    mixer.tracks = (track,)
    assert mixed(mixer, bytes(6)).tolist() == [0, 2, 3]
    assert not track.done
    assert mixed(mixer, bytes(6)).tolist() == [4, 0, 0]
    assert track.done
    assert mixer.mix(SILENCE, voice=False) is SILENCE


def test_a_short_track_ends_amid_its_rise() -> None:
    mixer = Mixer(1_000, 1.0)
    track = track_of(100, 100, loop=False)
    track.gain.goal = (1.0, 10)
    mixer.tracks = (track,)
    assert mixed(mixer, bytes(8)).tolist() == [10, 20, 0, 0]


def test_tracks_are_added_to_the_voice_and_saturate_once() -> None:
    mixer = Mixer(1_000, 0.5)
    mixer.tracks = (track_of(30_000), track_of(30_000, gain=0.5))
    assert mixed(mixer, pcm(15_000, -15_000)).tolist() == [30_000, 15_000]
    mixer.turn_to(1.0)
    assert mixed(mixer, pcm(*[15_000] * 40))[-1] == 32_767


def test_a_track_that_fades_out_is_done() -> None:
    mixer = Mixer(1_000, 1.0)
    track = track_of(100)
    mixer.tracks = (track,)
    mixed(mixer)
    track.gain.goal = (0.0, 4)
    track.leaving = True
    assert mixed(mixer, bytes(12)).tolist() == [75, 50, 25, 0, 0, 0]
    assert track.done


def test_a_track_is_ducked_while_a_voice_sounds() -> None:
    mixer = Mixer(1_000, 1.0)
    mixer.tracks = (track_of(1_000),)
    assert set(mixed(mixer)) == {1_000}
    ducking = np.concatenate([mixed(mixer, voice=True) for _ in range(3)])
    assert ducking[0] == 993
    assert (np.diff(ducking.astype(int)) <= 0).all()
    assert set(ducking[100:]) == {300}
    rising = np.concatenate([mixed(mixer) for _ in range(3)])
    assert rising[0] == 307
    assert set(rising[100:]) == {1_000}
    mixer.ducked = 0.0
    assert not np.concatenate([mixed(mixer, voice=True) for _ in range(4)])[100:].any()
