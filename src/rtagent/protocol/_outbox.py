"""What the core has decided and nobody has taken yet: events for the server, happenings for the shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .. import events
from ._happenings import Happening

__all__ = ("Outbox",)

EventT = TypeVar("EventT", bound=events.ClientEvent)


class Outbox:
    """Owns both lists, and gives every event its id.

    Args:
        new_id: makes an id with the given prefix, unique in this conversation and at most 32 characters
            of ``[A-Za-z0-9_-]`` long (protocol document, 13).
    """

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self.new_id = new_id
        self._events: list[events.ClientEvent] = []
        self._happenings: list[Happening] = []

    def send(self, event: EventT) -> EventT:
        """Queue an event; one without an id gets one."""
        if event.event_id is None:
            event = event.model_copy(update={"event_id": self.new_id("evt")})
        self._events.append(event)
        return event

    def tell(self, happening: Happening) -> None:
        """Queue something for the shell to carry out."""
        self._happenings.append(happening)

    def take_events(self) -> list[events.ClientEvent]:
        """Everything that must be sent, in order; the list is then empty."""
        taken, self._events = self._events, []
        return taken

    def take_happenings(self) -> list[Happening]:
        """Everything that must be carried out, in order; the list is then empty."""
        taken, self._happenings = self._happenings, []
        return taken
