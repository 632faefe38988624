"""What an answer consists of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from rtagent.testing._vendor_reply import Plan, Reply, tone
from rtagent.testing._vendor_tables import VENDORS
from rtagent.testing._vendor_wire import VendorWire
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
        await client.configure(tools=[TOOL])
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


def made(**plan: Any) -> tuple[Reply, Callable[[], list[dict[str, Any]]]]:
    """A reply that nobody runs yet, and the frames that it sends."""
    ours, theirs = memory_pair()
    vendor = VENDORS["openai"]
    reply = Reply(Plan(**plan), vendor, VendorWire(vendor, theirs), None)
    return reply, lambda: [json.loads(frame) for frame in ours.waiting()]


async def test_an_answer_that_was_ended_says_nothing_more() -> None:
    answer, frames = made(text="one two")
    await answer.end("cancelled", "client_cancelled")
    await answer.end("completed")
    await answer.run()
    assert types(frames()) == ["response.done"]
    assert frames()[0]["response"]["output"] == []


async def test_an_answer_stops_in_the_middle_until_it_may_go_on() -> None:
    answer, frames = made(text="one two three four", pauses=True)
    async with anyio.create_task_group() as group:
        group.start_soon(answer.run)
        await anyio.wait_all_tasks_blocked()
        assert len(answer.audio) == 2 * 120 * 48
        answer.released.set()
    assert len(answer.audio) == 4 * 120 * 48
    assert frames()[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("speaks", [True, False])
async def test_an_answer_can_be_ended_in_the_middle(speaks: bool) -> None:
    answer, frames = made(text="one two three four", pauses=True, speaks=speaks)
    async with anyio.create_task_group() as group:
        group.start_soon(answer.run)
        await anyio.wait_all_tasks_blocked()
        await answer.end("cancelled", "turn_detected")
        answer.released.set()
    done = frames()[-1]
    assert done["type"] == "response.done"
    content = done["response"]["output"][0]["content"][0]
    assert content["transcript" if speaks else "text"] == "one two"


async def test_nothing_of_an_answer_comes_after_its_end() -> None:
    for turns in range(60):
        answer, frames = made(text="one two three")
        async with anyio.create_task_group() as group:
            group.start_soon(answer.run)
            for _ in range(turns):
                await checkpoint()
            await answer.end("cancelled")
        assert types(frames()).count("response.done") == 1
        assert types(frames())[-1] == "response.done"


@pytest.mark.parametrize("calls", [True, False])
async def test_an_answer_beside_the_conversation_is_no_item_of_it(calls: bool) -> None:
    answer, frames = made(text="aside", beside=True, call=("light", {}) if calls else None)
    await answer.run()
    assert not [kind for kind in types(frames()) if kind.startswith("conversation.")]


async def test_a_call_that_was_ended_too_early_is_not_made() -> None:
    for turns in range(10):
        answer, frames = made(call=("light", {"on": True}))
        async with anyio.create_task_group() as group:
            group.start_soon(answer.run)
            for _ in range(turns):
                await checkpoint()
            await answer.end("cancelled")
        assert types(frames())[-1] == "response.done"


@pytest.mark.parametrize(("encoding", "size"), [("pcm", 640), ("pcmu", 320)])
def test_deltas_are_whole_samples_of_40_ms(encoding: str, size: int) -> None:
    assert [len(piece) for piece in tone(120, encoding, 8_000, 3)] == [size] * 3
    assert tone(40, encoding, 8_000, 1) != tone(40, encoding, 8_000, 2)
