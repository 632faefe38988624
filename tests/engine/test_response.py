"""One response: which event follows which, and with which fields (O1, S6, S8, S9, S14, S16)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rtagent.audio import AudioFormat
from rtagent.engine._conversation_work import Decide, Speak, Stop

SPOKEN = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


def kinds(wires: list[dict[str, Any]]) -> list[str]:
    return [wire["type"] for wire in wires]


def spoken_answer(driver: Any, response_id: str) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = driver.decide(response_id, "Good day.")
    got += driver.speak(response_id, "Good day.", 200)
    got += driver.speak(response_id, "", 100)
    got += driver.speak_out(response_id)
    return got


def test_a_spoken_response_in_its_order(driver: Any):  # O1
    response_id = driver.respond()
    got = spoken_answer(driver, response_id)
    assert kinds(got) == SPOKEN
    added, item_added, part_added, words, sound = got[:5]
    assert added["item"]["status"] == item_added["item"]["status"] == "in_progress"
    assert added["item"]["content"] == []
    assert part_added["part"] == {"type": "audio", "transcript": ""}
    place = {
        "response_id": response_id,
        "item_id": added["item"]["id"],
        "output_index": 0,
        "content_index": 0,
    }
    for event in (part_added, words, sound, *got[6:9]):
        assert {key: event[key] for key in place} == place
    assert words["delta"] == "Good day."
    assert len(sound["delta"]) == 48 * 200 // 3 * 4
    assert got[7]["transcript"] == "Good day."
    assert got[8]["part"] == {"type": "audio", "transcript": "Good day."}
    assert got[9]["item"] == got[10]["item"]
    assert got[9]["item"]["status"] == "completed"
    assert got[9]["item"]["content"] == [{"type": "output_audio", "transcript": "Good day."}]


def test_every_event_has_an_id_of_its_own(driver: Any):  # S6
    got = driver.say("a") + spoken_answer(driver, driver.respond())
    ids = [event["event_id"] for event in got]
    assert len(set(ids)) == len(ids)


def test_what_the_voice_is_asked_for(drive: Callable[..., Any]):
    driver = drive()
    driver.session(audio={"output": {"format": {"type": "audio/pcmu"}, "voice": "ash", "speed": 1.5}})
    response_id = driver.respond()
    driver.decide(response_id, "Hi.")
    assert driver.asked(Speak) == [Speak(response_id, "Hi.", "ash", 1.5, AudioFormat.pcmu())]


def test_a_written_response(driver: Any):
    response_id = driver.respond(output_modalities=["text"])
    got = driver.decide(response_id, "Good  day to you.")
    assert kinds(got) == [
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 5,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert "".join(event["delta"] for event in got[3:8]) == "Good  day to you."
    assert got[2]["part"] == {"type": "text", "text": ""}
    assert got[8]["text"] == "Good  day to you."
    assert got[9]["part"] == {"type": "text", "text": "Good  day to you."}
    assert got[10]["item"]["content"] == [{"type": "output_text", "text": "Good  day to you."}]
    assert got[-1]["response"]["output_modalities"] == ["text"]
    assert driver.asked(Speak) == []


def test_calls_are_items_of_their_own(driver: Any):  # S9
    response_id = driver.respond()
    got = driver.decide(response_id, "", ("light", {"on": True}), ("door", {}))
    one = [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
    ]
    assert kinds(got) == [*one, *one, "response.done"]
    added, _, delta, done, finished, _ = got[:6]
    assert (added["item"]["status"], added["item"]["arguments"]) == ("in_progress", "")
    assert delta["delta"] == '{"on": true}'
    assert {key: done[key] for key in ("response_id", "item_id", "output_index", "name", "arguments")} == {
        "response_id": response_id,
        "item_id": added["item"]["id"],
        "output_index": 0,
        "name": "light",
        "arguments": '{"on": true}',
    }
    assert done["call_id"] == delta["call_id"] == added["item"]["call_id"] == finished["item"]["call_id"]
    assert finished["item"]["status"] == "completed"
    assert [got[6]["output_index"], got[9]["output_index"]] == [1, 1]
    output = got[-1]["response"]["output"]
    assert [item["name"] for item in output] == ["light", "door"]
    assert output[0]["call_id"] != output[1]["call_id"]


def test_words_come_before_calls(driver: Any):
    response_id = driver.respond()
    driver.decide(response_id, "One moment.", ("light", {}))
    driver.speak(response_id, "One moment.")
    got = driver.speak_out(response_id)
    assert kinds(got)[-1] == "response.done"
    assert [item["type"] for item in got[-1]["response"]["output"]] == ["message", "function_call"]
    assert got[-2]["item"]["type"] == "function_call"


def test_nothing_to_say_is_a_response_too(driver: Any):
    response_id = driver.respond()
    (done,) = driver.decide(response_id)
    assert done["response"]["status"] == "completed"
    assert done["response"]["output"] == []


def test_the_response_object(driver: Any):
    (created,) = driver.send("response.create", response={"metadata": {"turn": "7"}})
    shown = created["response"]
    assert shown["metadata"] == {"turn": "7"}  # S14
    assert (shown["object"], shown["status"], shown["output"]) == ("realtime.response", "in_progress", [])
    assert shown["usage"] is None
    assert shown["conversation_id"].startswith("conv_")
    assert shown["audio"]["output"] == {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "alloy"}
    assert shown["max_output_tokens"] == "inf"
    done = spoken_answer(driver, shown["id"])[-1]["response"]
    assert (done["id"], done["status"], done["metadata"]) == (shown["id"], "completed", {"turn": "7"})
    assert done["status_details"] is None


def test_cancel_while_speaking(driver: Any):  # S16
    response_id = driver.respond()
    driver.decide(response_id, "Good day to you all.")
    driver.speak(response_id, "Good day ", 200)
    got = driver.send("response.cancel")
    assert kinds(got) == SPOKEN[6:]
    assert got[1]["transcript"] == "Good day "
    assert got[3]["item"]["status"] == "incomplete"
    done = got[-1]["response"]
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert done["output"][0]["status"] == "incomplete"
    assert driver.asked(Stop) == [Stop(response_id)]


@pytest.mark.parametrize("stage", ["waiting", "deciding"])
def test_cancel_before_anything_was_said(driver: Any, stage: str):
    if stage == "waiting":
        driver.send("input_audio_buffer.append", audio="AAAA" * 2000)
        driver.session(audio={"input": {"turn_detection": None}})
        driver.send("input_audio_buffer.commit")
    response_id = driver.respond()
    assert bool(driver.asked(Decide)) is (stage == "deciding")
    (done,) = driver.send("response.cancel", response_id=response_id)
    assert (done["response"]["status"], done["response"]["output"]) == ("cancelled", [])
    assert driver.decide(response_id, "Too late.") == []


def test_after_done_nothing_of_a_response_follows(driver: Any):  # S16
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    driver.send("response.cancel")
    assert driver.speak(response_id, "Good day.") == []
    assert driver.speak_out(response_id) == []
    driver.conversation.failed(response_id, "late")
    assert driver.sent() == []


def test_voice_before_the_decision_is_dropped(driver: Any):
    response_id = driver.respond()
    assert driver.speak(response_id, "What?") == []
    assert driver.speak_out(response_id) == []
    assert driver.decide(response_id, "Good day.")
    assert driver.decide(response_id, "Twice.") == []


def test_a_failure_is_a_failed_response(driver: Any):
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    driver.conversation.failed(response_id, "hoarse")
    done = driver.sent()[-1]["response"]
    assert done["status"] == "failed"
    assert done["status_details"]["type"] == "failed"
    assert done["status_details"]["error"]["message"] == "hoarse"
    assert done["output"][0]["status"] == "incomplete"
    assert driver.respond()


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_too_long_is_cut_between_words(driver: Any, modality: str):
    response_id = driver.respond(max_output_tokens=3, output_modalities=[modality])
    got = driver.decide(response_id, "One two three four five.", ("f", {}))
    if modality == "audio":
        (order,) = driver.asked(Speak)
        assert order.text == "One two"
        driver.speak(response_id, order.text)
        got = driver.speak_out(response_id)
    done = got[-1]["response"]
    assert done["status"] == "incomplete"
    assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    (item,) = done["output"]
    assert item["status"] == "incomplete"
    assert item["content"][0]["type"] == f"output_{modality}"
    assert done["max_output_tokens"] == 3


def test_a_limit_that_is_not_reached_cuts_nothing(driver: Any):
    got = driver.decide(driver.respond(max_output_tokens=3, output_modalities=["text"]), "Twelve chars")
    assert got[-1]["response"]["status"] == "completed"


def test_an_out_of_band_response_leaves_the_conversation_alone(driver: Any):  # A6
    driver.say("Hello.")
    response_id = driver.respond(conversation="none")
    got = spoken_answer(driver, response_id)
    assert not [kind for kind in kinds(got) if kind.startswith("conversation.")]
    assert got[-1]["response"]["conversation_id"] is None
    item_id = got[0]["item"]["id"]
    (error,) = driver.send("conversation.item.retrieve", item_id=item_id)
    assert error["error"]["code"] == "item_not_found"


def test_an_item_that_was_deleted_meanwhile_is_not_done_in_the_conversation(driver: Any):
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    (words, _) = driver.speak(response_id, "Good day.")
    driver.send("conversation.item.delete", item_id=words["item_id"])
    got = driver.speak_out(response_id)
    assert "conversation.item.done" not in kinds(got)
    assert kinds(got)[-2:] == ["response.output_item.done", "response.done"]


def test_what_the_brain_is_asked(drive: Callable[..., Any]):
    driver = drive(instructions="Be brief.", tools=[{"type": "function", "name": "f"}])
    driver.respond(tool_choice="required")
    (order,) = driver.asked(Decide)
    assert order.input.instructions == "Be brief."
    assert [tool["name"] for tool in order.input.tools] == ["f"]
    assert order.input.tool_choice == "required"
