from __future__ import annotations

import numpy as np
import pytest

from rtagent.audio import HalfDuplexGate, Vad
from rtagent.audio._echo import EchoCanceller, EchoLevel, amplitude
from tests.audio.echo_room import (
    FRAME_BYTES,
    RATE,
    Sound,
    bursts,
    echo_of,
    frames_of,
    loudness,
    noise,
    pcm,
    samples_of,
)

SILENCE = bytes(FRAME_BYTES)
HISS = noise(240, 1.0)
HISS[np.abs(HISS) < 0.3] = 0.3
"""It sounds in all bands, as a voice does, and shows a ramp in each sample."""
LOUD = pcm(5_000 * HISS)
QUIET = pcm(1_000 * HISS)


def through(gate: EchoCanceller, far: Sound, near: Sound) -> list[bytes]:
    out = []
    for played, heard in zip(frames_of(far), frames_of(near), strict=True):
        gate.reverse(played)
        out.append(gate.process(heard))
    return out


def speech_frames(frames: list[bytes]) -> int:
    vad = Vad(RATE)
    pairs = [a + b for a, b in zip(frames[::2], frames[1::2], strict=False)]
    return sum(vad.is_speech(pair) for pair in pairs)


def taught() -> HalfDuplexGate:
    """A gate in a still room where the echo is 14 dB quieter than what is played."""
    gate = HalfDuplexGate()
    played(gate, 1, far=SILENCE, near=SILENCE)
    played(gate, 150)
    return gate


def played(gate: HalfDuplexGate, frames: int, far: bytes = LOUD, near: bytes = QUIET) -> list[bytes]:
    out = []
    for _ in range(frames):
        gate.reverse(far)
        out.append(gate.process(near))
    return out


@pytest.mark.parametrize(("db", "room_noise"), [(-6, 5), (-12, 30), (0, 5), (6, 0), (-30, 30)])
def test_the_assistant_alone_never_passes_for_somebody_who_talks(db: float, room_noise: float) -> None:
    far = bursts(60, seed=3)
    near = echo_of(far, db=db) + noise(len(far), room_noise)
    gate = HalfDuplexGate()
    out = through(gate, far, near)
    assert speech_frames(frames_of(near)) > 100, "without the gate it would"
    assert speech_frames(out) == 0
    assert gate.ducked_ms > 30_000
    assert gate.return_loss_db == pytest.approx(-db, abs=5)
    assert gate.removed_db is None


@pytest.mark.parametrize("db", [-12, -6, 0])
@pytest.mark.parametrize("seed", range(4))
def test_a_talker_6_db_louder_than_the_echo_gets_through_within_200_ms(db: float, seed: int) -> None:
    far = bursts(8, seed=20 + seed, pauses=0)
    echo = echo_of(far, db=db)
    voice = bursts(1.5, seed=40 + seed, pauses=0)
    talk = np.zeros(len(far))
    onset = 6 * RATE
    talk[onset : onset + len(voice)] = voice * 2 * loudness(echo) / loudness(voice)
    gate = HalfDuplexGate()
    out = through(gate, far, echo + talk + noise(len(far), 5))
    assert not any(any(frame) for frame in out[100:600]), "until then it was shut"
    heard = next(k for k, frame in enumerate(out[600:]) if any(frame))
    assert 10 * (heard + 1) <= 200


def test_with_headphones_whoever_talks_gets_through() -> None:
    far = bursts(6, seed=5, pauses=0)
    talk = np.concatenate([np.zeros(4 * RATE), bursts(2, seed=6, level=800, pauses=0)])
    out = through(HalfDuplexGate(), far, talk + noise(len(far), 5))
    assert not any(any(frame) for frame in out[10:400])
    assert any(any(frame) for frame in out[400:420])


def test_it_stays_shut_for_the_tail_and_then_opens_on_a_ramp() -> None:
    gate = taught()
    assert not gate.is_open
    tail = played(gate, 24, far=SILENCE)
    assert not any(b"".join(tail))
    first, second = played(gate, 2, far=SILENCE)
    rising = samples_of(first) / samples_of(QUIET)
    assert rising[0] == 0
    assert np.all(np.diff(rising[::10]) >= 0)
    assert rising[-1] > 0.9
    assert second == QUIET
    assert gate.is_open


