"""What came from the servers of a session and what went to them: counted, and told to whoever follows."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from .. import events
from ..audio import Clock
from ..events.lifecycle import DialectDeparted
from ._departures import Departures
from ._fanout import Fanout

__all__ = ("Traffic",)

logger = logging.getLogger(__name__)


class Traffic:
    """Owns the counts over all connections.

    Args:
        dialect: what the servers speak.
        fanout: is told of every event.
        clock: the session's.
    """

    def __init__(self, dialect: events.Dialect, fanout: Fanout, clock: Clock) -> None:
        self.heard = 0
        """Server events that came."""
        self.said = 0
        """Events that were sent to open a connection; all others are counted by the wire."""
        self._dialect = dialect
        self._fanout = fanout
        self._clock = clock
        self._departures = Departures(dialect)

    @property
    def departures(self) -> Mapping[str, int]:
        """In which ways the servers were not what their dialect says, and how often."""
        return self._departures.counts

    def hear(self, event: events.ServerEvent) -> None:
        """An event of the server: count it and tell everybody who wants to know."""
        self.heard += 1
        for what in self._departures.note(event):
            logger.warning("%s departs from its dialect: %s", self._dialect.title, what)
            self._fanout.publish(DialectDeparted(at=self._clock.now(), what=what))
        self._fanout.publish(event)

    def hear_again(self, event: events.ServerEvent) -> None:
        """What was told once more is no news; that there is another session, and what went wrong, is."""
        if isinstance(event, events.SessionCreated | events.SessionUpdated | events.Error):
            self.hear(event)
        else:
            self._fanout.observe(event)

    def say(self, event: events.ClientEvent) -> None:
        """An event was sent to open a connection."""
        self.said += 1
        self._fanout.sent(event)
