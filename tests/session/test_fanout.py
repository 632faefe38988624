"""Subscriptions: bounded, ordered, independent."""

from __future__ import annotations

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConnectionLost, LocalProtocolError
from rtagent.events import lifecycle
from rtagent.session._fanout import Fanout, SessionEvent, Subscription


def delta(text: str) -> events.ServerEvent:
    return events.ResponseOutputTextDelta(response_id="r", item_id="a", delta=text)


def limits() -> events.ServerEvent:
    return events.RateLimitsUpdated(rate_limits=[])


async def rest(stream: Subscription[events.ServerEvent]) -> list[events.ServerEvent]:
    return [event async for event in stream]


async def test_everybody_gets_what_they_asked_for_in_its_order() -> None:
    fanout = Fanout()
    sent: list[SessionEvent] = [delta("a"), limits(), delta("b")]
    drop: SessionEvent = lifecycle.AudioDropped(at=1.0, ms=20.0, reason="x")
    async with (
        fanout.subscribe() as everything,
        fanout.subscribe(events.RateLimitsUpdated) as some,
        fanout.subscribe(events.RateLimitsUpdated, lifecycle.AudioDropped) as mixed,
    ):
        for event in [*sent, drop]:
            fanout.publish(event)
        fanout.end(None)
        assert await rest(everything) == sent
        assert await rest(some) == [sent[1]]
        assert await rest(mixed) == [sent[1], drop]


async def test_a_stream_begins_and_ends_with_its_block() -> None:
    fanout = Fanout()
    stream = fanout.subscribe()
    fanout.publish(delta("before"))
    async with stream:
        fanout.publish(delta("within"))
    fanout.publish(delta("after"))
    fanout.remove(stream)
    assert (await anext(stream)) == delta("within")
    with pytest.raises(TimeoutError), anyio.fail_after(0):
        await anext(stream)


async def test_a_reader_waits_for_the_next_event() -> None:
    fanout = Fanout()
    read: list[events.ServerEvent] = []
    async with fanout.subscribe() as stream, anyio.create_task_group() as group:

        async def reader() -> None:
            read.extend(await rest(stream))

        group.start_soon(reader)
        for text in "abc":
            await anyio.wait_all_tasks_blocked()
            fanout.publish(delta(text))
        fanout.end(None)
    assert read == [delta(text) for text in "abc"]


async def test_adding_twice_delivers_once() -> None:
    fanout = Fanout()
    async with fanout.subscribe() as stream:
        fanout.add(stream)
        fanout.publish(delta("a"))
        fanout.end(None)
        assert await rest(stream) == [delta("a")]


async def test_a_slow_reader_loses_its_oldest_deltas_and_nothing_else() -> None:
    fanout = Fanout()
    async with fanout.subscribe(buffer=3) as slow, fanout.subscribe(buffer=9) as quick:
        for event in (limits(), delta("a"), delta("b"), delta("c"), limits()):
            fanout.publish(event)
        fanout.end(None)
        assert await rest(slow) == [limits(), delta("c"), limits()]
        assert slow.dropped == 2
        assert len(await rest(quick)) == 5
        assert quick.dropped == 0


async def test_a_reader_that_cannot_follow_is_ended_after_what_it_has() -> None:
    fanout = Fanout()
    async with fanout.subscribe(buffer=2) as slow, fanout.subscribe() as other:
        for _ in range(4):
            fanout.publish(limits())
        assert [await anext(slow), await anext(slow)] == [limits(), limits()]
        for _ in range(2):
            with pytest.raises(LocalProtocolError, match="fell 2 events behind and was ended"):
                await anext(slow)
        fanout.end(None)
        assert len(await rest(other)) == 4


async def test_the_end_of_the_session_comes_after_the_last_event() -> None:
    fanout = Fanout()
    async with fanout.subscribe() as stream:
        fanout.publish(delta("last"))
        fanout.end(ConnectionLost(1011, "oops"))
        fanout.publish(delta("too late"))
        stream.put(delta("too late as well"))
        assert await anext(stream) == delta("last")
        with pytest.raises(ConnectionLost, match="oops"):
            await anext(stream)


@pytest.mark.parametrize("error", [None, ConnectionLost(1006)])
async def test_who_comes_after_the_end_is_told_at_once(error: ConnectionLost | None) -> None:
    fanout = Fanout()
    fanout.end(error)
    async with fanout.subscribe() as stream:
        if error is None:
            assert await rest(stream) == []
        else:
            with pytest.raises(ConnectionLost):
                await rest(stream)


def test_an_observer_sees_both_directions_before_anybody_else() -> None:
    seen: list[tuple[float, str, str]] = []

    def observe(at: float, direction: str, event: object) -> None:
        seen.append((at, direction, type(event).__name__))

    fanout = Fanout(observe, now=lambda: 7.5)
    fanout.publish(events.InputAudioBufferCleared())
    fanout.sent(events.InputAudioBufferClear())
    fanout.publish(lifecycle.AudioDropped(at=1.0, ms=2.0, reason="x"))
    assert seen == [
        (7.5, "server", "InputAudioBufferCleared"),
        (7.5, "client", "InputAudioBufferClear"),
        (7.5, "session", "AudioDropped"),
    ]


def test_an_observer_that_fails_is_reported_once_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    def fail(at: float, direction: str, event: object) -> None:
        raise ZeroDivisionError

    fanout = Fanout(fail)
    fanout.publish(events.InputAudioBufferCleared())
    fanout.publish(events.InputAudioBufferCleared())
    assert [record.message for record in caplog.records] == [
        "the session's observer failed and is left out from now on"
    ]


async def test_what_is_no_news_is_told_to_the_observer_alone() -> None:
    seen: list[tuple[float, str, str]] = []
    fanout = Fanout(
        lambda at, direction, event: seen.append((at, direction, type(event).__name__)), lambda: 7.5
    )
    async with fanout.subscribe() as stream:
        fanout.observe(events.InputAudioBufferCleared())
        fanout.publish(delta("news"))
        fanout.end(None)
        assert await rest(stream) == [delta("news")]
    assert seen[0] == (7.5, "server", "InputAudioBufferCleared")
    Fanout().observe(events.InputAudioBufferCleared())
