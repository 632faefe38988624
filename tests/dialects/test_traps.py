"""The traps that each vendor is known for, one by one (protocol document, sections 8 to 10)."""

from __future__ import annotations

import anyio
import pytest

import rtagent
from rtagent import Agent, Endpoint, Unsupported, events, tool
from rtagent.events import lifecycle
from rtagent.testing import VendorServer

AGENT = Agent(instructions="Be brief.", voice="marin")
SCRIBE = events.TranscriptionSession(
    audio=events.SessionAudio(
        input=events.AudioInput(transcription=events.InputTranscription(model="voxtral"))
    )
)


@tool
def light() -> str:
    """Switch the light."""
    return "it burns"


def config(**ears) -> events.RealtimeSession:
    return events.RealtimeSession(audio=events.SessionAudio(input=events.AudioInput(**ears)))


# -- vLLM --------------------------------------------------------------------------------------------


async def test_vllm_is_told_the_model_and_writes_down_what_was_said(talk) -> None:
    async with talk("vllm", config=SCRIBE, model="voxtral", transcripts=["good morning"]) as scene:
        completed = events.ConversationItemInputAudioTranscriptionCompleted
        async with scene.session.subscribe(completed) as stream:
            scene.session.append_audio(scene.speech(1_000))
            assert await scene.session.finish(timeout=5)
            assert (await anext(stream)).transcript == "good morning"
    told = [
        {name: value for name, value in event.items() if name != "event_id"} for event in scene.server.sent()
    ]
    assert told == [
        {"type": "session.update", "model": "voxtral"},
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.commit", "final": True},
    ]
    assert scene.server.heard_ms == 1_000


async def test_vllm_sends_deltas_without_ids(talk) -> None:
    async with talk("vllm", config=SCRIBE, model="voxtral", transcripts=["good morning"]) as scene:
        delta = events.ConversationItemInputAudioTranscriptionDelta
        async with scene.session.subscribe(delta) as stream:
            scene.session.append_audio(scene.speech(500))
            await scene.session.finish(timeout=5)
            assert [(await anext(stream)).delta for _ in range(2)] == ["good", " morning"]
        assert scene.session.metrics.departures == {}


async def test_vllm_has_errors_that_are_strings(talk) -> None:
    async with talk("vllm", config=SCRIBE, model="voxtral") as scene:
        async with scene.session.subscribe(events.Error) as stream:
            await scene.server.send_raw(
                {"type": "error", "error": "Invalid audio data", "code": "invalid_audio"}
            )
            error = (await anext(stream)).error
        assert (error.message, error.code) == ("Invalid audio data", "invalid_audio")


@pytest.mark.parametrize("asked", ["say", "respond", "commit"])
async def test_vllm_holds_no_conversations(talk, asked) -> None:
    async with talk("vllm", config=SCRIBE, model="voxtral") as scene:
        with pytest.raises(Unsupported, match="vLLM"):
            await {
                "say": lambda: scene.session.say("hello"),
                "respond": lambda: scene.session.respond(timeout=5),
                "commit": lambda: scene.session.send(events.InputAudioBufferClear(), timeout=5),
            }[asked]()


async def test_vllm_is_not_dialled_for_a_conversation() -> None:
    server = VendorServer("vllm")
    async with server.run_websocket() as url:
        with pytest.raises(Unsupported, match="vLLM"):
            async with rtagent.connect(AGENT, endpoint=Endpoint.url(url, profile="vllm")):
                pass
    assert server.paths == []


async def test_vllm_is_closed_cleanly_even_when_the_program_fails() -> None:
    server = VendorServer("vllm")
    with anyio.fail_after(8):
        async with server.run_websocket() as url:
            endpoint = Endpoint.url(url, profile="vllm")
            with pytest.raises(ZeroDivisionError):
                async with rtagent.connect(mode="transcription", endpoint=endpoint, model="voxtral"):
                    raise ZeroDivisionError
    assert server.faults == []
    assert [code for code, _ in server.ends] == [1000]


# -- vLLM-Omni ---------------------------------------------------------------------------------------


async def test_vllm_omni_also_announces_the_conversation(talk) -> None:
    async with talk("vllm-omni", AGENT, way="socket") as scene:
        await scene.session.say("hello")
        assert (await scene.session.respond(timeout=5)).text == "You said hello"


