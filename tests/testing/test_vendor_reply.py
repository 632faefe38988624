"""What an answer consists of."""

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

EVERY = tuple(VENDORS)
SPEAKING = tuple(name for name in EVERY if name != "vllm")
TOOL = {"type": "function", "name": "light", "description": "", "parameters": {"type": "object"}}


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]

@pytest.mark.parametrize("profile", SPEAKING)
async def test_an_answer_has_the_vendors_names_and_nothing_that_it_leaves_out(talking, profile: str) -> None:
    async with talking(profile) as (server, client):
        await client.say("hello")
        await client.send("response.create", response={"metadata": {"a": "b"}})
        events = await client.until("response.done")
    vendor = VENDORS[profile]
    said = set(types(events))
    assert ("response.audio.delta" in said) is (vendor.shape == "flat")
    assert ("response.output_audio.delta" in said) is (vendor.shape != "flat")
    assert ("conversation.item.created" in said) is (vendor.announces == "created")
    assert not said & vendor.never_sends
    assert (events[-1]["response"].get("metadata") == {"a": "b"}) is vendor.echoes_metadata
    assert ("usage" in events[-1]) is (profile == "inworld")
    assert ("output" in events[-1]["response"]) is (profile != "hf-speech-to-speech")
    if profile == "localai":
        assert "previous_item_id" not in events[0]
    strangers = {stranger["type"] for extra in vendor.strangers.values() for stranger in extra}
    assert said & strangers == strangers - {
        "conversation.item.speaker",
        "conversation.item.sound_detection",
    }
    assert server.faults == []


@pytest.mark.parametrize("profile", ["openai", "beta"])
async def test_an_answer_in_writing(talking, profile: str) -> None:
    name = "output_modalities" if profile == "openai" else "modalities"
    async with talking(profile) as (_, client):
        await client.say("hello")
        await client.send("response.create", response={name: ["text"]})
        events = await client.until("response.done")
    done = "response.output_text.done" if profile == "openai" else "response.text.done"
    assert [event["text"] for event in events if event["type"] == done] == ["You said hello"]
    part = events[-1]["response"]["output"][0]["content"][0]
    assert part == {"type": "output_text" if profile == "openai" else "text", "text": "You said hello"}


@pytest.mark.parametrize("profile", SPEAKING)
async def test_a_function_is_called_and_its_output_answered(talking, profile: str) -> None:
    async with talking(profile, arguments={"on": True}) as (server, client):
        await client.configure(tools=[TOOL]))
        await client.say("use the tool")
        await client.send("response.create")
        events = await client.until("response.done")
        done = next(event for event in events if event["type"] == "response.function_call_arguments.done")
        assert json.loads(done["arguments"]) == {"on": True}
        assert ("name" in done) is (profile != "inworld")
        assert ("item_id" in done) is (profile != "xai")
        output = {"type": "function_call_output", "call_id": done["call_id"], "output": "ok"}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        again = await client.until("response.done")
        spoken = [e["transcript"] for e in again if e["type"].endswith("audio_transcript.done")]
        assert spoken == ["done"]
        await client.send("conversation.item.create", item=output)
        assert (await client.next())["error"]["message"].endswith("has its output")
        await client.send("conversation.item.create", item={**output, "call_id": "nobody"})
        assert (await client.next())["type"] == "error"
    assert len(server.faults) == 2


async def test_a_call_can_be_cancelled_before_it_began(talking) -> None:
    async with talking("openai") as (_, client):
        await client.update(type="realtime", tools=[TOOL])
        await client.say("tool")
        await client.send("response.create")
        await client.send("response.cancel")
        events = types(await client.until("response.done"))
        assert "response.output_item.done" not in events

