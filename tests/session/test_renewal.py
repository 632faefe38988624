"""A connection is replaced before its end, at a moment when nobody notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import pytest

import rtagent
from rtagent import Agent, events, tool
from rtagent.errors import SessionClosed
from rtagent.events import lifecycle
from rtagent.session import ReconnectPolicy
from rtagent.session._renewal import lifetime_s
from rtagent.testing import Close, Drop, HalfOpen, RealtimeServer, Refuse
from rtagent.transport import Transport
from tests.session.line import Line, Seen, lined

POLICY = ReconnectPolicy(jitter=0.0, first_delay_s=0.5, renew_before_s=60.0)
LIFE_S = 600.0
DUE_S = LIFE_S - 60.0
"""When another connection is dialled, and at most a second before: the server's clock counts whole seconds."""
BLOCK_S = 0.02
BLOCK = 960

renewing = partial(lined, policy=POLICY, session_seconds=LIFE_S)


@pytest.fixture(autouse=True)
async def everything_ends() -> AsyncIterator[None]:
    """No task outlives the block that started it."""
    yield
    current = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() if task is not current] == []


async def speak(line: Line, seconds: float, sound: bytes = b"\1\0") -> bytes:
    """Say something, or nothing, in blocks of 20 ms; what was said."""
    said = b""
    for _ in range(round(seconds / BLOCK_S)):
        await line.clock.advance(BLOCK_S)
        line.session.append_audio(sound * (BLOCK // 2))
        said += sound * (BLOCK // 2)
    return said


async def hush(line: Line, seconds: float) -> None:
    await speak(line, seconds, b"\0\0")


def texts(connection: Any) -> list[str]:
    return [
        str(part.get("text") or part.get("transcript"))
        for item in connection.items
        for part in item.get("content", ())
    ]


# -- when ---------------------------------------------------------------------------------------------

UNKNOWN = events.RealtimeSession()


@pytest.mark.parametrize(
    ("config", "longest_s", "lifetime"),
    [
        (None, None, None),
        (UNKNOWN, None, None),
        (UNKNOWN, 3_600, 3_600.0),
        (events.RealtimeSession(expires_at=1_600), None, 600.0),
        (events.RealtimeSession(expires_at=1_600), 3_600, 600.0),
        (events.RealtimeSession(expires_at=1_600), 60, 60.0),
        (events.RealtimeSession(expires_at=1_001), None, 1.0),
        (events.RealtimeSession(expires_at=1_000), None, None),
        (events.RealtimeSession(expires_at=5), 3_600, 3_600.0),
        (events.RealtimeSession(expires_at=0), None, None),
        (events.TranscriptionSession(expires_at=1_600), None, 600.0),
    ],
)
def test_how_long_a_session_lasts(
    config: events.WireModel | None, longest_s: int | None, lifetime: float | None
) -> None:
    assert lifetime_s(config, longest_s, 1_000.0) == lifetime


async def test_nobody_notices_the_change() -> None:
    async with renewing(agent=Agent(instructions="Be brief.")) as line:
        await line.session.say("first")
        await line.session.respond()
        await line.clock.advance(DUE_S - 2.0)
        assert len(line.server.connections) == 1
        await line.clock.advance(3.0)
        old, new = line.server.connections
        assert old.ended == (1000, "")
        assert new.ended is None
        assert [event.restored for event in line.seen.of(lifecycle.Renewed)] == [2]
        assert line.seen.of(lifecycle.Reconnecting) == []
        assert line.seen.of(lifecycle.Reconnected) == []
        assert "reconnecting" not in line.seen.names
        assert new.sent("session.update")[0]["session"]["instructions"] == "Be brief."
        assert new.sent("response.create") == []
        await line.session.say("second")
        await line.session.respond()
        assert [item["id"] for item in new.items] == [entry.id for entry in line.session.history]
        assert texts(new)[0] == "first"
        assert texts(new)[2:] == ["second", "You said second"]
    assert line.server.refusals == []


async def test_each_connection_is_renewed_in_its_turn() -> None:
    async with renewing() as line:
        await line.clock.advance(3 * LIFE_S)
        assert len(line.seen.of(lifecycle.Renewed)) == 3
        assert [connection.ended for connection in line.server.connections] == [(1000, "")] * 3 + [None]


@pytest.mark.parametrize(
    ("policy", "life_s"),
    [(ReconnectPolicy(renew_before_s=0.0), LIFE_S), (None, LIFE_S)],
    ids=["not before its end", "never"],
)
async def test_where_nothing_is_to_be_renewed_nothing_is(
    policy: ReconnectPolicy | None, life_s: float
) -> None:
    async with lined(policy=policy, session_seconds=life_s) as line:
        await line.clock.advance(4_000.0)
        assert len(line.server.connections) == 1


async def test_a_server_whose_clock_is_wrong_is_not_believed() -> None:
    async with lined(policy=POLICY, session_seconds=-86_400.0) as line:
        await line.clock.advance(3_000.0)
        assert len(line.server.connections) == 1
        await line.clock.advance(600.0)  # what is known of this kind of server counts
        assert len(line.seen.of(lifecycle.Renewed)) == 1


async def test_a_short_life_is_renewed_in_its_middle() -> None:
    async with lined(policy=POLICY, session_seconds=30.0) as line:
        await line.clock.advance(10.0)
        assert len(line.server.connections) == 1
        await line.clock.advance(6.0)
        assert len(line.seen.of(lifecycle.Renewed)) == 1


# -- a quiet moment -----------------------------------------------------------------------------------


async def test_it_waits_for_the_end_of_an_answer_and_tells_what_was_said_meanwhile() -> None:
    async with renewing() as line:
        await line.session.say("a long story please")
        async with anyio.create_task_group() as group:
            group.start_soon(partial(line.session.respond, modalities=["text"]))
            await line.clock.advance(DUE_S + 1.0)
            assert len(line.server.connections) == 2, "the next one stands ready"
            assert line.seen.of(lifecycle.Renewed) == []
            await line.session.say("and this")
            await line.clock.advance(10.0)
            assert line.seen.of(lifecycle.Renewed) == []
            line.server.connections[0].release()
            await line.clock.advance(1.0)
        assert len(line.seen.of(lifecycle.Renewed)) == 1
        old, new = line.server.connections
        assert [item["id"] for item in new.items] == [entry.id for entry in line.session.history]
        assert [item["id"] for item in new.items] == [item["id"] for item in old.items]
        assert texts(new)[0] == "a long story please"
        assert "and this" in texts(new)
    assert line.server.refusals == []


async def test_it_waits_for_a_tool() -> None:
    go_on = anyio.Event()

    @tool
    async def look() -> str:
        """Look something up."""
        await go_on.wait()
        return "found"

    async with renewing(agent=Agent(tools=[look])) as line:
        await line.session.say("use the tool")
        async with anyio.create_task_group() as group:
            group.start_soon(partial(line.session.respond, modalities=["text"]))
            await line.clock.advance(DUE_S + 5.0)
            assert len(line.server.connections) == 2
            assert line.seen.of(lifecycle.Renewed) == []
            go_on.set()
            await line.until(lifecycle.Renewed)
        kinds = [item["type"] for item in line.server.current.items]
        assert kinds == ["message", "function_call", "function_call_output", "message"]


async def test_an_utterance_at_that_time_is_heard_whole_by_one_of_them() -> None:
    async with renewing(transcripts=["one", "two"], agent=Agent()) as line:
        await line.clock.advance(DUE_S - 2.0)
        said = await speak(line, 4.0)
        assert len(line.server.connections) == 2
        assert line.seen.of(lifecycle.Renewed) == []
        await hush(line, 2.0)
        assert len(line.seen.of(lifecycle.Renewed)) == 1
        again = await speak(line, 1.0, b"\2\0")
        await hush(line, 1.0)
        old, new = line.server.connections
        assert said in old.audio
        assert said not in new.audio
        assert again in new.audio
        assert [entry.text for entry in line.session.history if entry.role == "user"] == ["one", "two"]
    assert line.server.refusals == []


@pytest.mark.parametrize("ahead_ms", range(0, 200, 20))
async def test_an_utterance_that_begins_with_the_change_is_heard_whole(ahead_ms: int) -> None:
    async with renewing(transcripts=["one"], agent=Agent()) as line:
        await line.clock.advance(DUE_S - 2.0)
        while not line.seen.of(lifecycle.Renewed) and len(line.server.connections) == 1:
            await hush(line, BLOCK_S)
        said = await speak(line, 1.0) if ahead_ms == 0 else b""
        if not said:
            await hush(line, ahead_ms / 1000)
            said = await speak(line, 1.0)
        await hush(line, 2.0)
        assert len(line.seen.of(lifecycle.Renewed)) == 1
        assert any(said in connection.audio for connection in line.server.connections)
        assert [entry.text for entry in line.session.history if entry.role == "user"] == ["one"]


async def test_a_change_of_the_configuration_meanwhile_holds_on_the_next_one() -> None:
    async with renewing(agent=Agent(instructions="first")) as line:
        await line.session.say("a long story please")
        async with anyio.create_task_group() as group:
            group.start_soon(partial(line.session.respond, modalities=["text"]))
            await line.clock.advance(DUE_S + 1.0)
            assert len(line.server.connections) == 2
            await line.session.update(instructions="second")
            line.server.connections[0].release()
            await line.clock.advance(1.0)
        assert len(line.seen.of(lifecycle.Renewed)) == 1
        updates = line.server.connections[1].sent("session.update")
        assert updates[-1]["session"]["instructions"] == "second"
        config = line.session.config
        assert isinstance(config, events.RealtimeSession)
        assert config.instructions == "second"


async def test_what_waits_to_be_sent_to_the_old_one_goes_there_first() -> None:
    stalled = anyio.Event()

    class Slow:
        """A connection that takes nothing for a while."""

        def __init__(self, inner: Transport) -> None:
            self._inner = inner

        async def send(self, frame: str | bytes) -> None:
            await stalled.wait()
            await self._inner.send(frame)

        async def receive(self) -> str | bytes:
            return await self._inner.receive()

        async def aclose(self, code: int = 1000, reason: str = "") -> None:
            await self._inner.aclose(code, reason)

    def slow_once(line: Line) -> Callable[[], Awaitable[Transport]]:
        async def dial() -> Transport:
            transport = await line.dial()
            return Slow(transport) if len(line.dialled) == 2 else transport

        return dial

    async with renewing(wrap=slow_once) as line:
        await line.clock.advance(LIFE_S)
        assert len(line.seen.of(lifecycle.Renewed)) == 1
        line.session.append_audio(bytes(48_000))
        line.session.append_audio(bytes(48_000))
        await line.clock.advance(LIFE_S)
        assert len(line.server.connections) == 3
        assert len(line.seen.of(lifecycle.Renewed)) == 1, "the next one would miss too much"
        stalled.set()
        await line.clock.advance(0.1)
        assert len(line.server.connections[1].audio) == 96_000
        assert len(line.seen.of(lifecycle.Renewed)) == 2


# -- when it goes wrong -------------------------------------------------------------------------------


async def until_ready(line: Line) -> None:
    """An answer that does not end keeps the next connection waiting."""
    await line.session.say("a long story please")
    line.session.post(events.ResponseCreate(response=events.ResponseParams(output_modalities=["text"])))
    await line.clock.advance(DUE_S + 1.0)
    assert len(line.server.connections) == 2
    assert line.seen.of(lifecycle.Renewed) == []


async def test_a_next_connection_that_dies_while_it_waits_is_not_taken() -> None:
    async with renewing() as line:
        await until_ready(line)
        line.server.connections[1].inject(Drop())
        await line.server.connections[1].wait_ended()
        line.server.connections[0].release()
        await line.clock.advance(5.0)
        assert line.seen.of(lifecycle.Renewed) == []
        assert line.seen.of(lifecycle.Reconnecting) == []
        assert line.server.connections[0].ended is None
        await line.session.say("still here")
        line.server.connections[0].inject(Close(code=1001))
        await line.until(lifecycle.Reconnected)
        assert "still here" in texts(line.server.current)


async def test_nor_is_one_that_knew_everything_when_it_died() -> None:
    async with renewing() as line:
        await line.session.say("hello")
        line.session.append_audio(b"\1\0" * 4_800)  # the user speaks
        await line.clock.advance(DUE_S + 1.0)
        assert len(line.server.connections) == 2
        assert line.seen.of(lifecycle.Renewed) == []
        line.server.connections[1].inject(Drop())
        await line.server.connections[1].wait_ended()
        line.session.post(events.InputAudioBufferClear())
        await line.clock.advance(5.0)
        assert line.seen.of(lifecycle.Reconnecting) == []
        assert line.seen.of(lifecycle.Renewed) == []
        assert line.server.connections[0].ended is None


async def test_the_one_that_stands_ready_takes_over_when_the_old_one_dies() -> None:
    async with renewing() as line:
        await until_ready(line)
        await line.session.say("and this")
        line.server.connections[0].inject(Drop())
        told = await line.until(lifecycle.Reconnected)
        assert told.lost == 0
        assert len(line.server.connections) == 2, "there is no second dial"
        await line.clock.advance(1.0)
        new = line.server.current
        assert texts(new)[0] == "a long story please"
        assert texts(new).index("and this") == [entry.text for entry in line.session.history].index(
            "and this"
        )
    assert line.server.refusals == []


async def test_where_both_are_dead_another_one_is_dialled() -> None:
    async with renewing() as line:
        await until_ready(line)
        await line.session.say("and this")
        line.server.connections[1].inject(Drop())
        line.server.connections[0].inject(Drop())
        await line.until(lifecycle.Reconnected)
        assert len(line.server.connections) == 3
        assert "and this" in texts(line.server.current)


async def test_a_dial_that_fails_is_tried_again() -> None:
    async with renewing(Refuse(503, times=2, connection=2)) as line:
        await line.clock.advance(DUE_S + 30.0)
        assert line.server.refused == 2
        assert len(line.seen.of(lifecycle.Renewed)) == 1
        assert line.seen.of(lifecycle.Reconnecting) == []


async def test_a_dial_that_can_never_succeed_is_not_tried_again() -> None:
    async with renewing(Refuse(403, times=9, connection=2)) as line:
        await line.clock.advance(LIFE_S + 60.0)
        assert line.server.refused == 1
        assert len(line.server.connections) == 1
        assert line.session.state == "listening"


async def test_after_its_end_it_is_not_tried_again() -> None:
    async with renewing(Refuse(503, times=99, connection=2)) as line:
        await line.clock.advance(LIFE_S + 30.0)
        refused = line.server.refused
        assert 5 < refused < 40
        await line.clock.advance(1_000.0)
        assert line.server.refused == refused


async def test_leaving_closes_the_one_that_stands_ready() -> None:
    async with renewing() as line:
        await until_ready(line)
    assert [connection.ended for connection in line.server.connections] == [(1000, ""), (1000, "")]


async def test_leaving_while_the_one_that_stands_ready_catches_up_closes_it() -> None:
    async with renewing() as line:
        await until_ready(line)
        await line.session.say("and this")
        line.server.connections[1].inject(HalfOpen())
        line.server.connections[0].inject(Drop())
        await line.until(lifecycle.Reconnecting)
        await line.clock.advance(5.0)
        assert line.session.state == "reconnecting"
    with pytest.raises(SessionClosed):
        await line.dialled[1].send("x")


# -- over a socket ------------------------------------------------------------------------------------


async def test_over_a_socket_the_second_is_open_before_the_first_is_left() -> None:
    policy = ReconnectPolicy(renew_before_s=60.0)
    seen = Seen()
    async with RealtimeServer(session_seconds=2.9) as server:
        async with rtagent.connect(endpoint=server.endpoint, reconnect=policy, observer=seen.note) as session:
            await session.say("hello")
            first = await server.next_connection()
            second = await server.next_connection()
            await first.wait_ended()
            assert first.ended == (1000, "")
            assert second.ended is None
            await session.say("again")
            assert texts(second) == ["hello", "again"]
    assert len(seen.of(lifecycle.Renewed)) == 1
    assert seen.of(lifecycle.Reconnecting) == []
