"""The same conversation with every known vendor's server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtagent import Agent, Unsupported, events, tool
from rtagent.audio import ArraySource
from rtagent.events import lifecycle
from rtagent.tools import Tool

PROFILES = (
    "openai azure azure-preview azure-voice-live xai qwen-omni stepfun glm inworld vllm-omni localai speaches "
    "hf-speech-to-speech beta"
).split()
WRITING_USERS = ("xai", "hf-speech-to-speech")
"""Who writes the user's words down without being asked to."""

every_vendor = pytest.mark.parametrize("profile", PROFILES)
both_ways = pytest.mark.parametrize("way", ["memory", "socket"])


@pytest.fixture
def calls() -> list[bool]:
    return []


@pytest.fixture
def light(calls) -> Tool[..., Any]:
    @tool
    def light(on: bool) -> str:
        """Switch the light.

        Args:
            on: whether it shall burn.
        """
        calls.append(on)
        return "it burns"

    return light


def agent(*tools: Tool[..., Any]) -> Agent:
    return Agent(instructions="You run a small home.", voice="marin", tools=tools)


# -- turns -------------------------------------------------------------------------------------------


@every_vendor
@both_ways
async def test_a_session_is_opened_and_configured(talk, profile, way, light) -> None:
    async with talk(profile, agent(light), way=way) as scene:
        assert scene.session.state == "listening"
        config = scene.session.config
        assert config.instructions == "You run a small home."
        assert [entry.name for entry in config.tools] == ["light"]
        assert config.audio.input.turn_detection.type == "server_vad"
        voice = config.audio.output.voice
        assert (voice if isinstance(voice, str) else voice.name) == "marin"
    assert len(scene.server.sent("session.update")) == 1


@every_vendor
@both_ways
async def test_a_spoken_turn_is_answered_aloud_and_not_a_byte_is_lost(
    talk, profile, way, mouth, voice
) -> None:
    async with talk(profile, agent(), way=way, transcripts=["good morning"]) as scene:
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.attach(ArraySource(voice, 24_000, pace=None), mouth)
            response = (await anext(done)).response
        await scene.until(lambda: scene.session.state == "listening")
        assert response.status == "completed"
        assert {name: bytes(pcm) for name, pcm in mouth.played.items()} == scene.server.spoken
        assert mouth.ms == 4 * 120
        user, assistant = scene.session.history
        assert (user.role, assistant.role) == ("user", "assistant")
        assert assistant.text == "You said good morning"
        asked = events.PROFILES[profile].transcription_model is not None
        assert user.text == ("good morning" if asked or profile in WRITING_USERS else "")
    assert 1_050 <= scene.server.heard_ms <= 1_100
    assert scene.server.sent("response.create") == []


@every_vendor
@both_ways
async def test_a_written_turn_is_answered(talk, profile, way) -> None:
    async with talk(profile, agent(), way=way) as scene:
        await scene.session.say("hello")
        response = await scene.session.respond(timeout=5)
        assert response.status == "completed"
        assert response.text == "You said hello"
        assert response.usage.total_tokens == 30
        assert [entry.text for entry in scene.session.history] == ["hello", "You said hello"]
        assert scene.session.usage.total_tokens == 30


@every_vendor
@both_ways
async def test_a_tool_is_called_once_and_its_output_answered_once(talk, profile, way, light, calls) -> None:
    async with talk(profile, agent(light), way=way, arguments={"on": True}) as scene:
        await scene.session.say("use the tool")
        response = await scene.session.respond(timeout=5)
        assert response.text == "done"
    assert calls == [True]
    items = [event["item"] for event in scene.server.sent("conversation.item.create")]
    outputs = [item["output"] for item in items if item["type"] == "function_call_output"]
    assert outputs == ["it burns"]
    assert len(scene.server.sent("response.create")) == 2
    assert scene.server.races == []


@every_vendor
async def test_a_tool_that_is_asked_for_aloud(talk, profile, light, calls, mouth, voice) -> None:
    async with talk(profile, agent(light), transcripts=["the tool"], arguments={"on": False}) as scene:
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.attach(ArraySource(voice, 24_000, pace=None), mouth)
            await anext(done)
            await anext(done)
        assert [entry.text for entry in scene.session.history if entry.role == "assistant"] == ["done"]
    assert calls == [False]
    assert len(scene.server.sent("response.create")) == 1
    assert scene.server.races == []


@every_vendor
async def test_two_turns_follow_each_other(talk, profile) -> None:
    async with talk(profile, agent()) as scene:
        for word in ("one", "two"):
            await scene.session.say(word)
            response = await scene.session.respond(timeout=5)
            assert response.text == f"You said {word}"
        words = [entry.text for entry in scene.session.history]
    assert words == ["one", "You said one", "two", "You said two"]


