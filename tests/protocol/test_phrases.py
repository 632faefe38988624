"""What a dialect takes: wishes said in its events, or refused with its name."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import events
from rtagent.errors import ConfigurationError, Unsupported
from rtagent.protocol._phrases import Phrases, checked

GA = Phrases(events.GA)


def phrases(profile: str = "openai", **changes: Any) -> Phrases:
    return Phrases(events.PROFILES[profile].model_copy(update=changes))


def ear(**fields: Any) -> events.SessionUpdate:
    return events.SessionUpdate(
        session=events.RealtimeSession(audio=events.SessionAudio(input=events.AudioInput(**fields)))
    )


def mouth(**fields: Any) -> events.SessionUpdate:
    return events.SessionUpdate(
        session=events.RealtimeSession(audio=events.SessionAudio(output=events.AudioOutput(**fields)))
    )


def response(**fields: Any) -> events.ResponseCreate:
    return events.ResponseCreate(response=events.ResponseParams(**fields))


def test_a_session_is_configured_by_an_update() -> None:
    wanted = events.RealtimeSession(instructions="Be brief.")
    assert GA.opening(wanted) == events.SessionUpdate(session=wanted)
    assert GA.opening(None) is None
    transcription = events.TranscriptionSession()
    assert GA.opening(transcription) == events.SessionUpdate(session=transcription)


def test_the_configuration_of_another_vocabulary_is_refused() -> None:
    with pytest.raises(Unsupported, match="OpenAI Realtime does not support a session configured by Prompt"):
        GA.opening(events.Prompt(id="p"))


def test_changes_are_only_what_was_named() -> None:
    change = GA.change({"instructions": "", "audio": {"input": {"turn_detection": None}}})
    assert isinstance(change, events.SessionUpdate)
    assert change.session.model_dump(exclude_unset=True) == {
        "type": "realtime",
        "instructions": "",
        "audio": {"input": {"turn_detection": None}},
    }


def test_every_problem_of_a_change_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked(events.RealtimeSession, {"colour": "blue", "audio": {"output": {"speed": "fast"}}})
    text = str(caught.value)
    assert "colour is not a setting of a session" in text
    assert "audio.output.speed: " in text


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_words_become_a_message(role: Any) -> None:
    event = GA.words("Hello!", role)
    assert isinstance(event, events.ConversationItemCreate)
    assert getattr(event.item, "role", None) == role


def test_goodbyes() -> None:
    assert GA.farewell() is None
    assert phrases("vllm").farewell() == events.InputAudioBufferCommit(final=True)
    goodbye = phrases("qwen-omni").farewell()
    assert goodbye is not None
    assert goodbye.type == "session.finish"
    phrases("qwen-omni").check(goodbye)


def test_what_every_server_takes_passes() -> None:
    for event in (
        events.InputAudioBufferCommit(),
        events.ResponseCreate(),
        response(conversation="none", output_modalities=["text"], instructions="x"),
        events.ConversationItemCreate(item=events.user_image("data:image/png;base64,AAAA")),
        ear(turn_detection=events.SemanticVad(), format=events.PcmuFormat()),
        ear(turn_detection=None),
        ear(format=None, transcription=None),
        mouth(voice="marin", format=events.PcmFormat()),
        events.SessionUpdate(session=events.RealtimeSession(instructions="x")),
    ):
        GA.check(event)


REFUSED = [
    ("vllm", events.ResponseCreate(), "vLLM does not support response.create"),
    ("hf-speech-to-speech", events.ConversationItemDelete(item_id="i"), "conversation.item.delete"),
    ("qwen-omni", response(conversation="none"), "beside the conversation"),
    ("stepfun", response(output_modalities=["text"]), "answers in writing alone"),
    ("local", events.ConversationItemCreate(item=events.user_image("data:image/png;base64,AA")), "images"),
    ("vllm", ear(turn_detection=None), "conversation sessions"),
    (
        "qwen-omni",
        events.SessionUpdate(session=events.TranscriptionSession()),
        "Qwen-Omni-Realtime does not support transcription sessions",
    ),
    ("vllm-omni", ear(turn_detection=events.SemanticVad()), r"semantic_vad \(it has server_vad\)"),
    ("hf-speech-to-speech", ear(turn_detection=None), "turns ended by the program"),
    ("openai", ear(format=events.PcmFormat(rate=16_000)), r"hearing at 16000 Hz \(it has 24000 Hz\)"),
    ("qwen-omni", ear(format=events.PcmFormat(rate=24_000)), r"hearing at 24000 Hz \(it has 16000 Hz\)"),
    ("openai", mouth(format=events.PcmFormat(rate=8_000)), "speaking at 8000 Hz"),
    ("qwen-omni", mouth(format=events.PcmaFormat()), "speaking audio/pcma"),
]


@pytest.mark.parametrize(("profile", "event", "words"), REFUSED)
def test_what_a_server_does_not_take_is_refused_with_its_name(
    profile: str, event: events.ClientEvent, words: str
) -> None:
    with pytest.raises(Unsupported, match=words) as caught:
        phrases(profile).check(event)
    assert caught.value.dialect == events.PROFILES[profile].title


def test_settings_for_one_response_where_there_are_none() -> None:
    strict = phrases(response_overrides=False)
    strict.check(response(conversation="auto", metadata={"a": "b"}))
    with pytest.raises(Unsupported, match=r"settings for one response \(instructions\)"):
        strict.check(response(instructions="x"))


def test_tools_where_there_are_none() -> None:
    tool = events.FunctionTool(name="f", parameters={"type": "object"})
    update = events.SessionUpdate(session=events.RealtimeSession(tools=[tool]))
    GA.check(update)
    with pytest.raises(Unsupported, match="tools"):
        phrases(functions=False).check(update)


def test_turn_detection_where_nothing_detects_turns() -> None:
    none = phrases(turn_detections=(), manual_turns=False)
    none.check(ear(turn_detection=None))
    with pytest.raises(Unsupported, match=r"turn detection by server_vad$"):
        none.check(ear(turn_detection=events.ServerVad()))


def test_events_of_another_vocabulary_are_refused() -> None:
    with pytest.raises(Unsupported, match=r"session\.close as rtagent\.events"):
        GA.check(events.ClientEvent(type="session.close"))
    with pytest.raises(Unsupported, match=r"session\.update as"):
        GA.check(events.ClientEvent(type="session.update"))


def test_muting_is_our_own_affair() -> None:
    assert GA.mute(True) is None


def test_words_pass_where_images_do_not() -> None:
    phrases("local").check(events.ConversationItemCreate(item=events.user_message("Hello")))
