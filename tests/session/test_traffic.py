"""What came and what went: counted, and told."""

from __future__ import annotations

import logging

import pytest

from rtagent import events
from rtagent.events import lifecycle
from rtagent.session._fanout import Fanout
from rtagent.session._traffic import Traffic
from rtagent.testing import FakeClock

CREATED = events.SessionCreated(session=events.RealtimeSession())
LIMITS = events.RateLimitsUpdated(rate_limits=[])
STRANGE = events.decode('{"type": "somebody.elses"}')


class Desk:
    """The counts, what subscribers were told, and what the observer saw."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        fanout = Fanout(lambda at, side, event: self.seen.append(event))
        self.stream = fanout.subscribe(events.ServerEvent, lifecycle.LifecycleEvent)
        fanout.add(self.stream)
        self.traffic = Traffic(events.GA, fanout, FakeClock(7.0))

    def told(self) -> list[object]:
        return list(self.stream._events)


def test_what_comes_is_counted_and_told() -> None:
    desk = Desk()
    desk.traffic.hear(LIMITS)
    assert (desk.traffic.heard, desk.told(), desk.seen) == (1, [LIMITS], [LIMITS])


def test_what_departs_from_the_dialect_is_told_first_and_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    with caplog.at_level(logging.WARNING, logger="rtagent"):
        desk.traffic.hear(STRANGE)
        desk.traffic.hear(STRANGE)
    (what,) = desk.traffic.departures
    assert desk.told() == [lifecycle.DialectDeparted(at=7.0, what=what), STRANGE, STRANGE]
    assert desk.traffic.departures == {what: 2}
    assert caplog.text.count("departs from its dialect") == 1


@pytest.mark.parametrize(
    ("event", "news"),
    [
        (CREATED, True),
        (events.SessionUpdated(session=events.RealtimeSession()), True),
        (events.Error(error=events.ErrorDetail(type="x", message="no")), True),
        (events.ConversationItemAdded(item=events.user_message("again", id="u1")), False),
        (LIMITS, False),
    ],
)
def test_what_was_told_once_more_is_seen_by_the_observer_alone(event: events.ServerEvent, news: bool) -> None:
    desk = Desk()
    desk.traffic.hear_again(event)
    assert desk.seen == [event]
    assert desk.told() == ([event] if news else [])


def test_what_opens_a_connection_is_counted_and_only_observed() -> None:
    desk = Desk()
    update = events.SessionUpdate(session=events.RealtimeSession())
    desk.traffic.say(update)
    assert (desk.traffic.said, desk.seen, desk.told()) == (1, [update], [])
