"""The exception for what a server refused, or never answered."""

from __future__ import annotations

from rtagent import events
from rtagent.errors import ServerError, Timeout
from rtagent.session._refusal import refusal


def test_an_error_of_the_server_keeps_all_that_it_said() -> None:
    error = refusal(
        events.ErrorDetail(
            type="invalid_request_error", code="bad_voice", message="no such voice", param="voice"
        ),
        "evt_1",
    )
    assert isinstance(error, ServerError)
    assert (error.code, error.event_id, error.param, error.kind) == (
        "bad_voice",
        "evt_1",
        "voice",
        "invalid_request_error",
    )
    assert "no such voice" in str(error)


def test_an_error_without_words_has_some() -> None:
    assert "the server refused the event" in str(refusal(events.ErrorDetail(type="x")))


def test_an_answer_that_never_came_is_a_timeout() -> None:
    error = refusal(None, "evt_1")
    assert isinstance(error, Timeout)
    assert "an answer to evt_1" in str(error)
    assert "10" in str(error)
