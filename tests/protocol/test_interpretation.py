"""The core of a translation session: what it sends, plays, remembers and refuses."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.audio import AudioFormat
from rtagent.errors import LocalProtocolError, Unsupported
from rtagent.events import translation
from rtagent.protocol import (
    Answered,
    Core,
    Happening,
    Opened,
    PlayDue,
    Refused,
    Undelivered,
    VoiceEnded,
)
from rtagent.protocol import _interpretation as module
from rtagent.protocol._interpretation import Interpretation

LOUD = b"\x00\x40" * 2_400
"""100 ms that can be heard."""


def interpretation() -> Interpretation:
    numbers = count(1)
    return Interpretation(new_id=lambda prefix: f"{prefix}_{next(numbers)}")


@pytest.fixture
def core() -> Interpretation:
    return interpretation()


def audio(pcm: bytes = LOUD, **more: Any) -> translation.SessionOutputAudioDelta:
    event = translation.SessionOutputAudioDelta.of(pcm=pcm)
    return event.model_copy(update=more)


def played(happenings: list[Happening]) -> bytes:
    return b"".join(one.pcm for one in happenings if isinstance(one, PlayDue))


def test_it_is_a_core(core: Interpretation) -> None:
    as_core: Core = core
    assert as_core.dialect is events.TRANSLATION
    assert (as_core.late_audio_ms, as_core.usage.total_tokens) == (0.0, 0)


# -- opening and changing ------------------------------------------------------------------------------


def test_the_first_snapshot_is_the_greeting(core: Interpretation) -> None:
    assert (core.greeted, core.config) == (False, None)
    session = translation.TranslationSession(id="sess_1", model="gpt-realtime-translate")
    core.receive(translation.SessionCreated(session=session), 0.0)
    assert (core.greeted, core.config) == (True, session)


def test_what_it_asks_for_is_said_in_its_own_words(core: Interpretation) -> None:
    wanted = translation.SessionUpdate(session=translation.TranslationSession.into("es"))
    assert core.phrases.opening(translation.TranslationSession.into("es")) == wanted
    assert core.phrases.change({"audio": {"output": {"language": "es"}}}) == wanted


# -- answers -------------------------------------------------------------------------------------------


def test_updates_and_the_farewell_are_answered_in_their_order(core: Interpretation) -> None:
    update = translation.SessionUpdate(session=translation.TranslationSession.into("es"))
    first, second = (core.send(update, 0.0, awaited=True) for _ in range(2))
    farewell = core.phrases.farewell()
    assert isinstance(farewell, translation.SessionClose)
    last = core.send(farewell, 0.0, awaited=True)
    assert [event.event_id for event in core.events_to_send()] == [first, second, last]
    updated = translation.SessionUpdated(session=translation.TranslationSession.into("es"))
    closed = translation.SessionClosed()
    for event in (updated, updated, closed, closed):
        core.receive(event, 1.0)
    assert core.happenings() == [Answered(first, updated), Answered(second, updated), Answered(last, closed)]


def test_what_has_no_answer_is_answered_at_once(core: Interpretation) -> None:
    append = translation.SessionInputAudioBufferAppend.of(b"\0\0")
    core.send(append, 0.0)
    assert core.happenings() == []
    event_id = core.send(append, 0.0, awaited=True)
    assert core.happenings() == [Answered(event_id, None)]


def test_an_error_fails_the_event_that_it_names_and_no_other(core: Interpretation) -> None:
    update = translation.SessionUpdate(session=translation.TranslationSession.into("xx"))
    event_id = core.send(update, 0.0, awaited=True)
    for named in (None, "evt_other"):
        core.receive(events.Error(error=events.ErrorDetail(message="no", event_id=named)), 0.0)
    assert core.happenings() == []
    error = events.ErrorDetail(message="no such language", event_id=event_id)
    core.receive(events.Error(error=error), 0.0)
    assert core.happenings() == [Refused(event_id, error)]


def test_nobody_is_told_an_answer_that_nobody_waits_for(
    core: Interpretation, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = translation.SessionUpdate(session=translation.TranslationSession.into("es"))
    core.give_up(core.send(update, 0.0, awaited=True))
    core.receive(translation.SessionUpdated(), 0.0)
    assert core.happenings() == []
    monkeypatch.setattr(module, "KEPT_EXPECTATIONS", 1)
    core.send(update, 0.0, awaited=True)
    newest = core.send(update, 0.0, awaited=True)
    core.receive(translation.SessionUpdated(), 0.0)
    assert [one.event_id for one in core.happenings() if isinstance(one, Answered)] == [newest]


def test_events_of_another_vocabulary_are_refused(core: Interpretation) -> None:
    with pytest.raises(Unsupported, match=r"rtagent\.events\.translation"):
        core.send(events.SessionUpdate(session=events.RealtimeSession()), 0.0)


def test_what_belongs_to_a_conversation_is_refused_with_a_way_out(core: Interpretation) -> None:
    with pytest.raises(Unsupported, match="text turns"):
        core.phrases.words("Hello", "user")
    with pytest.raises(Unsupported, match="responses"):
        core.create_response(None, 0.0)
    with pytest.raises(Unsupported, match="interruptions"):
        core.interrupt(0.0)
    with pytest.raises(LocalProtocolError, match="call_1"):
        core.tool_finished("call_1", "{}", 0.0)
    assert core.phrases.mute(True) is None
    core.audio_written(bytes(960), 20.0, 0.0)
    assert (core.events_to_send(), core.happenings()) == ([], [])


@pytest.mark.parametrize(("asked", "reason"), [(True, "close_requested"), (False, "closed")])
def test_the_end_says_whether_it_was_asked_for(core: Interpretation, asked: bool, reason: str) -> None:
    if asked:
        core.send(translation.SessionClose(), 0.0)
    assert core.close_reason is None
    core.receive(translation.SessionClosed(), 1.0)
    assert core.close_reason == reason


# -- the voice -----------------------------------------------------------------------------------------


def test_the_voice_is_played_as_one_utterance_until_it_pauses(core: Interpretation) -> None:
    core.receive(audio(), 1.0)
    core.receive(audio(), 1.1)
    states = [core.state]
    first, second = core.happenings()
    assert isinstance(first, PlayDue)
    assert isinstance(second, PlayDue)
    assert first.item == second.item
    assert first.pcm == LOUD
    deadline = core.next_deadline()
    assert deadline is not None
    core.handle_timeout(deadline)
    assert core.happenings() == [VoiceEnded(first.item.item_id)]
    assert core.next_deadline() is None
    core.playback_progress({first.item.item_id: 100.0})
    states.append(core.state)
    core.playback_finished({first.item.item_id: 200.0}, 3.0)
    states.append(core.state)
    assert states == ["speaking", "speaking", "listening"]


def test_the_end_of_the_session_is_the_end_of_the_voice(core: Interpretation) -> None:
    core.receive(audio(), 1.0)
    core.receive(translation.SessionClosed(), 1.1)
    assert isinstance(core.happenings()[-1], VoiceEnded)


@pytest.mark.parametrize("heard_ms", [None, {}])
def test_a_sink_that_stops_leaves_nothing_to_be_heard(
    core: Interpretation, heard_ms: dict[str, float] | None
) -> None:
    core.receive(audio(), 1.0)
    core.playback_stopped(heard_ms, 1.1)
    assert core.state == "listening"


@pytest.mark.parametrize(
    ("fields", "rate"),
    [
        ({}, 24_000),
        ({"sample_rate": None, "channels": None}, 24_000),
        ({"sample_rate": 48_000}, 48_000),
    ],
)
def test_the_format_is_what_the_audio_says(core: Interpretation, fields: dict[str, Any], rate: int) -> None:
    assert core.effective.output_format == AudioFormat.pcm16(24_000)
    core.receive(audio(**fields), 0.0)
    assert core.effective.output_format == AudioFormat.pcm16(rate)
    assert core.effective.input_format == AudioFormat.pcm16(24_000)
    core.receive(audio(sample_rate=None), 0.0)
    assert core.effective.output_format == AudioFormat.pcm16(rate)


@given(st.lists(st.integers(1, 40), max_size=6))
def test_of_two_channels_the_first_is_played(cuts: list[int]) -> None:
    core = interpretation()
    stereo = b"\x01\x41\x02\x42" * 20
    pieces, start = [], 0
    for size in (*cuts, len(stereo)):
        pieces.append(stereo[start : start + size])
        start += size
    for piece in pieces:
        core.receive(audio(piece, channels=2), 0.0)
    assert played(core.happenings()) == b"\x01\x41" * 20


# -- the words -----------------------------------------------------------------------------------------


def test_both_languages_become_the_history_though_they_run_side_by_side(core: Interpretation) -> None:
    told = [
        (translation.SessionInputTranscriptDelta, "Good ", 200),
        (translation.SessionInputTranscriptDelta, "morning, ", 400),
        (translation.SessionOutputTranscriptDelta, "Buenos ", 400),
        (translation.SessionInputTranscriptDelta, "everybody.", 600),
        (translation.SessionOutputTranscriptDelta, "días ", 800),
        (translation.SessionOutputTranscriptDelta, "a todos.", 800),
        (translation.SessionInputTranscriptDelta, "Thanks.", 9_000),
    ]
    for kind, text, elapsed_ms in told:
        core.receive(kind(delta=text, elapsed_ms=elapsed_ms), elapsed_ms / 1000)
    assert [(entry.role, entry.text) for entry in core.history] == [
        ("user", "Good morning, everybody."),
        ("assistant", "Buenos días a todos."),
        ("user", "Thanks."),
    ]
    core.receive(translation.SessionClosed(), 10.0)
    assert {entry.status for entry in core.history} == {"completed"}


def test_words_without_a_time_are_placed_by_their_arrival(core: Interpretation) -> None:
    for text, now in (("One ", 100.0), ("two.", 100.5), ("Three.", 108.0)):
        core.receive(translation.SessionInputTranscriptDelta(delta=text), now)
    assert [entry.text for entry in core.history] == ["One two.", "Three."]


def test_events_that_it_does_not_know_change_nothing(core: Interpretation) -> None:
    core.receive(events.UnknownEvent(type="session.new", raw={"type": "session.new"}), 0.0)
    assert (core.happenings(), core.events_to_send(), core.history) == ([], [], ())


# -- from one connection to the next -------------------------------------------------------------------


def test_a_lost_session_ends_its_utterance_and_the_next_one_goes_on(core: Interpretation) -> None:
    session = translation.TranslationSession(id="sess_1")
    core.receive(translation.SessionCreated(session=session), 0.0)
    core.receive(translation.SessionInputTranscriptDelta(delta="Hola."), 0.0)
    core.receive(audio(), 0.0)
    event_id = core.send(translation.SessionUpdate(session=session), 0.0, awaited=True)
    core.happenings()
    core.resumption.lost(1.0)
    assert (core.state, core.greeted) == ("reconnecting", False)
    told = core.happenings()
    assert [type(one) for one in told] == [VoiceEnded, Undelivered]
    assert told[1] == Undelivered(event_id, "session.update")
    core.audio_written(LOUD, 100.0, 1.0)
    created = translation.SessionCreated(session=session)
    assert core.resumption.connected(Opened((created,)), 2.0).dropped_ms == 100.0
    core.resumption.go_on(2.0)
    core.receive(translation.SessionInputTranscriptDelta(delta="Adiós."), 2.0)
    assert core.greeted
    assert [entry.text for entry in core.history] == ["Hola.", "Adiós."]


def test_no_response_is_dropped_and_the_voice_alone_is_quiet() -> None:
    core = interpretation()
    core.drop_response("nothing", 0.0)
    assert core.events_to_send() == []
    assert core.quiet
    core.receive(audio(), 0.0)
    assert not core.quiet
