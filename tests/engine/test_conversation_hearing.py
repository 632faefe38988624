"""Recognition, and the transcription events that a client asks for (S10)."""

from __future__ import annotations

import base64
from typing import Any

from rtagent.engine._conversation_work import (
    Decide,
    Feed,
    PartKey,
)
from rtagent.engine._turns import SpeechStarted, SpeechStopped

MANUAL = {"input": {"turn_detection": None}}
PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()
TRANSCRIBED = {"input": {"transcription": {"model": "any"}}}
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"


def append(driver: Any, count: int = 1) -> None:
    for _ in range(count):
        assert driver.send("input_audio_buffer.append", audio=PIECE) == []  # S18


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
    assert driver.kinds(got)[-1] == DELTA
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


def test_sound_that_came_as_an_item_is_transcribed_too(driver: Any):
    driver.session(audio=TRANSCRIBED)
    assert not driver.conversation.busy
    content = [{"type": "input_audio", "audio": PIECE}]
    item = {"type": "message", "role": "user", "content": content}
    added, *_ = driver.send("conversation.item.create", item=item)
    assert driver.conversation.busy
    driver.conversation.recognised(PartKey(added["item"]["id"], 0), "hello")
    assert driver.kinds(driver.sent()) == [DELTA, COMPLETED]
    assert not driver.conversation.busy


def test_speech_that_became_void_is_not_told(driver: Any):
    driver.session(audio=TRANSCRIBED)
    (started,) = driver.hear(SpeechStarted(0))
    driver.send("input_audio_buffer.clear")
    assert partial(driver, PartKey(started["item_id"], 0), "turn") == []
