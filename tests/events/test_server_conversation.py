from __future__ import annotations

import pytest

from rtagent import events

MESSAGE = {"type": "message", "role": "user", "content": []}


@pytest.mark.parametrize("kind", ["added", "done", "created"])
@pytest.mark.parametrize("previous", [{}, {"previous_item_id": None}, {"previous_item_id": "item_0"}])
def test_no_predecessor_and_an_unnamed_one_are_told_apart(read, written, kind, previous):
    wire = {"type": f"conversation.item.{kind}", "item": MESSAGE, **previous}
    event = read(wire)
    assert event.previous_item_id == previous.get("previous_item_id")
    assert ("previous_item_id" in event.model_fields_set) == bool(previous)
    assert written(event) == wire


def test_transcription_deltas_without_text_are_empty(read):
    kind = "conversation.item.input_audio_transcription.delta"
    for wire in ({}, {"delta": None, "content_index": None, "logprobs": None}):
        event = read({"type": kind, "item_id": "item_1", **wire})
        assert (event.delta, event.content_index, event.defects) == ("", 0, ())


def test_a_finished_transcription(read):
    event = read(
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "item_1",
            "transcript": "hello",
            "usage": {"type": "duration", "seconds": 2},
            "languages": [{"code": "en"}],
            "logprobs": [{"token": "hello", "bytes": [104], "logprob": -0.1}],
        }
    )
    assert event.usage == events.TranscriptionDurationUsage(seconds=2)
    assert event.languages == (events.DetectedLanguage(code="en"),)
    assert event.logprobs == (events.LogProb(token="hello", bytes=[104], logprob=-0.1),)


def test_a_failed_transcription_may_give_no_reason(read):
    event = read({"type": "conversation.item.input_audio_transcription.failed", "item_id": "item_1"})
    assert event.error == events.ErrorDetail()


@pytest.mark.parametrize(
    "kind",
    [
        "conversation.item.deleted",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.completed",
    ],
)
@pytest.mark.parametrize("item_id", [{}, {"item_id": None}, {"item_id": 5}])
def test_what_is_about_an_item_must_name_it(read, kind, item_id):
    event = read({"type": kind, **item_id})
    assert isinstance(event, events.MalformedFrame)
    assert event.reason.startswith(f"{kind}: item_id:")
