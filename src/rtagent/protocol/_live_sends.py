"""What may be sent when: before a session has started nothing may, after its end nothing is (rule L1)."""

from __future__ import annotations

from .. import events
from ..errors import LocalProtocolError
from ..events import live
from ._outbox import Outbox

__all__ = ("LiveSends",)

HELD_EVENTS = 256
"""Events of the program that wait for the session to start; one more is an error."""


class LiveSends:
    """Owns the events that wait for the session to start.

    Where a dialect does not take ``session.start`` the session runs already, and nothing is held back.
    """

    def __init__(self, outbox: Outbox, dialect: events.Dialect) -> None:
        self.started = not dialect.takes("session.start")
        self.ended = False
        self._dialect = dialect
        self._outbox = outbox
        self._held: list[events.ClientEvent] = []

    def check_room(self, event: events.ClientEvent) -> None:
        """Refuse one event more than can wait; the one that starts the session does not wait.

        Raises:
            LocalProtocolError: too many events wait for the session to start.
        """
        if len(self._held) >= HELD_EVENTS and not isinstance(event, live.SessionStart):
            message = f"{HELD_EVENTS} events wait for the session to start, and it has not"
            raise LocalProtocolError(message)

    def send(self, event: events.ClientEvent) -> str:
        """Send an event, as soon as that is allowed; returns its id."""
        event_id = event.event_id
        if event_id is None:
            event_id = self._outbox.new_id("evt")
            event = event.model_copy(update={"event_id": event_id})
        if self.ended:
            return event_id
        if self.started or isinstance(event, live.SessionStart):
            self._outbox.send(event)
        else:
            self._held.append(event)
        return event_id

    def start(self) -> None:
        """The session has started: what was held back goes out, in its order."""
        self.started = True
        for event in self._held:
            self._outbox.send(event)
        self._held.clear()

    def lost(self) -> None:
        """The connection is gone: what is sent from now on waits for another session to start."""
        self.started = not self._dialect.takes("session.start")
        self.ended = False

    def end(self) -> None:
        """The session is closed: nothing is sent any more."""
        self.ended = True
        self._held.clear()
