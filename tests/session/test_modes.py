"""A few words of the program as the configuration of a transcription or a translation."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import events
from rtagent.errors import ConfigurationError
from rtagent.events import PROFILES, translation
from rtagent.session._modes import SOURCE_MODEL, transcription_config, translation_config


def written(config: events.WireModel) -> dict[str, Any]:
    return config.model_dump(exclude_unset=True)


def hearing(**settings: Any) -> events.TranscriptionSession:
    return events.TranscriptionSession(
        audio=events.SessionAudio(input=events.AudioInput.model_validate(settings))
    )


def test_the_dialects_model_writes_down_what_the_program_leaves_open() -> None:
    assert written(transcription_config()) == {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "gpt-transcribe"}}},
    }
    assert written(transcription_config("en", "whisper-1"))["audio"]["input"] == {
        "transcription": {"language": "en", "model": "whisper-1"}
    }


def test_everything_else_of_the_configuration_stays() -> None:
    config = hearing(
        turn_detection=None, transcription={"prompt": "names", "model": "m"}, format={"type": "audio/pcmu"}
    )
    asked = written(transcription_config("en", None, config))
    assert asked["audio"]["input"] == {
        "turn_detection": None,
        "format": {"type": "audio/pcmu"},
        "transcription": {"prompt": "names", "model": "m", "language": "en"},
    }
    assert written(transcription_config("en", "m", config)) == asked


def test_a_server_without_such_a_setting_is_not_given_one() -> None:
    xai = PROFILES["xai"]
    config = events.TranscriptionSession()
    assert transcription_config(config=config, dialect=xai) is config
    assert written(transcription_config("en", dialect=xai))["audio"]["input"] == {
        "transcription": {"language": "en"}
    }


def test_a_server_that_has_to_be_told_the_model_is_told() -> None:
    vllm = PROFILES["vllm"]
    with pytest.raises(ConfigurationError, match=r"vLLM has to be told which model.*pass model="):
        transcription_config("en", dialect=vllm)
    named = transcription_config(model="voxtral", dialect=vllm)
    assert written(named)["audio"]["input"]["transcription"] == {"model": "voxtral"}
    always = vllm.model_copy(update={"default_model": "voxtral"})
    assert transcription_config(dialect=always) == named


@pytest.mark.parametrize("language", ["es", "pt-BR", "zh-Hans", "yue", "sr-Latn-RS"])
def test_language_tags_are_checked_loosely(language: str) -> None:
    assert translation_config(language).audio == translation_config(to=language).audio
    transcription_config(language)


@pytest.mark.parametrize("language", ["", "e", "Spanish", "es_MX", "es-", "español"])
def test_what_is_no_language_is_refused_before_anything_starts(language: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a language"):
        transcription_config(language)
    with pytest.raises(ConfigurationError, match="is not a language"):
        translation_config(language)
    with pytest.raises(ConfigurationError, match="is not a language"):
        translation_config(config=translation.TranslationSession.into(language))


def test_one_thing_is_not_said_twice_in_two_ways() -> None:
    config = hearing(transcription={"model": "m", "language": "en"})
    transcription_config("en", "m", config)
    with pytest.raises(ConfigurationError, match="language is 'de', and 'en' in the configuration"):
        transcription_config("de", config=config)
    with pytest.raises(ConfigurationError, match="model is 'n', and 'm' in the configuration"):
        transcription_config(model="n", config=config)
    with pytest.raises(ConfigurationError, match="to is 'de', and 'es' in the configuration"):
        translation_config("de", config=translation.TranslationSession.into("es"))


def test_a_translation_speaks_one_language_and_writes_down_both() -> None:
    asked = {
        "audio": {"output": {"language": "es"}, "input": {"transcription": {"model": SOURCE_MODEL}}},
    }
    assert written(translation_config("es")) == asked
    assert written(translation_config(config=translation.TranslationSession.into("es"))) == asked
    assert written(translation_config("es", "gpt-realtime-translate")) == {
        **asked,
        "model": "gpt-realtime-translate",
    }


def test_the_source_text_can_be_left_out() -> None:
    silent = translation.TranslationSession(
        audio=translation.TranslationAudio(input=translation.TranslationInput(transcription=None))
    )
    assert written(translation_config("es", config=silent))["audio"]["input"] == {"transcription": None}


def test_a_translation_needs_a_language() -> None:
    with pytest.raises(ConfigurationError, match='pass to="es"'):
        translation_config()


def test_a_configuration_of_another_kind_of_session_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"by events\.TranscriptionSession, not by RealtimeSession"):
        transcription_config(config=events.RealtimeSession())
    with pytest.raises(ConfigurationError, match=r"TranslationSession, not by TranscriptionSession"):
        translation_config("es", config=events.TranscriptionSession())
