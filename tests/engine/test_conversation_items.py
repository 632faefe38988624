"""Items in their order: creating, retrieving, deleting and truncating them (S7, S17)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rtagent.engine import _conversation_items

PIECE_MS = 100
PIECE = base64.b64encode(bytes(48 * PIECE_MS)).decode()


def item_id_of(wires: list[dict[str, Any]]) -> str:
    return str(wires[-1]["item"]["id"])


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
    assert 0 < len(driver.say("one")[-1]["item"]["id"]) <= 32


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
    assert driver.code(got) == expected
    assert got[0]["error"]["event_id"] == "mine"
    assert driver.say("two")[0]["previous_item_id"] == "a"


def test_retrieve_gives_the_item(driver: Any):
    added, _ = driver.say("one", id="a")
    (retrieved,) = driver.send("conversation.item.retrieve", item_id="a")
    assert (retrieved["type"], retrieved["item"]) == ("conversation.item.retrieved", added["item"])


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
    assert driver.code(driver.say("two")) == "conversation_full"


def test_the_size_of_the_items_is_bounded(driver: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_conversation_items, "MAX_CHARACTERS", 8)
    driver.say("12345", id="a")
    assert driver.code(driver.say("6789")) == "conversation_full"
    driver.send("conversation.item.delete", item_id="a")
    assert len(driver.say("12345678")) == 2


def test_delete_takes_an_item_out(driver: Any):
    driver.say("one", id="a")
    driver.say("two", id="b")
    (deleted,) = driver.send("conversation.item.delete", item_id="b")
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", "b")
    assert driver.say("three")[0]["previous_item_id"] == "a"


@pytest.mark.parametrize("kind", ["retrieve", "delete", "truncate"])
def test_unknown_items_are_an_error(driver: Any, kind: str):
    more = {"content_index": 0, "audio_end_ms": 0} if kind == "truncate" else {}
    assert driver.code(driver.send(f"conversation.item.{kind}", item_id="nobody", **more)) == "item_not_found"


def test_truncating_twice_only_shortens(driver: Any):
    item_id = driver.answer("One two three four.", ms=400)
    driver.truncate(item_id, 200)
    assert driver.code(driver.truncate(item_id, 300)) == "invalid_value"
    assert driver.kinds(driver.truncate(item_id, 100)) == ["conversation.item.truncated"]


@pytest.mark.parametrize(
    ("audio_end_ms", "expected"),
    [(-1, "integer_below_min_value"), (401, "invalid_value"), (10**9, "invalid_value")],
)
def test_times_outside_of_the_voice(driver: Any, audio_end_ms: int, expected: str):
    item_id = driver.answer(ms=400)
    assert driver.code(driver.truncate(item_id, audio_end_ms)) == expected
    assert driver.truncate(item_id, 400)


def test_only_the_assistants_voice_can_be_truncated(driver: Any):
    user = driver.say("one")[-1]["item"]["id"]
    voice = driver.answer()
    content = [{"type": "input_audio", "audio": PIECE}]
    spoken = item_id_of(
        driver.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    )
    for item_id, index in ((user, 0), (voice, 1), (spoken, 0)):
        got = driver.truncate(item_id, 0, index)
        assert driver.code(got) == "unsupported_content_type"
        assert got[0]["error"]["message"] == "Only model output audio messages can be truncated"


def test_references_point_into_the_conversation(driver: Any):
    driver.say("one", id="a")
    created, *_ = driver.send("response.create", response={"input": [{"type": "item_reference", "id": "a"}]})
    assert created["type"] == "response.created"
    driver.send("response.cancel")
    got = driver.send("response.create", response={"input": [{"type": "item_reference", "id": "b"}]})
    assert driver.code(got) == "item_not_found"


def test_an_item_that_is_deleted_while_it_grows_is_never_done(driver: Any):
    response_id = driver.respond()
    driver.decide(response_id, "Good day.")
    (words, _) = driver.speak(response_id, "Good day.")
    driver.send("conversation.item.delete", item_id=words["item_id"])
    assert "conversation.item.done" not in driver.kinds(driver.speak_out(response_id))
