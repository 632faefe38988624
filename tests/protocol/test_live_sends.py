"""What may be sent when."""

from __future__ import annotations

from itertools import count

import pytest

from rtagent import events
from rtagent.errors import LocalProtocolError
from rtagent.events import live
from rtagent.protocol._live_sends import HELD_EVENTS, LiveSends
from rtagent.protocol._outbox import Outbox

START = live.SessionStart(session=live.SessionConfig(model="gpt-live-1"))


class Desk:
    def __init__(self, dialect: events.Dialect = events.LIVE) -> None:
        numbers = count(1)
        self.outbox = Outbox(lambda prefix: f"{prefix}_{next(numbers)}")
        self.sends = LiveSends(self.outbox, dialect)

    def sent(self) -> list[tuple[str, str | None]]:
        return [(event.type, event.event_id) for event in self.outbox.take_events()]


def test_nothing_overtakes_the_start_and_the_rest_keeps_its_order() -> None:
    desk = Desk()
    assert not desk.sends.started
    assert desk.sends.send(live.SessionInputAudioMute()) == "evt_1"
    assert desk.sends.send(START) == "evt_2"
    assert desk.sends.send(live.SessionInputAudioUnmute(event_id="mine")) == "mine"
    assert desk.sent() == [("session.start", "evt_2")]
    desk.sends.start()
    assert desk.sent() == [("session.input_audio.mute", "evt_1"), ("session.input_audio.unmute", "mine")]
    assert desk.sends.started
    desk.sends.send(live.SessionInputAudioMute())
    assert len(desk.sent()) == 1
    desk.sends.start()
    assert desk.sent() == []


def test_a_session_that_runs_already_holds_nothing_back() -> None:
    desk = Desk(events.LIVE_SIDEBAND)
    desk.sends.send(live.SessionInputAudioMute())
    assert len(desk.sent()) == 1


def test_too_many_that_wait_are_an_error_but_the_start_is_not() -> None:
    desk = Desk()
    mute = live.SessionInputAudioMute()
    for _ in range(HELD_EVENTS):
        desk.sends.check_room(mute)
        desk.sends.send(mute)
    with pytest.raises(LocalProtocolError, match="256 events wait for the session to start"):
        desk.sends.check_room(mute)
    desk.sends.check_room(START)
    desk.sends.start()
    desk.sends.check_room(mute)
    assert len(desk.sent()) == HELD_EVENTS


def test_after_the_end_nothing_is_sent() -> None:
    desk = Desk()
    desk.sends.send(live.SessionInputAudioMute())
    desk.sends.end()
    assert desk.sends.ended
    assert desk.sends.send(live.SessionInputAudioMute()) == "evt_2"
    desk.sends.start()
    assert desk.sent() == []


def test_what_is_sent_without_a_connection_waits_for_the_next_session() -> None:
    desk = Desk()
    desk.sends.start()
    desk.sends.end()
    desk.sends.lost()
    desk.sends.send(live.SessionInputAudioMute())
    assert desk.sent() == []
    desk.sends.start()
    assert [kind for kind, _ in desk.sent()] == ["session.input_audio.mute"]


def test_a_session_that_runs_already_goes_on_at_once() -> None:
    desk = Desk(events.LIVE_SIDEBAND)
    desk.sends.lost()
    assert desk.sends.started
