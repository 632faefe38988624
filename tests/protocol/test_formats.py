"""Formats of the wire and what a snapshot means for the core."""

from __future__ import annotations

from typing import Any

import pytest

from rtagent import events
from rtagent.audio import AudioFormat
from rtagent.protocol import Effective, audio_format, wire_format

PCM_24K = AudioFormat.pcm16(24_000)


@pytest.mark.parametrize(
    ("wire", "own"),
    [
        (events.PcmFormat(), PCM_24K),
        (events.PcmFormat(rate=16_000), AudioFormat.pcm16(16_000)),
        (events.PcmFormat(rate=0), PCM_24K),
        (events.PcmFormat(rate=-8_000), PCM_24K),
        (events.PcmuFormat(), AudioFormat.pcmu()),
        (events.PcmaFormat(), AudioFormat.pcma()),
    ],
)
def test_formats_go_both_ways(wire: events.PcmFormat, own: AudioFormat) -> None:
    assert audio_format(wire) == own
    assert audio_format(wire_format(own)) == own


@pytest.mark.parametrize("wire", [None, "audio/opus", events.PcmFormat(rate=None)])
def test_what_is_absent_or_unknown_is_24_khz_pcm(wire: object) -> None:
    assert audio_format(wire) == PCM_24K


def session(**audio: Any) -> events.RealtimeSession:
    return events.RealtimeSession(audio=events.SessionAudio(**audio))


def test_both_directions_have_their_own_format() -> None:
    effective = Effective.of(
        session(
            input=events.AudioInput(format=events.PcmuFormat()),
            output=events.AudioOutput(format=events.PcmaFormat()),
        )
    )
    assert (effective.input_format, effective.output_format) == (AudioFormat.pcmu(), AudioFormat.pcma())


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        (events.ServerVad(), (True, True, 500.0)),
        (events.ServerVad(silence_duration_ms=200), (True, True, 200.0)),
        (events.ServerVad(interrupt_response=False, create_response=False), (False, False, 500.0)),
        (events.SemanticVad(), (True, True, 0.0)),
        (events.SemanticVad(interrupt_response=True, create_response=False), (True, False, 0.0)),
        (None, (False, False, 0.0)),
    ],
)
def test_the_turn_detection_says_what_the_server_does_by_itself(
    detection: events.ServerVad | events.SemanticVad | None, expected: tuple[bool, bool, float]
) -> None:
    effective = Effective.of(session(input=events.AudioInput(turn_detection=detection)))
    assert (effective.server_interrupts, effective.server_answers, effective.silence_ms) == expected


@pytest.mark.parametrize(
    "snapshot",
    [
        None,
        events.RealtimeSession(),
        session(),
        events.TranscriptionSession(),
    ],
)
def test_a_snapshot_that_says_nothing_means_what_the_dialect_does_by_itself(
    snapshot: events.SessionConfig | None,
) -> None:
    speaks = not isinstance(snapshot, events.TranscriptionSession)
    assert Effective.of(snapshot) == Effective(
        detects_turns=True, server_interrupts=True, server_answers=speaks
    )
    manual = Effective.of(snapshot, events.PROFILES["stepfun"])
    assert manual == Effective(server_interrupts=False, server_answers=False)
    assert Effective.of(snapshot, events.PROFILES["qwen-omni"]).input_format == AudioFormat.pcm16(16_000)


def test_a_transcription_session_hears_in_its_format() -> None:
    snapshot = events.TranscriptionSession.model_validate(
        {"type": "transcription", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}
    )
    assert Effective.of(snapshot).input_format == AudioFormat.pcmu()
    assert Effective.of(snapshot).output_format == PCM_24K


@pytest.mark.parametrize(
    ("detection", "detects"),
    [(events.ServerVad(interrupt_response=False, create_response=False), True), (None, False)],
)
def test_who_detects_turns_is_known_whatever_follows_from_them(
    detection: events.ServerVad | None, detects: bool
) -> None:
    assert Effective.of(session(input=events.AudioInput(turn_detection=detection))).detects_turns is detects
