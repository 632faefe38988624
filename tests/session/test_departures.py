"""Each way in which a server is not what its dialect says: counted, and told once."""

from __future__ import annotations

from rtagent import events
from rtagent.session._departures import KEPT_KINDS, OTHERS, Departures


def test_what_is_as_it_should_be_is_not_counted() -> None:
    departures = Departures(events.GA)
    event = events.decode('{"type":"input_audio_buffer.cleared","event_id":"e"}')
    assert list(departures.note(event)) == []
    assert departures.counts == {}


def test_each_way_is_told_once_and_counted_every_time() -> None:
    departures = Departures(events.GA)
    older = events.decode('{"type":"response.audio.done","event_id":"e"}')
    first, second = departures.note(older), departures.note(older)
    assert "response.output_audio.done: the type is written 'response.audio.done'" in first
    assert list(second) == []
    assert set(departures.counts.values()) == {2}


def test_unknown_types_and_frames_that_are_no_events() -> None:
    departures = Departures(events.GA)
    assert departures.note(events.decode('{"type":"vendor.news"}')) == [
        "vendor.news: a type that is not known"
    ]
    (malformed,) = departures.note(events.decode("{"))
    assert malformed.startswith("a frame that is no event: not JSON")


def test_what_a_dialect_is_known_to_send_is_no_departure() -> None:
    voice_live = Departures(events.PROFILES["azure-voice-live"])
    assert list(voice_live.note(events.decode('{"type":"response.video.delta"}'))) == []
    qwen = Departures(events.PROFILES["qwen-omni"])
    assert list(qwen.note(events.decode('{"type":"session.finished"}'))) == []


def test_a_server_full_of_surprises_cannot_fill_the_memory() -> None:
    departures = Departures(events.GA)
    for number in range(KEPT_KINDS + 50):
        departures.note(events.UnknownEvent(type=f"news.{number}", raw={}))
    assert len(departures.counts) == KEPT_KINDS + 1
    assert departures.counts[OTHERS] == 50
