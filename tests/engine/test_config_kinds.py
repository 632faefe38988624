"""The two kinds of session: how each begins, what an update may ask for, what is shown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rtagent import events
from rtagent.engine._config_kinds import (
    check_fields,
    check_kind,
    conversation_tree,
    session_of,
    transcription_tree,
)
from rtagent.engine._validation import Refusal


def test_a_conversation_is_shown_as_it_is():
    tree = conversation_tree(
        "sess_1", "m", 1, instructions="Sing.", tools=[{"type": "function", "name": "f"}]
    )
    shown = session_of(tree)
    assert isinstance(shown, events.RealtimeSession)
    assert shown.model_dump(mode="json", exclude_unset=True) == tree


def test_a_transcription_session_has_an_ear_and_nothing_else():
    shown = session_of(transcription_tree("sess_1", "m", 1))
    assert isinstance(shown, events.TranscriptionSession)
    assert shown.model_dump(mode="json", exclude_unset=True) == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_1",
        "expires_at": 1,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "m"},
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            }
        },
        "include": None,
    }


def test_turns_that_the_client_ends_are_shown_as_null():
    tree = transcription_tree("sess_1", "m", 1)
    tree["audio"]["input"]["turn_detection"] = None
    ear = session_of(tree).model_dump(mode="json")["audio"]["input"]
    assert ear["turn_detection"] is None


def test_values_of_a_wrong_type_do_not_pass():
    with pytest.raises(ValidationError):
        session_of({**transcription_tree("sess_1", "m", 1), "include": 7})


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
@pytest.mark.parametrize("settled", [False, True])
def test_a_session_may_stay_what_it_is(kind: Any, settled: bool):
    assert check_kind({"type": kind}, kind, settled=settled) == kind


def test_a_session_that_has_not_begun_may_become_one_for_transcription():
    assert check_kind({"type": "transcription"}, "realtime", settled=False) == "transcription"


@pytest.mark.parametrize(
    ("change", "current", "code", "says"),
    [
        ({}, "realtime", "missing_required_parameter", "required"),
        ({"type": "translation"}, "realtime", "invalid_value", "'realtime' or 'transcription'"),
        ({"type": "realtime"}, "transcription", "invalid_value", "open another session"),
        ({"type": "transcription"}, "realtime", "invalid_value", "before its first audio"),
    ],
)
def test_kinds_that_cannot_be(change: dict[str, Any], current: Any, code: str, says: str):
    with pytest.raises(Refusal, match=says) as refused:
        check_kind(change, current, settled=True)
    assert (refused.value.code, refused.value.param) == (code, "session.type")


def test_an_ear_has_no_voice():
    voice = {"audio": {"input": {}, "output": {"voice": "alloy"}}}
    check_fields(voice, "realtime")
    with pytest.raises(Refusal, match="an ear only") as refused:
        check_fields(voice, "transcription")
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", "session.audio.output")


def test_what_a_client_echoes_from_the_snapshot_is_taken():
    check_fields(transcription_tree("sess_1", "m", 1), "transcription")
