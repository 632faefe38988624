from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtagent.audio import AudioBlock, AudioFormat, HalfDuplexGate, Vad, write_wav
from rtagent.audio import _echo_livekit as livekit
from rtagent.audio._echo_guard import GuardedCanceller
from rtagent.audio._echo_path import EchoCancel, EchoPath, EchoPolicy, choose_policy
from rtagent.errors import ConfigurationError
from rtagent.testing._sound_card import VirtualSoundCard
from tests.audio.echo_room import Sound, bursts, echo_of, loudness, noise, pcm

needs_livekit = pytest.mark.skipif(
    not livekit.livekit_works(), reason="needs the package livekit (the extra 'echo')"
)


class Mouth:
    """A far side that a test lets play."""

    def __init__(self, rate: int = 24_000) -> None:
        self.format = AudioFormat.pcm16(rate)
        self.asked = 0
        self.taps: list[Callable[[AudioBlock], None]] = []

    def add_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        self.taps.append(tap)

    def remove_tap(self, tap: Callable[[AudioBlock], None]) -> None:
        if tap in self.taps:
            self.taps.remove(tap)

    def deliver_taps(self) -> None:
        self.asked += 1

    def play(self, pcm: bytes, at: float) -> None:
        for tap in self.taps:
            tap(AudioBlock(pcm, at))


class Witness:
    """A canceller that notes what it is given, and gives the far end back."""

    return_loss_db = removed_db = None
    ducked_ms = 0.0

    def __init__(self) -> None:
        self.far: list[bytes] = []
        self.resets = 0

    def reverse(self, far: bytes) -> None:
        self.far.append(far)

    def process(self, near: bytes) -> bytes:
        assert len(self.far[-1]) == len(near)
        return self.far[-1]

    def reset(self) -> None:
        self.resets += 1


def works(monkeypatch: pytest.MonkeyPatch, *, installed: bool) -> None:
    monkeypatch.setattr(livekit, "livekit_works", lambda: installed)


