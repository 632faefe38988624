"""Going on with an earlier conversation: what the server is told, what it refuses, what the program learns."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConfigurationError, ConnectionFailed, Unsupported
from rtagent.events import lifecycle
from rtagent.protocol import History, HistoryEntry
from rtagent.session import Session, _opening
from rtagent.testing import ScriptedServer

TALK = History(
    (
        HistoryEntry("u1", "user", "message", "Tell me a story.", "completed"),
        HistoryEntry("a1", "assistant", "message", "Once upon", "incomplete", heard_ms=640.0),
        HistoryEntry("u2", "user", "message", "", "completed"),
    )
)


async def take(server: ScriptedServer, *, refuse: Mapping[str, str] | None = None, times: int = 2) -> None:
    """Take the items, but for those that are refused with a code."""
    previous = None
    for _ in range(times):
        create = await server.expect(events.ConversationItemCreate)
        item = create.item
        code = (refuse or {}).get(item.id or "")
        if code is not None:
            error = {
                "type": "invalid_request_error",
                "code": code,
                "message": "no",
                "event_id": create.event_id,
            }
            await server.send({"type": "error", "event_id": "e", "error": error})
            continue
        await server.send(events.ConversationItemAdded(previous_item_id=previous, item=item))
        previous = item.id


async def opened(history: Any, **taken: Any) -> tuple[Session, lifecycle.Connected, list[events.ClientEvent]]:
    """A session that began with that history; what it published, and what was sent to open it."""
    told: list[Any] = []
    async with ScriptedServer() as server, anyio.create_task_group() as group:
        group.start_soon(partial(take, server, **taken))
        session = Session(
            server.transport, history=history, observer=lambda at, side, event: told.append(event)
        )
        async with session:
            await server.expect_nothing()
    (connected,) = [event for event in told if isinstance(event, lifecycle.Connected)]
    return session, connected, [event for event in told if isinstance(event, events.ClientEvent)]


@pytest.mark.parametrize("given", [TALK, list(TALK), TALK.snapshot()], ids=["history", "entries", "snapshot"])
async def test_the_server_is_told_before_anybody_speaks_and_nothing_is_asked(given: Any) -> None:
    session, connected, sent = await opened(given)
    assert [event.type for event in sent] == ["conversation.item.create"] * 2
    assert [event.item for event in sent if isinstance(event, events.ConversationItemCreate)] == [
        events.user_message("Tell me a story.", id="u1"),
        events.assistant_message("Once upon", id="a1"),
    ]
    assert (connected.restored, connected.lost) == (2, 1)
    assert [(entry.id, entry.role, entry.text) for entry in session.history] == [
        ("u1", "user", "Tell me a story."),
        ("a1", "assistant", "Once upon"),
    ]


async def test_without_a_history_nothing_is_told() -> None:
    _, connected, sent = await opened((), times=0)
    assert (connected.restored, connected.lost, sent) == (0, 0, [])


async def test_an_item_that_the_server_has_already_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="rtagent"):
        _, connected, _ = await opened(TALK, refuse={"u1": "item_create_duplicate_item_id"})
    assert (connected.restored, connected.lost) == (2, 1)
    assert "refused" not in caplog.text


async def test_an_item_that_is_refused_is_counted_and_the_rest_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="rtagent"):
        session, connected, _ = await opened(TALK, refuse={"u1": "invalid_value"})
    assert (connected.restored, connected.lost) == (1, 2)
    assert [entry.id for entry in session.history] == ["a1"]
    assert "refused an item of the history: invalid_value: no" in caplog.text


async def test_a_long_conversation_is_told_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_opening, "AT_ONCE", 4)
    entries = [HistoryEntry(f"u{n}", "user", "message", f"{n}", "completed") for n in range(11)]
    session, connected, _ = await opened(entries, times=11)
    assert (connected.restored, connected.lost) == (11, 0)
    assert [entry.text for entry in session.history] == [f"{n}" for n in range(11)]


async def test_a_server_that_does_not_take_it_in_time_is_no_session() -> None:
    async with ScriptedServer() as server:
        with pytest.raises(ConnectionFailed, match="did not take the earlier conversation within"):
            async with Session(server.transport, history=TALK, timeout=0.05):
                pytest.fail("the block must not begin")
        told = [await server.expect(events.ConversationItemCreate) for _ in range(2)]
    assert [create.item.id for create in told] == ["u1", "a1"]


async def test_where_nothing_can_be_put_into_a_conversation_it_is_said() -> None:
    mute = events.GA.model_copy(
        update={"title": "Mute", "refused_events": frozenset({"conversation.item.create"})}
    )
    async with ScriptedServer() as server:
        with pytest.raises(Unsupported, match=r"Mute does not support conversation\.item\.create"):
            async with Session(server.transport, history=TALK, dialect=mute):
                pytest.fail("the block must not begin")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"items": []}, "no snapshot"),
        (["Tell me a story."], "holds a str"),
        ([{"id": "u1"}], "holds a dict"),
    ],
)
async def test_what_is_no_history_is_said_before_anything_is_sent(given: Any, message: str) -> None:
    async with ScriptedServer() as server:
        with pytest.raises(ConfigurationError, match=message):
            Session(server.transport, history=given)
