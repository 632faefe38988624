from __future__ import annotations

from rtagent.cli._probe_facts import Contains, Finding
from rtagent.cli._probe_record import from_record
from tests.cli.probe_servers import Event, answers_of, event, frames


def record(*events: Event | str, protocol: str = "realtime") -> dict[str, Finding]:
    return {finding.topic: finding for finding in from_record(frames(*events), protocol)}


def test_nothing_came():
    assert answers_of(record()) == {
        "GA names": "not known",
        "complete events": "not known",
        "events of its own": "no",
        "states rate limits": "no",
    }


def test_names_of_ga():
    found = record(event("response.output_text.delta", delta="a"))["GA names"]
    assert found.answer == "yes"
    assert Contains("aliases", "response.text.delta", present=False) in found.facts


def test_names_of_the_beta():
    found = record(event("response.audio.delta", delta="a"))["GA names"]
    assert (found.answer, found.evidence) == ("no", "beta: response.audio.delta")
    assert Contains("aliases", "response.text.delta", present=True) in found.facts


def test_names_that_only_one_vendor_has():
    found = record(event("transcription.done", text="a"))["GA names"]
    assert (found.answer, found.evidence) == ("no", "its own: transcription.done")
    assert Contains("aliases", "transcription.done", present=True) in found.facts


def test_fields_that_are_left_out():
    committed = "input_audio_buffer.committed"
    found = record(event(committed, item_id="a", previous_item_id=None), {"type": committed, "item_id": "b"})[
        "complete events"
    ]
    assert found.answer == "no"
    assert found.evidence == f"without event_id ({committed}), previous_item_id ({committed})"
    assert Contains("missing_fields", "item_id", present=False) in found.facts
    assert Contains("missing_fields", "event_id", present=True) in found.facts
    assert not [fact for fact in found.facts if isinstance(fact, Contains) and fact.element == "response_id"]


def test_nothing_is_left_out():
    found = record(event("input_audio_buffer.cleared"))["complete events"]
    assert (found.answer, found.evidence) == ("yes", "event_id: always there")


def test_events_of_its_own_and_rate_limits():
    found = record(event("heartbeat"), event("rate_limits.updated", rate_limits=[]), "no event")
    assert (found["events of its own"].answer, found["events of its own"].evidence) == ("yes", "heartbeat")
    assert found["states rate limits"].answer == "yes"


def test_other_protocols_have_other_events():
    found = record(event("session.started"), protocol="live")
    assert answers_of(found) == {"events of its own": "no", "states rate limits": "no"}
