"""Whether somebody who speaks while the voice sounds means to interrupt it."""

from __future__ import annotations

import math

import pytest

from rtagent.errors import ConfigurationError
from rtagent.session import BargeIn
from rtagent.session._barge_in import Doubt


def doubt() -> Doubt:
    return Doubt(resume_after_s=2.0, sure_after_s=1.0)


def test_without_speech_there_is_no_doubt() -> None:
    calm = doubt()
    calm.silence(5.0)
    calm.heard_by_server("u1")
    assert (calm.open, calm.deadline(), calm.due(9.0), calm.words("u1")) == (False, None, None, None)


def test_a_cough_is_forgotten_after_a_while() -> None:
    cough = doubt()
    cough.speech(10.0, alone=True)
    assert (cough.open, cough.deadline()) == (True, 11.0)
    cough.silence(10.3)
    assert (cough.due(12.2), cough.deadline()) == (None, 12.3)
    assert cough.due(12.3) == "resume"
    cough.settle()
    assert (cough.open, cough.deadline(), cough.due(20.0)) == (False, None, None)


def test_speech_that_goes_on_is_an_interruption_where_nobody_else_decides() -> None:
    alone, with_server = doubt(), doubt()
    alone.speech(10.0, alone=True)
    with_server.speech(10.0, alone=False)
    assert (alone.due(10.9), alone.due(11.0)) == (None, "interrupt")
    assert (with_server.due(11.9), with_server.due(12.0)) == (None, "resume"), "the server has heard nothing"


def test_who_goes_on_speaking_is_waited_for() -> None:
    pausing = doubt()
    pausing.speech(10.0, alone=False)
    pausing.silence(10.5)
    pausing.speech(11.0, alone=False)
    assert pausing.due(12.5) is None
    pausing.silence(13.0)
    assert pausing.due(15.0) == "resume"


def test_words_of_this_speech_count_and_those_of_an_earlier_turn_do_not() -> None:
    asked = doubt()
    asked.heard_by_server("u1")
    asked.speech(10.0, alone=True)
    asked.heard_by_server("u2")
    asked.heard_by_server(None)
    assert (asked.words("u1"), asked.words(None), asked.words("u2")) == (None, None, "interrupt")
    asked.settle()
    asked.speech(20.0, alone=True)
    assert asked.words("u2") is None


def test_a_time_that_never_comes_is_no_deadline() -> None:
    patient = Doubt(resume_after_s=2.0, sure_after_s=math.inf)
    patient.speech(10.0, alone=True)
    assert (patient.deadline(), patient.due(1e9)) == (None, None)


@pytest.mark.parametrize(
    "times",
    [
        {"start_ms": -1.0},
        {"start_ms": math.inf},
        {"resume_after_s": -0.1},
        {"resume_after_s": math.nan},
        {"sure_after_s": -1.0},
        {"sure_after_s": math.nan},
    ],
)
def test_times_that_cannot_be_are_refused(times: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be"):
        BargeIn(**times)  # type: ignore[arg-type]
