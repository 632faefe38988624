"""What is read out of a recording, also out of one that is cut or strange."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent.cli._timeline_facts import Mark, Span, Turn, Utterance, facts_of
from rtagent.recording import RecordedEvent


def at(second: float, kind: str, **fields: Any) -> RecordedEvent:
    return RecordedEvent(
        second, "session" if kind.startswith("rtagent.") else "server", {"type": kind, **fields}
    )


def test_an_empty_recording_has_no_facts() -> None:
    facts = facts_of([])
    assert facts.duration_s == 0.0
    assert not any((facts.states, facts.speech, facts.responses, facts.tools, facts.voice, facts.marks))


@pytest.mark.parametrize(("sound_s", "duration_s"), [(1.0, 3.0), (5.0, 5.0)])
def test_a_conversation_lasts_as_long_as_its_events_and_its_sound(sound_s: float, duration_s: float) -> None:
    assert facts_of([at(3.0, "x"), at(1.0, "x")], sound_s).duration_s == duration_s


def test_states_follow_each_other_without_a_gap() -> None:
    facts = facts_of(
        [
            at(1.0, "rtagent.StateChanged", state="tool_running", previous="thinking"),
            at(2.5, "rtagent.StateChanged", state="speaking", previous="tool_running"),
            at(4.0, "x"),
        ]
    )
    assert facts.states == (
        Span(0.0, 1.0, "thinking", "thinking"),
        Span(1.0, 2.5, "tool_running", "tool running"),
        Span(2.5, 4.0, "speaking", "speaking"),
    )


def test_a_state_whose_predecessor_is_not_known_begins_by_itself() -> None:
    assert facts_of([at(1.0, "rtagent.StateChanged", state="speaking")]).states == (
        Span(1.0, 1.0, "speaking", "speaking"),
    )


def test_speech_lasts_from_its_start_to_its_stop_or_to_the_end() -> None:
    started, stopped = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
    facts = facts_of(
        [
            at(1.0, started, item_id="u1"),
            at(2.5, stopped, item_id="u1"),
            at(4.0, started, item_id="u2"),
            at(5.0, "x"),
        ]
    )
    assert facts.speech == (Span(1.0, 2.5, "speech", "spoke 1.5 s"), Span(4.0, 5.0, "speech", "spoke 1.0 s"))


@pytest.mark.parametrize(
    ("done", "span"),
    [
        (
            at(2.0, "response.done", response={"id": "r", "status": "completed"}),
            Span(1.0, 2.0, "good", "completed"),
        ),
        (
            at(2.0, "response.done", response={"id": "r", "status": "cancelled"}),
            Span(1.0, 2.0, "cut", "cancelled"),
        ),
        (at(2.0, "response.done", response={"id": "r", "status": "failed"}), Span(1.0, 2.0, "bad", "failed")),
        (at(2.0, "response.done", response={"id": "r"}), Span(1.0, 2.0, "plain", "done")),
        (at(2.0, "response.done", response={"id": "other"}), Span(1.0, 2.0, "plain", "in progress")),
        (at(2.0, "response.done", response="broken"), Span(1.0, 2.0, "plain", "in progress")),
    ],
)
def test_a_response_shows_how_it_ended(done: RecordedEvent, span: Span) -> None:
    assert facts_of([at(1.0, "response.created", response={"id": "r"}), done]).responses == (span,)


def test_tools_show_what_was_asked_and_answered() -> None:
    begin = at(1.0, "rtagent.ToolStarted", call_id="c", name="add", arguments='{"a": 1}')
    for fields, span in (
        ({"ok": True, "output": "2", "took_ms": 12.4}, Span(1.0, 1.5, "good", "add(a=1) → 2 (12 ms)")),
        ({"ok": False, "output": "no"}, Span(1.0, 1.5, "bad", "add(a=1) → no (0 ms)")),
    ):
        assert facts_of([begin, at(1.5, "rtagent.ToolFinished", call_id="c", **fields)]).tools == (span,)
    assert facts_of([begin, at(3.0, "x")]).tools == (Span(1.0, 3.0, "bad", "add(a=1): no result"),)


def test_a_voice_that_was_cut_ends_with_the_interruption_and_not_later() -> None:
    facts = facts_of(
        [
            at(1.0, "rtagent.PlaybackStarted", item_id="a1"),
            at(3.0, "rtagent.Interrupted", item_id="a1", heard_ms=2000.0),
            at(3.1, "rtagent.PlaybackFinished", item_id="a1"),
            at(4.0, "rtagent.PlaybackStarted", item_id="a2"),
            at(5.0, "rtagent.PlaybackFinished", item_id="a2"),
            at(6.0, "rtagent.PlaybackStarted", item_id="a3"),
        ]
    )
    assert facts.voice == (
        Span(1.0, 3.0, "cut", "heard 2.0 s, cut"),
        Span(4.0, 5.0, "voice", "heard 1.0 s"),
        Span(6.0, 6.0, "voice", "heard 0.0 s"),
    )


@pytest.mark.parametrize(
    ("event", "mark"),
    [
        (at(1.0, "rtagent.Interrupted"), Mark(1.0, "interruption", "interrupted")),
        (at(1.0, "error", error={"message": "no"}), Mark(1.0, "trouble", "server error: no")),
        (
            at(1.0, "rtagent.AudioDropped", ms=40.4, reason="slow"),
            Mark(1.0, "trouble", "40 ms of audio dropped: slow"),
        ),
        (at(1.0, "rtagent.AudioDropped"), Mark(1.0, "trouble", "0 ms of audio dropped: ")),
        (at(1.0, "rtagent.CallbackFailed", error="E: x"), Mark(1.0, "trouble", "callback failed: E: x")),
        (at(1.0, "rtagent.Closed", reason="by us", error=None), Mark(1.0, "plain", "by us")),
        (at(1.0, "rtagent.Closed", reason="x", error="Lost"), Mark(1.0, "plain", "Lost")),
        (at(1.0, "rtagent.Closed", reason=""), Mark(1.0, "plain", "closed")),
        (at(1.0, "rtagent.Connected", endpoint="ws://a"), Mark(1.0, "plain", "connected ws://a")),
        (at(1.0, "rtagent.Reconnecting", reason="lost"), Mark(1.0, "trouble", "reconnecting: lost")),
        (at(1.0, "rtagent.Reconnected"), Mark(1.0, "plain", "reconnected")),
        (at(1.0, "rtagent.Renewed"), Mark(1.0, "plain", "renewed")),
    ],
)
def test_marks(event: RecordedEvent, mark: Mark) -> None:
    assert facts_of([event]).marks == (mark,)


def test_turns() -> None:
    measured = at(
        2.0, "rtagent.TurnMeasured", turn=3, end_of_speech_to_first_heard_ms=800, interrupt_to_silence_ms=None
    )
    assert facts_of([measured, at(3.0, "rtagent.TurnMeasured")]).turns == (
        Turn(3, 2.0, 800.0, None),
        Turn(0, 3.0, None, None),
    )


def test_words_stand_where_they_began_to_sound() -> None:
    heard = "conversation.item.input_audio_transcription.completed"
    facts = facts_of(
        [
            at(1.0, "input_audio_buffer.speech_started", item_id="u1"),
            at(1.5, "input_audio_buffer.speech_started", item_id="u1"),
            at(3.0, "response.output_audio_transcript.done", item_id="a1", transcript="It is on."),
            at(3.5, "rtagent.PlaybackStarted", item_id="a1"),
            at(4.0, heard, item_id="u1", transcript="Turn it on."),
            at(5.0, "rtagent.Interrupted", item_id="a1", heard_ms=1500),
            at(6.0, heard, item_id="u2", transcript="Thanks."),
            at(7.0, "response.output_text.done", item_id="a2", text="Welcome."),
        ]
    )
    assert facts.utterances == (
        Utterance(1.0, "caller", "Turn it on."),
        Utterance(3.5, "assistant", "It is on. [interrupted after 1.5 s]"),
        Utterance(6.0, "caller", "Thanks."),
        Utterance(7.0, "assistant", "Welcome."),
    )


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"role": "user", "content": [{"text": "Hello"}, {"text": "there"}]}, "Hello there"),
        ({"role": "user", "content": [{"type": "input_audio"}, "broken"]}, None),
        ({"role": "user", "content": "broken"}, None),
        ({"role": "assistant", "content": [{"text": "Hello"}]}, None),
        ("broken", None),
    ],
)
def test_what_a_user_typed_is_said_too(item: object, text: str | None) -> None:
    said = () if text is None else (Utterance(1.0, "caller", text),)
    assert facts_of([at(1.0, "conversation.item.added", item=item)]).utterances == said
