"""What can be said in a translation session, and what is refused before it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import events
from rtagent.errors import ConfigurationError, Unsupported
from rtagent.events import translation
from rtagent.protocol._interpretation_phrases import TranslationPhrases


@pytest.fixture
def phrases() -> TranslationPhrases:
    return TranslationPhrases(events.TRANSLATION)


def test_only_what_can_be_asked_for_is_asked_for(phrases: TranslationPhrases) -> None:
    assert phrases.opening(None) is None
    assert phrases.opening(translation.TranslationSession(model="m")) is None
    wanted = translation.TranslationSession.into("es").model_copy(update={"id": "sess_1", "model": "m"})
    opening = phrases.opening(wanted)
    assert opening == translation.SessionUpdate(session=translation.TranslationSession.into("es"))
    with pytest.raises(Unsupported, match="configured by RealtimeSession"):
        phrases.opening(events.RealtimeSession())


@pytest.mark.parametrize(
    "audio_part",
    [
        {"output": {"language": "de"}},
        {"input": {"noise_reduction": None}},
        {"input": {"transcription": {"model": "m"}, "noise_reduction": {"type": "far_field"}}},
        translation.TranslationAudio(output=translation.TranslationOutput(language="de")),
        None,
    ],
)
def test_language_transcription_and_noise_reduction_can_be_changed(
    phrases: TranslationPhrases, audio_part: object
) -> None:
    change = phrases.change({"audio": audio_part})
    assert isinstance(change, translation.SessionUpdate)
    plain = (
        audio_part.model_dump(exclude_unset=True) if isinstance(audio_part, events.WireModel) else audio_part
    )
    assert change.session.model_dump(exclude_unset=True) == {"audio": plain}


@pytest.mark.parametrize(
    ("changes", "feature"),
    [
        ({"instructions": "Be brief."}, "a change of instructions"),
        ({"model": "other"}, "a change of model"),
        ({"audio": {"output": {"voice": "marin"}}}, r"a change of audio\.output\.voice"),
        ({"audio": {"input": {"turn_detection": None}}}, r"a change of audio\.input\.turn_detection"),
        (
            {"audio": events.SessionAudio(output=events.AudioOutput(speed=1.2))},
            r"a change of audio\.output\.speed",
        ),
    ],
)
def test_nothing_else_can_be_changed(
    phrases: TranslationPhrases, changes: dict[str, Any], feature: str
) -> None:
    with pytest.raises(Unsupported, match=feature):
        phrases.change(changes)


def test_a_change_to_what_cannot_be_is_refused(phrases: TranslationPhrases) -> None:
    with pytest.raises(ConfigurationError, match=r"audio\.input\.transcription\.model"):
        phrases.change({"audio": {"input": {"transcription": {}}}})
    with pytest.raises(ConfigurationError, match="audio"):
        phrases.change({"audio": "es"})


@pytest.mark.parametrize(
    "event",
    [
        events.ResponseCreate(),
        events.SessionUpdate(session=events.RealtimeSession()),
        events.InputAudioBufferAppend.of(b"\0\0"),
    ],
    ids=lambda event: str(event.type),
)
def test_events_of_another_vocabulary_are_refused(
    phrases: TranslationPhrases, event: events.ClientEvent
) -> None:
    with pytest.raises(Unsupported, match=r"rtagent\.events\.translation"):
        phrases.check(event)


@pytest.mark.parametrize(
    "event",
    [
        translation.SessionClose(),
        translation.SessionInputAudioBufferAppend.of(b"\0\0"),
        translation.SessionUpdate(session=translation.TranslationSession.into("es")),
    ],
    ids=lambda event: str(event.type),
)
def test_its_own_events_are_taken(phrases: TranslationPhrases, event: events.ClientEvent) -> None:
    phrases.check(event)


def test_what_a_translation_session_says_and_what_not():
    phrases = TranslationPhrases(events.TRANSLATION)
    assert phrases.farewell() == translation.SessionClose()
    assert phrases.mute(True) is None
    with pytest.raises(Unsupported, match="text turns"):
        phrases.words("Hello", "user")
