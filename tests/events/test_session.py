from __future__ import annotations

import pytest

from rtagent import events


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        ({"type": "realtime", "model": "gpt-next", "temperature": 0.8}, events.RealtimeSession),
        ({"type": "transcription", "audio": {"input": {}}}, events.TranscriptionSession),
        ({"type": "translation", "audio": {}}, events.RealtimeSession),
        ({"instructions": "x", "output_modalities": ["audio"]}, events.RealtimeSession),
    ],
)
def test_kinds_of_session(read_session, wire, model):
    session = read_session(wire)
    assert type(session) is model
    assert session.model_dump(exclude_unset=True, mode="json") == wire


def test_a_session_that_a_program_builds_says_its_type():
    assert events.RealtimeSession(prompt=None).model_dump(exclude_unset=True) == {
        "type": "realtime",
        "prompt": None,
    }
    assert events.TranscriptionSession().model_dump(exclude_unset=True) == {"type": "transcription"}


@pytest.mark.parametrize("name", ["prompt", "tracing"])
def test_null_is_a_value(read_session, name):
    session = read_session({"type": "realtime", name: None})
    assert name in session.model_fields_set
    assert getattr(session, name) is None


@pytest.mark.parametrize(
    ("field", "wire", "expected"),
    [
        ("tracing", "auto", "auto"),
        ("tracing", {"workflow_name": "w"}, events.Tracing(workflow_name="w")),
        ("truncation", "disabled", "disabled"),
        (
            "truncation",
            {"type": "retention_ratio", "retention_ratio": 0.5},
            events.Truncation(retention_ratio=0.5),
        ),
        ("max_output_tokens", "inf", "inf"),
        ("max_output_tokens", 4096, 4096),
        ("reasoning", {"effort": "endless"}, events.Reasoning(effort="endless")),
    ],
)
def test_fields_that_take_more_than_one_form(read_session, field, wire, expected):
    assert getattr(read_session({"type": "realtime", field: wire}), field) == expected


def test_snapshots_have_an_id_and_an_end(read_session):
    session = read_session(
        {"type": "realtime", "id": "sess_1", "object": "realtime.session", "expires_at": 1_800}
    )
    assert (session.id, session.object, session.expires_at) == ("sess_1", "realtime.session", 1_800)
