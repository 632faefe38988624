"""Which responses run, one after the other and beside each other (S15)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rtagent.engine import _conversation_replies
from rtagent.engine._brain import Utterance
from rtagent.engine._conversation_work import Decide, PartKey, Recognise
from rtagent.engine._turns import SpeechStarted, SpeechStopped

PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()
TRANSCRIBED = {"input": {"transcription": {"model": "any"}}}


def test_one_active_response(driver: Any):  # S15
    response_id = driver.respond()
    got = driver.send("response.create", event_id="mine")
    assert driver.code(got) == "conversation_already_has_active_response"
    assert response_id in got[0]["error"]["message"]
    assert got[0]["error"]["event_id"] == "mine"
    driver.decide(response_id)
    assert driver.respond()


def test_cancel_when_idle(driver: Any):  # S15
    got = driver.send("response.cancel", event_id="mine")
    assert driver.code(got) == "response_cancel_not_active"
    assert got[0]["error"]["event_id"] == "mine"
    response_id = driver.respond()
    assert (
        driver.code(driver.send("response.cancel", response_id="resp_else")) == "response_cancel_not_active"
    )
    driver.decide(response_id)
    assert (
        driver.code(driver.send("response.cancel", response_id=response_id)) == "response_cancel_not_active"
    )


def test_responses_beside_run_in_parallel(driver: Any):  # S15
    active = driver.respond()
    one, other = driver.respond(conversation="none"), driver.respond(conversation="none")
    (done,) = driver.send("response.cancel", response_id=one)
    assert done["response"]["id"] == one
    assert driver.decide(other)[0]["response"]["id"] == other
    assert driver.code(driver.send("response.create")) == "conversation_already_has_active_response"  # A2
    assert driver.decide(active)
    assert driver.respond()


def test_responses_beside_are_bounded(driver: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_conversation_replies, "MAX_BESIDE", 1)
    driver.respond(conversation="none")
    driver.respond(conversation="none")
    assert (
        driver.code(driver.send("response.create", response={"conversation": "none"}))
        == "rate_limit_exceeded"
    )


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"conversation": "maybe"}, "response.conversation"),
        ({"metadata": {str(n): "" for n in range(17)}}, "response.metadata"),
        ({"output_modalities": ["audio", "text"]}, "response.output_modalities"),
        ({"input": [{"type": "item_reference", "id": "nobody"}]}, "response.input"),
        (
            {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 8000}}}},
            "response.audio.output.format.rate",
        ),
    ],
)
def test_responses_that_cannot_be(driver: Any, params: dict[str, Any], param: str):
    got = driver.send("response.create", event_id="mine", response=params)
    assert driver.code(got)
    assert (got[0]["error"]["param"], got[0]["error"]["event_id"]) == (param, "mine")
    assert not driver.conversation.busy
    assert driver.respond()


def test_a_response_may_bring_its_own_context(driver: Any):  # A6
    driver.say("Forget this.", id="a")
    driver.say("Keep this.", id="b")
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And this."}]}
    driver.respond(conversation="none", input=[{"type": "item_reference", "id": "b"}, item])
    driver.respond(conversation="none", input=[])
    full, empty = (order.input.history for order in driver.asked(Decide))
    assert [utterance.text for utterance in full] == ["Keep this.", "And this."]
    assert empty == ()
    assert driver.say("Next.")[0]["previous_item_id"] == "b"


def test_sound_in_a_context_of_its_own_is_recognised(driver: Any):
    driver.session(audio=TRANSCRIBED)
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": PIECE}]}
    response_id = driver.respond(conversation="none", input=[item])
    (order,) = driver.asked(Recognise)
    driver.conversation.recognised(order.part, "hello")
    assert driver.sent() == []  # it is no item of the conversation
    (decide,) = driver.asked(Decide)
    assert (decide.response_id, decide.input.history) == (response_id, (Utterance("user", "hello"),))


def test_busy_until_everything_is_answered(driver: Any):
    assert not driver.conversation.busy
    driver.hear(SpeechStarted(0))
    assert not driver.conversation.busy
    driver.hear(SpeechStopped(100))
    assert driver.conversation.busy
    driver.work_off()
    assert not driver.conversation.busy


def test_the_next_turn_waits_for_its_words_in_every_response(driver: Any):
    driver.session(audio={"input": {"turn_detection": None}})
    driver.send("input_audio_buffer.append", audio=PIECE)
    part = PartKey(driver.send("input_audio_buffer.commit")[0]["item_id"], 0)
    one, other = driver.respond(), driver.respond(conversation="none")
    assert driver.asked(Decide) == []
    driver.conversation.recognised(part, "hello")
    driver.sent()
    assert [order.response_id for order in driver.asked(Decide)] == [one, other]


def test_results_that_come_too_late_are_dropped(driver: Any):
    response_id = driver.respond()
    driver.send("response.cancel")
    driver.conversation.failed(response_id, "late")
    driver.conversation.spoken_out(response_id)
    assert driver.sent() == []
