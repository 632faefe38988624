"""Configurations in the vendors' own shapes."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.testing._vendor_session import Refusal, VendorSession
from rtagent.testing._vendor_tables import VENDORS

EVERY = tuple(VENDORS)
SPEAKING = tuple(name for name in EVERY if name != "vllm")
FLAT = tuple(name for name in EVERY if VENDORS[name].shape == "flat")
NESTED = tuple(name for name in SPEAKING if VENDORS[name].shape == "nested")
TOOL = {"type": "function", "name": "light", "description": "", "parameters": {"type": "object"}}


@pytest.mark.parametrize("profile", SPEAKING)
async def test_an_update_in_the_vendors_shape_is_taken(talking, profile: str) -> None:
    async with talking(profile) as (server, client):
        answer = await client.configure(instructions="Be brief.", tools=[TOOL])
        assert answer["type"] == "session.updated"
        assert answer["session"]["instructions"] == "Be brief."
    assert server.faults == []


@pytest.mark.parametrize("profile", FLAT)
async def test_a_nested_update_is_refused_by_flat_servers(talking, profile: str) -> None:
    async with talking(profile) as (server, client):
        answer = await client.update(type="realtime", audio={"input": {"turn_detection": None}})
        assert answer["type"] == "error"
    assert server.faults == ["unknown_parameter: Unknown parameter: 'session.type'."]


@pytest.mark.parametrize("profile", NESTED)
async def test_a_flat_update_is_refused_by_nested_servers(talking, profile: str) -> None:
    async with talking(profile) as (server, client):
        assert (await client.update(type="realtime", modalities=["text", "audio"]))["type"] == "error"
        assert (await client.update(instructions="no type"))["type"] == "error"
    assert len(server.faults) == 2


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("openai", {"output_modalities": ["text", "audio"]}, "invalid_value"),
    ("openai", {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}}, "invalid_value"),
    ("openai", {"audio": {"input": {"format": "pcm16"}}}, "invalid_type"),
    ("openai", {"audio": {"input": {"turn_detection": {"type": "client_vad"}}}}, "invalid_value"),
    ("openai", {"audio": {"input": {"turn_detection": {"type": "server_vad", "x": 1}}}}, "unknown_parameter"),
    ("openai", {"audio": {"speed": 1}}, "unknown_parameter"),
    ("openai", {"model": "another"}, "invalid_value"),
    ("openai", {"temperature": 0.8}, "unknown_parameter"),
    ("openai", {"tools": [{**TOOL, "strict": True}]}, "unknown_parameter"),
    ("openai", {"tools": [{**TOOL, "description": "x" * 1_025}]}, "string_above_max_length"),
    ("openai", {"tools": {}}, "invalid_type"),
    ("xai", {"audio": {"input": {"turn_detection": None}}}, "unknown_parameter"),
    ("xai", {"audio": {"output": {"voice": "Ara"}}}, "unknown_parameter"),
    ("vllm-omni", {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}, "invalid_value"),
    ("vllm-omni", {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}, "invalid_value"),
    ("qwen-omni", {"input_audio_format": "pcm16"}, "invalid_value"),
    ("beta", {"modalities": ["audio"]}, "invalid_value"),
    ("beta", {"input_audio_format": {"type": "audio/pcm"}}, "invalid_value"),
    ("beta", {"tools": [{"type": "mcp", "server_label": "x"}]}, "invalid_value"),
    ("beta", {"max_output_tokens": 10}, "unknown_parameter"),
    ("stepfun", {"modalities": ["text"]}, "invalid_value"),
    ("stepfun", {"turn_detection": {"type": "semantic_vad"}}, "invalid_value"),
    ("hf-speech-to-speech", {"audio": {"input": {"turn_detection": None}}}, "invalid_value"),
]


@pytest.mark.parametrize(("profile", "change", "code"), REFUSED)
async def test_what_a_vendor_does_not_take_changes_nothing(
    talking, profile: str, change: dict[str, Any], code: str
) -> None:
    typed = {} if VENDORS[profile].shape == "flat" else {"type": "realtime"}
    async with talking(profile) as (server, client):
        answer = await client.update(**typed, **change)
        assert answer["type"] == "error"
        unchanged = await client.update(**typed)
        assert unchanged["session"]["instructions"].startswith("You are the vendor's")
    assert [fault.partition(":")[0] for fault in server.faults] == [code]


async def test_a_session_that_is_no_object_is_refused(talking) -> None:
    async with talking("openai") as (server, client):
        await client.send("session.update", session=[])
        assert (await client.next())["error"]["code"] == "invalid_type"
    assert server.faults


async def test_nested_settings_are_replaced_and_merged_all_the_way_by_one(talking) -> None:
    quick = {"type": "server_vad", "silence_duration_ms": 100}
    change = {"type": "realtime", "audio": {"input": {"turn_detection": quick}}}
    again = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
    left: dict[str, int] = {}
    for profile in ("openai", "hf-speech-to-speech"):
        async with talking(profile) as (_, client):
            await client.update(**change)
            updated = await client.update(**again)
            left[profile] = updated["session"]["audio"]["input"]["turn_detection"]["silence_duration_ms"]
    assert left == {"openai": 200, "hf-speech-to-speech": 100}


async def test_what_is_ignored_is_taken_and_not_shown(talking) -> None:
    async with talking("vllm-omni") as (_, client):
        audio = {
            "input": {"transcription": {"model": "x"}, "noise_reduction": None},
            "output": {"speed": 1.2},
        }
        updated = await client.update(type="realtime", audio=audio)
        assert set(updated["session"]["audio"]["input"]) == {"format", "turn_detection"}
        assert set(updated["session"]["audio"]["output"]) == {"format", "voice"}


async def test_voice_live_shows_a_voice_as_an_object(talking) -> None:
    async with talking("azure-voice-live") as (_, client):
        updated = await client.update(voice="alloy")
        assert updated["session"]["voice"] == {"name": "alloy", "type": "azure-standard"}


async def test_a_voice_that_was_heard_stays(talking) -> None:
    async with talking("openai") as (_, client):
        await client.send("response.create")
        await client.until("response.done")
        kept = await client.update(type="realtime", audio={"output": {"voice": "marin"}})
        assert kept["type"] == "session.updated"
        other = await client.update(type="realtime", audio={"output": {"voice": "cedar"}})
        assert other["error"]["code"] == "cannot_update_voice"
    async with talking("xai") as (_, client):
        await client.send("response.create")
        await client.until("response.done")
        assert (await client.update(voice="Rex"))["error"]["code"] == "cannot_update_voice"


@pytest.mark.parametrize(
    ("profile", "sound"),
    [("qwen-omni", ("pcm", 16_000)), ("beta", ("pcm", 24_000)), ("openai", ("pcm", 24_000))],
)
def test_the_input_format_that_holds_where_nothing_is_said(profile: str, sound: tuple[str, int]) -> None:
    assert VendorSession(VENDORS[profile]).sound("input") == sound


@pytest.mark.parametrize("kind", ["ulaw", "alaw"])
def test_telephony_in_flat_and_nested_words(kind: str) -> None:
    short = {"ulaw": "pcmu", "alaw": "pcma"}[kind]
    flat, nested = VendorSession(VENDORS["beta"]), VendorSession(VENDORS["openai"])
    flat.update({"output_audio_format": f"g711_{kind}"})
    nested.update({"type": "realtime", "audio": {"output": {"format": {"type": f"audio/{short}"}}}})
    assert flat.sound("output") == nested.sound("output") == (short, 8_000)


def test_what_a_session_says_of_itself() -> None:
    session = VendorSession(VENDORS["glm"])
    assert session.speaks
    assert not session.transcribes
    assert session.functions == []
    session.update({"turn_detection": {"type": "client_vad"}, "modalities": ["text"], "tools": [TOOL]})
    assert session.detection is None
    assert not session.speaks
    assert session.functions == [TOOL]
    nested = VendorSession(VENDORS["openai"])
    assert not nested.transcribes
    assert nested.detection is not None
    nested.update({"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    assert nested.detection is None
    assert VendorSession(VENDORS["xai"]).transcribes
    assert VendorSession(VENDORS["xai"]).detection is not None
    # Voice Live takes tools of other kinds; only functions are called.
    live = VendorSession(VENDORS["azure-voice-live"])
    live.update({"tools": [{"type": "mcp", "server_label": "x"}]})
    assert live.functions == []


@pytest.mark.parametrize("profile", ["beta", "xai", "openai"])
def test_a_voice_that_was_heard_can_only_be_said_again(profile: str) -> None:
    session = VendorSession(VENDORS[profile])
    session.voice_is_fixed = True

    def changed(voice: str) -> dict[str, Any]:
        return (
            {"type": "realtime", "audio": {"output": {"voice": voice}}}
            if profile == "openai"
            else {"voice": voice}
        )

    session.update(changed({"beta": "alloy", "xai": "Ara", "openai": "marin"}[profile]))
    with pytest.raises(Refusal, match="heard already"):
        session.update(changed("another"))


def test_nested_objects_have_to_be_objects() -> None:
    session = VendorSession(VENDORS["openai"])
    changes: tuple[dict[str, Any], ...] = (
        {"audio": []},
        {"audio": {"input": 1}},
        {"audio": {"input": {"turn_detection": 1}}},
    )
    for change in changes:
        with pytest.raises(Refusal, match="not an object"):
            session.update({"type": "realtime", **change})


def test_an_update_that_says_the_same_model_is_fine() -> None:
    session = VendorSession(VENDORS["inworld"])
    session.update(
        {
            "type": "realtime",
            "model": "some-model",
            "provider_data": {"a": 1},
            "audio": {"output": {"model": "tts"}},
        }
    )
    assert session.snapshot["audio"]["output"]["model"] == "tts"


def test_speech_may_only_be_written_down() -> None:
    session = VendorSession(VENDORS["openai"])
    assert session.answers
    session.update({"type": "transcription", "audio": {"input": {"transcription": {"model": "any"}}}})
    assert not session.answers
    assert session.transcribes
    with pytest.raises(Refusal, match="type is missing"):
        session.update({"type": "translation"})
