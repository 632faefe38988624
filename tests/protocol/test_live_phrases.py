"""What a program wants, said in GPT-Live's events."""

from __future__ import annotations

import pytest

from rtagent import events
from rtagent.errors import ConfigurationError, Unsupported
from rtagent.events import live
from rtagent.protocol._live_phrases import LivePhrases

PHRASES = LivePhrases(events.LIVE)
ATTACHED = LivePhrases(events.LIVE_SIDEBAND)


def test_a_session_is_started_as_wanted_or_with_the_usual_model() -> None:
    wanted = live.SessionConfig(model="gpt-live-2", instructions="Be brief.")
    assert PHRASES.opening(wanted) == live.SessionStart(session=wanted)
    usual = live.SessionStart(session=live.SessionConfig(model="gpt-live-1"))
    assert PHRASES.opening(None) == usual


def test_a_session_that_runs_or_that_the_server_knows_is_not_started() -> None:
    assert ATTACHED.opening(live.SessionConfig(model="gpt-live-1")) is None
    assert LivePhrases(events.LIVE_FORK).opening(None) is None


def test_a_session_of_another_protocol_is_refused() -> None:
    with pytest.raises(Unsupported, match="configured by RealtimeSession") as caught:
        PHRASES.opening(events.RealtimeSession())
    assert caught.value.dialect == "GPT-Live"


def test_delegation_and_triggers_can_change() -> None:
    event = PHRASES.change({"delegation": live.ClientDelegation(), "triggers": None})
    assert isinstance(event, live.SessionUpdate)
    assert event.session.model_fields_set == {"delegation", "triggers"}


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"instructions": "x"}, Unsupported, "changing instructions after the start"),
        ({"audio": None, "model": "m"}, Unsupported, "changing audio, model after the start"),
        ({"voice": "x", "mood": 1}, ConfigurationError, "voice is not a setting of a session; mood is not"),
        ({"triggers": 7}, ConfigurationError, "triggers"),
        ({"audio": None, "mood": 1}, ConfigurationError, "mood is not a setting"),
    ],
)
def test_nothing_else_can(changes: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        PHRASES.change(changes)
    assert type(caught.value) is error


def test_the_system_instructs_and_the_assistant_comments() -> None:
    assert PHRASES.words("Be brief.", "system") == live.SessionInstructionsAppend(content="Be brief.")
    said = PHRASES.words("One moment.", "assistant")
    assert isinstance(said, live.SessionCommentaryAppend)
    assert said.model_dump(exclude_unset=True)["delegation_id"] is None, "always written (rule L3)"
    with pytest.raises(Unsupported, match="text of the user"):
        PHRASES.words("Hello", "user")


def test_who_owns_the_session_closes_it() -> None:
    assert PHRASES.farewell() == live.SessionClose()
    assert ATTACHED.farewell() is None


def test_muting_is_told() -> None:
    assert PHRASES.mute(True) == live.SessionInputAudioMute()
    assert PHRASES.mute(False) == live.SessionInputAudioUnmute()


def test_turns_are_refused_with_what_to_do_instead() -> None:
    assert "the model decides when it speaks" in str(PHRASES.no_response())
    assert "the model owns barge-in" in str(PHRASES.no_interruption())


def test_its_own_events_pass() -> None:
    PHRASES.check(live.SessionInputAudioMute())
    ATTACHED.check(live.TransportDtmfSend(event="1"))


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        (events.ConversationItemCreate(item=events.user_message("x")), "use say()"),
        (events.ResponseCreate(), "decides when it speaks"),
        (events.ResponseCancel(), "barge-in"),
        (events.SessionUpdate(session=events.RealtimeSession()), "use events.live.SessionUpdate"),
        (events.InputAudioBufferClear(), None),
    ],
    ids=lambda value: getattr(value, "type", None),
)
def test_events_of_another_vocabulary_are_refused(event: events.ClientEvent, hint: str | None) -> None:
    with pytest.raises(Unsupported) as caught:
        PHRASES.check(event)
    assert caught.value.feature == event.type
    assert (hint is None) == (caught.value.hint is None)
    assert hint is None or hint in (caught.value.hint or "")


def test_what_the_dialect_does_not_take_is_refused() -> None:
    with pytest.raises(Unsupported, match=r"session\.input_audio\.append"):
        ATTACHED.check(live.SessionInputAudioAppend(audio=""))
