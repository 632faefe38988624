"""The items of a vendor's conversation."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect

from rtagent.errors import ConfigurationError, SessionClosed
from rtagent.testing import VendorServer
from rtagent.testing._vendor_tables import VENDORS
from rtagent.transport import memory_pair



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
async def test_items_are_spelled_as_the_vendor_wants(talking, profile: str, item: dict[str, Any], fine: bool) -> None:
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
        answer = await client.configure())
        assert answer["type"] == ("error" if profile == "qwen-omni" else "session.updated")

