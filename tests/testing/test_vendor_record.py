"""What is recorded of a client."""

from __future__ import annotations

from rtagent.testing._vendor_record import LOG_LIMIT, VendorRecord


def test_audio_is_logged_by_its_length() -> None:
    record = VendorRecord([], {})
    record.note({"type": "input_audio_buffer.append", "audio": "AAAA"})
    record.note({"type": "response.cancel"})
    assert record.log == [{"type": "input_audio_buffer.append", "audio": 4}, {"type": "response.cancel"}]


def test_the_log_is_bounded() -> None:
    record = VendorRecord([], {})
    for number in range(LOG_LIMIT + 1):
        record.note({"type": "x", "n": number})
    assert len(record.log) == LOG_LIMIT
    assert record.log[0]["n"] == 1


def test_messages_that_crossed_are_no_faults() -> None:
    record = VendorRecord([], {})
    record.fault("one runs", "conversation_already_has_active_response")
    record.fault("nothing runs", "response_cancel_not_active")
    record.fault("what?", "unknown_event")
    record.fault("gone")
    assert len(record.races) == 2
    assert record.faults == ["unknown_event: what?", "gone"]


def test_transcripts_are_said_one_after_the_other() -> None:
    record = VendorRecord(["one", "two"], {})
    assert [record.next_transcript() for _ in range(3)] == ["one", "two", "hello there"]
