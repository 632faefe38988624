"""One item: its announced form, its sound, and what the brain reads of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rtagent.audio import AudioFormat
from rtagent.engine import _conversation_entry
from rtagent.engine._brain import Utterance
from rtagent.engine._conversation_work import (
    Decide,
    PartKey,
    Recognise,
)

PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()


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
    tool = next(utterance for utterance in said if utterance.role == "tool_output")
    assert (tool.text, tool.name, tool.call_id) == ("done", "light", "c1")


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
    monkeypatch.setattr(_conversation_entry, "RETRIEVED_AUDIO_BYTES", 48 * 399)
    item_id = driver.answer(ms=400)
    (retrieved,) = driver.send("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["content"] == [{"type": "output_audio", "transcript": "Hello there."}]


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
    (ack,) = driver.truncate(item_id, audio_end_ms)
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


def test_a_cut_item_stays_cut_while_the_voice_goes_on(driver: Any):
    response_id = driver.respond()
    driver.decide(response_id, "One two.")
    (words, _) = driver.speak(response_id, "One ", 200)
    driver.truncate(words["item_id"], 200)
    assert driver.kinds(driver.speak(response_id, "two.", 200))  # the client hears it, the history does not
    got = driver.speak_out(response_id)
    assert got[-1]["response"]["output"][0]["content"] == [{"type": "output_audio"}]
    assert history(driver)[-1] == Utterance("assistant", "One")
