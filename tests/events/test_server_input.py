from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("input_audio_buffer.committed", {"item_id": "i", "previous_item_id": None}),
        ("input_audio_buffer.speech_started", {"item_id": "i", "audio_start_ms": 100}),
        ("input_audio_buffer.speech_stopped", {"item_id": "i", "audio_end_ms": 900}),
        ("input_audio_buffer.timeout_triggered", {"item_id": "i", "audio_start_ms": 1, "audio_end_ms": 2}),
        ("input_audio_buffer.dtmf_event_received", {"event": "#", "received_at": 1_763_000_000}),
        ("output_audio_buffer.cleared", {"response_id": "r"}),
    ],
)
def test_fields(read, kind, fields):
    event = read({"type": kind, **fields})
    assert {name: getattr(event, name) for name in fields} == fields


def test_a_sparse_server_says_only_that_somebody_speaks(read):
    event = read({"type": "input_audio_buffer.speech_started"})
    assert (event.item_id, event.audio_start_ms, event.event_id) == (None, None, None)


def test_a_time_that_is_no_whole_number_is_left_out_and_reported(read):
    event = read({"type": "input_audio_buffer.speech_stopped", "item_id": "i", "audio_end_ms": 0.5})
    assert (event.item_id, event.audio_end_ms) == ("i", None)
    assert event.defects[0].startswith("audio_end_ms:")
