"""A connection is greeted, configured and told the conversation before it is used."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConnectionLost, EndOfStream, ServerError, Unsupported
from rtagent.protocol import HistoryEntry, ReplayPlan
from rtagent.session._opening import AT_ONCE, Opening
from rtagent.testing import End, Expect, FakeClock, RealtimeServer, Send
from rtagent.transport import Transport, memory_pair

WANTED = events.RealtimeSession(instructions="Be brief.")


def plan(*items: events.Item) -> ReplayPlan:
    return ReplayPlan(items, ())


def said(item_id: str, text: str = "hello") -> events.Item:
    return events.user_message(text, id=item_id)


class Bench:
    """An opening, and what it told of itself."""

    def __init__(
        self,
        transport: Transport,
        dialect: events.Dialect = events.GA,
        server: RealtimeServer | None = None,
    ) -> None:
        self._server = server
        self.heard: list[str] = []
        self.sent: list[str] = []
        self.opening = Opening(
            transport,
            dialect,
            FakeClock(),
            heard=lambda event: self.heard.append(event.type),
            sent=lambda event: self.sent.append(event.type),
        )

    @property
    def server(self) -> RealtimeServer:
        assert self._server is not None
        return self._server

    @property
    def items(self) -> list[str]:
        return [item["id"] for item in self.server.connections[0].items]


@asynccontextmanager
async def opening(profile: str = "openai", **options: Any) -> AsyncIterator[Bench]:
    async with RealtimeServer(profile, over="memory", **options) as server:
        transport = await server.dial()
        yield Bench(transport, events.PROFILES[profile], server)
        await transport.aclose()


# -- greeting and configuring -------------------------------------------------------------------------


async def test_a_session_is_greeted_configured_and_told() -> None:
    async with opening() as bench:
        assert bench.opening.step == "greet us with session.created"
        await bench.opening.greet()
        await bench.opening.configure(WANTED)
        assert bench.opening.step == "configure the session"
        await bench.opening.tell(plan(said("a"), said("b")))
        opened = bench.opening.opened()
    assert opened.told == {"a", "b"}
    assert opened.lost == 0
    assert [event.type for event in opened.events] == bench.heard
    assert bench.heard[:2] == ["session.created", "session.updated"]
    assert bench.sent == ["session.update", "conversation.item.create", "conversation.item.create"]
    assert bench.items == ["a", "b"]
    assert bench.server.sent("session.update")[0]["session"]["instructions"] == "Be brief."
    assert bench.server.refusals == []


async def test_nothing_is_sent_where_nothing_is_wanted() -> None:
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.configure(None)
        await bench.opening.tell(plan())
    assert bench.sent == []


async def test_an_error_in_the_place_of_a_greeting_is_raised() -> None:
    near, far = memory_pair()
    error = {"type": "x", "code": "no_model", "message": "there is no such model"}
    await far.send(json.dumps({"type": "rate_limits.updated", "event_id": "e", "rate_limits": []}))
    await far.send(json.dumps({"type": "error", "event_id": "e", "error": error}))
    bench = Bench(near)
    with pytest.raises(ServerError, match="there is no such model") as caught:
        await bench.opening.greet()
    assert caught.value.code == "no_model"
    assert bench.opening.error is not None
    assert bench.opening.error.code == "no_model"
    assert bench.heard == ["rate_limits.updated", "error"]


@pytest.mark.parametrize(("code", "kind"), [(1000, EndOfStream), (1011, ConnectionLost)])
async def test_an_end_in_the_place_of_a_greeting_is_raised(code: int, kind: type[Exception]) -> None:
    near, far = memory_pair()
    await far.aclose(code)
    with pytest.raises(kind):
        await Bench(near).opening.greet()


async def test_a_configuration_that_is_refused_is_raised() -> None:
    def refuse(received: dict[str, Any]) -> dict[str, Any]:
        error = {
            "type": "x",
            "code": "bad_voice",
            "message": "no such voice",
            "event_id": received["event_id"],
        }
        return {"type": "error", "event_id": "e", "error": error}

    async with opening(script=[Expect("session.update"), Send(refuse)]) as bench:
        await bench.opening.greet()
        with pytest.raises(ServerError, match="no such voice") as caught:
            await bench.opening.configure(WANTED)
    assert caught.value.code == "bad_voice"
    assert bench.opening.error is None, "it named an event of ours"


async def test_where_a_commit_begins_the_stream_one_is_sent() -> None:
    async with opening("vllm") as bench:
        await bench.opening.greet()
        await bench.opening.configure(events.TranscriptionSession.model_validate({"model": "any"}))
    assert bench.sent == ["session.update", "input_audio_buffer.commit"]


# -- telling ------------------------------------------------------------------------------------------


async def test_a_long_conversation_is_told_in_its_order() -> None:
    names = [f"item_{number}" for number in range(2 * AT_ONCE + 3)]
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.tell(plan(*(said(name) for name in names)))
        assert bench.items == names
        assert bench.opening.opened().told == set(names)


async def test_what_is_refused_is_counted_and_not_tried_again() -> None:
    bad = events.FunctionCallOutput(id="bad", call_id="never_called", output="{}")
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.tell(plan(said("a"), bad, said("b")))
        assert bench.opening.opened().told == {"a", "b"}
        assert bench.opening.opened().lost == 1
        asked = len(bench.sent)
        assert bench.opening.has_told(plan(said("a"), bad, said("b")))
        await bench.opening.tell(plan(said("a"), bad, said("b")))
        assert len(bench.sent) == asked
        await bench.opening.tell(plan(said("a"), bad, said("b"), said("c")))
        assert bench.items == ["a", "b", "c"]
        assert bench.opening.opened().lost == 1


async def test_what_the_plan_leaves_out_counts_as_lost() -> None:
    entry = HistoryEntry(id="old", role="user", type="message", text="long ago", status="completed")
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.tell(ReplayPlan((said("a"),), (entry,)))
        assert bench.opening.opened().lost == 1


async def test_an_item_that_is_there_already_is_told() -> None:
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening._transport.send(
            events.encode(events.ConversationItemCreate(item=said("a")), events.GA)
        )
        await bench.opening.tell(plan(said("a"), said("b")))
        assert bench.opening.opened().told == {"a", "b"}
        assert bench.opening.opened().lost == 0
    assert bench.items == ["a", "b"]


async def test_what_is_new_is_told_later_in_its_place() -> None:
    first = plan(said("a"), said("c"))
    second = plan(said("z"), said("a"), said("b"), said("c"), said("d"))
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.tell(first)
        assert bench.opening.has_told(first)
        assert not bench.opening.has_told(second)
        await bench.opening.tell(second)
        assert bench.opening.has_told(second)
        assert bench.items == ["z", "a", "b", "c", "d"]


async def test_what_has_changed_or_gone_is_replaced() -> None:
    first = plan(said("a"), said("b", "as heard so far"), said("c"))
    second = plan(said("a"), said("b", "as heard in the end"))
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.tell(first)
        assert not bench.opening.has_told(second)
        await bench.opening.tell(second)
        assert bench.opening.has_told(second)
        assert bench.opening.opened().told == {"a", "b"}
        assert bench.items == ["a", "b"]
        assert "in the end" in str(bench.server.connections[0].items)
    assert bench.server.refusals == []


async def test_where_nothing_can_be_told_it_is_refused_before_anything_is_sent() -> None:
    near, _ = memory_pair()
    bench = Bench(near, events.LIVE)
    with pytest.raises(Unsupported):
        await bench.opening.tell(plan(said("a")))
    assert bench.sent == []


async def test_an_end_while_it_is_told_is_raised() -> None:
    script = [Expect("conversation.item.create"), End(1012, "restart")]
    async with opening(script=script) as bench:
        await bench.opening.greet()
        with pytest.raises(ConnectionLost):
            await bench.opening.tell(plan(said("a")))
        assert bench.opening.step == "take the earlier conversation"


async def test_an_error_that_names_nothing_is_kept() -> None:
    error = {"type": "x", "code": "insufficient_quota", "message": "no quota"}
    script = [
        Expect("session.update"),
        Send({"type": "error", "event_id": "e", "error": error}),
        Send(lambda received: {"type": "session.updated", "event_id": "e", "session": received["session"]}),
    ]
    async with opening(script=script) as bench:
        await bench.opening.greet()
        await bench.opening.configure(WANTED)
    assert bench.opening.error is not None
    assert bench.opening.error.code == "insufficient_quota"


# -- once more ----------------------------------------------------------------------------------------


async def test_only_a_configuration_that_has_changed_is_asked_for_again() -> None:
    changed = events.RealtimeSession(instructions="Be long.")
    async with opening() as bench:
        await bench.opening.greet()
        assert not bench.opening.has_configured(WANTED)
        await bench.opening.configure(WANTED)
        await bench.opening.configure(events.RealtimeSession(instructions="Be brief."))
        assert bench.opening.has_configured(WANTED)
        assert not bench.opening.has_configured(changed)
        await bench.opening.configure(changed)
        assert bench.opening.has_configured(changed)
        # What is said to be null is not the same as what is not said.
        nothing = events.RealtimeSession(instructions="Be long.", tools=None)
        assert not bench.opening.has_configured(nothing)
    asked = [sent["session"]["instructions"] for sent in bench.server.sent("session.update")]
    assert asked == ["Be brief.", "Be long."]


async def test_a_stream_begins_only_once() -> None:
    async with opening("vllm") as bench:
        await bench.opening.greet()
        await bench.opening.configure(None)
        await bench.opening.configure(events.TranscriptionSession.model_validate({"model": "any"}))
    assert bench.sent == ["input_audio_buffer.commit", "session.update"]


async def test_what_has_come_meanwhile_is_read_without_waiting() -> None:
    async with opening() as bench:
        await bench.opening.greet()
        await bench.opening.keep_up()
        await bench.server.current.send({"type": "rate_limits.updated", "event_id": "e", "rate_limits": []})
        await anyio.wait_all_tasks_blocked()
        await bench.opening.keep_up()
        assert bench.heard == ["session.created", "rate_limits.updated"]
        await bench.server.current.close(1011)
        with pytest.raises(ConnectionLost):
            await bench.opening.keep_up()