@pytest.mark.parametrize(
    ("wanted", "far", "installed", "policy"),
    [
        ("auto", True, True, "aec"),
        ("auto", True, False, "half_duplex"),
        ("auto", False, True, "none"),
        ("none", True, True, "none"),
        ("none", False, False, "none"),
        ("half_duplex", True, True, "half_duplex"),
        ("aec", True, True, "aec"),
    ],
)
def test_which_policy_is_chosen(
    wanted: EchoCancel, far: bool, installed: bool, policy: EchoPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    works(monkeypatch, installed=installed)
    assert choose_policy(wanted, far=far) == policy


@pytest.mark.parametrize("wanted", ["aec", "half_duplex"])
def test_a_wish_needs_to_know_what_is_played(wanted: EchoCancel) -> None:
    with pytest.raises(ConfigurationError, match="far=speaker"):
        choose_policy(wanted, far=False)


def test_an_unknown_wish_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="half_duplex"):
        choose_policy("loud", far=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(("rate", "block_ms"), [(22_050, 20), (24_000, 32)])
def test_what_is_not_whole_frames_is_left_to_the_gate(
    rate: int, block_ms: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    works(monkeypatch, installed=True)
    assert choose_policy("auto", far=True, rate=rate, block_ms=block_ms) == "half_duplex"
    with pytest.raises(ConfigurationError, match="10 ms"):
        choose_policy("aec", far=True, rate=rate, block_ms=block_ms)


def test_the_policys_canceller_is_made() -> None:
    assert isinstance(EchoPath(Mouth(), "half_duplex", 24_000, 20).canceller, HalfDuplexGate)


def test_a_missing_package_is_told_when_the_path_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit.rtc", None)
    with pytest.raises(ConfigurationError, match=r"rtagent\[echo\]"):
        EchoPath(Mouth(), "aec", 24_000, 20)


def test_a_mouth_that_never_plays_costs_nothing() -> None:
    mouth, witness = Mouth(), Witness()
    path = EchoPath(mouth, "aec", 24_000, 20, canceller=witness)
    path.open()
    for k in range(50):
        block = AudioBlock(pcm(np.full(480, 100.0)), 5 + 0.02 * k)
        assert path.process(block) == [block]
        mouth.play(bytes(960), 5 + 0.02 * k)
    assert witness.far == []
    assert mouth.asked == 50, "before each block, so that no sound is on its way"
    path.close()
    path.close()
    assert mouth.taps == []


@pytest.mark.parametrize("far_rate", [24_000, 48_000, 16_000])
def test_near_and_far_meet_by_time_at_the_microphones_rate(far_rate: int) -> None:
    mouth, witness = Mouth(far_rate), Witness()
    path = EchoPath(mouth, "aec", 24_000, 20, canceller=witness)
    path.open()
    seconds = np.arange(far_rate) / far_rate
    wave = np.sin(2 * np.pi * (200 * seconds + 700 * seconds**2)) * 8_000
    size = far_rate // 50
    got = b""
    for k in range(50):
        mouth.play(pcm(wave[k * size : (k + 1) * size]), 5 + 0.02 * k)
        if k >= 10:
            near = AudioBlock(bytes(960), 5 + 0.02 * (k - 10))
            (block,) = path.process(near)
            assert (len(block.pcm), block.at) == (960, near.at)
            got += block.pcm
    at = np.arange(len(got) // 2) / 24_000 + 0.030  # the lead
    expected = np.sin(2 * np.pi * (200 * at + 700 * at**2)) * 8_000
    heard = np.frombuffer(got, "<i2")[1_000:]
    assert np.corrcoef(heard, expected[1_000:])[0, 1] > 0.98


@pytest.mark.parametrize(
    ("rate", "block_ms"), [(24_000, 10), (22_050, 20), (16_000, 32), (8_000, 5), (24_000, 25)]
)
def test_blocks_of_any_size_keep_it(rate: int, block_ms: float) -> None:
    mouth = Mouth()
    path = EchoPath(mouth, "half_duplex", rate, block_ms)
    path.open()
    samples = int(rate * block_ms / 1000)
    loud = pcm(np.full(480, 9_000.0))
    for k in range(100):
        mouth.play(loud, 5 + 0.02 * k)
    blocks = [
        block
        for k in range(int(1_500 / block_ms))
        for block in path.process(AudioBlock(pcm(np.full(samples, 500.0)), 5 + block_ms / 1000 * k))
    ]
    assert [block.at for block in blocks] == pytest.approx(
        [5 + block_ms / 1000 * k for k in range(len(blocks))]
    )
    assert {len(block.pcm) for block in blocks} == {2 * samples}
    assert not any(blocks[-1].pcm)
    assert path.canceller.ducked_ms > 1_000


def test_a_new_stream_forgets_what_was_played() -> None:
    mouth, witness = Mouth(), Witness()
    path = EchoPath(mouth, "aec", 24_000, 20, canceller=witness)
    path.open()
    mouth.play(pcm(np.full(4_800, 100.0)), 5.0)
    path.process(AudioBlock(bytes(960), 5.0))
    assert witness.resets == 0, "it was new"
    path.reset()
    block = AudioBlock(bytes(960), 5.02)
    assert path.process(block) == [block]
    assert witness.resets == 1


def test_what_nobody_takes_is_bounded_and_counted() -> None:
    mouth = Mouth()
    path = EchoPath(mouth, "half_duplex", 24_000, 20)
    path.open()
    for k in range(500):
        mouth.play(pcm(np.full(480, 100.0)), 5 + 0.02 * k)
    assert path.dropped_ms == pytest.approx(8_000, abs=1)


def hold(path: EchoPath, mouth: Mouth, far: Sound, near: Sound) -> list[bytes]:
    """Both devices at work: the speaker's blocks 60 ms before they are heard, off by some milliseconds."""
    random = np.random.default_rng(2)
    out = []
    for k in range(len(near) // 480):
        if k == 0:
            for early in range(3):
                mouth.play(pcm(far[480 * early : 480 * (early + 1)]), 5 + 0.02 * early)
        ahead = far[480 * (k + 3) : 480 * (k + 4)]
        mouth.play(pcm(ahead), 5 + 0.02 * (k + 3) + random.uniform(-0.004, 0.004))
        out += [b.pcm for b in path.process(AudioBlock(pcm(near[480 * k : 480 * (k + 1)]), 5 + 0.02 * k))]
    return out


def test_the_assistant_does_not_hear_itself_through_two_devices() -> None:
    far = bursts(30, seed=9)
    mouth = Mouth()
    path = EchoPath(mouth, "half_duplex", 24_000, 20)
    path.open()
    out = hold(path, mouth, far, echo_of(far) + noise(len(far), 5))
    vad = Vad()
    assert not any(vad.is_speech(block) for block in out)


def talked_over(*, muted_s: tuple[float, float] = (0, 0)) -> tuple[Sound, list[AudioBlock]]:
    """Somebody talks for a second, 10 dB louder than the echo, in the sixth second; and what the path told of it."""
    far = bursts(9, seed=31, pauses=0)
    echo = echo_of(far, db=-12)
    talk = np.zeros(len(far))
    word = bursts(1, seed=41, pauses=0)
    talk[6 * 24_000 : 7 * 24_000] = word * 3 * loudness(echo) / loudness(word)
    mouth = Mouth()
    path = EchoPath(mouth, "half_duplex", 24_000, 20)
    path.open()
    told: list[AudioBlock] = []
    for k in range(400):
        mouth.play(pcm(far[480 * k : 480 * (k + 4)][:480]), 5 + 0.02 * k)
        if k < 4:
            continue
        at = 5 + 0.02 * (k - 4)
        near = (echo + talk)[480 * (k - 4) : 480 * (k - 3)]
        muted = muted_s[0] <= at - 5 < muted_s[1]
        told += path.process(AudioBlock(pcm(near), at), muted=muted)
    return echo + talk, told


def test_a_word_over_the_assistant_is_told_from_its_beginning_each_block_once() -> None:
    heard, told = talked_over()
    steps = np.diff([block.at for block in told])
    assert steps == pytest.approx(np.full(len(told) - 1, 0.02)), "none is missing, none comes twice"
    sounding = [k for k, block in enumerate(told) if any(block.pcm)]
    first = next(k for k in sounding if told[k].at > 6)
    assert told[first].at <= 11.001, "it begins at the sixth second"
    whole = [told[k].pcm == pcm(heard[480 * k : 480 * (k + 1)]) for k in range(first + 1, first + 40)]
    assert all(whole)


def test_what_was_heard_while_it_was_muted_is_never_told() -> None:
    _, told = talked_over(muted_s=(0, 6.06))
    assert not any(any(block.pcm) for block in told if block.at < 11.05)
    assert any(any(block.pcm) for block in told if block.at > 11.1)


def test_muted_before_anything_was_played_is_silent_too() -> None:
    path = EchoPath(Mouth(), "half_duplex", 24_000, 20)
    path.open()
    assert path.process(AudioBlock(b"\1\1" * 480, 5.0), muted=True) == [AudioBlock(bytes(960), 5.0)]


@pytest.mark.parametrize("who", ["far", "near"])
def test_a_device_that_stumbles_is_told_to_a_canceller_that_minds(who: str) -> None:
    mouth, witness = Mouth(), Witness()
    guard = GuardedCanceller(witness, HalfDuplexGate(), frame_ms=10.0)
    path = EchoPath(mouth, "aec", 24_000, 20, canceller=guard)
    path.open()
    hiss = noise(480, 1.0)
    told: list[bool] = []
    for k in range(200):
        late = 0.030 if k >= 150 else 0.0
        mouth.play(pcm(5_000 * hiss), 5 + 0.02 * k + (late if who == "far" else 0.0))
        if k >= 4:
            near = AudioBlock(pcm(500 * hiss), 5 + 0.02 * (k - 4) + (late if who == "near" else 0.0))
            told.append(any(path.process(near)[0].pcm))
    assert all(told[:146])
    assert not any(told[160:])


def test_what_was_told_after_all_does_not_count_as_silenced() -> None:
    mouth = Mouth()
    path = EchoPath(mouth, "half_duplex", 24_000, 20)
    gate = path.canceller
    path.open()
    silent = 0
    hiss = noise(480, 1.0)
    for k in range(200):
        mouth.play(pcm(5_000 * hiss), 5 + 0.02 * k)
        if k >= 4:
            near = pcm((500 if k < 150 else 5_000) * hiss)
            told = path.process(AudioBlock(near, 5 + 0.02 * (k - 4)))
            silent += sum(not any(block.pcm) for block in told)
    assert path.ducked_ms < gate.ducked_ms
    assert path.ducked_ms == pytest.approx(20 * silent, abs=40)


@needs_livekit
def test_the_echo_is_taken_out_through_two_devices() -> None:
    far = bursts(12, seed=9)
    mouth = Mouth()
    path = EchoPath(mouth, "aec", 24_000, 20)
    assert isinstance(path.canceller, GuardedCanceller)
    path.open()
    hold(path, mouth, far, echo_of(far) + noise(len(far), 5))
    assert path.canceller.removed_db is not None
    assert path.canceller.removed_db > 25


# -- the virtual card


def heard_of_itself(
    policy: str, card: VirtualSoundCard, start_program: Callable[..., Any], path: Path
) -> dict[str, Any]:
    write_wav(path, pcm(bursts(5, seed=4)), 24_000)
    facts: dict[str, Any] = start_program(card, "hear_itself", path, policy).next_report()
    return facts


@pytest.mark.device
@pytest.mark.slow
def test_on_a_card_the_assistant_does_not_hear_itself(
    sound_card: VirtualSoundCard, start_program: Callable[..., Any], tmp_path: Path
) -> None:
    spoken = tmp_path / "spoken.wav"
    assert heard_of_itself("none", sound_card, start_program, spoken)["speech"] > 50
    facts = heard_of_itself("half_duplex", sound_card, start_program, spoken)
    assert facts["speech"] == 0
    assert facts["echo_ducked_ms"] > 3_000


@needs_livekit
@pytest.mark.device
@pytest.mark.slow
def test_on_a_card_the_echo_is_taken_out(
    sound_card: VirtualSoundCard, start_program: Callable[..., Any], tmp_path: Path
) -> None:
    facts = heard_of_itself("aec", sound_card, start_program, tmp_path / "spoken.wav")
    assert facts["speech"] < 25, "most of them while it adapts"
    assert facts["echo_removed_db"] > 20
