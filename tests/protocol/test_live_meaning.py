"""What each server event of GPT-Live means."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from rtagent import events
from rtagent.audio import AudioFormat
from rtagent.events import live
from rtagent.protocol import Answered, CallDue, Happening, PlayDue, Refused, VoiceEnded
from rtagent.protocol._live_meaning import LiveMachines, LiveMeaning, effective_sound

LOUD = b"\x00\x20" * 480


class Desk:
    def __init__(self, dialect: events.Dialect = events.LIVE) -> None:
        numbers = count(1)
        self.machines = LiveMachines(dialect, lambda prefix: f"{prefix}_{next(numbers)}")
        self.meaning = LiveMeaning(self.machines, dialect)

    def server(self, *arrived: events.ServerEvent) -> list[Happening]:
        for event in arrived:
            self.meaning.take(event, 7.0)
        return self.machines.outbox.take_happenings()


def session(audio: dict[str, Any] | None = None, **more: Any) -> live.SessionResource:
    return live.SessionResource.model_validate({"id": "s1", "model": "gpt-live-1", "audio": audio, **more})


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        (None, AudioFormat.pcm16(24_000)),
        ({}, AudioFormat.pcm16(24_000)),
        ({"format": {"type": "audio/pcm", "rate": 16_000}}, AudioFormat.pcm16(16_000)),
        ({"format": {"type": "audio/pcm"}}, AudioFormat.pcm16(24_000)),
        ({"format": {"type": "audio/pcmu", "rate": 8_000}}, AudioFormat.pcmu()),
        ({"format": {"type": "audio/pcma", "rate": 8_000}}, AudioFormat.pcma()),
        ({"format": {"type": "audio/opus"}}, AudioFormat.pcm16(24_000)),
        ({"format": {"type": "audio/pcm", "rate": 3}}, AudioFormat.pcm16(24_000)),
    ],
)
def test_one_format_holds_for_both_directions(audio: dict[str, Any] | None, expected: AudioFormat) -> None:
    effective = effective_sound(session(audio), events.LIVE)
    assert (effective.input_format, effective.output_format) == (expected, expected)
    assert not effective.server_interrupts
    assert not effective.server_answers


def test_an_attached_socket_hears_pcm_whatever_the_session_speaks() -> None:
    telephone = session({"format": {"type": "audio/pcmu", "rate": 8_000}})
    assert effective_sound(telephone, events.LIVE_SIDEBAND).output_format == AudioFormat.pcm16(24_000)


def test_a_snapshot_counts_unless_it_is_empty() -> None:
    desk = Desk()
    assert desk.meaning.config is None
    desk.server(live.SessionStarted())
    assert desk.meaning.config == live.SessionResource()
    wide = session({"format": {"type": "audio/pcm", "rate": 16_000}})
    desk.server(live.SessionUpdated(session=wide), live.SessionUpdated())
    assert desk.meaning.config == wide
    assert desk.meaning.effective.output_format.rate == 16_000


def test_the_start_releases_what_was_held_back() -> None:
    desk = Desk()
    desk.machines.sends.send(live.SessionInputAudioMute())
    desk.server(live.SessionStarted())
    assert [event.type for event in desk.machines.outbox.take_events()] == ["session.input_audio.mute"]


def test_audio_is_played_in_the_format_of_the_session() -> None:
    desk = Desk()
    desk.server(live.SessionStarted(session=session({"format": {"type": "audio/pcm", "rate": 16_000}})))
    (play,) = desk.server(live.SessionOutputAudioDelta.of(pcm=LOUD))
    assert isinstance(play, PlayDue)
    assert desk.machines.voice.received_ms(play.item.item_id) == 30.0


def test_words_of_both_sides_are_kept() -> None:
    desk = Desk()
    desk.server(
        live.SessionInputTranscriptDelta(delta="Hi.", start_ms=0, end_ms=200),
        live.SessionOutputTranscriptDelta(delta="Hello.", start_ms=300, end_ms=600),
    )
    assert [(entry.role, entry.text) for entry in desk.machines.transcript.entries] == [
        ("user", "Hi."),
        ("assistant", "Hello."),
    ]


def test_delegated_work_is_followed() -> None:
    desk = Desk()
    for delegation_id in ("d1", "d2"):
        desk.server(
            live.SessionDelegationCreated(delegation=live.Delegation(id=delegation_id, target="decisions"))
        )
    desk.server(live.DecisionEvent(delegation_id="d1"), live.DecisionEvent())
    assert desk.machines.delegations.open == ("d2",)
    item = {"type": "function_call", "call_id": "c1", "name": "f"}
    (due,) = desk.server(live.ResponseEvent(event={"type": "response.output_item.done", "item": item}))
    assert isinstance(due, CallDue)


def test_the_last_count_is_the_whole_usage() -> None:
    desk = Desk()
    desk.server(
        live.SessionUsageUpdated(
            usage=live.SessionUsage(seconds=4.0), context_window=live.ContextWindow(usage_ratio=0.1)
        ),
        live.SessionUsageUpdated(usage=live.SessionUsage(seconds=9.5), context_window=live.ContextWindow()),
        live.SessionUsageUpdated(usage=live.SessionUsage()),
        live.SessionUsageUpdated(),
    )
    assert desk.meaning.usage.seconds == 9.5
    assert desk.meaning.context_used == 0.1


def test_answers_are_matched_and_unknown_events_pass() -> None:
    desk = Desk()
    desk.machines.answers.expect("mine", live.SessionInputAudioMute())
    muted = live.SessionInputAudioMuted()
    unknown = events.UnknownEvent(type="session.weather", raw={})
    assert desk.server(unknown, muted) == [Answered("mine", muted)]


def test_the_end_settles_everything() -> None:
    desk = Desk()
    desk.server(
        live.SessionStarted(),
        live.SessionOutputAudioDelta.of(pcm=LOUD),
        live.SessionOutputTranscriptDelta(delta="Bye."),
        live.SessionDelegationCreated(delegation=live.Delegation(id="d1")),
    )
    desk.machines.answers.expect("mute", live.SessionInputAudioMute())
    desk.machines.answers.expect("close", live.SessionClose())
    closed = live.SessionClosed(reason="expired", usage=live.SessionUsage(seconds=60.0))
    answered, ended, refused = desk.server(closed)
    assert ended == VoiceEnded("voice_1")
    assert answered == Answered("close", closed)
    assert isinstance(refused, Refused)
    assert refused.event_id == "mute"
    assert refused.error is not None
    assert "the session was closed (expired)" in refused.error.message
    assert desk.meaning.close_reason == "expired"
    assert desk.meaning.usage.seconds == 60.0
    assert desk.machines.delegations.open == ()
    assert desk.machines.transcript.entries[0].status == "completed"
    assert desk.server(live.SessionOutputAudioDelta.of(pcm=LOUD), live.SessionClosed(reason="again")) == []
    assert desk.meaning.close_reason == "expired"


def test_an_end_without_a_reason_is_an_end_in_good_order() -> None:
    desk = Desk()
    desk.server(live.SessionClosed())
    assert desk.meaning.close_reason == "unknown"


def test_a_lost_session_leaves_what_was_said_and_what_it_cost() -> None:
    desk = Desk()
    desk.server(
        live.SessionStarted(session=session()),
        live.SessionInputTranscriptDelta(delta="Hello.", start_ms=0, end_ms=500),
        live.SessionUsageUpdated(usage=live.SessionUsage(seconds=10.0)),
        live.SessionClosed(reason="expired", session=session()),
    )
    desk.meaning.lost()
    assert (desk.meaning.config, desk.meaning.close_reason, desk.machines.sends.started) == (
        None,
        None,
        False,
    )
    desk.server(
        live.SessionStarted(session=session()),
        live.SessionInputTranscriptDelta(delta="Again.", start_ms=0, end_ms=500),
        live.SessionUsageUpdated(usage=live.SessionUsage(seconds=2.0)),
    )
    assert [entry.text for entry in desk.machines.transcript.entries] == ["Hello.", "Again."]
    assert desk.meaning.usage.seconds == 12.0
