from __future__ import annotations

import pytest

from rtagent import events


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (
            {"error": {"type": "invalid_request_error", "message": "no", "code": None, "event_id": "e"}},
            events.ErrorDetail(type="invalid_request_error", message="no", code=None, event_id="e"),
        ),
        ({"error": {"message": "no"}}, events.ErrorDetail(message="no")),
        ({"error": {"type": None, "message": None}}, events.ErrorDetail()),
        ({"error": "no"}, events.ErrorDetail(message="no")),
        ({"error": "no", "code": "busy"}, events.ErrorDetail(message="no", code="busy")),
        ({"message": "no", "code": 5, "param": "p"}, events.ErrorDetail(message="no", param="p")),
        ({"error": ["no"]}, events.ErrorDetail()),
        ({}, events.ErrorDetail()),
    ],
)
def test_errors_in_every_shape_become_the_normal_object(read, written, frame, expected):
    event = read({"type": "error", **frame})
    assert isinstance(event, events.Error)
    assert event.error == expected
    assert {"type", "message"} <= written(event)["error"].keys()


def test_an_error_that_a_program_builds(written):
    event = events.Error(error=events.ErrorDetail(message="no"))
    assert written(event) == {"type": "error", "error": {"type": "unknown_error", "message": "no"}}


def test_an_error_is_no_other_value():
    with pytest.raises(ValueError, match="valid dictionary"):
        events.Error.model_validate("no")


def test_some_servers_open_a_session_without_describing_it(read):
    event = read({"type": "session.created", "id": "sess_1", "created": 1})
    assert isinstance(event, events.SessionCreated)
    assert event.session.id == "sess_1"
    assert event.model_extra == {"created": 1}


def test_rate_limits(read):
    event = read({"type": "rate_limits.updated", "rate_limits": [{"name": "tokens", "remaining": 5}]})
    assert event.rate_limits == (events.RateLimit(name="tokens", remaining=5),)


def test_conversation_created(read):
    assert read({"type": "conversation.created"}).conversation == events.RealtimeConversation()
    assert read({"type": "conversation.created", "conversation": {"id": "c"}}).conversation.id == "c"
