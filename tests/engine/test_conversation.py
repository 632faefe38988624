"""The conversation as a client sees it: client events in, server events out (protocol document, section 16)."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rtagent.engine._brain import Utterance

from rtagent import events
from rtagent.audio import AudioFormat
from rtagent.engine import _conversation_items, _conversation_replies
from rtagent.engine._conversation_work import (
    Conclude,
    Decide,
    Feed,
    Forget,
    LearnTools,
    PartKey,
    Recognise,
    Stop,
)
from rtagent.engine._turns import SpeechStarted, SpeechStopped

MANUAL = {"input": {"turn_detection": None}}
PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()


def kinds(wires: list[dict[str, Any]]) -> list[str]:
    return [wire["type"] for wire in wires]


def code(wires: list[dict[str, Any]]) -> str:
    (error,) = wires
    assert error["type"] == "error"
    assert error["error"]["message"]
    return str(error["error"]["code"])


def item_id_of(wires: list[dict[str, Any]]) -> str:
    return str(wires[-1]["item"]["id"])


def append(driver: Any, count: int = 1) -> None:
    for _ in range(count):
        assert driver.send("input_audio_buffer.append", audio=PIECE) == []  # S18


# -- session --------------------------------------------------------------------------------------------------


def test_the_first_event_is_the_session(driver: Any):  # S3
    driver.conversation.open()
    (created,) = driver.sent()
    assert created["type"] == "session.created"
    assert {"type", "id", "object", "model", "expires_at", "audio", "tools"} <= created["session"].keys()


def test_every_update_is_answered_by_the_whole_configuration(driver: Any):  # S4
    answer = driver.session(instructions="Sing.")
    assert answer["type"] == "session.updated"
    assert answer["session"]["instructions"] == "Sing."
    assert answer["session"]["audio"]["output"]["voice"] == "alloy"
    assert driver.session(tracing="auto")["session"]["instructions"] == "Sing."


def test_a_refused_update_names_the_clients_event(driver: Any):  # S4, S12
    got = driver.send(
        "session.update",
        event_id="mine",
        session={"type": "realtime", "instructions": "x", "output_modalities": ["smell"]},
    )
    assert code(got) == "invalid_value"
    assert got[0]["error"]["event_id"] == "mine"
    assert got[0]["error"]["param"] == "session.output_modalities"
    assert got[0]["error"]["type"] == "invalid_request_error"
    assert driver.session()["session"]["instructions"] == ""


def test_the_ears_learn_the_tools(drive: Callable[..., Any]):
    tool = {"type": "function", "name": "light"}
    driver = drive(tools=[tool])
    driver.session(tools=[{"type": "function", "name": "door"}])
    driver.session(instructions="No new tools.")
    assert [[tool["name"] for tool in work.tools] for work in driver.asked(LearnTools)] == [
        ["light"],
        ["door"],
    ]


def test_the_voice_is_frozen_after_the_first_audio(driver: Any):
    driver.session(audio={"output": {"voice": "ash"}})
    driver.answer()
    got = driver.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "echo"}}})
    assert code(got) == "cannot_update_voice"


def test_the_end_of_the_sessions_time_is_told(driver: Any):
    driver.conversation.expire()
    (error,) = driver.sent()
    assert error["error"]["code"] == "session_expired"
    assert error["error"]["event_id"] is None


def test_what_is_no_event_is_answered(driver: Any):  # S13
    driver.conversation.malformed(events.ClientEventError("no JSON", code="invalid_json", event_id="e"))
    (error,) = driver.sent()
    assert (error["error"]["code"], error["error"]["event_id"]) == ("invalid_json", "e")


def test_webrtc_events_have_no_meaning_here(driver: Any):
    assert code(driver.send("output_audio_buffer.clear")) == "unsupported_event"


# -- items ----------------------------------------------------------------------------------------------------


def test_created_items_are_added_and_done_in_their_place(driver: Any):  # S7
    added, done = driver.say("one", id="a")
    assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
    assert added["previous_item_id"] is None
    assert added["item"] == done["item"]
    assert added["item"] == {
        "type": "message",
        "role": "user",
        "id": "a",
        "object": "realtime.item",
        "status": "completed",
        "content": [{"type": "input_text", "text": "one"}],
    }
    assert driver.say("two", id="b")[0]["previous_item_id"] == "a"


def test_an_item_without_an_id_gets_one(driver: Any):
    assert 0 < len(item_id_of(driver.say("one"))) <= 32


@pytest.mark.parametrize(("behind", "before"), [("root", None), ("a", "a"), ("b", "b"), (None, "b")])
def test_an_item_goes_where_it_is_told(driver: Any, behind: str | None, before: str | None):
    driver.say("one", id="a")
    driver.say("two", id="b")
    item = {"type": "message", "role": "system", "content": []}
    added, done = driver.send("conversation.item.create", item=item, previous_item_id=behind)
    assert added["previous_item_id"] == done["previous_item_id"] == before


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"item": {"type": "message", "role": "user", "id": "a", "content": []}},
            "item_create_duplicate_item_id",
        ),
        (
            {"item": {"type": "message", "role": "user", "id": "x" * 33, "content": []}},
            "string_above_max_length",
        ),
        (
            {"item": {"type": "message", "role": "user", "content": []}, "previous_item_id": "nobody"},
            "item_not_found",
        ),
        (
            {"item": {"type": "message", "role": "assistant", "content": [{"type": "output_audio"}]}},
            "invalid_value",
        ),
        ({"item": {"type": "item_reference", "id": "b"}}, "invalid_value"),
    ],
)
def test_items_that_cannot_be(driver: Any, fields: dict[str, Any], expected: str):
    driver.say("one", id="a")
    got = driver.send("conversation.item.create", event_id="mine", **fields)
    assert code(got) == expected
    assert got[0]["error"]["event_id"] == "mine"
    assert driver.say("two")[0]["previous_item_id"] == "a"


def test_retrieve_gives_the_item(driver: Any):
    added, _ = driver.say("one", id="a")
    (retrieved,) = driver.send("conversation.item.retrieve", item_id="a")
    assert (retrieved["type"], retrieved["item"]) == ("conversation.item.retrieved", added["item"])


def test_retrieve_gives_audio_that_is_nowhere_else(driver: Any):
    content = [{"type": "input_text", "text": "Listen:"}, {"type": "input_audio", "audio": PIECE}]
    added, done = driver.send(
        "conversation.item.create", item={"type": "message", "role": "user", "id": "a", "content": content}
    )
    assert added["item"]["content"] == done["item"]["content"] == [content[0], {"type": "input_audio"}]
    (retrieved,) = driver.send("conversation.item.retrieve", item_id="a")
    assert retrieved["item"]["content"] == content


def test_retrieve_gives_the_assistants_voice(driver: Any):
    item_id = driver.answer(ms=400)
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=item_id)
    (part,) = retrieved["item"]["content"]
    assert part["transcript"] == "Hello there."
    assert len(base64.b64decode(part["audio"])) == 48 * 400


def test_retrieve_leaves_too_much_audio_out(driver: Any, monkeypatch: pytest.MonkeyPatch):  # S17
    monkeypatch.setattr(_conversation_items, "RETRIEVED_AUDIO_BYTES", 48 * 399)
    item_id = driver.answer(ms=400)
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["content"] == [{"type": "output_audio", "transcript": "Hello there."}]


def test_old_sound_is_forgotten_beyond_its_bound(driver: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_conversation_items, "KEPT_AUDIO_BYTES", 48 * 600)
    old, young = driver.answer(ms=400), driver.answer(ms=400)
    driver.say("and another item")
    content = [
        driver.send("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]
        for item_id in (old, young)
    ]
    assert ["audio" in part for part in content] == [False, True]
    assert driver.send("conversation.item.truncate", item_id=old, content_index=0, audio_end_ms=400)[0][
        "type"
    ].endswith("truncated")


def test_the_number_of_items_is_bounded(driver: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_conversation_items, "MAX_ITEMS", 1)
    driver.say("one")
    assert code(driver.say("two")) == "conversation_full"


def test_delete_takes_an_item_out(driver: Any):
    driver.say("one", id="a")
    driver.say("two", id="b")
    (deleted,) = driver.send("conversation.item.delete", item_id="b")
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", "b")
    assert driver.say("three")[0]["previous_item_id"] == "a"


@pytest.mark.parametrize("kind", ["retrieve", "delete", "truncate"])
def test_unknown_items_are_an_error(driver: Any, kind: str):
    more = {"content_index": 0, "audio_end_ms": 0} if kind == "truncate" else {}
    assert code(driver.send(f"conversation.item.{kind}", item_id="nobody", **more)) == "item_not_found"


# -- what the brain reads -------------------------------------------------------------------------------------


def history(driver: Any) -> tuple[Utterance, ...]:
    driver.respond()
    said: tuple[Utterance, ...] = driver.asked(Decide)[-1].input.history
    driver.send("response.cancel")
    return said


def test_the_brain_reads_the_conversation_in_order(driver: Any):
    create = "conversation.item.create"
    driver.send(
        create,
        item={"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]},
    )
    driver.say("Light on.")
    driver.send(create, item={"type": "function_call", "name": "light", "call_id": "c1", "arguments": "{}"})
    driver.send(create, item={"type": "function_call_output", "call_id": "c1", "output": "done"})
    driver.send(
        create,
        item={
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "It is on."}],
        },
    )
    driver.answer("You are welcome.")
    said = history(driver)
    assert [
        (utterance.role, utterance.text) for utterance in said if utterance.role in ("system", "user")
    ] == [
        ("system", "Be kind."),
        ("user", "Light on."),
    ]
    assert [utterance.text for utterance in said if utterance.role == "assistant"] == [
        "It is on.",
        "You are welcome.",
    ]
    tool = next(utterance for utterance in said if utterance.role == "tool")
    assert (tool.text, tool.name, tool.call_id) == ("done", "light", "c1")


def test_what_the_brain_is_asked(drive: Callable[..., Any]):
    driver = drive(instructions="Be brief.", tools=[{"type": "function", "name": "f"}])
    driver.respond(tool_choice="required")
    (order,) = driver.asked(Decide)
    assert order.input.instructions == "Be brief."
    assert [tool["name"] for tool in order.input.tools] == ["f"]
    assert order.input.tool_choice == "required"


def test_parts_of_one_item_are_read_together(driver: Any):
    content = [
        {"type": "input_text", "text": "Here: "},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_audio", "audio": PIECE, "transcript": "ignored"},
    ]
    (added, _) = driver.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": content}
    )
    part = PartKey(added["item"]["id"], 2)
    assert driver.asked(Recognise) == [Recognise(part, AudioFormat.pcm16(), bytes(48 * PIECE_MS))]
    driver.conversation.recognised(part, "hello")
    assert history(driver) == (Utterance("user", "Here: hello"),)


def test_unknown_items_say_nothing_to_the_brain(driver: Any):
    response_id = driver.respond(input=[{"type": "message", "role": "user", "content": []}])
    driver.send("response.cancel", response_id=response_id)
    assert driver.asked(Decide)[-1].input.history == (Utterance("user", ""),)


# -- truncation -----------------------------------------------------------------------------------------------


def truncate(driver: Any, item_id: str, audio_end_ms: int, content_index: int = 0) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = driver.send(
        "conversation.item.truncate",
        item_id=item_id,
        content_index=content_index,
        audio_end_ms=audio_end_ms,
    )
    return got


@pytest.mark.parametrize(
    ("audio_end_ms", "heard"),
    [
        (0, ""),
        (100, "One"),
        (199, "One two"),
        (200, "One two three"),
        (230, "One two three"),
        (300, "One two three four five"),
        (400, "One two three four five six seven eight."),
    ],
)
def test_the_brain_remembers_what_was_heard(driver: Any, audio_end_ms: int, heard: str):
    response_id = driver.respond()
    driver.decide(response_id, "One two three four five six seven eight.")
    (words, _) = driver.speak(response_id, "One two three ", 150)
    driver.speak(response_id, "", 50)
    driver.speak(response_id, "four five six seven eight.", 200)
    driver.speak_out(response_id)
    item_id = words["item_id"]
    (ack,) = truncate(driver, item_id, audio_end_ms)
    assert {key: ack[key] for key in ("type", "item_id", "content_index", "audio_end_ms")} == {
        "type": "conversation.item.truncated",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": audio_end_ms,
    }
    assert history(driver)[-1] == Utterance("assistant", heard)
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=item_id)
    (part,) = retrieved["item"]["content"]
    assert "transcript" not in part  # S17: it goes with the audio
    assert len(base64.b64decode(part.get("audio", ""))) == 48 * audio_end_ms


def test_truncating_twice_only_shortens(driver: Any):
    item_id = driver.answer("One two three four.", ms=400)
    truncate(driver, item_id, 200)
    assert code(truncate(driver, item_id, 300)) == "invalid_value"
    assert kinds(truncate(driver, item_id, 100)) == ["conversation.item.truncated"]


def test_a_cut_item_stays_cut_while_the_voice_goes_on(driver: Any):
    response_id = driver.respond()
    driver.decide(response_id, "One two.")
    (words, _) = driver.speak(response_id, "One ", 200)
    truncate(driver, words["item_id"], 200)
    assert kinds(driver.speak(response_id, "two.", 200))  # the client hears it, the history does not
    got = driver.speak_out(response_id)
    assert got[-1]["response"]["output"][0]["content"] == [{"type": "output_audio"}]
    assert history(driver)[-1] == Utterance("assistant", "One")


@pytest.mark.parametrize(
    ("audio_end_ms", "expected"),
    [(-1, "integer_below_min_value"), (401, "invalid_value"), (10**9, "invalid_value")],
)
def test_times_outside_of_the_voice(driver: Any, audio_end_ms: int, expected: str):
    item_id = driver.answer(ms=400)
    assert code(truncate(driver, item_id, audio_end_ms)) == expected
    assert history(driver)[-1] == Utterance("assistant", "Hello there.")


def test_only_the_assistants_voice_can_be_truncated(driver: Any):
    user = item_id_of(driver.say("one"))
    voice = driver.answer()
    content = [{"type": "input_audio", "audio": PIECE}]
    spoken = item_id_of(
        driver.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    )
    for item_id, index in ((user, 0), (voice, 1), (spoken, 0)):
        got = truncate(driver, item_id, 0, index)
        assert code(got) == "unsupported_content_type"
        assert got[0]["error"]["message"] == "Only model output audio messages can be truncated"


# -- manual turns ---------------------------------------------------------------------------------------------


def test_a_commit_makes_an_item_and_no_response(driver: Any):  # S18, T4
    driver.session(audio=MANUAL)
    append(driver, 2)
    before = item_id_of(driver.say("one"))
    committed, added, done = driver.send("input_audio_buffer.commit")
    assert (committed["type"], committed["previous_item_id"]) == ("input_audio_buffer.committed", before)
    assert added["item"] == done["item"]
    assert (added["item"]["id"], added["previous_item_id"]) == (committed["item_id"], before)
    assert added["item"]["content"] == [{"type": "input_audio"}]
    part = PartKey(committed["item_id"], 0)
    pcm = AudioFormat.pcm16()
    assert driver.asked(Feed) == [Feed(part, pcm, bytes(48 * PIECE_MS))] * 2  # it was heard while it came
    assert driver.asked(Conclude) == [Conclude(part)]
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=part.item_id)
    assert len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) == 48 * 2 * PIECE_MS


@pytest.mark.parametrize("audio", [MANUAL, {}])
def test_too_little_is_not_committed(driver: Any, audio: dict[str, Any]):
    driver.session(audio=audio)
    driver.send("input_audio_buffer.append", audio=base64.b64encode(bytes(48 * 99)).decode())
    assert code(driver.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"
    driver.send("input_audio_buffer.append", audio=base64.b64encode(bytes(48)).decode())
    assert kinds(driver.send("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"


def test_clear_drops_what_is_pending(driver: Any):
    driver.session(audio=MANUAL)
    append(driver)
    assert kinds(driver.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert len(driver.asked(Forget)) == 1
    assert kinds(driver.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert len(driver.asked(Forget)) == 1
    assert code(driver.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"


def test_audio_that_is_none_is_an_error(driver: Any):  # S13
    driver.conversation.receive(events.InputAudioBufferAppend(audio="!", event_id="mine"))
    (error,) = driver.sent()
    assert (error["type"], error["error"]["event_id"]) == ("error", "mine")


def test_a_response_waits_for_the_words_it_answers(driver: Any):
    driver.session(audio=MANUAL)
    append(driver)
    part = PartKey(driver.send("input_audio_buffer.commit")[0]["item_id"], 0)
    (created,) = driver.send("response.create")
    assert created["type"] == "response.created"
    assert driver.asked(Decide) == []
    driver.conversation.recognised(PartKey("somebody", 0), "else")
    assert driver.sent() == []
    driver.conversation.recognised(part, "light on")
    driver.sent()
    (order,) = driver.asked(Decide)
    assert order.input.history == (Utterance("user", "light on"),)


def test_words_that_never_come_are_silence(driver: Any):
    driver.session(audio=MANUAL)
    append(driver)
    part = PartKey(driver.send("input_audio_buffer.commit")[0]["item_id"], 0)
    driver.respond()
    driver.conversation.unheard(part, "deaf")
    assert driver.sent() == []  # no transcription was asked for
    (order,) = driver.asked(Decide)
    assert order.input.history == (Utterance("user", ""),)


def test_g711_is_heard_in_its_own_format(driver: Any):
    driver.session(audio={"input": {"turn_detection": None, "format": {"type": "audio/pcmu"}}})
    driver.send("input_audio_buffer.append", audio=base64.b64encode(bytes(800)).decode())
    (feed,) = driver.asked(Feed)
    assert (feed.format, len(feed.audio)) == (AudioFormat.pcmu(), 800)
    assert kinds(driver.send("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"


# -- turn detection -------------------------------------------------------------------------------------------


def test_a_turn_from_speech_to_response(driver: Any):  # S19, T1
    append(driver, 5)
    (started,) = driver.hear(SpeechStarted(200))
    assert started["type"] == "input_audio_buffer.speech_started"
    assert started["audio_start_ms"] == 200
    part = PartKey(started["item_id"], 0)
    got = driver.hear(SpeechStopped(680))
    assert kinds(got) == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    assert {event["item_id"] for event in got[:2]} == {part.item_id}
    assert got[2]["item"]["id"] == part.item_id
    assert got[0]["audio_end_ms"] == 680
    assert [(feed.part, len(feed.audio) // 48) for feed in driver.asked(Feed)] == [(part, 400), (part, 80)]
    assert driver.asked(Conclude) == [Conclude(part)]
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=part.item_id)
    assert len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) == 48 * 480


def test_two_turns_in_one_append(driver: Any):
    got = driver.hear(
        SpeechStarted(0), SpeechStopped(200), SpeechStarted(250), SpeechStopped(400), pcm=bytes(48 * 500)
    )
    assert kinds(got).count("input_audio_buffer.committed") == 2
    assert kinds(got).count("response.created") == 2  # the second turn has cut off the first answer
    done = next(event for event in got if event["type"] == "response.done")
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    ids = [event["item_id"] for event in got if event["type"] == "input_audio_buffer.committed"]
    assert len(set(ids)) == 2


def test_speech_stops_the_voice_before_it_is_even_over(driver: Any):  # S19
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    driver.speak(response_id, "Good ", 100)
    got = driver.hear(SpeechStarted(0))
    assert kinds(got)[0] == "input_audio_buffer.speech_started"
    done = got[-1]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert done["output"][0]["status"] == "incomplete"
    assert driver.asked(Stop) == [Stop(response_id)]
    assert driver.speak(response_id, "day.", 100) == []


def test_a_response_beside_is_not_interrupted(driver: Any):  # S15
    response_id = driver.respond(conversation="none")
    assert kinds(driver.hear(SpeechStarted(0))) == ["input_audio_buffer.speech_started"]
    assert driver.decide(response_id, "Still here.")


def test_without_create_response_the_client_decides(driver: Any):  # T2
    driver.session(audio={"input": {"turn_detection": {"create_response": False}}})
    got = driver.hear(SpeechStarted(0), SpeechStopped(100))
    assert kinds(got)[-1] == "conversation.item.done"


def test_without_interrupt_response_the_voice_goes_on(driver: Any):  # T3
    driver.session(audio={"input": {"turn_detection": {"interrupt_response": False}}})
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    got = driver.hear(SpeechStarted(0), SpeechStopped(100))
    assert "response.done" not in kinds(got)
    assert "response.created" not in kinds(got)
    assert driver.speak(response_id, "Good day.")


def test_a_commit_in_mid_speech_takes_the_turn(driver: Any):  # T6
    (started,) = driver.hear(SpeechStarted(0), pcm=bytes(48 * 200))
    committed, *_ = driver.send("input_audio_buffer.commit")
    assert committed["item_id"] == started["item_id"]
    assert driver.hear(SpeechStopped(300)) == []  # a detector that was made anew would not say that
    assert kinds(driver.hear(SpeechStarted(100)))[0] == "input_audio_buffer.speech_started"


def test_a_commit_in_silence_is_heard_whole(driver: Any):
    append(driver, 2)
    committed, *_ = driver.send("input_audio_buffer.commit")
    (feed,) = driver.asked(Feed)
    assert (feed.part.item_id, len(feed.audio)) == (committed["item_id"], 48 * 2 * PIECE_MS)


def test_times_go_on_after_a_clear(driver: Any):  # T7
    append(driver, 3)
    driver.send("input_audio_buffer.clear")
    (started,) = driver.hear(SpeechStarted(40))
    assert started["audio_start_ms"] == 340


def test_changing_to_manual_keeps_pending_audio(driver: Any):  # T8
    driver.hear(SpeechStarted(0))
    driver.session(audio=MANUAL)
    assert len(driver.asked(Forget)) == 1
    append(driver)
    committed, *_ = driver.send("input_audio_buffer.commit")
    heard = [len(feed.audio) for feed in driver.asked(Feed) if feed.part.item_id == committed["item_id"]]
    assert heard == [48 * 2 * PIECE_MS]


def test_semantic_turn_detection_works_like_a_patient_one(driver: Any):  # S5
    answer = driver.session(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}})
    assert answer["session"]["audio"]["input"]["turn_detection"]["eagerness"] == "low"
    assert driver.takings[-1].silence_duration_ms == 1200
    assert kinds(driver.hear(SpeechStarted(0), SpeechStopped(100)))[-1] == "response.created"


# -- transcription --------------------------------------------------------------------------------------------

TRANSCRIBED = {"input": {"transcription": {"model": "any"}}}
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"


def partial(driver: Any, part: PartKey, text: str) -> list[str]:
    driver.conversation.partial(part, text)
    got = driver.sent()
    assert all(event["type"] == DELTA and event["content_index"] == 0 for event in got)
    return [event["delta"] for event in got]


def test_transcription_while_the_user_speaks(driver: Any):  # S10
    driver.session(audio=TRANSCRIBED)
    (started,) = driver.hear(SpeechStarted(0), pcm=bytes(48 * 500))
    part = PartKey(started["item_id"], 0)
    assert partial(driver, part, "turn") == ["turn"]
    assert partial(driver, part, "turn it") == [" it"]
    assert partial(driver, part, "turn it") == []
    assert partial(driver, part, "turned") == []  # takes words back: held
    driver.hear(SpeechStopped(500))
    driver.conversation.recognised(part, "turn it on")
    delta, completed = driver.sent()
    assert (delta["type"], delta["delta"]) == (DELTA, " on")
    assert completed["type"] == COMPLETED
    assert (completed["item_id"], completed["content_index"]) == (part.item_id, 0)
    assert completed["transcript"] == "turn it on"
    assert completed["usage"] == {"type": "duration", "seconds": 0.5}
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=part.item_id)
    assert retrieved["item"]["content"][0]["transcript"] == "turn it on"


def test_a_final_transcript_may_differ(driver: Any):
    driver.session(audio=TRANSCRIBED)
    (started,) = driver.hear(SpeechStarted(0))
    part = PartKey(started["item_id"], 0)
    partial(driver, part, "recognise")
    driver.hear(SpeechStopped(100))
    driver.conversation.recognised(part, "wreck a nice beach")
    (completed,) = driver.sent()
    assert completed["transcript"] == "wreck a nice beach"


def test_partials_of_an_item_that_the_client_does_not_know_yet_wait(driver: Any):
    driver.session(audio={"input": {**TRANSCRIBED["input"], **MANUAL["input"]}})
    append(driver)
    (feed,) = driver.asked(Feed)
    assert partial(driver, feed.part, "turn it") == []
    got = driver.send("input_audio_buffer.commit")
    assert kinds(got)[-1] == DELTA
    assert got[-1]["delta"] == "turn it"


def test_no_transcription_without_being_asked(driver: Any):
    (started,) = driver.hear(SpeechStarted(0))
    part = PartKey(started["item_id"], 0)
    assert partial(driver, part, "turn") == []
    driver.hear(SpeechStopped(100))
    driver.conversation.recognised(part, "turn it on")
    assert driver.sent() == []
    assert driver.asked(Decide)[-1].input.history[-1].text == "turn it on"


def test_a_failed_transcription_marks_the_item(driver: Any):
    driver.session(audio=TRANSCRIBED)
    got = driver.hear(SpeechStarted(0), SpeechStopped(100))
    item_id = got[0]["item_id"]
    driver.conversation.unheard(PartKey(item_id, 0), "deaf")
    (failed,) = driver.sent()
    assert failed["type"] == "conversation.item.input_audio_transcription.failed"
    assert (failed["item_id"], failed["content_index"]) == (item_id, 0)
    assert failed["error"]["message"] == "deaf"


def test_words_of_a_deleted_item_are_not_told(driver: Any):
    driver.session(audio=TRANSCRIBED)
    part = PartKey(driver.hear(SpeechStarted(0), SpeechStopped(100))[0]["item_id"], 0)
    driver.send("conversation.item.delete", item_id=part.item_id)
    assert partial(driver, part, "turn") == []
    driver.conversation.recognised(part, "turn it on")
    assert driver.sent() == []
    assert driver.asked(Decide)


def test_words_for_nobody_are_dropped(driver: Any):
    driver.conversation.partial(PartKey("nobody", 0), "a")
    driver.conversation.recognised(PartKey("nobody", 0), "a")
    driver.conversation.unheard(PartKey("nobody", 0), "a")
    assert driver.sent() == []


# -- responses ------------------------------------------------------------------------------------------------


def test_one_active_response(driver: Any):  # S15
    response_id = driver.respond()
    got = driver.send("response.create", event_id="mine")
    assert code(got) == "conversation_already_has_active_response"
    assert response_id in got[0]["error"]["message"]
    assert got[0]["error"]["event_id"] == "mine"
    driver.decide(response_id, None)
    assert driver.respond()


def test_cancel_when_idle(driver: Any):  # S15
    got = driver.send("response.cancel", event_id="mine")
    assert code(got) == "response_cancel_not_active"
    assert got[0]["error"]["event_id"] == "mine"
    response_id = driver.respond()
    assert code(driver.send("response.cancel", response_id="resp_else")) == "response_cancel_not_active"
    driver.decide(response_id, None)
    assert code(driver.send("response.cancel", response_id=response_id)) == "response_cancel_not_active"


def test_responses_beside_run_in_parallel(driver: Any):  # S15
    active = driver.respond()
    one, other = driver.respond(conversation="none"), driver.respond(conversation="none")
    (done,) = driver.send("response.cancel", response_id=one)
    assert done["response"]["id"] == one
    assert driver.decide(other, None)[0]["response"]["id"] == other
    assert code(driver.send("response.create")) == "conversation_already_has_active_response"  # A2
    assert driver.decide(active, None)
    assert driver.respond()


def test_responses_beside_are_bounded(driver: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_conversation_replies, "MAX_BESIDE", 1)
    driver.respond(conversation="none")
    driver.respond(conversation="none")
    assert code(driver.send("response.create", response={"conversation": "none"})) == "rate_limit_exceeded"


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
    assert code(got)
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


# -- anything at all, in any order ----------------------------------------------------------------------------

_IDS = st.sampled_from(["a", "b", "c", "root", "x" * 33])
_CLIENT = st.one_of(
    st.tuples(st.just("input_audio_buffer.append"), st.just({"audio": PIECE})),
    st.tuples(st.just("input_audio_buffer.commit"), st.just({})),
    st.tuples(st.just("input_audio_buffer.clear"), st.just({})),
    st.tuples(
        st.just("conversation.item.create"),
        st.fixed_dictionaries(
            {"item": _IDS.map(lambda name: {"type": "message", "role": "user", "id": name, "content": []})},
            optional={"previous_item_id": _IDS},
        ),
    ),
    st.tuples(
        st.just("conversation.item.create"),
        st.just(
            {
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_audio", "audio": PIECE}],
                }
            }
        ),
    ),
    st.tuples(st.just("conversation.item.delete"), st.fixed_dictionaries({"item_id": _IDS})),
    st.tuples(st.just("conversation.item.retrieve"), st.fixed_dictionaries({"item_id": _IDS})),
    st.tuples(
        st.just("response.create"),
        st.fixed_dictionaries(
            {},
            optional={
                "response": st.sampled_from(
                    [{}, {"conversation": "none"}, {"output_modalities": ["text"]}, {"max_output_tokens": 1}]
                )
            },
        ),
    ),
    st.tuples(st.just("response.cancel"), st.just({})),
    st.tuples(
        st.just("session.update"),
        st.sampled_from([None, {}, {"create_response": False}, {"interrupt_response": False}]).map(
            lambda taking: {
                "session": {"type": "realtime", "audio": {"input": {"turn_detection": taking}}},
            }
        ),
    ),
)
_TURNS = st.sampled_from([(SpeechStarted(0),), (SpeechStopped(100),), (SpeechStarted(0), SpeechStopped(90))])
_STEPS = st.one_of(
    _CLIENT,
    _TURNS.map(lambda turns: ("hear", turns)),
    st.integers(0, 3).map(lambda number: ("work", number)),
    st.sampled_from([("truncate", 10), ("truncate", 0), ("retrieve", None)]),
)


class Laws:
    """What holds whatever happens; fed with everything that is sent."""

    def __init__(self) -> None:
        self.event_ids: set[str] = set()
        self.running: dict[str, bool] = {}
        self.done: Counter[str] = Counter()
        self.voice = "a"
        """The item that was heard last."""

    def check(self, wires: list[dict[str, Any]]) -> None:
        for wire in wires:
            assert wire["event_id"] not in self.event_ids
            self.event_ids.add(wire["event_id"])
            kind = wire["type"]
            if kind == "response.created":
                self.running[wire["response"]["id"]] = wire["response"]["conversation_id"] is not None
                assert sum(self.running.values()) <= 1
            elif kind == "response.done":
                response = wire["response"]
                del self.running[response["id"]]
                self.done[response["id"]] += 1
                assert self.done[response["id"]] == 1
                assert response["status"] in ("completed", "cancelled", "incomplete")
                assert all(item["status"] in ("completed", "incomplete") for item in response["output"])
            elif kind.startswith("response."):
                assert wire["response_id"] in self.running
            if kind == "response.output_audio.delta":
                self.voice = wire["item_id"]
            assert all(isinstance(value, int) for name, value in wire.items() if name.endswith("_ms"))
            assert not re.search("exception|traceback", str(wire).lower())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(st.lists(_STEPS, max_size=40))
def test_whatever_a_client_does_the_laws_hold(drive: Callable[..., Any], steps: list[tuple[str, Any]]):
    driver = drive()
    laws = Laws()
    for kind, detail in steps:
        match kind:
            case "hear":
                laws.check(driver.hear(*detail))
            case "work":
                laws.check(driver.work_off(detail))
            case "truncate":
                laws.check(truncate(driver, laws.voice, detail))
            case "retrieve":
                laws.check(driver.send("conversation.item.retrieve", item_id=laws.voice))
            case _:
                laws.check(driver.send(kind, **detail))
    laws.check(driver.work_off())
    assert laws.running == {}
    assert not driver.conversation.busy
