"""From one connection to the next: who is told what, how often it is tried, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import rtagent
from rtagent import Agent, Endpoint, events, tool
from rtagent.audio import NullSink
from rtagent.errors import ConnectionLost, RtagentError, SessionClosed
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import (
    Close,
    Drop,
    End,
    Expect,
    Expire,
    FakeClock,
    HalfOpen,
    RealtimeServer,
    Refuse,
    Send,
    TooBig,
)
from rtagent.transport import MemoryTransport, Transport, memory_pair
from tests.session.line import PROMPT, Line, Seen, lined, never, reached


@pytest.fixture(autouse=True)
async def everything_ends() -> AsyncIterator[None]:
    """No task outlives the block that started it."""
    yield
    current = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() if task is not current] == []


def cut(line: Line, fault: Any = None) -> None:
    line.server.current.inject(fault if fault is not None else Drop())


# -- a loss and what is told of it --------------------------------------------------------------------


async def test_an_error_of_long_ago_does_not_say_why_a_connection_ended() -> None:
    error = {"type": "x", "code": "insufficient_quota", "message": "no"}
    async with lined() as line:
        await line.server.current.send({"type": "error", "error": error})
        await line.clock.advance(6.0)
        cut(line)
        await line.until(lifecycle.Reconnected)
        assert [event.reason for event in line.seen.of(lifecycle.Reconnecting)] == ["code 1006"]


async def test_a_conversation_goes_on_where_it_was() -> None:
    async with lined(agent=Agent(instructions="Be brief.")) as line:
        await line.session.say("first")
        await line.session.respond()
        cut(line)
        told = await line.until(lifecycle.Reconnected)
        assert (told.restored, told.lost) == (2, 0)
        await line.session.say("second")
        assert (await line.session.respond()).text == "You said second"
        assert line.session.state == "listening"
        old, new = line.server.connections
        assert old.ended is not None
        assert [item["id"] for item in new.items] == [entry.id for entry in line.session.history]
        assert new.sent("session.update")[0]["session"]["instructions"] == "Be brief."
        assert len(new.sent("response.create")) == 1, "nobody is greeted again"
    assert line.server.refusals == []


async def test_everybody_is_told_in_order() -> None:
    async with lined(Refuse(503, connection=2)) as line:
        async with line.session.subscribe(events.ServerEvent) as told:
            await line.session.say("first")
            cut(line)
            await line.until(lifecycle.Reconnected)
            assert line.seen.names == [
                "listening",
                "reconnecting",
                "Reconnecting",
                "Reconnecting",
                "listening",
                "Reconnected",
            ]
            first, second = line.seen.of(lifecycle.Reconnecting)
            assert (first.attempt, first.delay_s, first.reason) == (1, 1.0, "code 1006")
            assert (second.attempt, second.reason) == (2, "the handshake was answered 503")
            heard = [event.type for event in told._events]
        assert heard.count("session.created") == 1
        assert heard.count("conversation.item.added") == 1, "what is told again is no news"
        both = [event.type for _, side, event in line.seen.all if side == "server"]
        assert both.count("session.created") == 2
        assert both.count("conversation.item.added") == 2
        sent = [event.type for _, side, event in line.seen.all if side == "client"]
        assert sent == ["conversation.item.create", "conversation.item.create"]


async def test_waits_are_those_of_the_policy() -> None:
    async with lined(Refuse(500, times=4, connection=2)) as line:
        cut(line)
        await line.until(lifecycle.Reconnected)
        told = line.seen.of(lifecycle.Reconnecting)
        # A connection that died at once counts as the first failure.
        assert [event.delay_s for event in told] == [1.0, 2.0, 4.0, 4.0, 4.0]
        assert [later.at - before.at for before, later in pairwise(told)] == [
            1.0,
            2.0,
            4.0,
            4.0,
        ]


async def test_what_the_server_asks_for_goes_before_the_policy() -> None:
    async with lined(Refuse(429, headers={"retry-after": "7"}, connection=2)) as line:
        cut(line)
        await line.until(lifecycle.Reconnected)
        assert line.seen.of(lifecycle.Reconnecting)[1].delay_s == 7.0


# -- the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (Close(1008, "not allowed"), 1008, "does not allow"),
        (Close(4000, "beta_api_shape_disabled"), 4000, "the beta's shape"),
        (Close(4321, "because"), 4321, "because"),
    ],
    ids=str,
)
async def test_where_no_dial_can_help_the_session_ends_at_once(fault: Close, code: int, reason: str) -> None:
    async with lined() as line:
        line.server.current.inject(fault)
        closed = await line.session.wait_closed()
        assert isinstance(closed.error, ConnectionLost)
        assert closed.error.code == closed.code == code
        assert reason in closed.reason
        assert closed.error.reason == closed.reason
        assert len(line.server.connections) == 1
        assert line.seen.of(lifecycle.Reconnecting) == []
        with pytest.raises(ConnectionLost, match=reason):
            line.session.post(events.ResponseCancel())


async def test_an_error_that_the_server_said_before_decides() -> None:
    async with lined() as line:
        error = {"type": "x", "code": "insufficient_quota", "message": "no"}
        await line.server.current.send({"type": "error", "event_id": "e", "error": error})
        await line.server.current.close(1000)
        assert "no quota left" in (await line.session.wait_closed()).reason


async def test_an_error_that_it_says_while_it_is_opened_decides_too() -> None:
    error = {"type": "x", "code": "insufficient_quota", "message": "no"}
    second = [
        Expect("session.update"),
        Send({"type": "error", "event_id": "e", "error": error}),
        End(1000, ""),
    ]
    async with lined(agent=Agent(instructions="x")) as line:
        line.server._scripts[2] = _script(second)
        cut(line)
        await line.until(lifecycle.Closed)
        assert "no quota left" in (await line.session.wait_closed()).reason
        assert len(line.server.connections) == 2


def _script(steps: Any) -> Any:
    from rtagent.testing._script import Script

    return Script(steps, "connection 2")


async def test_a_key_that_may_not_do_this_is_tried_once() -> None:
    async with lined(Refuse(403, connection=2)) as line:
        cut(line)
        closed = await line.until(lifecycle.Closed)
        assert "the key may not do this" in closed.reason
        assert len(line.seen.of(lifecycle.Reconnecting)) == 1


async def test_a_configuration_that_is_refused_then_ends_it() -> None:
    def refuse(received: dict[str, Any]) -> dict[str, Any]:
        error = {"type": "x", "code": "bad", "message": "no such voice", "event_id": received["event_id"]}
        return {"type": "error", "event_id": "e", "error": error}

    async with lined(agent=Agent(instructions="x")) as line:
        line.server._scripts[2] = _script([Expect("session.update"), Send(refuse)])
        cut(line)
        assert "no such voice" in (await line.until(lifecycle.Closed)).reason


async def test_after_so_many_failures_the_session_is_given_up() -> None:
    policy = ReconnectPolicy(jitter=0.0, max_attempts=3, renew_before_s=0.0)
    async with lined(Refuse(500, times=99, connection=2), policy=policy) as line:
        await line.clock.advance(10.0)  # it has lived for long: its end begins an outage
        cut(line, Close(1012, "restart"))
        closed = await line.until(lifecycle.Closed)
        assert "3 attempts failed in a row" in closed.reason
        assert isinstance(closed.error, ConnectionLost)
        assert closed.code == closed.error.code == 1012, "what began it"
        assert line.server.refused == 3


async def test_an_outage_lasts_no_longer_than_the_policy_allows() -> None:
    policy = ReconnectPolicy(jitter=0.0, max_attempts=99, budget_s=20.0, renew_before_s=0.0)
    async with lined(Refuse(503, times=99, connection=2), policy=policy) as line:
        cut(line)
        began = line.clock.now()
        closed = await line.until(lifecycle.Closed)
        assert closed.at - began <= 20.0
        assert line.server.refused > 3


async def test_connections_that_die_at_once_are_failures() -> None:
    policy = ReconnectPolicy(jitter=0.0, max_attempts=4, renew_before_s=0.0)
    faults = [Drop(on="session.created", connection=number) for number in range(2, 9)]
    async with lined(*faults, policy=policy) as line:
        cut(line)
        closed = await line.until(lifecycle.Closed)
        assert "4 attempts failed in a row" in closed.reason
        assert len(line.server.connections) == 4


async def test_connections_that_open_and_die_are_failures_too() -> None:
    policy = ReconnectPolicy(jitter=0.0, max_attempts=4, renew_before_s=0.0)
    async with lined(policy=policy) as line:
        for number in range(1, 4):
            cut(line)
            await line.until(lifecycle.Reconnected, nth=number)
        cut(line)
        closed = await line.until(lifecycle.Closed)
        assert "4 attempts failed in a row" in closed.reason
        assert [event.delay_s for event in line.seen.of(lifecycle.Reconnecting)] == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("proof", ["an answer", "time"])
async def test_a_connection_that_has_proved_itself_ends_the_outage(proof: str) -> None:
    policy = ReconnectPolicy(jitter=0.0, max_attempts=2, renew_before_s=0.0)
    async with lined(policy=policy) as line:
        for number in range(1, 5):
            if proof == "time":
                await line.clock.advance(6.0)
            else:
                await line.session.say("hello")
                await line.session.respond()
            cut(line)
            await line.until(lifecycle.Reconnected, nth=number)
        assert {event.delay_s for event in line.seen.of(lifecycle.Reconnecting)} == {0.25}


async def test_a_call_that_was_hung_up_is_over() -> None:
    async with lined(options={"sideband": True}) as line:
        cut(line, Close(1000, ""))
        assert "the call has ended" in (await line.session.wait_closed()).reason


@pytest.mark.parametrize("policy", [None, ReconnectPolicy(max_attempts=0)])
async def test_without_a_policy_the_session_ends_with_its_connection(policy: ReconnectPolicy | None) -> None:
    async with lined(policy=policy) as line:
        cut(line, Close(1001, "going away"))
        closed = await line.session.wait_closed()
        assert isinstance(closed.error, ConnectionLost)
        assert closed.code == 1001
        assert len(line.server.connections) == 1


# -- who waits ----------------------------------------------------------------------------------------


async def test_a_send_that_waits_is_answered_on_the_next_connection() -> None:
    async with lined(Drop(on="conversation.item.create", by="client")) as line:
        answers: list[Any] = []

        async def send() -> None:
            answers.append(await line.session.say("hello"))

        async with anyio.create_task_group() as group:
            group.start_soon(send)
            await line.until(lifecycle.Reconnecting)
            assert answers == []
            await line.until(lifecycle.Reconnected)
        assert isinstance(answers[0], events.ConversationItemAdded)
        assert [entry.text for entry in line.session.history] == ["hello"]
        assert [item["id"] for item in line.server.current.items] == [line.session.history[0].id]


async def test_a_second_loss_fails_it() -> None:
    faults = [
        Drop(on="conversation.item.create", by="client"),
        Drop(on="conversation.item.create", by="client", connection=2),
    ]
    async with lined(*faults) as line:
        async with anyio.create_task_group() as group:
            failures: list[RtagentError] = []

            async def send() -> None:
                with pytest.raises(
                    ConnectionLost, match=r"before conversation\.item\.create was answered"
                ) as caught:
                    await line.session.say("hello")
                failures.append(caught.value)

            group.start_soon(send)
            await line.until(lifecycle.Reconnected, nth=2)
        assert len(failures) == 1
        assert line.session.state == "listening"
        assert line.server.undone == []


async def test_what_was_too_large_is_not_sent_again() -> None:
    async with lined(TooBig(on="conversation.item.create", by="client")) as line:
        async with anyio.create_task_group() as group:

            async def send() -> None:
                with pytest.raises(ConnectionLost) as caught:
                    await line.session.say("hello")
                assert caught.value.code == 1009

            group.start_soon(send)
            await line.until(lifecycle.Reconnected)
        assert line.server.current.items == []


@pytest.mark.parametrize("phase", ["response.create", "response.created", "response.output_text.delta"])
async def test_a_response_that_is_waited_for_comes_all_the_same(phase: str) -> None:
    fault = Drop(on=phase, by="client" if phase == "response.create" else "server")
    async with lined(fault) as line:
        await line.session.say("hello")
        got: list[Any] = []

        async def ask() -> None:
            got.append(await line.session.respond(modalities=["text"]))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await line.until(lifecycle.Reconnected)
            await reached(lambda: bool(got), line.clock)
        assert got[0].status == "completed"
        assert "You said" in got[0].text
        assert len(line.server.current.sent("response.create")) == 1
    assert line.server.undone == []
    assert line.server.refusals == []


async def test_what_is_wanted_without_a_connection_waits_for_one() -> None:
    async with lined(agent=Agent(instructions="first", voice="marin")) as line:
        await line.session.update(instructions="second")
        cut(line)
        await line.until(lifecycle.Reconnecting)
        assert line.session.state == "reconnecting"
        line.session.post(events.ConversationItemCreate(item=events.user_message("one", id="one")))
        line.session.post(events.ConversationItemCreate(item=events.user_message("two", id="two")))
        async with anyio.create_task_group() as group:
            group.start_soon(partial(line.session.update, max_output_tokens=77))
            await line.until(lifecycle.Reconnected)
            await line.clock.advance(0.1)
        new = line.server.current
        assert [item["id"] for item in new.items] == ["one", "two"]
        updates = [sent["session"] for sent in new.sent("session.update")]
        assert updates[0]["instructions"] == "second"
        assert updates[0]["audio"]["output"]["voice"] == "marin"
        assert updates[-1]["max_output_tokens"] == 77
        config = line.session.config
        assert isinstance(config, events.RealtimeSession)
        assert (config.instructions, config.max_output_tokens) == ("second", 77)


async def test_a_tool_that_ran_when_the_connection_was_lost_is_answered_on_the_next() -> None:
    running, go_on = anyio.Event(), anyio.Event()

    @tool
    async def look() -> str:
        """Look something up."""
        running.set()
        await go_on.wait()
        return "found"

    async with lined(agent=Agent(tools=[look])) as line:
        await line.session.say("use the tool")
        got: list[Any] = []

        async def ask() -> None:
            got.append(await line.session.respond(modalities=["text"]))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await reached(running.is_set, line.clock)
            await line.clock.advance(0.1)
            cut(line)
            await line.until(lifecycle.Reconnected)
            assert got == []
            go_on.set()
            await reached(lambda: bool(got), line.clock)
        assert got[0].text == "done"
        kinds = [item["type"] for item in line.server.current.items]
        assert kinds == ["message", "function_call", "function_call_output", "message"]
    assert line.server.refusals == []


# -- leaving ------------------------------------------------------------------------------------------


async def test_leaving_while_the_first_one_is_opened_closes_it() -> None:
    async with RealtimeServer(over="memory", faults=[HalfOpen(on="session.created")]) as server:
        transport = await server.dial()
        session = Session(transport, dial=server.dial, reconnect=PROMPT)

        async def enter() -> None:
            async with session:
                raise AssertionError

        async with anyio.create_task_group() as group:
            group.start_soon(enter)
            await anyio.wait_all_tasks_blocked()
            assert session.state == "connecting"
            group.cancel_scope.cancel()
        assert (session.state, len(server.connections)) == ("closed", 1)
        with pytest.raises(SessionClosed):
            await transport.send("x")


async def test_leaving_between_two_attempts() -> None:
    async with lined(Refuse(500, times=99, connection=2)) as line:
        cut(line)
        await line.until(lifecycle.Reconnecting, nth=3)
    assert line.session.state == "closed"
    assert (await line.session.wait_closed()).error is None


async def test_leaving_while_the_next_one_is_dialled() -> None:
    dialling = anyio.Event()

    async def dial() -> Transport:
        dialling.set()
        return await never()

    async with lined(wrap=lambda _: dial) as line:
        cut(line)
        await reached(dialling.is_set, line.clock)
    assert line.session.state == "closed"


@pytest.mark.parametrize("phase", ["session.created", "session.updated", "conversation.item.added"])
async def test_leaving_while_the_next_one_is_opened_closes_it(phase: str) -> None:
    async with lined(HalfOpen(on=phase, connection=2), agent=Agent(instructions="x")) as line:
        await line.session.say("hello")
        cut(line)
        await reached(lambda: len(line.server.connections) == 2, line.clock)
        await line.clock.advance(0.1)
        assert line.session.state == "reconnecting"
    with pytest.raises(SessionClosed):
        await line.dialled[-1].send("x")


async def test_a_connection_that_comes_while_the_session_is_left_is_closed() -> None:
    class Slow:
        """A connection whose end takes its time."""

        def __init__(self, inner: Transport, leave: anyio.Event, left: anyio.Event) -> None:
            self._inner, self._leave, self._left = inner, leave, left

        async def send(self, frame: str | bytes) -> None:
            await self._inner.send(frame)

        async def receive(self) -> str | bytes:
            return await self._inner.receive()

        async def aclose(self, code: int = 1000, reason: str = "") -> None:
            self._leave.set()
            await self._left.wait()
            await self._inner.aclose(code, reason)

    leave, left, clock = anyio.Event(), anyio.Event(), FakeClock()
    async with RealtimeServer(over="memory") as server, anyio.create_task_group() as group:
        second: list[Transport] = []

        async def dial() -> Transport:
            await leave.wait()
            second.append(await server.dial())
            return second[0]

        seen = Seen()
        first = Slow(await server.dial(), leave, left)
        session = Session(first, dial=dial, reconnect=PROMPT, clock=clock, observer=seen.note)

        async def let_it_come() -> None:
            await leave.wait()
            await seen.wait(lifecycle.Reconnected)
            left.set()

        group.start_soon(let_it_come)
        async with session:
            server.current.inject(Drop())
            await clock.advance(1.0)
        with pytest.raises(SessionClosed):
            await second[0].send("x")
        assert server.connections[1].ended == (1000, "")


async def test_leaving_with_an_error_of_the_programs_own() -> None:
    async def program() -> None:
        async with lined(Refuse(500, times=99, connection=2)) as line:
            cut(line)
            await line.until(lifecycle.Reconnecting)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await program()


async def test_a_dial_that_takes_too_long_is_a_failure() -> None:
    policy = ReconnectPolicy(jitter=0.0, budget_s=0.2, first_delay_s=0.0, renew_before_s=0.0)

    async with lined(wrap=lambda _: never, policy=policy) as line:
        await line.clock.advance(10.0)
        cut(line)
        await line.until(lifecycle.Reconnecting)
        assert "another connection" in (await line.seen.wait(lifecycle.Reconnecting, nth=2)).reason


# -- what stands ready --------------------------------------------------------------------------------

RENEWING = ReconnectPolicy(jitter=0.0, first_delay_s=0.5, renew_before_s=60.0)


async def until_ready(line: Line) -> None:
    """An answer that does not end keeps the next connection waiting."""
    await line.session.say("a long story please")
    line.session.post(events.ResponseCreate(response=events.ResponseParams(output_modalities=["text"])))
    await line.clock.advance(541.0)
    assert len(line.server.connections) == 2
    assert line.seen.of(lifecycle.Renewed) == []


async def test_the_session_changes_over_when_all_is_quiet() -> None:
    async with lined(policy=RENEWING, session_seconds=600.0) as line:
        await until_ready(line)
        line.server.connections[0].release()
        await line.until(lifecycle.Renewed)
        await line.server.connections[0].wait_ended()
        assert line.server.connections[0].ended == (1000, "")
        cut(line)  # what was renewed is an ordinary connection, and its end an ordinary loss
        await line.until(lifecycle.Reconnected)
        assert line.seen.of(lifecycle.Reconnecting)[0].delay_s == 1.0
        assert len(line.server.connections) == 3


@pytest.mark.parametrize("both", [False, True], ids=["it lives", "it is dead too"])
async def test_what_stands_ready_is_used_when_the_connection_is_lost(both: bool) -> None:
    async with lined(policy=RENEWING, session_seconds=600.0) as line:
        await until_ready(line)
        if both:
            line.server.connections[1].inject(Drop())
        line.server.connections[0].inject(Drop())
        await line.until(lifecycle.Reconnected)
        assert len(line.server.connections) == (3 if both else 2)
        assert line.seen.of(lifecycle.Renewed) == []


async def test_leaving_while_what_stands_ready_catches_up_closes_it() -> None:
    async with lined(policy=RENEWING, session_seconds=600.0) as line:
        await until_ready(line)
        line.server.connections[1].inject(HalfOpen())
        line.server.connections[0].inject(Drop())
        await line.until(lifecycle.Reconnecting)
        await line.clock.advance(5.0)
        assert line.session.state == "reconnecting"
    with pytest.raises(SessionClosed):
        await line.dialled[1].send("x")


# -- where sessions end with a word -------------------------------------------------------------------


async def test_after_our_farewell_the_end_of_the_connection_is_the_end_of_the_session() -> None:
    async with RealtimeServer("vllm", over="memory") as server:
        seen = Seen()
        transport = await server.dial()
        session = Session(
            transport,
            config=events.TranscriptionSession.model_validate({"model": "any"}),
            dialect=events.PROFILES["vllm"],
            dial=server.dial,
            reconnect=PROMPT,
            observer=seen.note,
        )
        async with session:
            session.append_audio(bytes(4_800))
            session._pump.farewell_said = True
            await server.current.close(1000, "bye")
            closed = await session.wait_closed()
            assert (closed.code, closed.reason, closed.error) == (1000, "bye", None)
        assert len(server.connections) == 1


async def test_after_our_farewell_a_loss_is_the_end_too() -> None:
    async with lined() as line:
        line.session._pump.farewell_said = True
        cut(line)
        closed = await line.session.wait_closed()
        assert isinstance(closed.error, ConnectionLost)
        assert closed.code == 1006
        assert len(line.server.connections) == 1


async def test_a_connection_that_the_program_closed_ends_the_session_in_good_order() -> None:
    async with lined() as line:
        await line.dialled[0].aclose()
        closed = await line.session.wait_closed()
        assert (closed.code, closed.error) == (1000, None)


class LiveLine:
    """GPT-Live played by hand, over any number of connections."""

    def __init__(self) -> None:
        self.ends: list[MemoryTransport] = []

    async def dial(self) -> Transport:
        near, far = memory_pair()
        self.ends.append(far)
        return near

    async def send(self, kind: str, **fields: Any) -> None:
        await self.ends[-1].send(json.dumps({"type": kind, **fields}))

    async def expect(self, kind: str) -> dict[str, Any]:
        with anyio.fail_after(5):
            while True:
                frame: dict[str, Any] = json.loads(await self.ends[-1].receive())
                if frame["type"] == kind:
                    return frame

    async def start(self, **session: Any) -> dict[str, Any]:
        wanted = await self.expect("session.start")
        await self.send(
            "session.started",
            event_id="e",
            session={"id": "s", **session},
            client_event_id=wanted["event_id"],
        )
        return dict(wanted["session"])


@asynccontextmanager
async def live_session(line: LiveLine, agent: Agent) -> AsyncIterator[Session]:
    config = events.live.SessionConfig(model="gpt-live-1")
    session = Session(
        await line.dial(), agent, config=config, dialect=events.LIVE, dial=line.dial, reconnect=PROMPT
    )
    async with anyio.create_task_group() as group:
        group.start_soon(line.start)
        async with session:
            yield session
            await line.ends[-1].aclose(1000)


async def test_a_live_session_goes_on_in_another_that_remembers() -> None:
    line = LiveLine()
    async with live_session(line, Agent(instructions="Be brief.")) as session:
        async with session.subscribe(lifecycle.Reconnected) as back:
            await line.send("session.input_transcript.delta", delta="My name is Ada.", start_ms=0, end_ms=900)
            await anyio.wait_all_tasks_blocked()
            await line.ends[0].aclose(1011, "it failed")
            while len(line.ends) < 2:
                await anyio.lowlevel.checkpoint()
            wanted = await line.start()
            reconnected = await anext(back)
        assert wanted["instructions"].startswith("Be brief.")
        assert "User: My name is Ada." in wanted["instructions"]
        assert reconnected.restored == 1
        await line.send("session.input_transcript.delta", delta="Who am I?", start_ms=0, end_ms=900)
        await anyio.wait_all_tasks_blocked()
        assert [entry.text for entry in session.history] == ["My name is Ada.", "Who am I?"]
        assert session.state == "listening"


async def test_a_translation_begins_again() -> None:
    line = LiveLine()
    config = events.translation.TranslationSession.into("es")

    async def greet() -> None:
        session = {"id": "sess_1", "type": "translation"}
        await line.send("session.created", event_id="e", session=session)
        assert (await line.expect("session.update"))["session"]["audio"]["output"]["language"] == "es"
        await line.send("session.updated", event_id="e", session=session)

    session = Session(
        await line.dial(), config=config, dialect=events.TRANSLATION, dial=line.dial, reconnect=PROMPT
    )
    async with anyio.create_task_group() as group:
        group.start_soon(greet)
        async with session, session.subscribe(lifecycle.Reconnected) as back:
            await line.send("session.input_transcript.delta", event_id="e", delta="Good morning.")
            await anyio.wait_all_tasks_blocked()
            await line.ends[0].aclose(1011, "it failed")
            while len(line.ends) < 2:
                await anyio.lowlevel.checkpoint()
            await greet()
            await anext(back)
            await line.send("session.input_transcript.delta", event_id="e", delta="Good night.")
            await anyio.wait_all_tasks_blocked()
            assert [entry.text for entry in session.history] == ["Good morning.", "Good night."]
            await line.ends[-1].aclose(1000)


@pytest.mark.parametrize(("reason", "goes_on"), [("expired", True), ("content", False)])
async def test_why_a_live_session_was_closed_decides(reason: str, goes_on: bool) -> None:
    line = LiveLine()
    async with live_session(line, Agent()) as session:
        await line.send("session.closed", event_id="e", reason=reason, session={"id": "s"})
        await line.ends[0].aclose(1000)
        with anyio.fail_after(5):
            while len(line.ends) < 2 and session.state != "closed":
                await anyio.lowlevel.checkpoint()
        assert (len(line.ends) == 2) == goes_on
        if goes_on:
            await line.start()


async def test_a_live_session_is_renewed_and_told_what_was_said_meanwhile() -> None:
    line, clock = LiveLine(), FakeClock()
    ends_at = int(datetime.now(UTC).timestamp()) + 100
    config = events.live.SessionConfig(model="gpt-live-1")
    policy = ReconnectPolicy(renew_before_s=40.0)
    session = Session(
        await line.dial(), config=config, dialect=events.LIVE, dial=line.dial, reconnect=policy, clock=clock
    )
    async with anyio.create_task_group() as group:
        group.start_soon(partial(line.start, expires_at=ends_at))
        async with session, session.subscribe(lifecycle.Renewed) as renewed:
            await clock.advance(61.0)
            assert len(line.ends) == 2
            old, new = line.ends
            words = {
                "type": "session.input_transcript.delta",
                "delta": "Hello.",
                "start_ms": 0,
                "end_ms": 300,
            }
            await old.send(json.dumps(words))
            await clock.advance(0.0)
            await line.start(expires_at=ends_at + 100)
            assert (await anext(renewed)).restored == 0
            thought = await line.expect("session.thinking.append")
            assert thought["content"] == "User: Hello."
            assert [entry.text for entry in session.history] == ["Hello."]
            await new.aclose(1000)


async def test_a_key_that_the_program_cannot_find_out_now_is_asked_for_again() -> None:
    failures = [KeyError("VAULT"), OSError("no route")]

    def broken_twice(line: Line) -> Callable[[], Awaitable[Transport]]:
        async def dial() -> Transport:
            if failures:
                raise failures.pop(0)
            return await line.dial()

        return dial

    async with lined(wrap=broken_twice) as line:
        cut(line)
        await line.until(lifecycle.Reconnected)
        assert [event.reason for event in line.seen.of(lifecycle.Reconnecting)] == [
            "code 1006",
            "dialling failed: KeyError",
            "dialling failed: OSError",
        ]


# -- over a socket ------------------------------------------------------------------------------------


async def test_a_socket_that_vanishes_in_the_middle_of_an_answer() -> None:
    faults = [Drop(on="response.output_audio.delta", nth=2)]
    policy = ReconnectPolicy(first_delay_s=0.01, renew_before_s=0.0)
    seen = Seen()
    async with RealtimeServer(faults=faults) as server:
        async with rtagent.connect(endpoint=server.endpoint, reconnect=policy, observer=seen.note) as session:
            session.attach(sink=NullSink())
            await session.say("hello")
            response = await session.respond(timeout=5)
            assert response.status == "completed"
            assert len(server.connections) == 2
        assert server.connections[1].ended == (1000, "")
        assert server.undone == []
        assert server.refusals == []
    assert len(seen.of(lifecycle.Reconnected)) == 1


async def test_a_socket_that_is_only_half_there_is_found_by_its_pings() -> None:
    policy = ReconnectPolicy(first_delay_s=0.01, ping_interval_s=0.2, ping_timeout_s=0.2, renew_before_s=0.0)
    seen = Seen()
    async with RealtimeServer() as server:
        async with rtagent.connect(endpoint=server.endpoint, reconnect=policy, observer=seen.note) as session:
            await session.say("hello")
            server.current.inject(HalfOpen())
            with anyio.fail_after(5):
                await session.say("again")
            assert [item["type"] for item in server.current.items] == ["message", "message"]
    assert "1011" in seen.of(lifecycle.Reconnecting)[0].reason


async def test_the_key_is_asked_for_again_at_each_dial() -> None:
    keys = iter(["first", "second", "third"])
    policy = ReconnectPolicy(first_delay_s=0.01, renew_before_s=0.0)
    async with RealtimeServer(faults=[Refuse(401, connection=2)]) as server:
        endpoint = Endpoint.url(server.url, api_key=lambda: next(keys))
        async with rtagent.connect(endpoint=endpoint, reconnect=policy) as session:
            server.current.inject(Drop())
            with anyio.fail_after(5):
                await session.say("hello")
        shown = [connection.headers["authorization"] for connection in server.connections]
        assert shown == ["Bearer first", "Bearer third"], "401 is tried once more, with another key"


async def test_an_expired_session_goes_on_over_a_socket() -> None:
    policy = ReconnectPolicy(first_delay_s=0.01, renew_before_s=0.0)
    seen = Seen()
    async with RealtimeServer() as server:
        async with rtagent.connect(endpoint=server.endpoint, reconnect=policy, observer=seen.note) as session:
            await session.say("hello")
            server.current.inject(Expire())
            with anyio.fail_after(5):
                await session.say("again")
            assert len(server.current.items) == 2
    assert seen.of(lifecycle.Reconnecting)[0].reason == "session_expired"
    assert [event.error.code for event in seen.of(events.Error)] == ["session_expired"]