# -- interruption ------------------------------------------------------------------------------------


@every_vendor
async def test_the_users_voice_stops_the_answer(talk, profile, slow_mouth) -> None:
    dialect = events.PROFILES[profile]
    async with talk(profile, agent(), transcripts=["stop"]) as scene:
        scene.session.attach(None, slow_mouth)
        await scene.session.say("a story please")
        async with scene.session.subscribe(lifecycle.Interrupted, events.ResponseDone) as stream:
            scene.session.post(events.ResponseCreate())
            await scene.until(lambda: slow_mouth.ms == 240)
            before = len(scene.server.sent())
            scene.session.append_audio(scene.speech(100))
            interrupted = await anext(stream)
            assert isinstance(interrupted, lifecycle.Interrupted)
            assert interrupted.heard_ms == 120
            assert (await anext(stream)).response.status == "cancelled"
        (item_id,) = slow_mouth.played
        assert slow_mouth.stops == 1
        assert slow_mouth.ms == 240
        # The end of the turn is answered as usual; what the server has to be told comes before that.
        slow_mouth.let_go()
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.append_audio(scene.speech(300, 0))
            assert (await anext(done)).response.status == "completed"
        assert slow_mouth.ms == 240 + 3 * 120
    told = scene.server.sent()[before:]
    if dialect.farewell is not None:
        assert told.pop()["type"] == dialect.farewell
    truncations = [(event["type"], event["item_id"], event["audio_end_ms"]) for event in told]
    assert truncations == (
        [("conversation.item.truncate", item_id, 120)] if dialect.truncates != "none" else []
    )


@every_vendor
async def test_the_program_stops_the_answer(talk, profile, slow_mouth) -> None:
    dialect = events.PROFILES[profile]
    async with talk(profile, agent()) as scene:
        scene.session.attach(None, slow_mouth)
        await scene.session.say("a story please")
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.post(events.ResponseCreate())
            await scene.until(lambda: slow_mouth.ms == 240)
            before = len(scene.server.sent())
            await scene.session.interrupt()
            assert slow_mouth.stops == 1
            assert (await anext(done)).response.status == "cancelled"
        await scene.session.say("again")
        assert (await scene.session.respond(timeout=5)).status == "completed"
    told = [event["type"] for event in scene.server.sent()[before:]]
    corrections = ["response.cancel"]
    if dialect.truncates != "none":
        corrections.append("conversation.item.truncate")
    assert sorted(told[: len(corrections)]) == sorted(corrections)
    assert told[len(corrections) :][:2] == ["conversation.item.create", "response.create"]


@every_vendor
async def test_a_voice_that_is_still_heard_is_cut_after_its_response(talk, profile, slow_mouth) -> None:
    dialect = events.PROFILES[profile]
    async with talk(profile, agent()) as scene:
        scene.session.attach(None, slow_mouth)
        await scene.session.say("hello")
        response = await scene.session.respond(timeout=5)
        assert response.status == "completed"
        assert scene.session.state == "speaking"
        before = len(scene.server.sent())
        async with scene.session.subscribe(lifecycle.Interrupted) as stream:
            scene.session.append_audio(scene.speech(100))
            assert (await anext(stream)).heard_ms == 180
        await scene.session.update(instructions="Go on.")
    told = [event["type"] for event in scene.server.sent()[before:]]
    cut = ["conversation.item.truncate"] if dialect.truncates != "none" else []
    assert told[: len(cut) + 1] == [*cut, "session.update"]


# -- control -----------------------------------------------------------------------------------------


@every_vendor
async def test_nothing_is_cancelled_when_nothing_runs(talk, profile) -> None:
    async with talk(profile, agent()) as scene:
        assert await scene.session.send(events.ResponseCancel(), timeout=5) is None
        await scene.session.interrupt()
        await scene.session.update(instructions="Be brief.")
    assert scene.server.sent("response.cancel") == []
    assert scene.server.races == []


@every_vendor
async def test_an_update_changes_what_it_names(talk, profile, light) -> None:
    async with talk(profile, agent(light)) as scene:
        config = await scene.session.update(instructions="Be brief.")
        assert config.instructions == "Be brief."
        assert [entry.name for entry in config.tools] == ["light"]
        assert config.audio.input.turn_detection.type == "server_vad"


@every_vendor
async def test_turn_detection_can_be_changed_or_that_is_said(talk, profile) -> None:
    dialect = events.PROFILES[profile]
    manual = {"input": {"turn_detection": None}}
    async with talk(profile, agent()) as scene:
        if not dialect.manual_turns:
            with pytest.raises(Unsupported, match="turns ended by the program"):
                await scene.session.update(audio=manual)
            return
        config = await scene.session.update(audio=manual)
        assert config.audio.input.turn_detection is None
        scene.session.append_audio(scene.speech(500))
        scene.session.append_audio(scene.speech(500, 0))
        await scene.session.send(events.InputAudioBufferCommit(), timeout=5)
        response = await scene.session.respond(timeout=5)
        assert response.text == "You said hello there"
        scene.session.append_audio(scene.speech(500))
        await scene.session.send(events.InputAudioBufferClear(), timeout=5)


