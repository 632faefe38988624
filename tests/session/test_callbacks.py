"""Callbacks of the program: called in order, reported when they fail, ended with the session."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.errors import ConnectionLost
from rtagent.events.lifecycle import CallbackFailed, LifecycleEvent
from rtagent.session._callbacks import Callback, run_callback
from rtagent.session._fanout import Fanout
from rtagent.testing import FakeClock


class Caller:
    """A callback at work, and what it published."""

    def __init__(self) -> None:
        self.fanout = Fanout()
        self.handle = Callback()
        self.published: list[LifecycleEvent] = []
        self.ended = False

    async def deliver(self, *texts: str) -> None:
        for text in texts:
            self.fanout.publish(events.ResponseOutputTextDelta(response_id="r", item_id="a", delta=text))
        await anyio.wait_all_tasks_blocked()


@asynccontextmanager
async def calling(function: Callable[[Any], object]) -> AsyncIterator[Caller]:
    caller = Caller()

    async def run() -> None:
        stream = caller.fanout.subscribe(events.ResponseOutputTextDelta)
        await run_callback(caller.handle, stream, function, caller.published.append, FakeClock(7.0))
        caller.ended = True

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await anyio.wait_all_tasks_blocked()
        yield caller
        group.cancel_scope.cancel()


async def test_plain_and_async_functions_are_called_for_each_event() -> None:
    called: list[str] = []

    async def later(event: events.ResponseOutputTextDelta) -> None:
        await anyio.lowlevel.checkpoint()
        called.append(event.delta)

    async with calling(later) as caller:
        await caller.deliver("a", "b")
    async with calling(lambda event: called.append(event.delta.upper())) as caller:
        await caller.deliver("c", "d")
        caller.fanout.end(None)
        await anyio.wait_all_tasks_blocked()
        assert caller.ended
    assert called == ["a", "b", "C", "D"]


async def test_a_failure_is_reported_and_the_next_event_is_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    called: list[str] = []

    def picky(event: events.ResponseOutputTextDelta) -> None:
        called.append(event.delta)
        if event.delta == "a":
            raise ValueError(event.delta)

    async with calling(picky) as caller:
        await caller.deliver("a", "b")
    assert called == ["a", "b"]
    (failure,) = caller.published
    assert isinstance(failure, CallbackFailed)
    assert failure.at == 7.0
    assert failure.callback.endswith("picky")
    assert isinstance(failure.error, ValueError)
    assert "picky failed" in caplog.text


async def test_a_callable_without_a_name_is_named_by_what_it_is(caplog: pytest.LogCaptureFixture) -> None:
    async with calling(partial(int, "no number")) as caller:
        await caller.deliver("a")
    (failure,) = caller.published
    assert isinstance(failure, CallbackFailed)
    assert failure.callback.startswith("functools.partial")


async def test_a_cancelled_callback_is_not_called_again_even_in_its_middle() -> None:
    called: list[str] = []

    async def slow(event: events.ResponseOutputTextDelta) -> None:
        called.append(event.delta)
        await anyio.sleep_forever()

    async with calling(slow) as caller:
        await caller.deliver("a")
        caller.handle.cancel()
        await caller.deliver("b")
        assert caller.ended
    assert called == ["a"]
    assert caller.published == []


async def test_a_lost_session_ends_it_quietly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rtagent.session")
    async with calling(lambda event: None) as caller:
        caller.fanout.end(ConnectionLost(1006))
        await anyio.wait_all_tasks_blocked()
        assert caller.ended
    assert caller.published == []
    assert "ended: the connection was lost (code 1006)" in caplog.text
