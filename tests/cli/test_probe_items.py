from __future__ import annotations

from typing import Any

import pytest

from rtagent.cli._probe_facts import Answered, Is
from rtagent.cli._probe_items import editing, farewell, function_call, mistakes, truncating
from tests.cli.probe_servers import (
    HASTY,
    Answers,
    Event,
    answering,
    answers_of,
    error,
    event,
    found,
    updated,
    vendor,
)

READY: dict[str, Any] = {"answers_updates": True}


async def test_editing_at_a_vendor():
    async with vendor("openai", **READY) as wire:
        assert answers_of(await found(editing, wire)) == {
            "refuses item ids of 33 characters": "yes",
            "retrieves items": "yes",
            "deletes items": "yes",
        }


async def test_editing_where_nothing_can_be_edited():
    async with vendor("qwen-omni", shape="flat", **READY) as wire:
        findings = await found(editing, wire)
    assert findings["deletes items"].answer == "no"
    assert findings["deletes items"].facts == (Answered("conversation.item.delete", "refused"),)


@pytest.mark.parametrize(
    ("name", "shape", "answer", "reaction"),
    [
        ("openai", "nested", "yes", "acknowledged"),
        ("hf-speech-to-speech", "nested", "not known", "silent"),
        ("qwen-omni", "flat", "no", "refused"),
    ],
)
async def test_truncating_at_a_vendor(name, shape, answer, reaction):
    async with vendor(name, shape=shape, **READY) as wire:
        finding = (await found(truncating, wire))["truncates spoken items"]
    assert (finding.answer, finding.facts) == (answer, (Answered("conversation.item.truncate", reaction),))


async def test_the_item_is_taken_from_elsewhere_where_the_voice_does_not_name_it():
    def answers(sent):
        match sent["type"]:
            case "response.create":
                item = {"id": "spoken"}
                added = event("response.output_item.added", item=item)
                voice = event("response.output_audio.delta", delta="AAAA")
                return [added, voice, event("response.done", response={})]
            case "conversation.item.truncate":
                return [event("conversation.item.truncated", item_id=sent["item_id"])]
            case _:
                return ()

    async with answering(answers) as wire:
        assert (await found(truncating, wire))["truncates spoken items"].answer == "yes"
        assert wire.frames[-1].raw["item_id"] == "spoken"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([event("response.done", response={"status": "failed"})], "no voice came to be cut: status failed"),
        (
            [event("response.output_audio.delta", delta="AAAA"), event("response.done")],
            "nothing came",
        ),
    ],
)
async def test_what_cannot_be_truncated(more, said):
    async with answering(lambda sent: more if sent["type"] == "response.create" else (), times=HASTY) as wire:
        finding = (await found(truncating, wire))["truncates spoken items"]
    assert (finding.answer, finding.evidence) == ("not known", said)


@pytest.mark.parametrize(("name", "complete"), [("openai", "yes"), ("inworld", "no")])
async def test_a_function_call_at_a_vendor(name, complete):
    async with vendor(name, **READY) as wire:
        findings = await found(function_call, wire)
    assert answers_of(findings) == {"calls functions": "yes", "says a call's arguments are done": complete}
    assert findings["calls functions"].facts == (Is("functions", value=True),)
    if complete == "no":
        assert findings["says a call's arguments are done"].evidence == "without name"


def calling(*more: Event, takes: tuple[str, ...] = ("required", "auto")) -> Answers:
    def answers(sent: Event) -> list[Event]:
        match sent["type"]:
            case "session.update" if sent["session"]["tool_choice"] in takes:
                return [updated(sent)]
            case "session.update":
                return [error("no such choice", sent["event_id"])]
            case "response.create":
                return [*more, event("response.done", response={"status": "completed"})]
            case _:
                return []

    return answers


async def test_a_server_that_takes_no_tools():
    async with answering(calling(takes=())) as wire:
        finding = (await found(function_call, wire))["calls functions"]
    assert (finding.answer, finding.facts) == ("no", (Is("functions", value=False),))


async def test_a_model_that_does_not_call():
    async with answering(calling(takes=("auto",))) as wire:
        finding = (await found(function_call, wire))["calls functions"]
    assert (finding.answer, finding.facts) == ("not known", ())
    assert finding.evidence == "none was made, tool_choice auto: status completed"


async def test_a_call_that_is_only_an_item():
    item = event("response.output_item.done", item={"type": "function_call"})
    async with answering(calling(item)) as wire:
        findings = await found(function_call, wire)
    assert answers_of(findings) == {"calls functions": "yes", "says a call's arguments are done": "no"}


@pytest.mark.parametrize(("name", "objects", "named"), [("openai", "yes", "yes"), ("vllm", "no", "no")])
async def test_mistakes_at_a_vendor(name, objects, named):
    async with vendor(name) as wire:
        findings = await found(mistakes, wire)
    assert answers_of(findings) == {
        "survives an unknown event": "yes",
        "errors are objects": objects,
        "errors name their cause": named,
        "survives bad JSON": "yes",
    }
    shape = "object" if objects == "yes" else "string"
    assert findings["errors are objects"].facts == (Is("error_shape", shape),)


async def test_mistakes_that_end_the_connection():
    async with answering(lambda _: None) as wire:
        findings = await found(mistakes, wire)
        assert wire.ended
    assert answers_of(findings) == {"survives an unknown event": "no"}


async def test_bad_json_that_ends_the_connection():
    async with answering(lambda sent: () if sent["type"] else None, times=HASTY) as wire:
        findings = await found(mistakes, wire)
        assert wire.ended
    assert answers_of(findings) == {"survives an unknown event": "yes", "survives bad JSON": "no"}


@pytest.mark.parametrize(
    ("name", "shape", "answer", "facts"),
    [
        ("openai", "nested", "no", (Is("farewell", None),)),
        (
            "qwen-omni",
            "flat",
            "yes",
            (Is("farewell", "session.finish"), Is("farewell_answer", "session.finished")),
        ),
    ],
)
async def test_saying_goodbye_at_a_vendor(name, shape, answer, facts):
    async with vendor(name, shape=shape, **READY) as wire:
        finding = (await found(farewell, wire))["says goodbye"]
    assert (finding.answer, finding.facts) == (answer, facts)


async def test_a_goodbye_into_silence():
    async with answering(lambda _: (), times=HASTY) as wire:
        finding = (await found(farewell, wire))["says goodbye"]
    assert (finding.answer, finding.facts) == ("not known", ())