@pytest.mark.parametrize(
    "ears",
    [
        {"turn_detection": events.SemanticVad()},
        {"format": events.PcmuFormat()},
        {"format": events.PcmFormat(rate=16_000)},
    ],
)
async def test_vllm_omni_says_what_it_cannot(talk, ears) -> None:
    with pytest.raises(Unsupported, match="vLLM-Omni"):
        async with talk("vllm-omni", AGENT, config=config(**ears)):
            pass


# -- LocalAI -----------------------------------------------------------------------------------------


async def test_localai_leaves_out_the_first_predecessor_and_sends_events_of_its_own(talk) -> None:
    async with talk("localai", AGENT) as scene:
        async with scene.session.subscribe(events.UnknownEvent) as unknown:
            async with scene.session.subscribe(events.ResponseDone) as done:
                scene.session.append_audio(scene.speech(400))
                scene.session.append_audio(scene.speech(300, 0))
                await anext(done)
            own = [(await anext(unknown)).type for _ in range(3)]
        assert own == [
            "conversation.item.speaker",
            "conversation.item.sound_detection",
            "localai.classifier.result",
        ]
        assert [entry.role for entry in scene.session.history] == ["user", "assistant"]
        assert scene.session.metrics.departures == {}


# -- speaches ----------------------------------------------------------------------------------------


async def test_speaches_sends_messages_of_its_own_between_the_words(talk) -> None:
    async with talk("speaches", AGENT) as scene:
        async with scene.session.subscribe(events.UnknownEvent) as unknown:
            await scene.session.say("hello")
            response = await scene.session.respond(timeout=5)
            own = {(await anext(unknown)).type for _ in range(4)}
        assert response.text == "You said hello"
        assert own == {"partial_message", "full_message"}
        assert scene.session.metrics.departures == {}


# -- Hugging Face speech-to-speech -------------------------------------------------------------------


async def test_hugging_face_replaces_what_it_first_understood(talk) -> None:
    async with talk("hf-speech-to-speech", AGENT, transcripts=["good morning"]) as scene:
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.append_audio(scene.speech(400))
            scene.session.append_audio(scene.speech(300, 0))
            await anext(done)
        assert scene.session.history[0].text == "good morning"


async def test_hugging_face_never_acknowledges_a_truncation(talk, slow_mouth) -> None:
    async with talk("hf-speech-to-speech", AGENT) as scene:
        scene.session.attach(None, slow_mouth)
        await scene.session.say("hello")
        await scene.session.respond(timeout=5)
        await scene.session.interrupt()
        slow_mouth.let_go()
        await scene.session.say("again")
        assert (await scene.session.respond(timeout=5)).text == "You said again"
        (item_id, _) = slow_mouth.played
        truncate = events.ConversationItemTruncate(item_id=item_id, content_index=0, audio_end_ms=1)
        assert await scene.session.send(truncate, timeout=5) is None
    assert len(scene.server.sent("conversation.item.truncate")) == 2


async def test_hugging_face_calls_before_the_response_is_done_and_lists_nothing_in_it(talk) -> None:
    async with talk("hf-speech-to-speech", Agent(tools=[light])) as scene:
        async with scene.session.subscribe(lifecycle.ToolStarted) as started:
            await scene.session.say("use the tool")
            response = await scene.session.respond(timeout=5)
            assert (await anext(started)).name == "light"
        assert response.text == "done"
    assert scene.server.races == []


async def test_hugging_face_says_the_error_code_in_its_type(talk) -> None:
    async with talk("hf-speech-to-speech", AGENT) as scene:
        await scene.session.say("a story")
        scene.session.post(events.ResponseCreate())
        await scene.until(lambda: bool(scene.server.spoken))
        active = {"type": "conversation_already_has_active_response", "message": "one runs"}
        async with scene.session.subscribe(events.Error) as stream:
            await scene.server.send_raw({"type": "error", "error": active})
            assert (await anext(stream)).error.type == "conversation_already_has_active_response"
        scene.server.release()


