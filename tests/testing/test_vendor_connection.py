"""One conversation with a vendor's server, frame by frame."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest

from rtagent.testing._vendor_tables import VENDORS

EVERY = tuple(VENDORS)
SPEAKING = tuple(name for name in EVERY if name != "vllm")
TOOL = {"type": "function", "name": "light", "description": "", "parameters": {"type": "object"}}


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_missing_and_unknown_fields_are_refused(talking) -> None:
    async with talking("openai") as (server, client):
        await client.send("conversation.item.delete", event_id="e1")
        missing = await client.next()
        await client.send("response.cancel", client_timestamp=1)
        unknown = await client.next()
    assert (missing["error"]["code"], missing["error"]["event_id"]) == ("missing_required_parameter", "e1")
    assert unknown["error"]["code"] == "unknown_parameter"
    async with talking("glm") as (server, client):
        await client.send("input_audio_buffer.clear", client_timestamp=1)
        assert (await client.next())["type"] == "input_audio_buffer.cleared"
    assert server.faults == []


SPOKEN = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
)


@pytest.mark.parametrize("profile", SPEAKING)
async def test_a_spoken_turn_is_heard_by_content_and_answered(talking, profile: str) -> None:
    rate = VENDORS[profile].input_rates[0]
    async with talking(profile, transcripts=["good morning"]) as (server, client):
        await client.configure()
        await client.hear(rate // 2)
        await client.hear(rate // 4, 0)
        events = await client.until("response.done")
        answered = types(events)
        assert [kind for kind in answered if kind in SPOKEN] == list(SPOKEN)
        item_id = events[0]["item_id"]
        assert events[0].get("audio_start_ms", 0) == 0
        assert all(event["item_id"] == item_id for event in events if event["type"] in SPOKEN)
    assert server.heard_ms == 750
    assert server.faults == []
    sound = b"".join(b64decode(event["delta"]) for event in events if event["type"].endswith("audio.delta"))
    assert [sound] == list(server.spoken.values())
    assert len(sound) == 2 * 24_000 * 4 * 120 // 1000  # four words: "You said good morning"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("openai", ["delta good", "delta  morning", "completed good morning"]),
        ("xai", ["updated good whatever", "updated good morning", "completed good morning"]),
        ("hf-speech-to-speech", ["delta something", "delta  else", "completed good morning"]),
    ],
)
async def test_the_users_words_come_as_the_vendor_writes_them(
    talking, profile: str, expected: list[str]
) -> None:
    asked = {"audio": {"input": {"transcription": {"model": "x"}}}} if profile == "openai" else {}
    rate = VENDORS[profile].input_rates[0]
    async with talking(profile, transcripts=["good morning"]) as (_, client):
        await client.update(type="realtime", **asked)
        await client.hear(rate // 2)
        await client.hear(rate // 4, 0)
        events = await client.until("response.done")
    told = [event for event in events if "input_audio_transcription" in event["type"]]
    words = [event.get("delta", event.get("transcript")) for event in told]
    assert [f"{e['type'].rpartition('.')[2]} {w}" for e, w in zip(told, words, strict=True)] == expected


async def test_without_a_transcription_setting_nothing_is_written_down(talking) -> None:
    async with talking("beta") as (_, client):
        await client.hear(12_000)
        await client.hear(6_000, 0)
        assert not [e for e in await client.until("response.done") if "transcription" in e["type"]]


async def test_turns_that_the_client_ends(talking) -> None:
    async with talking("stepfun") as (server, client):
        await client.hear(1_000)
        await client.send("input_audio_buffer.commit")
        assert (await client.next())["error"]["code"] == "input_audio_buffer_commit_empty"
        await client.send("input_audio_buffer.clear")
        assert (await client.next())["type"] == "input_audio_buffer.cleared"
        await client.hear(12_000)
        await client.hear(12_000, 0)
        await client.send("input_audio_buffer.commit")
        committed = types(await client.until("conversation.item.created"))
        assert committed == ["input_audio_buffer.committed", "conversation.item.created"]
        await client.send("response.create")
        assert (await client.until("response.done"))[-1]["response"]["status"] == "completed"
    assert [len(turn) for turn in server.turns] == [48_000]


async def test_audio_before_the_configuration_and_audio_that_is_none(talking) -> None:
    async with talking("qwen-omni") as (server, client):
        await client.hear(100)
        assert (await client.next())["error"]["code"] == "invalid_state"
        await client.update()
        await client.send("input_audio_buffer.append", audio="?")
        assert (await client.next())["error"]["code"] == "invalid_value"
    assert len(server.faults) == 2


async def test_telephony_is_heard_at_its_own_rate(talking) -> None:
    async with talking("azure") as (server, client):
        kinds = {"format": {"type": "audio/pcmu"}}
        await client.update(type="realtime", audio={"input": kinds, "output": kinds})
        await client.send(
            "input_audio_buffer.append", audio=b64encode(b"\x20" * 4_000 + b"\xff" * 2_000).decode()
        )
        await client.until("response.done")
    assert server.heard_ms == 750
    assert [len(sound) for sound in server.spoken.values()] == [8_000 * 4 * 120 // 1000]


async def test_the_users_voice_interrupts_an_answer(talking) -> None:
    async with talking("openai", transcripts=["a"]) as (server, client):
        await client.say("a long story")
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        await client.hear(2_400)
        events = await client.until("response.done")
        assert "input_audio_buffer.speech_started" in types(events)
        response = events[-1]["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert response["output"][0]["status"] == "incomplete"
        await client.hear(6_000, 0)
        assert (await client.until("response.done"))[-1]["response"]["status"] == "completed"
    assert server.faults == []


async def test_an_answer_that_may_not_be_interrupted_goes_on(talking) -> None:
    async with talking("openai") as (server, client):
        deaf = {"type": "server_vad", "interrupt_response": False, "create_response": False}
        await client.update(type="realtime", audio={"input": {"turn_detection": deaf}})
        await client.say("a long story")
        await client.send("response.create")
        await client.hear(2_400)
        await client.hear(6_000, 0)
        await client.until("input_audio_buffer.committed")
        server.release()
        assert (await client.until("response.done"))[-1]["response"]["status"] == "completed"


async def test_a_call_that_is_still_open_holds_the_conversation(talking) -> None:
    async with talking("glm") as (server, client):
        await client.configure(tools=[TOOL])
        await client.say("use the tool")
        await client.send("response.create")
        await client.until("response.output_item.done")
        await client.send("response.create")
        events = await client.until("error")
        assert events[-1]["error"]["code"] == "conversation_already_has_active_response"
        await client.until("response.done")
    assert len(server.races) == 1
    assert server.faults == []


async def test_a_cancel_ends_what_runs(talking) -> None:
    async with talking("openai") as (server, client):
        await client.say("a story")
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        await client.send("response.cancel")
        done = (await client.until("response.done"))[-1]["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        await client.send("response.cancel")
        assert (await client.next())["error"]["code"] == "response_cancel_not_active"
    assert len(server.races) == 1


async def test_an_idle_cancel_without_a_word(talking) -> None:
    async with talking("hf-speech-to-speech") as (server, client):
        await client.send("response.cancel")
        await client.update(type="realtime")
    assert server.faults == server.races == []


async def test_a_response_beside_the_conversation_leaves_no_trace(talking) -> None:
    async with talking("openai") as (server, client):
        await client.say("a story")
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "aside"}]}
        asked = {"conversation": "none", "input": [item], "output_modalities": ["text"]}
        await client.send("response.create", response=asked)
        events = await client.until("response.done")
        assert events[-1]["response"]["conversation_id"] is None
        assert [e["text"] for e in events if e["type"] == "response.output_text.done"] == ["You said aside"]
        server.release()
        await client.until("response.done")
    for profile in ("qwen-omni", "stepfun", "glm", "hf-speech-to-speech"):
        async with talking(profile) as (_, client):
            await client.send("response.create", response={"conversation": "none"})
            assert (await client.next())["type"] == "error"


@pytest.mark.parametrize(
    ("profile", "request_"),
    [
        ("openai", {"modalities": ["text"]}),
        ("openai", {"turn_detection": None}),
        ("beta", {"output_modalities": ["text"]}),
        ("beta", {"audio": {}}),
        ("openai", {"tools": [{"type": "function", "x": 1}]}),
        ("openai", {"input": ["x"]}),
    ],
)
async def test_requests_of_the_wrong_shape_are_refused(
    talking, profile: str, request_: dict[str, Any]
) -> None:
    async with talking(profile) as (server, client):
        await client.send("response.create", response=request_)
        assert (await client.next())["type"] == "error"
    assert len(server.faults) == 1


async def test_qwen_says_goodbye(talking) -> None:
    async with talking("qwen-omni") as (server, client):
        await client.send("session.finish")
        assert (await client.next())["type"] == "session.finished"
        await client.send("input_image_buffer.append", image="")
    assert server.faults == []


async def test_what_is_not_taken_and_what_is_taken_in_silence(talking) -> None:
    async with talking("azure-voice-live") as (server, client):
        await client.send("input_audio.turn.start", event_id="e")
        await client.send("no.such.event", event_id="e")
        error = (await client.next())["error"]
        assert (error["code"], error["event_id"]) == ("unknown_event", "e")
        server.release()
    assert server.faults == ["unknown_event: Unknown event type: no.such.event"]


async def test_a_function_that_is_asked_for_aloud(talking) -> None:
    async with talking("openai", transcripts=["the tool"]) as (server, client):
        await client.configure(tools=[TOOL])
        await client.hear(12_000)
        await client.hear(6_000, 0)
        events = await client.until("response.done")
        assert "response.function_call_arguments.done" in types(events)
    assert server.spoken == {}


async def test_where_speech_is_only_written_down_nothing_answers(talking) -> None:
    async with talking("openai", transcripts=["hello"]) as (server, client):
        session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "any"}}}}
        await client.send("session.update", session=session)
        await client.until("session.updated")
        await client.hear(12_000)
        await client.hear(6_000, 0)
        events = await client.until("conversation.item.input_audio_transcription.completed")
        assert events[-1]["transcript"] == "hello"
        await client.send("input_audio_buffer.clear")
        assert types(await client.until("input_audio_buffer.cleared")) == ["input_audio_buffer.cleared"]
    assert server.faults == []
