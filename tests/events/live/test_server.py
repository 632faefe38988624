from __future__ import annotations

import pytest

from rtagent import events
from rtagent.events import live


@pytest.mark.parametrize(
    ("frame", "cause"),
    [
        ({"error": {"type": "invalid", "code": "bad", "message": "no", "client_event_id": "c"}}, "c"),
        ({"error": {"message": "no"}, "client_event_id": "c"}, "c"),
        ({"error": {"message": "no", "client_event_id": "c"}, "client_event_id": "d"}, "c"),
        ({"error": {"message": "no", "event_id": "e", "client_event_id": "c"}}, "e"),
        ({"error": "no", "client_event_id": "c"}, "c"),
        ({"error": {"message": "no"}}, None),
        ({"message": "no"}, None),
    ],
)
def test_errors_name_their_cause_as_those_of_realtime_do(read, frame, cause):
    event = read({"type": "error", "event_id": "x", **frame})
    assert type(event) is live.Error
    assert isinstance(event, events.Error)
    assert isinstance(event.error, live.ErrorDetail)
    assert (event.error.message, event.error.event_id) == ("no", cause)


def test_the_name_of_the_cause_in_realtime_is_not_written(written):
    detail = live.ErrorDetail(message="no", client_event_id="c")
    assert detail.event_id == "c"
    assert written(live.Error(error=detail))["error"] == {
        "type": "unknown_error",
        "message": "no",
        "client_event_id": "c",
    }
    beside = live.Error(error=live.ErrorDetail(message="no"), client_event_id="c")
    assert beside.error.event_id == "c"
    assert written(beside)["error"] == {"type": "unknown_error", "message": "no"}


def test_an_error_leaves_the_detail_that_it_was_given_as_it_is():
    detail = live.ErrorDetail(message="no")
    assert live.Error(error=detail, client_event_id="c").error.event_id == "c"
    assert detail.event_id is None


def test_a_delta_gives_its_voice_decoded_once(read):
    event = read({"type": "session.output_audio.delta", "delta": "AQID"})
    assert isinstance(event, live.SessionOutputAudioDelta)
    assert event.audio == b"\x01\x02\x03"
    assert event.audio is event.audio
    assert event.defects == ()
    assert event.start_ms is None


def test_a_delta_that_is_no_base64_is_silent_and_says_so(read):
    event = read({"type": "session.output_audio.delta", "delta": "!", "start_ms": "soon"})
    assert event.audio == b""
    assert len(event.defects) == 2
    assert event.defects[-1] == "delta: not base64"


def test_a_delta_of_samples(written):
    assert written(live.SessionOutputAudioDelta.of(pcm=b"\x01\x02\x03")) == {
        "type": "session.output_audio.delta",
        "delta": "AQID",
    }
    assert written(live.SessionOutputAudioDelta.of(pcm=b"", start_ms=0, end_ms=200)) == {
        "type": "session.output_audio.delta",
        "delta": "",
        "start_ms": 0,
        "end_ms": 200,
    }


def test_reflected_input_has_samples_and_the_wire_type_of_the_client_event(read, written):
    event = live.SessionInputAudioReflected.of(pcm=b"\x01\x02")
    assert event.type == live.SessionInputAudioAppend.of(b"").type
    again = read(written(event))
    assert isinstance(again, live.SessionInputAudioReflected)
    assert again.pcm == b"\x01\x02"
    assert again.pcm is again.pcm
    assert again.defects == ()


def test_reflected_input_that_is_no_base64_is_silent_and_says_so(read):
    event = read({"type": "session.input_audio.append", "audio": "!"})
    assert (event.pcm, event.defects) == (b"", ("audio: not base64",))


@pytest.mark.parametrize("reason", ["expired", "content", "a reason of next year"])
def test_reasons_are_open(read, reason):
    event = read({"type": "session.closed", "event_id": "e", "reason": reason, "usage": {"seconds": 1.5}})
    assert isinstance(event, live.SessionClosed)
    assert event.reason == reason
    assert event.usage == live.SessionUsage(seconds=1.5)
    assert event.session == live.SessionResource()


def test_a_transcript_may_come_without_its_time(read):
    event = read({"type": "session.input_transcript.delta", "event_id": "e", "delta": "hi", "start_ms": None})
    assert isinstance(event, live.SessionInputTranscriptDelta)
    assert (event.delta, event.start_ms, event.end_ms) == ("hi", None, None)
    assert event.departures == ()
