from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from rtagent import events


def test_an_error_may_be_a_bare_string():
    details = events.ResponseStatusDetails.model_validate({"type": "failed", "error": "out of memory"})
    assert details.error is not None
    assert details.error.message == "out of memory"


def test_an_error_always_says_its_type_and_message():
    detail = events.ErrorDetail(message="no", code="invalid_value")
    assert detail.model_dump(exclude_unset=True) == {
        "type": "unknown_error",
        "message": "no",
        "code": "invalid_value",
    }


@pytest.mark.parametrize("name", ["status", "conversation_id", "usage"])
def test_unknown_and_null_values_of_a_response_are_kept(name):
    value = "paused" if name == "status" else None
    response = events.RealtimeResponse.model_validate({name: value})
    assert response.model_dump(exclude_unset=True) == {name: value}


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "tokens", "total_tokens": 3}, events.TranscriptionTokenUsage),
        ({"type": "duration", "seconds": 1.5}, events.TranscriptionDurationUsage),
        ({"total_tokens": 3}, events.TranscriptionTokenUsage),
        ({"type": "characters", "characters": 3}, events.TranscriptionTokenUsage),
    ],
)
def test_usage_of_a_transcription(wire, model):
    usage: events.TranscriptionUsage = TypeAdapter(events.TranscriptionUsage).validate_python(wire)
    assert type(usage) is model
    assert usage.model_dump(exclude_unset=True) == wire


def test_empty_input_is_not_the_same_as_none():
    assert events.ResponseParams(input=[]).model_dump(exclude_unset=True, mode="json") == {"input": []}
    assert events.ResponseParams().model_dump(exclude_unset=True) == {}
