from __future__ import annotations

from rtagent import events
from rtagent.events import live


def test_a_call_that_fails_says_why(read):
    event = read(
        {
            "type": "transport.failed",
            "event_id": "e",
            "session_id": "s",
            "error": {"type": "call_error", "code": "busy", "message": "no"},
        }
    )
    assert event == live.TransportFailed(
        event_id="e",
        session_id="s",
        error=events.ErrorDetail(type="call_error", code="busy", message="no"),
    )


def test_a_call_may_fail_without_a_word(read):
    event = read({"type": "transport.failed"})
    assert isinstance(event, live.TransportFailed)
    assert event.error == events.ErrorDetail()


def test_a_key_on_its_way_has_the_wire_type_of_the_client_event(read):
    event = read({"type": "transport.dtmf.send", "event_id": "e", "event": "5", "client_event_id": "c"})
    assert event == live.TransportDtmfSending(event_id="e", event="5", client_event_id="c")
    assert event.type == live.TransportDtmfSend(event="5").type
