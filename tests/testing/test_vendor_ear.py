"""Voice activity by content."""

from __future__ import annotations

import pytest

from rtagent.testing._vendor_ear import Ear

MS = 48  # bytes of 24 kHz PCM


def test_a_turn_begins_with_sound_and_ends_after_200_ms_of_silence() -> None:
    ear = Ear()
    assert ear.hear(bytes(50 * MS), detect=True) == []
    assert ear.hear(b"\1" * (100 * MS) + bytes(190 * MS), detect=True) == [("started", 50)]
    assert ear.speaking
    assert ear.hear(bytes(10 * MS), detect=True) == [("stopped", 350)]
    assert not ear.speaking


def test_a_pause_does_not_end_a_turn() -> None:
    ear = Ear()
    sound, pause = b"\1" * (50 * MS), bytes(150 * MS)
    assert ear.hear((sound + pause) * 3, detect=True) == [("started", 0)]


def test_audio_may_come_in_pieces_of_any_size() -> None:
    ear = Ear()
    sound = b"\1" * (100 * MS) + bytes(200 * MS)
    heard = [
        event
        for start in range(0, len(sound), 7)
        for event in ear.hear(sound[start : start + 7], detect=True)
    ]
    assert heard == [("started", 0), ("stopped", 300)]
    assert ear.total_ms == 300


def test_without_detection_audio_waits_to_be_committed() -> None:
    ear = Ear()
    assert ear.hear(b"\1" * (100 * MS), detect=False) == []
    assert ear.pending_ms() == 100
    assert ear.take() == b"\1" * (100 * MS)
    assert ear.pending_ms() == 0


@pytest.mark.parametrize(("encoding", "silence"), [("pcmu", b"\xff"), ("pcmu", b"\x7f"), ("pcma", b"\xd5")])
def test_telephony_has_a_silence_of_its_own(encoding: str, silence: bytes) -> None:
    ear = Ear()
    ear.tune(encoding, 8_000)
    assert ear.hear(b"\x20" * 800 + silence * 1_600, detect=True) == [("started", 0), ("stopped", 300)]
