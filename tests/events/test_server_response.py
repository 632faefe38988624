from __future__ import annotations

import pytest

from rtagent import events

PLACE = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}


def test_a_delta_gives_its_samples_decoded_once(read):
    event = read({"type": "response.output_audio.delta", **PLACE, "delta": "AQID"})
    assert event.audio == b"\x01\x02\x03"
    assert event.audio is event.audio
    assert event.defects == ()


@pytest.mark.parametrize(
    "fields", [{}, {"delta": None}, {"delta": ""}, {"response_id": None, "output_index": None}]
)
def test_a_sparse_delta_still_decodes(read, fields):
    event = read({"type": "response.output_audio.delta", **fields})
    assert (event.response_id, event.item_id, event.output_index, event.content_index) == (None, None, 0, 0)
    assert (event.audio, event.defects) == (b"", ())


def test_sound_that_is_no_base64_is_silence_and_reported(read):
    event = read({"type": "response.output_audio.delta", "delta": "%%%", "output_index": "first"})
    assert event.audio == b""
    assert [defect.partition(":")[0] for defect in event.defects] == ["output_index", "delta"]


def test_a_server_wraps_samples(written):
    event = events.ResponseOutputAudioDelta.of(
        pcm=b"\x01\x02\x03", response_id="r", item_id="i", event_id="e"
    )
    assert written(event) == {
        "type": "response.output_audio.delta",
        **PLACE,
        "event_id": "e",
        "delta": "AQID",
    }
    assert event.audio == b"\x01\x02\x03"
    assert "event_id" not in written(events.ResponseOutputAudioDelta.of(pcm=b""))


@pytest.mark.parametrize(
    ("part", "spelled"),
    [
        (events.OutputText(text="a"), {"type": "text", "text": "a"}),
        (events.OutputAudio(transcript=""), {"type": "audio", "transcript": ""}),
        (events.UnknownPart(type="video"), {"type": "video"}),
    ],
)
@pytest.mark.parametrize("model", [events.ResponseContentPartAdded, events.ResponseContentPartDone])
def test_a_server_spells_parts_as_these_events_do(written, model, part, spelled):
    assert written(model(**PLACE, part=part))["part"] == spelled


@pytest.mark.parametrize("spelling", ["text", "output_text"])
def test_the_spelling_that_was_read_is_written(read, written, spelling):
    wire = {"type": "response.content_part.done", **PLACE, "part": {"type": spelling, "text": "a"}}
    event = read(wire)
    assert event.part == events.OutputText(text="a")
    assert written(event) == wire


def test_arguments_may_come_without_names(read):
    event = read(
        {"type": "response.function_call_arguments.done", "call_id": "c", "arguments": "{}", "name": None}
    )
    assert (event.call_id, event.name, event.arguments) == ("c", None, "{}")


def test_a_response_may_be_out_of_band(read):
    event = read({"type": "response.created", "response": {"id": "r", "conversation_id": None, "output": []}})
    assert event.response.conversation_id is None
    assert event.response.output == ()