@pytest.mark.parametrize("event", [events.InputAudioBufferCommit(), events.InputAudioBufferClear()])
async def test_hugging_face_has_no_turns_of_the_program(talk, event) -> None:
    async with talk("hf-speech-to-speech", AGENT) as scene:
        with pytest.raises(Unsupported, match="Hugging Face"):
            await scene.session.send(event, timeout=5)
    with pytest.raises(Unsupported, match="Hugging Face"):
        async with talk("hf-speech-to-speech", Agent(turn_taking="manual")):
            pass


# -- xAI ---------------------------------------------------------------------------------------------


async def test_xai_has_voice_and_turn_detection_on_top(talk) -> None:
    async with talk("xai", AGENT) as scene:
        assert scene.session.config.audio.output.voice == "marin"
    session = scene.server.sent("session.update")[0]["session"]
    assert session["voice"] == "marin"
    assert session["turn_detection"]["type"] == "server_vad"


async def test_xai_opens_with_the_conversation_in_older_builds(talk) -> None:
    async with talk("xai", AGENT, older=True) as scene:
        await scene.session.say("hello")
        assert (await scene.session.respond(timeout=5)).text == "You said hello"


async def test_xai_rewrites_what_it_understood(talk) -> None:
    async with talk("xai", AGENT, transcripts=["good morning"]) as scene:
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.append_audio(scene.speech(400))
            scene.session.append_audio(scene.speech(300, 0))
            await anext(done)
        assert scene.session.history[0].text == "good morning"


async def test_xai_rewrites_while_somebody_still_speaks(talk) -> None:
    updated = "conversation.item.input_audio_transcription.updated"
    async with talk("xai", AGENT) as scene:
        async with scene.session.subscribe() as stream:
            scene.session.append_audio(scene.speech(100))
            item_id = (await anext(stream)).item_id
            for text in ("I want a car", "I want a card"):
                await scene.server.send_raw({"type": updated, "item_id": item_id, "transcript": text})
                while (await anext(stream)).type != updated:
                    pass
        assert scene.session.history[0].text == "I want a card"


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_xai_hears_and_speaks_at_other_rates(talk, rate, mouth) -> None:
    form = events.PcmFormat(rate=rate)
    sound = events.SessionAudio(input=events.AudioInput(format=form), output=events.AudioOutput(format=form))
    async with talk("xai", AGENT, config=events.RealtimeSession(audio=sound)) as scene:
        scene.session.attach(None, mouth)
        async with scene.session.subscribe(events.ResponseDone) as done:
            scene.session.append_audio(scene.speech(400))
            scene.session.append_audio(scene.speech(300, 0))
            await anext(done)
        sent = next(iter(scene.server.spoken.values()))
        assert abs(mouth.ms - len(sent) / 2 / rate * 1_000) <= 5
    assert scene.server.heard_ms == 700


async def test_xai_names_a_key_digit(talk) -> None:
    pressed = {"type": "input_audio_buffer.dtmf_event_received", "digit": "5", "received_at": 1}
    async with talk("xai", AGENT) as scene:
        async with scene.session.subscribe(events.InputAudioBufferDtmfEventReceived) as stream:
            await scene.server.send_raw(pressed)
            assert (await anext(stream)).event == "5"


async def test_xai_calls_without_saying_whose_call_it_is(talk) -> None:
    async with talk("xai", Agent(tools=[light])) as scene:
        await scene.session.say("use the tool")
        assert (await scene.session.respond(timeout=5)).text == "done"
        assert scene.session.metrics.departures == {}


# -- Qwen --------------------------------------------------------------------------------------------


async def test_qwen_hears_16_khz_and_speaks_24(talk, mouth) -> None:
    async with talk("qwen-omni", AGENT) as scene:
        effective = scene.session._pump.core.effective
        assert (effective.input_format.rate, effective.output_format.rate) == (16_000, 24_000)
    session = scene.server.sent("session.update")[0]["session"]
    assert "pcm16" not in session.values()


async def test_qwen_is_told_goodbye_and_says_it_too(talk) -> None:
    async with talk("qwen-omni", AGENT, way="socket") as scene:
        pass
    assert scene.server.sent()[-1]["type"] == "session.finish"


async def test_qwen_has_its_configuration_before_it_hears_anything(talk, voice, mouth) -> None:
    async with talk("qwen-omni", AGENT) as scene:
        scene.session.append_audio(scene.speech(100))
        await scene.session.update(instructions="Go on.")
    kinds = [event["type"] for event in scene.server.log]
    assert kinds.index("session.update") < kinds.index("input_audio_buffer.append")


