from __future__ import annotations

import pytest
from pydantic import ValidationError

from rtagent import events


@pytest.mark.parametrize(
    ("event", "wire"),
    [
        (events.InputAudioBufferCommit(), {"type": "input_audio_buffer.commit"}),
        (events.ResponseCreate(), {"type": "response.create"}),
        (
            events.ResponseCreate(response=events.ResponseParams(conversation="none", input=[])),
            {"type": "response.create", "response": {"conversation": "none", "input": []}},
        ),
        (
            events.SessionUpdate(session=events.RealtimeSession(instructions="")),
            {"type": "session.update", "session": {"type": "realtime", "instructions": ""}},
        ),
        (
            events.ConversationItemCreate(
                item=events.user_message("hi"), previous_item_id="root", event_id="e"
            ),
            {
                "type": "conversation.item.create",
                "event_id": "e",
                "previous_item_id": "root",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "hi"}],
                },
            },
        ),
    ],
)
def test_only_what_was_set_is_written(written, event, wire):
    assert written(event) == wire


def test_unknown_fields_are_refused():
    with pytest.raises(ValidationError, match="last"):
        events.InputAudioBufferCommit(last=True)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="last"):
        events.InputAudioBufferCommit.model_validate({"last": True})


def test_what_is_required_is_required():
    with pytest.raises(ValidationError, match="audio_end_ms"):
        events.ConversationItemTruncate(item_id="i", content_index=0)  # type: ignore[call-arg]


def test_an_append_holds_samples():
    append = events.InputAudioBufferAppend.of(b"\x01\x02\x03")
    assert append.audio == "AQID"
    assert append.pcm == b"\x01\x02\x03"
    assert append.pcm is append.pcm
    assert append.model_fields_set == {"type", "audio"}
    assert events.InputAudioBufferAppend.of(b"", event_id="e").event_id == "e"


def test_an_append_that_is_no_base64_is_refused():
    append = events.InputAudioBufferAppend(audio="!", event_id="e")
    with pytest.raises(events.ClientEventError, match="base64") as refused:
        _ = append.pcm
    assert (refused.value.code, refused.value.param, refused.value.event_id) == (
        "invalid_value",
        "audio",
        "e",
    )


def test_an_event_made_by_validation_says_its_type_too(written):
    assert written(events.ResponseCancel.model_validate({})) == {"type": "response.cancel"}
