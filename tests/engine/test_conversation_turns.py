"""The user's turns, found by the server or committed by the client (S18, S19)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rtagent import events
from rtagent.audio import AudioFormat
from rtagent.engine._brain import Utterance
from rtagent.engine._conversation_work import (
    Conclude,
    Decide,
    Feed,
    Forget,
    PartKey,
    Stop,
)
from rtagent.engine._turns import SpeechStarted, SpeechStopped

MANUAL = {"input": {"turn_detection": None}}
PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()


def append(driver: Any, count: int = 1) -> None:
    for _ in range(count):
        assert driver.send("input_audio_buffer.append", audio=PIECE) == []  # S18


def test_a_commit_makes_an_item_and_no_response(driver: Any):  # S18, T4
    driver.session(audio=MANUAL)
    append(driver, 2)
    before = driver.say("one")[-1]["item"]["id"]
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
    assert driver.code(driver.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"
    driver.send("input_audio_buffer.append", audio=base64.b64encode(bytes(48)).decode())
    assert driver.kinds(driver.send("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"


def test_clear_drops_what_is_pending(driver: Any):
    driver.session(audio=MANUAL)
    append(driver)
    assert driver.kinds(driver.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert len(driver.asked(Forget)) == 1
    assert driver.kinds(driver.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert len(driver.asked(Forget)) == 1
    assert driver.code(driver.send("input_audio_buffer.commit")) == "input_audio_buffer_commit_empty"


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
    assert driver.kinds(driver.send("input_audio_buffer.commit"))[0] == "input_audio_buffer.committed"


def test_a_turn_from_speech_to_response(driver: Any):  # S19, T1
    append(driver, 5)
    (started,) = driver.hear(SpeechStarted(200))
    assert started["type"] == "input_audio_buffer.speech_started"
    assert started["audio_start_ms"] == 200
    part = PartKey(started["item_id"], 0)
    got = driver.hear(SpeechStopped(680))
    assert driver.kinds(got) == [
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
    assert driver.kinds(got).count("input_audio_buffer.committed") == 2
    assert driver.kinds(got).count("response.created") == 2  # the second turn has cut off the first answer
    done = next(event for event in got if event["type"] == "response.done")
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    ids = [event["item_id"] for event in got if event["type"] == "input_audio_buffer.committed"]
    assert len(set(ids)) == 2


def test_speech_stops_the_voice_before_it_is_even_over(driver: Any):  # S19
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    driver.speak(response_id, "Good ", 100)
    got = driver.hear(SpeechStarted(0))
    assert driver.kinds(got)[0] == "input_audio_buffer.speech_started"
    done = got[-1]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert done["output"][0]["status"] == "incomplete"
    assert driver.asked(Stop) == [Stop(response_id)]
    assert driver.speak(response_id, "day.", 100) == []


def test_a_response_beside_is_not_interrupted(driver: Any):  # S15
    response_id = driver.respond(conversation="none")
    assert driver.kinds(driver.hear(SpeechStarted(0))) == ["input_audio_buffer.speech_started"]
    assert driver.decide(response_id, "Still here.")


def test_without_create_response_the_client_decides(driver: Any):  # T2
    driver.session(audio={"input": {"turn_detection": {"create_response": False}}})
    got = driver.hear(SpeechStarted(0), SpeechStopped(100))
    assert driver.kinds(got)[-1] == "conversation.item.done"


def test_without_interrupt_response_the_voice_goes_on(driver: Any):  # T3
    driver.session(audio={"input": {"turn_detection": {"interrupt_response": False}}})
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    got = driver.hear(SpeechStarted(0), SpeechStopped(100))
    assert "response.done" not in driver.kinds(got)
    assert "response.created" not in driver.kinds(got)
    assert driver.speak(response_id, "Good day.")


def test_a_commit_in_mid_speech_takes_the_turn(driver: Any):  # T6
    (started,) = driver.hear(SpeechStarted(0), pcm=bytes(48 * 200))
    committed, *_ = driver.send("input_audio_buffer.commit")
    assert committed["item_id"] == started["item_id"]
    assert driver.hear(SpeechStopped(300)) == []  # a detector that was made anew would not say that
    assert driver.kinds(driver.hear(SpeechStarted(100)))[0] == "input_audio_buffer.speech_started"


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
    assert driver.kinds(driver.hear(SpeechStarted(0), SpeechStopped(100)))[-1] == "response.created"


def impatient(driver: Any, **taking: Any) -> None:
    """A session that breaks a silence of five seconds, after an answer of 400 ms."""
    driver.session(audio={"input": {"turn_detection": {"idle_timeout_ms": 5000, **taking}}})
    append(driver)
    driver.answer(ms=400)


def test_a_long_silence_after_an_answer_becomes_a_turn(driver: Any):  # Z1
    impatient(driver)
    append(driver, 53)
    triggered, committed, added, _, created = driver.send("input_audio_buffer.append", audio=PIECE)
    assert triggered["type"] == "input_audio_buffer.timeout_triggered"
    assert (triggered["audio_start_ms"], triggered["audio_end_ms"]) == (500, 5500)
    assert triggered["item_id"] == committed["item_id"] == added["item"]["id"]
    assert created["type"] == "response.created"
    assert driver.asked(Decide)[-1].input.history[-1] == Utterance("user", "")
    append(driver, 60)  # while the answer to it is being made nothing is triggered


def test_a_silence_is_broken_once(driver: Any):
    impatient(driver, create_response=False)
    append(driver, 53)
    got = driver.send("input_audio_buffer.append", audio=PIECE)
    assert driver.kinds(got)[-1] == "conversation.item.done"
    append(driver, 60)


def test_speech_ends_the_silence(driver: Any):
    impatient(driver)
    append(driver, 50)
    driver.hear(SpeechStarted(0))
    append(driver, 60)


def test_nobody_waits_without_a_timeout_or_an_answer(driver: Any):
    driver.answer(ms=400)
    append(driver, 60)
    driver.session(audio={"input": {"turn_detection": {"idle_timeout_ms": 5000}}})
    append(driver, 60)  # the silence before the change does not count, and no answer has ended since