# -- StepFun -----------------------------------------------------------------------------------------


async def test_stepfun_detects_turns_only_when_it_is_asked_to(talk) -> None:
    async with talk("stepfun") as scene:
        assert scene.session.config.audio.input.turn_detection is None
    async with talk("stepfun", AGENT) as scene:
        assert scene.session.config.audio.input.turn_detection.type == "server_vad"


async def test_stepfun_always_speaks_and_writes(talk) -> None:
    async with talk("stepfun", AGENT) as scene:
        with pytest.raises(Unsupported, match="StepFun"):
            await scene.session.respond(modalities=["text"], timeout=5)
        with pytest.raises(Unsupported, match="StepFun"):
            await scene.session.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})


# -- GLM ---------------------------------------------------------------------------------------------


async def test_glm_beats_in_between_and_numbers_nothing(talk) -> None:
    async with talk("glm", AGENT) as scene:
        async with scene.session.subscribe(events.UnknownEvent) as unknown:
            await scene.session.say("hello")
            assert (await scene.session.respond(timeout=5)).text == "You said hello"
            assert (await anext(unknown)).type == "heartbeat"
        assert scene.session.metrics.departures == {}


async def test_glm_calls_long_before_the_response_is_done(talk) -> None:
    async with talk("glm", Agent(tools=[light])) as scene:
        await scene.session.say("use the tool")
        assert (await scene.session.respond(timeout=5)).text == "done"
    assert scene.server.races == []


# -- Inworld -----------------------------------------------------------------------------------------


async def test_inworld_names_the_function_in_the_item_only(talk) -> None:
    async with talk("inworld", Agent(tools=[light])) as scene:
        await scene.session.say("use the tool")
        assert (await scene.session.respond(timeout=5)).text == "done"
        assert scene.session.metrics.departures == {}


async def test_inworld_says_the_usage_twice_and_it_is_counted_once(talk) -> None:
    async with talk("inworld", AGENT) as scene:
        await scene.session.say("hello")
        await scene.session.respond(timeout=5)
        assert scene.session.usage.total_tokens == 30


# -- Azure and the older form ------------------------------------------------------------------------


async def test_voice_live_shows_the_voice_as_an_object_and_sends_visemes(talk) -> None:
    async with talk("azure-voice-live", AGENT) as scene:
        async with scene.session.subscribe(events.UnknownEvent) as unknown:
            await scene.session.say("hello")
            await scene.session.respond(timeout=5)
            kinds = {(await anext(unknown)).type for _ in range(2)}
        assert kinds == {"response.audio_timestamp.delta", "response.animation_viseme.delta"}
        assert scene.session.metrics.departures == {}


@pytest.mark.parametrize("profile", ["beta", "azure-preview", "azure-voice-live", "speaches", "stepfun"])
async def test_created_items_are_added_and_done_in_one(talk, profile) -> None:
    async with talk(profile, AGENT) as scene:
        await scene.session.say("hello")
        await scene.session.respond(timeout=5)
        assert [entry.status for entry in scene.session.history] == ["completed", "completed"]


async def test_the_older_form_is_asked_for_speech_by_both_modalities(talk) -> None:
    wishes = events.RealtimeSession(output_modalities=["audio"])
    async with talk("beta", AGENT, config=wishes) as scene:
        assert scene.session.config.output_modalities == ("audio",)
    assert sorted(scene.server.sent("session.update")[0]["session"]["modalities"]) == ["audio", "text"]


@pytest.mark.parametrize("kind", ["pcmu", "pcma"])
@pytest.mark.parametrize("profile", ["openai", "azure-preview", "beta"])
async def test_telephony_is_named_as_the_vendor_names_it(talk, profile, kind) -> None:
    form = events.PcmuFormat() if kind == "pcmu" else events.PcmaFormat()
    sound = events.SessionAudio(input=events.AudioInput(format=form), output=events.AudioOutput(format=form))
    async with talk(profile, AGENT, config=events.RealtimeSession(audio=sound)) as scene:
        effective = scene.session._pump.core.effective
        assert (effective.input_format.encoding, effective.output_format.encoding) == (kind, kind)
