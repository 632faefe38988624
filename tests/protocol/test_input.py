"""The user's side."""

from __future__ import annotations

from itertools import product

import pytest

from rtagent.protocol._input import KEPT_MARKS, MOVES, InputAudio, InputMove, InputState


def test_every_pair_of_state_and_move_is_in_the_table() -> None:
    assert set(MOVES) == set(product(InputState, InputMove))


def test_a_turn_goes_from_quiet_through_speech_to_its_answer() -> None:
    user = InputAudio()
    seen = []
    for move in (InputMove.STARTED, InputMove.STOPPED, InputMove.COMMITTED, InputMove.ANSWERED):
        user.move(move)
        seen.append(user.state)
    assert seen == [InputState.SPEECH, InputState.QUIET, InputState.COMMITTED, InputState.QUIET]


def test_a_position_is_turned_into_the_time_at_which_its_sample_was_captured() -> None:
    user = InputAudio()
    for block in range(100):
        user.wrote(20.0, 50.0 + block * 0.020)
    assert user.written_ms == 2000.0
    assert user.captured_at(1010.0) == pytest.approx(51.010)
    user.speech_ended(1510.0, silence_ms=500.0)
    assert user.speech_ended_at == pytest.approx(51.010)


def test_a_gap_in_capture_is_kept() -> None:
    user = InputAudio()
    user.wrote(20.0, 10.0)
    user.wrote(20.0, 15.0)
    assert user.captured_at(19.0) == pytest.approx(10.019)
    assert user.captured_at(21.0) == pytest.approx(15.001)


def test_positions_of_forgotten_or_no_audio_have_no_time() -> None:
    user = InputAudio()
    assert user.captured_at(0.0) is None
    for block in range(KEPT_MARKS + 10):
        user.wrote(20.0, block * 0.020)
    assert user.captured_at(0.0) is None
    assert user.captured_at(200.0) == pytest.approx(0.2)


def test_another_connection_counts_from_the_beginning() -> None:
    user = InputAudio()
    user.wrote(20.0, 10.0)
    user.move(InputMove.STARTED)
    user.restart()
    assert (user.state, user.written_ms, user.captured_at(0.0)) == (InputState.QUIET, 0.0, None)
    user.wrote(20.0, 30.0)
    assert user.captured_at(10.0) == pytest.approx(30.010)
