from __future__ import annotations

import threading
from typing import Any

import anyio
import pytest

from rtagent.errors import ToolError
from rtagent.tools import ToolContext
from rtagent.tools import _streams as module
from rtagent.tools._streams import stream_async, stream_in_thread
from rtagent.tools._threads import WorkerThreads


class Desk:
    """Notes the progress."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.more = anyio.Event()

    async def progress(self, call_id: str, text: str, *, speak: bool) -> None:
        self.told.append(text)
        self.more.set()


@pytest.fixture
def desk():
    return Desk()


async def stream(values: Any, desk: Desk, kind: str) -> Any:
    """What comes of a generator of these values."""
    context = ToolContext(session=None, call_id="c", name="n", desk=desk)  # type: ignore[arg-type]

    async def generate_async(values: Any) -> Any:
        for value in values:
            yield value

    def generate(values: Any) -> Any:
        yield from values

    if kind == "async":
        return await stream_async(generate_async, {"values": values}, context)
    return await stream_in_thread(generate, {"values": values}, context, WorkerThreads(1))


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize(
    ("values", "told", "result"),
    [
        (["one", "two"], ["one", "two"], "one\ntwo"),
        (["looking", {"found": 3}], ["looking", "{'found': 3}"], {"found": 3}),
        ([1, 2, "three"], ["1", "2", "three"], "three"),
        ([], [], None),
        (["x" * 600], ["x" * 499 + "…"], "x" * 600),
    ],
)
async def test_each_value_is_progress_and_in_the_end_the_result(desk, kind, values, told, result):
    assert await stream(values, desk, kind) == result
    assert desk.told == told


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_generator_without_an_end_is_stopped(desk, kind, monkeypatch):
    monkeypatch.setattr(module, "MAX_YIELDED", 5)
    with pytest.raises(ToolError, match="it yielded more than 5 values"):
        await stream(range(1_000), desk, kind)
    assert len(desk.told) == 5


async def test_an_abandoned_generator_ends_where_it_yields_next(desk):
    gate, closed = threading.Event(), threading.Event()

    def generate() -> Any:
        try:
            yield "one"
            gate.wait()
            yield "two"
        finally:
            closed.set()

    context = ToolContext(session=None, call_id="c", name="n", desk=desk)
    async with anyio.create_task_group() as group:
        group.start_soon(stream_in_thread, generate, {}, context, WorkerThreads(1))
        await desk.more.wait()
        group.cancel_scope.cancel()
    gate.set()
    assert await anyio.to_thread.run_sync(closed.wait, 5)
    assert desk.told == ["one"]