@every_vendor
async def test_items_are_taken_out_and_read_back_or_that_is_said(talk, profile) -> None:
    dialect = events.PROFILES[profile]
    async with talk(profile, agent()) as scene:
        await scene.session.say("hello")
        item_id = scene.session.history[0].id
        for kind in (events.ConversationItemRetrieve, events.ConversationItemDelete):
            event = kind(item_id=item_id)
            if dialect.takes(event.type):
                answer = await scene.session.send(event, timeout=5)
                assert answer is not None
            else:
                with pytest.raises(Unsupported, match=dialect.title):
                    await scene.session.send(event, timeout=5)
        if dialect.takes("conversation.item.delete"):
            assert scene.session.history == ()


@every_vendor
async def test_history_is_spelled_as_the_vendor_wants_it(talk, profile) -> None:
    async with talk(profile, agent()) as scene:
        await scene.session.say("What was I told?")
        await scene.session.say("That it rains.", role="assistant")
        assert [entry.role for entry in scene.session.history] == ["user", "assistant"]


@every_vendor
async def test_a_response_beside_the_conversation_or_that_is_said(talk, profile) -> None:
    dialect = events.PROFILES[profile]
    async with talk(profile, agent()) as scene:
        aside = {"conversation": "none", "input": [events.user_message("aside")], "timeout": 5}
        if not dialect.out_of_band:
            with pytest.raises(Unsupported, match=dialect.title):
                await scene.session.respond(**aside)
            return
        assert (await scene.session.respond(**aside)).text == "You said aside"
        assert scene.session.history == ()


@every_vendor
async def test_an_answer_in_writing_or_that_is_said(talk, profile) -> None:
    dialect = events.PROFILES[profile]
    async with talk(profile, agent()) as scene:
        await scene.session.say("hello")
        if not dialect.text_answers:
            with pytest.raises(Unsupported, match=dialect.title):
                await scene.session.respond(modalities=["text"], timeout=5)
            return
        response = await scene.session.respond(modalities=["text"], timeout=5)
        assert response.text == "You said hello"
    assert scene.server.spoken == {}


# -- what is not expected ----------------------------------------------------------------------------


@every_vendor
async def test_what_nobody_knows_disturbs_nobody(talk, profile, mouth) -> None:
    strange = [
        {"type": "vendor.surprise", "n": 1},
        "{",
        "[]",
        {"type": "response.audio.delta"},
        {"no": "type"},
    ]
    async with talk(profile, agent()) as scene:
        scene.session.attach(None, mouth)
        await scene.session.say("a story please")
        async with scene.session.subscribe(events.UnknownEvent) as unknown:
            scene.session.post(events.ResponseCreate())
            await scene.until(lambda: mouth.ms == 240)
            for frame in strange:
                await scene.server.send_raw(frame)
            async for event in unknown:
                if event.type == "vendor.surprise":
                    break
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.server.release()
            assert (await anext(done)).response.status == "completed"
        assert {name: bytes(pcm) for name, pcm in mouth.played.items() if pcm} == scene.server.spoken


@every_vendor
async def test_a_vendors_own_ways_are_no_departures(talk, profile, light, mouth, voice) -> None:
    async with talk(profile, agent(light), transcripts=["good morning"], arguments={"on": True}) as scene:
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.attach(ArraySource(voice, 24_000, pace=None), mouth)
            await anext(done)
        await scene.session.say("use the tool")
        await scene.session.respond(timeout=5)
        assert scene.session.metrics.departures == {}


@every_vendor
async def test_audio_is_sent_in_the_rate_that_the_vendor_hears(talk, profile, voice) -> None:
    async with talk(profile, agent()) as scene:
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.attach(ArraySource(voice, 24_000, pace=None))
            await anext(done)
    (turn,) = scene.server.turns
    rate = 16_000 if profile == "qwen-omni" else 24_000
    assert abs(len(turn) / 2 / rate - 0.8) <= 0.02  # the voice, and the silence that ended it


@every_vendor
async def test_frames_are_plain_json_text(talk, profile) -> None:
    async with talk(profile, agent(), way="socket") as scene:
        await scene.session.say("grüß dich")
    (event,) = scene.server.sent("conversation.item.create")
    assert event["item"]["content"] == [{"type": "input_text", "text": "grüß dich"}]
    assert json.dumps(event)
