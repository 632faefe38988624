"""The figures of a turn, from marks in seconds."""

from __future__ import annotations

from rtagent.events.lifecycle import TurnMeasured
from rtagent.session._measure import KEPT_TURNS, TurnMeter


def test_from_the_last_word_to_the_first_sound() -> None:
    meter = TurnMeter()
    meter.speech_ended(10.0)
    measured = meter.first_heard(10.75, "r1", 10.8)
    assert measured == TurnMeasured(
        at=10.8,
        turn=1,
        response_id="r1",
        end_of_speech_to_first_heard_ms=750.0,
        interrupt_to_silence_ms=None,
    )
    assert meter.turns == [measured]


def test_from_the_interruption_to_silence_counts_for_the_turn_that_follows() -> None:
    meter = TurnMeter()
    meter.interrupted(5.0)
    meter.silent(5.03125)
    meter.speech_ended(6.0)
    measured = meter.first_heard(6.5, "r2", 6.5)
    assert measured is not None
    assert measured.interrupt_to_silence_ms == 31.25
    assert measured.end_of_speech_to_first_heard_ms == 500.0


def test_an_interruption_alone_is_measured_too() -> None:
    meter = TurnMeter()
    meter.interrupted(1.0)
    meter.silent(1.5)
    measured = meter.first_heard(3.0, None, 3.0)
    assert measured is not None
    assert measured.end_of_speech_to_first_heard_ms is None
    assert measured.interrupt_to_silence_ms == 500.0


def test_marks_are_used_once() -> None:
    meter = TurnMeter()
    meter.speech_ended(1.0)
    assert meter.first_heard(2.0, "r1", 2.0) is not None
    assert meter.first_heard(3.0, "r2", 3.0) is None
    meter.silent(4.0)
    assert meter.first_heard(5.0, "r3", 5.0) is None
    assert len(meter.turns) == 1


def test_speech_that_begins_again_takes_the_mark_away() -> None:
    meter = TurnMeter()
    meter.speech_ended(1.0)
    meter.speech_ended(None)
    assert meter.first_heard(2.0, "r1", 2.0) is None


def test_the_second_silence_of_one_interruption_does_not_count() -> None:
    meter = TurnMeter()
    meter.interrupted(1.0)
    meter.silent(1.25)
    meter.silent(9.0)
    measured = meter.first_heard(10.0, None, 10.0)
    assert measured is not None
    assert measured.interrupt_to_silence_ms == 250.0


def test_no_figure_is_negative() -> None:
    meter = TurnMeter()
    meter.speech_ended(2.0)
    meter.interrupted(2.0)
    meter.silent(1.0)
    measured = meter.first_heard(1.0, "r1", 2.0)
    assert measured is not None
    assert (measured.end_of_speech_to_first_heard_ms, measured.interrupt_to_silence_ms) == (0.0, 0.0)


def test_the_oldest_turns_are_forgotten_and_the_count_goes_on() -> None:
    meter = TurnMeter()
    for turn in range(KEPT_TURNS + 5):
        meter.speech_ended(float(turn))
        meter.first_heard(turn + 0.5, None, turn + 0.5)
    assert len(meter.turns) == KEPT_TURNS
    assert (meter.turns[0].turn, meter.turns[-1].turn) == (6, KEPT_TURNS + 5)
