from __future__ import annotations

from rtagent.errors import RemoteProtocolError
from rtagent.events import ClientEventError


def test_a_refusal_carries_what_the_error_event_says():
    refusal = ClientEventError("no such field", code="unknown_parameter", param="session.foo", event_id="e1")
    assert isinstance(refusal, RemoteProtocolError)
    assert (refusal.message, refusal.code, refusal.param, refusal.event_id) == (
        "no such field",
        "unknown_parameter",
        "session.foo",
        "e1",
    )
    assert str(refusal) == "no such field"