def test_it_shuts_on_a_ramp() -> None:
    gate = HalfDuplexGate()
    falling = samples_of(played(gate, 1)[0]) / samples_of(QUIET)
    assert falling[0] > 0.9
    assert np.all(np.diff(falling[::10]) <= 0)
    assert falling[-1] == 0


def test_nothing_played_is_nothing_touched() -> None:
    gate = HalfDuplexGate()
    out = played(gate, 50, far=SILENCE, near=LOUD)
    assert all(frame is LOUD for frame in out)
    assert gate.ducked_ms == 0
    assert gate.return_loss_db is None


def test_a_word_that_got_through_is_not_chopped_and_the_gate_shuts_after_it() -> None:
    gate = taught()
    voice = pcm(4_000 * HISS)
    assert any(played(gate, 10, near=voice)[-1]), "20 dB above the echo"
    assert all(any(frame) for frame in played(gate, 20)), "a pause between syllables"
    assert all(any(frame) for frame in played(gate, 5, near=voice))
    assert not any(played(gate, 40)[-1])


def test_the_gate_says_how_much_before_its_opening_belongs_to_the_word() -> None:
    gate = taught()
    assert gate.recalled_ms == 0
    frames = 0
    while not gate.is_open:
        played(gate, 1, near=pcm(2_500 * HISS))
        frames += 1
    assert 10 * frames <= gate.recalled_ms <= 10 * frames + 60
    played(gate, 60)
    assert not gate.is_open
    played(gate, 40, far=SILENCE)
    assert gate.is_open
    assert gate.recalled_ms == 0, "nobody talked: nothing is played any more"


def test_a_loudspeaker_that_was_turned_up_is_learned_in_time() -> None:
    gate = taught()
    twice = pcm(2_000 * HISS)
    played(gate, 20, near=twice)
    assert gate.is_open, "it may be somebody"
    played(gate, 300, near=twice)
    assert not gate.is_open


def test_a_voice_that_was_taken_for_echo_at_first_is_unlearned() -> None:
    far = bursts(12, seed=25, pauses=0)
    echo = echo_of(far, db=-12)
    talk = np.zeros(len(far))
    loud = bursts(1.5, seed=14, pauses=0)
    loud *= 2 * loudness(echo) / loudness(loud)
    talk[: len(loud)] = 4 * loud  # somebody goes on talking when the assistant begins
    talk[10 * RATE : 10 * RATE + len(loud)] = loud
    out = through(HalfDuplexGate(), far, echo + talk + noise(len(far), 5))
    assert not any(any(frame) for frame in out[20:1_000])
    assert any(any(frame) for frame in out[1_000:1_040])


def test_a_reset_forgets_what_was_played_and_keeps_what_was_learned() -> None:
    gate = taught()
    learned = gate.return_loss_db
    gate.reset()
    assert played(gate, 1, far=SILENCE) == [QUIET]
    assert gate.return_loss_db == learned == pytest.approx(14, abs=0.5)


def test_the_noise_of_the_room_is_followed() -> None:
    level = EchoLevel()
    for near in (500.0, 30.0, 30.0, 30.0, 40.0, 40.0):
        level.play(0.0)
        assert not level.exceeds(near)
    for _ in range(200):
        level.play(5_000.0)
        assert not level.exceeds(35.0)
    assert level.learned
    for _ in range(3):
        level.play(5_000.0)
        assert level.exceeds(200.0), "there is no echo, so this is somebody"


@pytest.mark.parametrize("near", [bytes(FRAME_BYTES), pcm(np.full(240, -32_768.0)), pcm(np.full(240, 1.0))])
def test_extremes_do_no_harm(near: bytes) -> None:
    gate = HalfDuplexGate()
    for far in (SILENCE, pcm(np.full(240, 32_767.0)), pcm(np.full(240, 17.0)), SILENCE):
        out = played(gate, 200, far=far, near=near)
        assert all(len(frame) == FRAME_BYTES for frame in out)
    assert gate.return_loss_db is not None
    assert np.isfinite(gate.return_loss_db)
    assert amplitude(b"") == 0.0
    gate.reverse(b"")
    assert gate.process(b"") == b""
