from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rtagent import events
from rtagent.events import live


def _read(wire: dict[str, Any]) -> events.ServerEvent:
    return events.decode(json.dumps(wire), events.LIVE)


@pytest.fixture
def read() -> Callable[[dict[str, Any]], events.ServerEvent]:
    """A server event from its wire object."""
    return _read


@pytest.fixture
def read_session() -> Callable[[dict[str, Any]], live.SessionResource]:
    """A session as a server reports it, without anything lost."""

    def read(session: dict[str, Any]) -> live.SessionResource:
        event = _read({"type": "session.updated", "session": session})
        assert isinstance(event, live.SessionUpdated)
        assert event.defects == ()
        return event.session

    return read


@pytest.fixture
def read_item() -> Callable[[dict[str, Any]], live.Item | None]:
    """An item as a server announces it."""

    def read(item: dict[str, Any]) -> live.Item | None:
        event = _read({"type": "decision.item.created", "item": item})
        assert isinstance(event, live.DecisionItemCreated)
        return event.item

    return read


@pytest.fixture
def written() -> Callable[[events.ClientEvent | events.ServerEvent], Any]:
    """An event as it goes over the wire."""
    return lambda event: json.loads(events.encode(event, events.LIVE))
