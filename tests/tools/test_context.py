from __future__ import annotations

import dataclasses
import threading
from typing import Annotated, Any, Optional

import anyio
import pytest

from rtagent.tools import ToolContext
from rtagent.tools._context import asks_for_context


@pytest.mark.parametrize(
    ("annotation", "asks"),
    [
        (ToolContext, True),
        (ToolContext | None, True),
        (ToolContext[int], True),
        (Annotated[ToolContext[int] | None, "the call"], True),
        (Optional[ToolContext], True),  # noqa: UP045
        (Annotated[ToolContext, "the call"], True),
        (Annotated[ToolContext | None, "the call"], True),
        (str, False),
        (ToolContext | str, False),
        (list[ToolContext], False),
        (Any, False),
    ],
)
def test_a_parameter_asks_for_the_context_by_its_annotation(annotation, asks):
    assert asks_for_context(annotation) is asks


def test_the_context_cannot_be_changed():
    context = ToolContext(session=None, call_id="call_1", name="find")
    assert context.state is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.name = "other"  # type: ignore[misc]


class House:
    """A session with a history, which belongs to the event loop."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    @property
    def history(self) -> tuple[str, ...]:
        self.threads.append(threading.current_thread())
        return ("hello",)


class Desk:
    def __init__(self) -> None:
        self.told: list[Any] = []

    async def progress(self, *about: Any, **more: Any) -> None:
        self.told.append((about, more))


async def test_the_history_is_that_of_the_session_on_any_thread():
    house = House()
    context: ToolContext[int] = ToolContext(session=house, call_id="c", name="n", state=3)
    assert context.history == ("hello",)
    assert await anyio.to_thread.run_sync(lambda: context.history) == ("hello",)
    assert house.threads == [threading.main_thread()] * 2


async def test_without_a_session_there_is_no_history_and_nobody_to_tell():
    context: ToolContext[None] = ToolContext(session=None, call_id="c", name="n")
    assert context.history == ()
    await context.progress("half")


async def test_progress_goes_to_the_desk():
    desk: Any = Desk()
    context: ToolContext[None] = ToolContext(session=None, call_id="c", name="n", desk=desk)
    await context.progress("half", speak=True)
    assert desk.told == [(("c", "half"), {"speak": True})]
