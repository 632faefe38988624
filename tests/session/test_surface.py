"""What the surfaces over a session stand on: a bounded feed, following events, a source that can be ended."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from rtagent import events
from rtagent.audio import AudioBlock, AudioFormat
from rtagent.errors import ConnectionLost, RtagentError
from rtagent.session._fanout import Fanout
from rtagent.session._surface import Feed, Following, TappedSource


async def rest(feed: Feed[int]) -> list[int]:
    values = []
    while True:
        try:
            values.append(await feed.next())
        except StopAsyncIteration:
            return values


async def test_values_come_in_their_order_and_then_the_end() -> None:
    feed = Feed[int](4, spare=lambda _: False)
    feed.put(1)
    feed.put(2)
    feed.end()
    feed.end(ConnectionLost(1006))  # the first end counts
    assert await rest(feed) == [1, 2]
    assert feed.dropped == 0


async def test_an_end_with_an_error_is_raised_after_what_waits() -> None:
    feed = Feed[int](4, spare=lambda _: False)
    feed.put(1)
    feed.end(ConnectionLost(1006))
    assert await feed.next() == 1
    with pytest.raises(ConnectionLost):
        await feed.next()


async def test_a_reader_that_waits_is_woken_by_values_and_by_the_end() -> None:
    feed = Feed[int](4, spare=lambda _: False)
    seen: list[list[int]] = []

    async def read() -> None:
        seen.append(await rest(feed))

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        feed.put(1)
        await anyio.wait_all_tasks_blocked()
        feed.end()
    assert seen == [[1]]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([1, 2, 3, 4], [1, 3, 4]),  # even numbers can be spared
        ([1, 3, 5, 7], [3, 5, 7]),
        ([2, 4, 1, 3, 5], [1, 3, 5]),
    ],
)
async def test_when_it_is_full_what_can_be_spared_makes_room(values: list[int], kept: list[int]) -> None:
    feed = Feed[int](3, spare=lambda value: value % 2 == 0)
    for value in values:
        feed.put(value)
    feed.end()
    assert await rest(feed) == kept
    assert feed.dropped == len(values) - len(kept)


@pytest.mark.parametrize("ending", [None, ConnectionLost(1006)])
async def test_following_takes_every_event_and_then_the_end(ending: RtagentError | None) -> None:
    fanout = Fanout()
    taken: list[events.ServerEvent] = []
    ends: list[RtagentError | None] = []
    closed = events.InputAudioBufferCleared()
    async with Following(fanout.subscribe(), taken.append, ends.append):
        fanout.publish(closed)  # at once: the task has not run yet
        fanout.end(ending)
        await anyio.wait_all_tasks_blocked()
    assert (taken, ends) == ([closed], [ending])


async def test_after_the_block_nothing_is_followed() -> None:
    fanout = Fanout()
    taken: list[events.ServerEvent] = []
    following = Following(fanout.subscribe(), taken.append, lambda _: None)
    async with following:
        pass
    fanout.publish(events.InputAudioBufferCleared())
    await following.__aexit__(None, None, None)  # a second time changes nothing
    assert taken == []


class _Closing:
    """A source that notes when its iteration is ended."""

    def __init__(self) -> None:
        self.format = AudioFormat.pcm16(24_000)
        self.closed = False

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        try:
            while True:
                yield AudioBlock(bytes(960), 0.0)
        finally:
            self.closed = True


async def test_a_tapped_source_tells_how_much_and_can_be_ended() -> None:
    source = _Closing()
    passed: list[float] = []
    tapped = TappedSource(source, passed.append)
    blocks = tapped.blocks()
    assert (await anext(blocks)).pcm == bytes(960)
    await anext(blocks)
    tapped.end()
    with pytest.raises(StopAsyncIteration):
        await anext(blocks)
    assert passed == [20.0, 20.0]
    assert source.closed
    assert tapped.format == source.format


class _Bare:
    """An iterator of the simplest kind."""

    format = AudioFormat.pcm16(24_000)

    def __init__(self) -> None:
        self._left = 1

    def blocks(self) -> _Bare:
        return self

    def __aiter__(self) -> _Bare:
        return self

    async def __anext__(self) -> AudioBlock:
        if not self._left:
            raise StopAsyncIteration
        self._left -= 1
        return AudioBlock(bytes(2), 0.0)


async def test_a_tapped_source_ends_with_its_source() -> None:
    blocks = [block async for block in TappedSource(_Bare(), lambda _: None).blocks()]
    assert len(blocks) == 1
