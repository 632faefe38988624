from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from rtagent.audio import level_dbfs
from rtagent.cli._probe_facts import Answered, Contains, Is
from rtagent.cli._probe_opening import greeting
from rtagent.cli._probe_sound import (
    RATE_HZ,
    buffers,
    formats,
    hearing,
    speech_like,
    streaming,
    turn_detections,
)
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


def test_what_sounds_like_speech_is_loud_and_not_clipped():
    pcm = speech_like(500)
    assert len(pcm) == RATE_HZ
    assert -30 < level_dbfs(pcm) < -6


async def test_formats_at_a_vendor():
    async with vendor("openai", **READY) as wire:
        found_out = await found(formats, wire)
    assert [topic for topic, answer in answers_of(found_out).items() if answer == "yes"] == [
        "PCM 24 kHz in",
        "PCM 24 kHz out",
        "audio/pcmu in",
        "audio/pcma in",
    ]
    assert found_out["PCM 8 kHz out"].facts == (Contains("output_rates", 8_000, present=False),)
    assert found_out["audio/pcma in"].facts == (Is("telephony", value=True),)


async def test_formats_of_a_flat_session():
    async with vendor("qwen-omni", shape="flat", **READY) as wire:
        found_out = await found(formats, wire)
    assert answers_of(found_out) == {"calls PCM pcm16": "no", "audio/pcmu in": "no", "audio/pcma in": "no"}
    assert found_out["calls PCM pcm16"].facts == (Is("pcm_name", "pcm"),)
    assert found_out["audio/pcmu in"].facts == (Is("telephony", value=False),)


async def test_a_session_that_does_not_show_its_formats():
    hidden = event("session.updated", session={})
    for shape in ("nested", "flat"):
        async with answering(lambda _: [hidden], shape=shape) as wire:
            assert set(answers_of(await found(formats, wire)).values()) == {"not known"}


async def test_a_format_that_is_accepted_and_not_in_force():
    stuck = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}}
    async with answering(lambda _: [event("session.updated", session=stuck)]) as wire:
        found_out = await found(formats, wire)
    assert found_out["PCM 24 kHz in"].answer == "yes"
    assert found_out["audio/pcmu in"].evidence == "accepted, but audio/pcm 24000 is in force"


async def test_turn_detections_at_a_vendor():
    async with vendor("glm", shape="flat", **READY) as wire:
        await found(greeting, wire)
        found_out = await found(turn_detections, wire)
    accepted = {topic for topic, answer in answers_of(found_out).items() if answer == "yes"}
    assert accepted == {
        "detects turns from the start",
        "turn detection server_vad",
        "turn detection client_vad",
        "turn detection off",
    }
    off = found_out["turn detection off"]
    assert off.facts == (Is("manual_turns", value=True), Is("manual_by", "client_vad"))
    assert off.evidence == "null is refused, client_vad does it"


async def test_turn_detection_that_null_switches_off():
    async with vendor("stepfun", shape="flat", **READY) as wire:
        await found(greeting, wire)
        found_out = await found(turn_detections, wire)
    assert found_out["turn detection off"].facts == (Is("manual_turns", value=True),)


async def test_turn_detection_that_is_off_from_the_start_and_cannot_be_changed():
    created = event("session.created", session={"turn_detection": None})
    stuck = event("session.updated", session={"turn_detection": {"type": "server_vad"}})
    async with answering(lambda _: [stuck], greeting=[created], shape="flat") as wire:
        await found(greeting, wire)
        found_out = await found(turn_detections, wire)
    assert found_out["detects turns from the start"].facts == (Is("default_turn_detection", None),)
    assert found_out["turn detection semantic_vad"].evidence == "accepted, but server_vad is in force"
    assert found_out["turn detection off"].evidence == "accepted, but server_vad is in force"


async def test_a_session_that_does_not_show_its_turn_detection():
    async with answering(lambda _: [event("session.updated", session={})]) as wire:
        assert set(answers_of(await found(turn_detections, wire)).values()) == {"not known"}


@pytest.mark.parametrize(("name", "written"), [("openai", "yes"), ("vllm-omni", "no")])
async def test_hearing_at_a_vendor(name, written):
    async with vendor(name, **READY) as wire:
        assert answers_of(await found(hearing, wire)) == {
            "notices the start of speech": "yes",
            "notices the end of speech": "yes",
            "commits what was said": "yes",
            "writes down what was said": written,
        }


async def test_a_server_that_hears_nothing():
    def answers(sent):
        if sent["type"] != "session.update":
            return ()
        fancy = "create_response" in str(sent)
        return [error("unknown", sent["event_id"])] if fancy else [updated(sent)]

    async with answering(answers, times=HASTY) as wire:
        found_out = await found(hearing, wire)
    assert set(answers_of(found_out).values()) == {"not known"}
    assert found_out["writes down what was said"].evidence == "nothing came, which a hum deserves"


@pytest.mark.parametrize(
    ("name", "reaction"), [("openai", "acknowledged"), ("hf-speech-to-speech", "refused")]
)
async def test_input_audio_at_a_vendor(name, reaction):
    async with vendor(name, **READY) as wire:
        found_out = await found(buffers, wire)
    assert found_out["commits input audio"].facts == (Answered("input_audio_buffer.commit", reaction),)
    assert found_out["clears input audio"].facts == (Answered("input_audio_buffer.clear", reaction),)


async def test_streaming_at_a_vendor():
    async with vendor("vllm", times=HASTY, shape="model_on_top") as wire:
        found_out = await found(streaming, wire)
    assert found_out["answers updates"].facts == (Answered("session.update", "silent"),)
    assert found_out["clears input audio"].answer == "no"


def committing(answer: Answers, updates: list[Event]) -> Answers:
    def answers(sent: Event) -> Iterable[Event | str] | None:
        match sent["type"]:
            case "session.update":
                return updates
            case "input_audio_buffer.commit":
                return answer(sent)
            case _:
                return ()

    return answers


WRITTEN = event("transcription.done", text="a")


@pytest.mark.parametrize(
    ("answer", "expected", "facts"),
    [
        (lambda sent: [WRITTEN] if sent.get("final") else [], "yes", (Is("commits", "stream"),)),
        (lambda _: [WRITTEN], "yes", (Is("commits", "turn"),)),
        (lambda _: [error("no model")], "no", ()),
        (lambda _: [], "not known", ()),
    ],
)
async def test_streaming(answer, expected, facts):
    updates = [event("session.updated", session={})]
    async with answering(committing(answer, updates), times=HASTY, model="m") as wire:
        found_out = await found(streaming, wire)
    assert found_out["answers updates"].answer == "yes"
    finding = found_out["writes down what was said"]
    assert (finding.answer, finding.facts) == (expected, facts)
