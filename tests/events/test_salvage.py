from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rtagent import events
from rtagent.events._salvage import Unreadable, culprit, salvaged


def salvage(model: type[events.ServerEvent], frame: dict[str, Any]) -> events.ServerEvent:
    with pytest.raises(ValidationError) as problem:
        model.model_validate(frame)
    return salvaged(model, frame, problem.value)


def defective(event: events.ServerEvent) -> list[str]:
    return [defect.partition(":")[0] for defect in event.defects]


def test_only_the_bad_field_is_lost():
    event = salvage(
        events.ResponseDone,
        {"response": {"id": "r", "usage": {"total_tokens": "many", "input_tokens": 3}, "status": 7}},
    )
    assert event == events.ResponseDone.model_validate(
        {"response": {"id": "r", "usage": {"input_tokens": 3}}}
    )
    assert defective(event) == ["response.status", "response.usage.total_tokens"]


def test_list_elements_that_cannot_be_are_lost_alone():
    call = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}
    nameless = {"type": "function_call", "arguments": "{}"}
    event = salvage(events.ResponseDone, {"response": {"output": [3, nameless, call, "x"]}})
    assert event == events.ResponseDone.model_validate({"response": {"output": [call]}})
    assert defective(event) == ["response.output[0]", "response.output[1].name", "response.output[3]"]


def test_an_object_that_lacks_something_goes_with_its_other_faults():
    event = salvage(
        events.ConversationItemInputAudioTranscriptionCompleted,
        {"item_id": "i", "logprobs": [{"token": 5, "logprob": "x"}, {"token": "a", "logprob": 0.0}]},
    )
    assert isinstance(event, events.ConversationItemInputAudioTranscriptionCompleted)
    assert event.logprobs == (events.LogProb(token="a", logprob=0.0),)


def test_nulls_mean_absent_and_are_no_defects():
    event = salvage(
        events.ResponseOutputTextDelta, {"delta": None, "output_index": None, "content_index": None}
    )
    assert event == events.ResponseOutputTextDelta()
    assert event.defects == ()


def test_a_choice_of_forms_that_fits_none_is_lost_as_a_whole():
    session = {"type": "realtime", "tool_choice": {"type": "some"}, "tracing": 5, "model": "m"}
    event = salvage(events.SessionUpdated, {"session": session})
    assert event == events.SessionUpdated(session=events.RealtimeSession(model="m"))


@pytest.mark.parametrize(
    ("model", "frame", "reason"),
    [
        (events.ResponseDone, {}, "response: Field required"),
        (events.ResponseDone, {"response": 5}, "response: Input should be"),
        (events.ResponseOutputItemDone, {"item": "x"}, "item: Input should be an object"),
        (events.ConversationItemAdded, {"item": {"type": "function_call"}}, "item.name: Field required"),
        (events.ConversationItemDeleted, {"item_id": None}, "item_id: "),
    ],
)
def test_what_an_event_cannot_do_without(model, frame, reason):
    with pytest.raises(Unreadable, match=f"^{reason}"):
        salvage(model, frame)


def test_a_fault_of_the_whole_frame_has_no_place_in_it():
    with pytest.raises(ValidationError) as problem:
        events.ResponseDone.model_validate("x")
    assert culprit({}, problem.value.errors()[0]) == ""


def test_the_frame_stays_as_it_is():
    frame = {"response": {"output": [3, None], "status": 7, "id": None}}
    salvage(events.ResponseDone, frame)
    assert frame == {"response": {"output": [3, None], "status": 7, "id": None}}


@pytest.mark.parametrize(
    ("session", "told"),
    [
        ({"tool_choice": {"type": "function"}}, ["session.tool_choice: Input should be a valid string"]),
        (
            {"audio": {"output": {"voice": {"id": 5}}}},
            ["session.audio.output.voice: Input should be a valid string"],
        ),
        ({"output_modalities": [5]}, ["session.output_modalities[0]: Input should be a valid string"]),
        (
            {"max_output_tokens": "many"},
            [
                "session.max_output_tokens: Input should be a valid integer, unable to parse string as an integer"
            ],
        ),
        (
            {"prompt": {"version": 5}},
            ["session.prompt.id: Field required", "session.prompt.version: Input should be a valid string"],
        ),
    ],
)
def test_each_defect_is_told_once(session, told):
    event = salvage(events.SessionUpdated, {"session": session})
    assert sorted(event.defects) == told
