from __future__ import annotations

from rtagent import events
from rtagent.events._server import mark_defective


def test_defects_are_a_report_and_not_part_of_the_event(written):
    event = events.ResponseOutputTextDelta(delta="a")
    assert not event.defects
    mark_defective(event, ("output_index: no number",))
    assert event.defects == ("output_index: no number",)
    assert event == events.ResponseOutputTextDelta(delta="a")
    assert written(event) == {"type": "response.output_text.delta", "delta": "a"}


def test_a_field_that_is_called_defects_is_the_servers(read, written):
    wire = {"type": "response.output_text.delta", "defects": 3}
    assert read(wire).defects == ()
    assert written(read(wire)) == wire


def test_an_event_made_by_validation_says_its_type_too(written):
    assert written(events.SessionCreated.model_validate({})) == {"type": "session.created"}


def test_what_could_not_be_understood_is_an_event_too():
    unknown = events.UnknownEvent(type="new.thing", raw={"type": "new.thing"})
    malformed = events.MalformedFrame(head="{", reason="not JSON")
    assert isinstance(unknown, events.ServerEvent)
    assert isinstance(malformed, events.ServerEvent)
    assert malformed.type == "malformed_frame"


def test_departures_hold_the_defects_too(read):
    event = read({"type": "response.output_text.delta", "delta": "a", "output_index": "x"})
    assert event.defects
    assert event.departures[-1:] == event.defects
    assert "event_id is missing" in event.departures
    assert events.ResponseOutputTextDelta(delta="a").departures == ()
