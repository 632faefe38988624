"""Utterances and their texts: what is open, what is new, and what was said in all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtagent import events
from rtagent.protocol import _transcripts
from rtagent.protocol._transcripts import Transcript, Transcripts

Started = events.InputAudioBufferSpeechStarted
Stopped = events.InputAudioBufferSpeechStopped
Committed = events.InputAudioBufferCommitted
Delta = events.ConversationItemInputAudioTranscriptionDelta
Updated = events.ConversationItemInputAudioTranscriptionUpdated
Segment = events.ConversationItemInputAudioTranscriptionSegment
Completed = events.ConversationItemInputAudioTranscriptionCompleted
Failed = events.ConversationItemInputAudioTranscriptionFailed


def told(transcripts: Transcripts, *received: events.ServerEvent) -> list[Transcript]:
    return [new for event in received if (new := transcripts.receive(event)) is not None]


def test_deltas_grow_into_the_final_text_which_replaces_them() -> None:
    transcripts = Transcripts()
    new = told(
        transcripts,
        Started(item_id="a", audio_start_ms=200),
        Stopped(item_id="a", audio_end_ms=900),
        Committed(item_id="a"),
        Delta(item_id="a", delta="Hel"),
        Delta(item_id="a", delta="lo"),
        Completed(item_id="a", transcript="Hello.", languages=[events.DetectedLanguage(code="en")]),
        Delta(item_id="a", delta="late"),
    )
    assert [(one.text, one.final) for one in new] == [("Hel", False), ("Hello", False), ("Hello.", True)]
    assert new[-1] == Transcript("a", "Hello.", final=True, start_ms=200, end_ms=900, language="en")
    assert transcripts.text == "Hello."
    assert transcripts.open == ()


def test_a_cumulative_text_rewrites_what_was_there() -> None:
    transcripts = Transcripts()
    new = told(
        transcripts,
        Updated(item_id="a", transcript="I scream"),
        Updated(item_id="a", transcript="Ice cream"),
        Completed(item_id="a", transcript="Ice cream!"),
        Updated(item_id="a", transcript="late"),
    )
    assert [one.text for one in new] == ["I scream", "Ice cream", "Ice cream!"]


def test_texts_stand_in_the_order_of_the_speech_and_not_of_their_completion() -> None:
    transcripts = Transcripts()
    told(
        transcripts,
        Committed(item_id="a"),
        Committed(item_id="b"),
        Committed(item_id="c"),
        Completed(item_id="b", transcript="two"),
        Completed(item_id="c", transcript=""),
    )
    assert transcripts.text == "two"
    assert list(transcripts.open) == ["a"]
    told(transcripts, Completed(item_id="a", transcript="one"))
    assert (transcripts.text, transcripts.open) == ("one two", ())


def test_a_failure_is_final_and_does_not_count_as_said() -> None:
    transcripts = Transcripts()
    error = events.ErrorDetail(message="no speech", code="audio_unintelligible")
    *_, failed = told(
        transcripts, Committed(item_id="a"), Delta(item_id="a", delta="mm"), Failed(item_id="a", error=error)
    )
    assert failed == Transcript("a", "mm", final=True, error=error)
    assert (transcripts.text, transcripts.open) == ("", ())


@pytest.mark.parametrize(
    ("speakers", "only"), [(("A", "A"), "A"), (("A", "B"), None), ((None, None), None), ((None, "B"), "B")]
)
def test_segments_are_pieces_of_their_own(speakers: tuple[str | None, ...], only: str | None) -> None:
    transcripts = Transcripts()
    new = told(
        transcripts,
        Committed(item_id="a"),
        Segment(item_id="a", speaker=speakers[0], text="Hi.", start=0.5, end=1.25),
        Segment(item_id="a", speaker=speakers[1], text="Hello."),
        Completed(item_id="a", transcript="Hi. Hello."),
    )
    assert new[0] == Transcript("a", "Hi.", final=False, start_ms=500, end_ms=1250, speaker=speakers[0])
    assert new[1] == Transcript("a", "Hello.", final=False, speaker=speakers[1])
    assert (new[2].final, new[2].speaker) == (True, only)
    assert transcripts.text == "Hi. Hello."


# -- which utterances are open -------------------------------------------------------------------------

OPEN: list[Any] = [
    pytest.param([Started(item_id="a")], ("a",), False, id="heard"),
    pytest.param([Started(item_id="a"), Stopped(item_id="a")], ("a",), True, id="heard to its end"),
    pytest.param([Started(item_id="a"), Stopped()], ("a",), True, id="its end has no name"),
    pytest.param(
        [Started(item_id="a"), Stopped(item_id="a"), Committed(item_id="a")], ("a",), False, id="committed"
    ),
    pytest.param([Committed(item_id="a"), Committed(item_id="a")], ("a",), False, id="told twice"),
    pytest.param([Stopped(item_id="a")], (), False, id="an end without a beginning"),
    pytest.param(
        [Started(item_id="a"), Committed(item_id="b"), Stopped(item_id="a")],
        ("b",),
        False,
        id="committed by the program while it is spoken (T6)",
    ),
    pytest.param(
        [Started(item_id="a"), Stopped(item_id="a"), Committed(item_id="b")],
        ("a", "b"),
        True,
        id="committed by the program just before the server does",
    ),
    pytest.param([Started(), Stopped(), Committed(item_id="a")], ("a",), False, id="named when committed"),
    pytest.param([Started(item_id="a"), Committed()], ("a",), False, id="named when heard"),
    pytest.param(
        [Started(item_id="a"), events.InputAudioBufferCleared()], (), False, id="thrown away while spoken"
    ),
    pytest.param(
        [Committed(item_id="a"), events.InputAudioBufferCleared()], ("a",), False, id="cleared afterwards"
    ),
    pytest.param(
        [Committed(item_id="a"), events.ConversationItemDeleted(item_id="a")], (), False, id="deleted"
    ),
    pytest.param([events.ConversationItemDeleted(item_id="a")], (), False, id="unknown and deleted"),
    pytest.param([events.SessionUpdated()], (), False, id="something else"),
]


@pytest.mark.parametrize(("received", "still_open", "ending"), OPEN)
def test_an_utterance_is_open_until_its_text_is_final(
    received: list[events.ServerEvent], still_open: tuple[str, ...], ending: bool
) -> None:
    transcripts = Transcripts()
    assert told(transcripts, *received) == []
    assert (transcripts.open, transcripts.ending) == (still_open, ending)


def test_speech_that_was_committed_early_keeps_its_place_in_time() -> None:
    transcripts = Transcripts()
    (final,) = told(
        transcripts,
        Started(item_id="a", audio_start_ms=300),
        Committed(item_id="b"),
        Completed(item_id="b", transcript="Yes."),
    )
    assert final == Transcript("b", "Yes.", final=True, start_ms=300)


# -- a server that names nothing -----------------------------------------------------------------------


def test_without_names_one_utterance_follows_the_other() -> None:
    transcripts = Transcripts()
    transcripts.expect()
    transcripts.expect()
    assert list(transcripts.open) == [""]
    new = told(
        transcripts,
        Delta(item_id="", delta="One"),
        Completed(item_id="", transcript="One."),
        Delta(item_id="", delta="Two"),
        Completed(item_id="", transcript="Two."),
    )
    assert [one.text for one in new] == ["One", "One.", "Two", "Two."]
    assert (transcripts.text, transcripts.open) == ("One. Two.", ())


def test_a_text_with_a_name_closes_what_was_announced_without() -> None:
    transcripts = Transcripts()
    transcripts.expect()
    told(transcripts, Completed(item_id="a", transcript="One."))
    assert (transcripts.text, transcripts.open) == ("One.", ())


def test_an_error_that_names_nothing_ends_the_utterance_that_has_no_name() -> None:
    transcripts = Transcripts()
    error = events.Error(error=events.ErrorDetail(message="out of memory"))
    assert transcripts.receive(error) is None
    transcripts.expect()
    about_an_event = events.Error(error=events.ErrorDetail(message="no", event_id="evt_1"))
    assert transcripts.receive(about_an_event) is None
    assert transcripts.receive(error) == Transcript("", "", final=True, error=error.error)
    assert transcripts.open == ()


# -- bounds --------------------------------------------------------------------------------------------


def test_the_oldest_utterances_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_transcripts, "KEPT_UTTERANCES", 2)
    transcripts = Transcripts()
    told(transcripts, Completed(item_id="", transcript="nameless"))
    for name in "abc":
        told(transcripts, Completed(item_id=name, transcript=name))
    assert transcripts.text == "b c"
    told(transcripts, Committed(item_id="a"))
    assert transcripts.open == ("a",)


_NAMES = st.sampled_from(["", "a", "b"])
_EVENTS = st.one_of(
    st.builds(Started, item_id=_NAMES, audio_start_ms=st.just(1)),
    st.builds(Stopped, item_id=_NAMES),
    st.builds(Committed, item_id=_NAMES),
    st.builds(events.InputAudioBufferCleared),
    st.builds(events.ConversationItemDeleted, item_id=_NAMES),
    st.builds(Delta, item_id=_NAMES, delta=st.just("x")),
    st.builds(Updated, item_id=_NAMES, transcript=st.just("y")),
    st.builds(Segment, item_id=_NAMES, text=st.just("z"), speaker=st.just("S")),
    st.builds(Completed, item_id=_NAMES, transcript=st.just("w")),
    st.builds(Failed, item_id=_NAMES),
    st.builds(events.Error, error=st.just(events.ErrorDetail(message="e"))),
)


@given(st.lists(_EVENTS, max_size=40))
def test_no_order_of_events_is_an_error_and_every_text_closes_its_utterance(
    received: list[events.ServerEvent],
) -> None:
    transcripts = Transcripts()
    for event in received:
        before = transcripts.open
        new = transcripts.receive(event)
        if new is not None and new.final:
            assert len(transcripts.open) <= len(before)
    for _ in range(3):
        for name in transcripts.open:
            transcripts.receive(Completed(item_id=name, transcript="end"))
    assert transcripts.open == ()


def test_a_commit_under_another_name_after_the_text_was_there() -> None:
    transcripts = Transcripts()
    transcripts.receive(events.InputAudioBufferSpeechStarted(item_id="", audio_start_ms=1))
    done = events.ConversationItemInputAudioTranscriptionCompleted(item_id="", transcript="Yes.")
    assert transcripts.receive(done) is not None
    assert transcripts.receive(events.InputAudioBufferCommitted(item_id="a")) is None
    assert (transcripts.open, transcripts.text) == (("a",), "Yes.")


def test_a_lost_connection_ends_what_was_handed_over_and_forgets_what_was_being_spoken() -> None:
    transcripts = Transcripts()
    told(
        transcripts,
        Started(item_id="a", audio_start_ms=0),
        Committed(item_id="a"),
        Completed(item_id="a", transcript="Hello."),
        Started(item_id="b", audio_start_ms=1_000),
        Committed(item_id="b"),
        Delta(item_id="b", delta="How"),
        Started(item_id="c", audio_start_ms=2_000),
        Stopped(item_id="c", audio_end_ms=2_500),
    )
    transcripts.expect()
    ended = transcripts.lost()
    assert [(one.item_id, one.text, one.final) for one in ended] == [("b", "How", True), ("", "", True)]
    assert all(one.error is not None and one.error.type == "connection_lost" for one in ended)
    assert (transcripts.open, transcripts.ending, transcripts.text) == ((), False, "Hello.")
    assert transcripts.lost() == ()
    told(
        transcripts, Started(item_id="d"), Committed(item_id="d"), Completed(item_id="d", transcript="Again.")
    )
    assert transcripts.text == "Hello. Again."
