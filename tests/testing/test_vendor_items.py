"""The items of a vendor's conversation."""

from __future__ import annotations

from typing import Any

import pytest


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def message(role: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": "x"}], **more}


@pytest.mark.parametrize(
    ("profile", "item", "fine"),
    [
        ("openai", message("assistant", "output_text"), True),
        ("openai", message("assistant", "text"), False),
        ("openai", message("assistant", "input_text"), False),
        ("beta", message("assistant", "text"), True),
        ("beta", message("assistant", "output_text"), False),
        ("openai", message("system", "input_text"), True),
        ("openai", message("user", "output_text"), False),
        ("openai", message("user", "input_text", id="x" * 32), True),
        ("openai", message("user", "input_text", id="x" * 33), False),
        ("openai", {"type": "thought"}, False),
        ("openai", {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}, True),
    ],
)
async def test_items_are_spelled_as_the_vendor_wants(
    talking, profile: str, item: dict[str, Any], fine: bool
) -> None:
    async with talking(profile) as (_, client):
        await client.send("conversation.item.create", item=item)
        assert ((await client.next())["type"] != "error") is fine


async def test_items_are_kept_in_order_and_can_be_read_and_taken_out(talking) -> None:
    async with talking("openai") as (server, client):
        await client.send("conversation.item.create", item=message("user", "input_text", id="a"))
        added, done = await client.next(), await client.next()
        assert types([added, done]) == ["conversation.item.added", "conversation.item.done"]
        assert added["previous_item_id"] is None
        await client.send("conversation.item.create", item=message("user", "input_text", id="a"))
        assert (await client.next())["error"]["code"] == "item_create_duplicate_item_id"
        await client.send(
            "conversation.item.create", item=message("user", "input_text"), previous_item_id="nowhere"
        )
        assert (await client.next())["type"] == "error"
        await client.send(
            "conversation.item.create", item=message("user", "input_text"), previous_item_id="a"
        )
        assert (await client.until("conversation.item.done"))[0]["previous_item_id"] == "a"
        await client.send("conversation.item.retrieve", item_id="a")
        assert (await client.next())["item"]["id"] == "a"
        await client.send("conversation.item.delete", item_id="a")
        assert (await client.next())["item_id"] == "a"
        await client.send("conversation.item.delete", item_id="a")
        assert (await client.next())["type"] == "error"
        await client.send("conversation.item.create", item=3)
        assert (await client.next())["error"]["code"] == "invalid_type"
    assert len(server.faults) == 4


async def test_truncation_is_held_to_what_was_sent(talking) -> None:
    async with talking("openai") as (server, client):
        await client.send("conversation.item.create", item=message("user", "input_text", id="a"))
        await client.send("response.create")
        item_id = (await client.until("response.done"))[-1]["response"]["output"][0]["id"]
        answers = []
        for target, at in ((item_id, 100), (item_id, 99_999), (item_id, -1), ("a", 0), ("b", 0)):
            await client.send("conversation.item.truncate", item_id=target, content_index=0, audio_end_ms=at)
            answers.append((await client.next())["type"])
        await client.send("conversation.item.retrieve", item_id=item_id)
        assert (await client.next())["item"]["role"] == "assistant"
    assert answers == ["conversation.item.truncated", *["error"] * 4]
    assert len(server.faults) == 4


@pytest.mark.parametrize("profile", ["hf-speech-to-speech", "qwen-omni"])
async def test_truncation_where_nobody_says_so_or_nobody_can(talking, profile: str) -> None:
    async with talking(profile) as (server, client):
        await client.send("response.create")
        await client.until("response.done")
        (item_id,) = server.spoken
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=10)
        answer = await client.configure()
        assert answer["type"] == ("error" if profile == "qwen-omni" else "session.updated")


async def test_each_call_has_one_output(talking) -> None:
    async with talking("openai") as (server, client):
        call = {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}
        await client.send("conversation.item.create", item=call)
        await client.until("conversation.item.done")
        output = {"type": "function_call_output", "call_id": "c", "output": "ok"}
        await client.send("conversation.item.create", item=output)
        await client.until("conversation.item.done")
        await client.send("conversation.item.create", item=output)
        assert (await client.next())["error"]["message"].endswith("has its output")
        await client.send("conversation.item.create", item={**output, "call_id": "nobody"})
        assert (await client.next())["error"]["message"] == "no tool call nobody"
        await client.send("response.create")
        events = await client.until("response.done")
        assert events[-1]["response"]["output"][0]["content"][0]["transcript"] == "done"
    assert len(server.faults) == 2


async def test_what_was_spoken_is_shown_before_it_is_understood(talking) -> None:
    async with talking("openai", transcripts=["hello"]) as (_, client):
        await client.hear(12_000)
        await client.hear(6_000, 0)
        added = (await client.until("conversation.item.added"))[-1]["item"]
        assert added["content"] == [{"type": "input_audio", "transcript": None}]
        await client.until("response.done")
        await client.send("conversation.item.retrieve", item_id=added["id"])
        assert (await client.next())["item"]["content"][0]["transcript"] == "hello"


async def test_items_stand_where_they_were_asked_to(talking) -> None:
    async with talking("openai") as (server, client):
        order: list[str | None] = []
        for item_id, previous in (("b", None), ("d", None), ("a", "root"), ("c", "b")):
            more = {} if previous is None else {"previous_item_id": previous}
            item = message("user", "input_text", id=item_id)
            await client.send("conversation.item.create", item=item, **more)
            order.append((await client.until("conversation.item.done"))[-1]["previous_item_id"])
        assert order == [None, "b", None, "b"]
        assert [item["id"] for item in server._speaker.items] == ["a", "b", "c", "d"]


async def test_a_truncated_answer_has_less_sound_and_no_words(talking) -> None:
    async with talking("openai") as (_, client):
        await client.say("hello")
        await client.send("response.create")
        item_id = (await client.until("response.done"))[-1]["response"]["output"][0]["id"]
        for at_ms, answer in ((100, "conversation.item.truncated"), (101, "error")):
            where = {"item_id": item_id, "content_index": 0, "audio_end_ms": at_ms}
            await client.send("conversation.item.truncate", **where)
            assert (await client.next())["type"] == answer
        await client.send("conversation.item.retrieve", item_id=item_id)
        assert (await client.next())["item"]["content"] == [{"type": "output_audio"}]
