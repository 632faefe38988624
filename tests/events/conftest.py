from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rtagent import events


def _read(wire: dict[str, Any]) -> events.ServerEvent:
    return events.decode(json.dumps(wire))


@pytest.fixture
def read() -> Callable[[dict[str, Any]], events.ServerEvent]:
    """A server event from its wire object."""
    return _read


@pytest.fixture
def read_item() -> Callable[[dict[str, Any]], events.Item]:
    """An item as a server announces it."""

    def read(item: dict[str, Any]) -> events.Item:
        event = _read({"type": "conversation.item.added", "item": item})
        assert isinstance(event, events.ConversationItemAdded)
        return event.item

    return read


@pytest.fixture
def read_session() -> Callable[[dict[str, Any]], events.SessionConfig]:
    """A session as a server reports it."""

    def read(session: dict[str, Any]) -> events.SessionConfig:
        event = _read({"type": "session.updated", "session": session})
        assert isinstance(event, events.SessionUpdated)
        return event.session

    return read


@pytest.fixture
def written() -> Callable[[events.ClientEvent | events.ServerEvent], Any]:
    """An event as it goes over the wire."""
    return lambda event: json.loads(events.encode(event))
