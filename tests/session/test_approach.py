"""Dial, open, configure, tell: bounded in time, and closed where it comes to nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConnectionFailed, ConnectionLost, ServerError, SessionClosed, Timeout
from rtagent.protocol import HistoryEntry, Resumable, core_for
from rtagent.session import ReconnectPolicy
from rtagent.session._approach import CLOSE_TIMEOUT_S, Approach, Standby, Target, close
from rtagent.session._ids import new_id
from rtagent.session._pump import Pump
from rtagent.testing import Close, Drop, End, Expect, FakeClock, HalfOpen, RealtimeServer, Refuse, Send
from rtagent.transport import Transport
from tests.session.line import Seen, never

POLICY = ReconnectPolicy(jitter=0.0)
WANTED = events.RealtimeSession(instructions="Be brief.")
EARLIER = (
    HistoryEntry(id="a", role="user", type="message", text="hello", status="completed"),
    HistoryEntry(id="b", role="assistant", type="message", text="hi", status="completed"),
)


class Bench:
    """An approach to a server, and the pump of its session."""

    def __init__(self, server: RealtimeServer, target: Target) -> None:
        self.server = server
        self.seen = Seen()
        self.pump = Pump(core_for(events.GA, new_id=new_id), FakeClock(), self.seen.note)
        self.approach = Approach(self.pump, target)
        self.dialled: list[Transport] = []
        self.stream = self.pump.fanout.subscribe()
        self.pump.fanout.add(self.stream)

    @property
    def resumption(self) -> Resumable:
        resumption = self.pump.core.resumption
        assert resumption is not None
        return resumption

    @property
    def news(self) -> list[str]:
        """What subscribers were told."""
        return [event.type for event in self.stream._events]

    async def dial(self) -> Transport:
        self.dialled.append(await self.server.dial())
        return self.dialled[-1]

    async def first(self) -> None:
        """As a session begins."""
        self.pump.connect(await self.approach.first(await self.dial()))

    async def another(self, *, within_s: float = 5.0, aside: bool = False) -> Standby:
        return await self.approach.another(self.dial, POLICY, self.resumption, within_s=within_s, aside=aside)


@asynccontextmanager
async def approaching(*faults: Any, target: Target | None = None, **options: Any) -> AsyncIterator[Bench]:
    async with RealtimeServer(over="memory", faults=faults, **options) as server:
        bench = Bench(server, target if target is not None else Target(WANTED, endpoint="ws://h/v1"))
        yield bench
        for transport in bench.dialled:
            await transport.aclose()


# -- the first ----------------------------------------------------------------------------------------


async def test_the_first_connection_is_configured_and_told_what_went_before() -> None:
    async with approaching(target=Target(WANTED, EARLIER)) as bench:
        opened = await bench.approach.first(await bench.dial())
        assert opened.told == {"a", "b"}
        assert bench.news == [event.type for event in opened.events]
        assert [item["id"] for item in bench.server.current.items] == ["a", "b"]


async def test_a_server_that_does_not_do_its_part_in_time_is_named_with_what_it_did_not_do() -> None:
    target = Target(WANTED, endpoint="ws://h/v1", timeout_s=0.01)
    async with approaching(HalfOpen(on="session.updated"), target=target) as bench:
        expected = r"ws://h/v1 did not configure the session within 0\.01 s"
        with pytest.raises(ConnectionFailed, match=expected) as caught:
            await bench.approach.first(await bench.dial())
        assert caught.value.retryable
        assert caught.value.url == "ws://h/v1"


async def test_a_server_that_ends_at_once_is_named_with_how() -> None:
    async with approaching(Close(4000, "beta"), target=Target()) as bench:
        with pytest.raises(ConnectionFailed, match="the server ended the session before it began") as caught:
            await bench.approach.first(await bench.dial())
        assert isinstance(caught.value.__cause__, ConnectionLost)
        assert caught.value.code is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"type": "x", "code": "insufficient_quota", "message": "no"}, "insufficient_quota"),
        ({"type": "insufficient_quota", "message": "no"}, "insufficient_quota"),
    ],
)
async def test_what_it_said_before_the_end_is_kept(error: dict[str, Any], code: str) -> None:
    script = [
        Expect("session.update"),
        Send({"type": "error", "event_id": "e", "error": error}),
        End(1000, ""),
    ]
    async with approaching(script=script) as bench:
        with pytest.raises(ConnectionFailed) as caught:
            await bench.approach.first(await bench.dial())
        assert caught.value.code == code


# -- another ------------------------------------------------------------------------------------------


async def test_another_one_knows_the_conversation_and_its_opening_is_no_news() -> None:
    async with approaching() as bench:
        await bench.first()
        bench.stream._events.clear()
        standby = await bench.another()
        assert bench.news == ["session.created", "session.updated"]
        assert standby.opening.opened().told == set()
        assert bench.approach.has_caught_up(standby, POLICY, bench.resumption)
        assert bench.server.current.sent("session.update")[0]["session"]["instructions"] == "Be brief."


async def test_what_is_told_again_is_seen_by_the_observer_alone() -> None:
    async with approaching() as bench:
        await bench.first()
        bench.pump.take(
            events.ConversationItemDone(item=events.user_message("hello", id="a"), previous_item_id=None)
        )
        bench.stream._events.clear()
        standby = await bench.another()
        assert standby.opening.opened().told == {"a"}
        assert "conversation.item.added" not in bench.news
        assert "conversation.item.added" in [
            event.type for _, side, event in bench.seen.all if side == "server"
        ]


async def test_one_that_is_made_ready_aside_is_no_news_at_all() -> None:
    async with approaching() as bench:
        await bench.first()
        bench.stream._events.clear()
        before = len(bench.seen.all)
        await bench.another(aside=True)
        assert bench.news == []
        assert len(bench.seen.all) > before


async def test_one_that_stands_ready_is_brought_to_the_state_of_now() -> None:
    async with approaching() as bench:
        await bench.first()
        standby = await bench.another(aside=True)
        bench.pump.take(
            events.ConversationItemDone(item=events.user_message("hello", id="a"), previous_item_id=None)
        )
        assert not bench.approach.has_caught_up(standby, POLICY, bench.resumption)
        await bench.approach.catch_up(standby, POLICY, bench.resumption)
        assert bench.approach.has_caught_up(standby, POLICY, bench.resumption)
        assert [item["id"] for item in bench.server.current.items] == ["a"]
        assert len(bench.server.current.sent("session.update")) == 1


async def test_a_dial_that_is_refused_is_passed_on() -> None:
    async with approaching(Refuse(503)) as bench:
        with pytest.raises(ConnectionFailed) as caught:
            await bench.another()
        assert caught.value.status == 503


@pytest.mark.parametrize("failure", [KeyError("sk-secret"), TimeoutError(), ZeroDivisionError()])
async def test_a_dial_that_fails_in_a_way_of_its_own_may_be_tried_again(failure: Exception) -> None:
    async def dial() -> Transport:
        raise failure

    async with approaching() as bench:
        with pytest.raises(ConnectionFailed, match=type(failure).__name__) as caught:
            await bench.approach.another(dial, POLICY, bench.resumption, within_s=1.0)
        assert caught.value.retryable
        assert caught.value.__cause__ is failure
        assert "secret" not in str(caught.value)


async def test_a_dial_that_takes_too_long_is_a_timeout() -> None:
    async with approaching() as bench:
        with pytest.raises(Timeout, match="another connection"):
            await bench.approach.another(never, POLICY, bench.resumption, within_s=0.01)


async def test_an_opening_that_takes_too_long_is_closed() -> None:
    async with approaching(HalfOpen(on="session.updated")) as bench:
        with pytest.raises(Timeout, match="another connection"):
            await bench.another(within_s=0.01)
        with pytest.raises(SessionClosed):
            await bench.dialled[0].send("x")


async def test_an_opening_that_fails_is_closed() -> None:
    def refuse(received: dict[str, Any]) -> dict[str, Any]:
        error = {"type": "x", "code": "bad", "message": "no such voice", "event_id": received["event_id"]}
        return {"type": "error", "event_id": "e", "error": error}

    async with approaching(script=[Expect("session.update"), Send(refuse)]) as bench:
        with pytest.raises(ServerError, match="no such voice"):
            await bench.another()
        assert await bench.server.connections[0].wait_ended() == (1000, "")


async def test_an_opening_that_is_cancelled_is_closed() -> None:
    async with approaching(HalfOpen(on="session.updated")) as bench:
        async with anyio.create_task_group() as group:
            group.start_soon(bench.another)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        with pytest.raises(SessionClosed):
            await bench.dialled[0].send("x")


async def test_one_that_dies_in_the_middle_is_a_failure_with_its_cause() -> None:
    async with approaching(Drop(on="session.updated")) as bench:
        with pytest.raises(ConnectionFailed) as caught:
            await bench.another()
        assert isinstance(caught.value.__cause__, ConnectionLost)


async def test_closing_is_bounded_whatever_happens_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtagent.session._approach.CLOSE_TIMEOUT_S", 0.01)
    assert CLOSE_TIMEOUT_S <= 2.0
    tried: list[str] = []

    class Stuck:
        """A connection that cannot be closed."""

        async def send(self, frame: str | bytes) -> None:
            raise NotImplementedError

        async def receive(self) -> str | bytes:
            raise NotImplementedError

        async def aclose(self, code: int = 1000, reason: str = "") -> None:
            tried.append(reason)
            await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        scope.cancel()
        await close(Stuck())
    assert tried == [""]
