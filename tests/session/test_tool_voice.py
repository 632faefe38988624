"""What is said while tools run: when, beside what, and what takes it back."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from rtagent import events
from rtagent.errors import Unsupported
from rtagent.events.lifecycle import ToolProgress
from rtagent.tools import ToolContext, tool
from tests.session.tooling import Bench, tooling


class Slow:
    """Tools that say something while they wait."""

    def __init__(self) -> None:
        self.gate = anyio.Event()
        self.slow = tool(name="slow", speak="One moment…", on_interrupt="keep")(self._wait)
        self.slower = tool(name="slower", speak="Wait.", speak_after=2.0, on_interrupt="keep")(self._wait)
        self.telling = tool(name="telling", on_interrupt="keep")(self._tell)

    async def _wait(self) -> str:
        """Wait."""
        await self.gate.wait()
        return "done"

    async def _tell(self, context: ToolContext) -> str:
        """Wait, and say so."""
        await context.progress("A quarter", speak=True)
        await context.progress("Half of it", speak=True)
        await self.gate.wait()
        return "done"

    @property
    def all(self) -> tuple[Any, ...]:
        return (self.slow, self.slower, self.telling)


def creates(bench: Bench) -> list[events.ResponseCreate]:
    return [event for event in bench.sent() if isinstance(event, events.ResponseCreate)]


async def test_a_text_is_said_beside_the_conversation_when_a_call_has_run_for_a_while() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"))
        await bench.rest(0.6)
        assert bench.sent() == []
        await bench.rest(0.2)
        (asked,) = creates(bench)
        params = asked.response
        assert params is not None
        assert (params.conversation, params.input, params.tools) == ("none", (), ())
        assert params.instructions is not None
        assert '"One moment…"' in params.instructions
        await bench.begins(asked, "b1")
        await bench.speaks("b1")
        assert bench.pump.state == "speaking"
        await bench.ends("b1")
        await bench.rest(5.0)
        assert bench.sent() == []  # once is enough
        assert all(entry.id != "a_b1" for entry in bench.pump.core.history)
        slow.gate.set()
        await bench.rest()
        assert [event.type for event in bench.sent()] == ["conversation.item.create", "response.create"]


async def test_nothing_is_said_when_the_call_ends_first() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"))
        await bench.rest(0.5)
        slow.gate.set()
        await bench.rest(5.0)
        assert [event.type for event in bench.sent()] == ["conversation.item.create", "response.create"]


@pytest.mark.parametrize("begun", [False, True])
async def test_a_text_that_has_no_voice_yet_is_taken_back_when_the_call_ends(begun: bool) -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"))
        await bench.rest(0.7)
        (asked,) = creates(bench)
        if begun:
            await bench.begins(asked, "b1")
        slow.gate.set()
        await bench.rest()
        if not begun:
            await bench.begins(asked, "b1")
        sent = bench.sent()
        (cancel,) = [event for event in sent if isinstance(event, events.ResponseCancel)]
        assert cancel.response_id == "b1"
        assert sum(isinstance(event, events.ResponseCreate) for event in sent) == 1  # it does not wait
        await bench.speaks("b1")
        assert bench.pump.state != "speaking"


async def test_a_text_that_sounds_is_heard_to_its_end_and_the_answer_does_not_wait() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"))
        await bench.rest(0.7)
        (asked,) = creates(bench)
        await bench.begins(asked, "b1")
        await bench.speaks("b1")
        slow.gate.set()
        await bench.rest()
        assert [event.type for event in bench.sent()] == ["conversation.item.create", "response.create"]


@pytest.mark.parametrize("when", [0.1, 0.7, 0.8])
async def test_an_interruption_takes_back_what_was_to_be_said(when: float) -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"))
        await bench.rest(when)
        asked = creates(bench)
        for one in asked:
            await bench.begins(one, "b1")
        if when > 0.7:
            await bench.speaks("b1")
        await bench.speech()
        cancels = [event for event in bench.sent() if isinstance(event, events.ResponseCancel)]
        assert len(cancels) == len(asked)
        if asked:
            await bench.speaks("b1")
        assert bench.pump.state == "tool_running"
        await bench.rest(5.0)
        assert creates(bench) == []


async def test_a_text_waits_until_nobody_has_spoken_for_a_while() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.says(events.ResponseCreated(response=events.RealtimeResponse(id="r1")))
        await bench.speaks("r1", pcm=bytes(96_000))
        await bench.calls(("slow", "c1"))
        await bench.rest(2.5)
        assert creates(bench) == []  # two seconds of voice, then half a second of silence
        await bench.rest(0.5)
        assert len(creates(bench)) == 1


async def test_one_text_is_enough_for_the_calls_of_a_response() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"), ("slower", "c2"))
        await bench.rest(5.0)
        (asked,) = creates(bench)
        await bench.begins(asked, "b1")
        await bench.ends("b1")
        await bench.calls(("slower", "c3"), response_id="r2")
        await bench.rest(5.0)
        assert len(creates(bench)) == 1


async def test_a_call_in_the_background_needs_no_excuse() -> None:
    slow = Slow()
    hidden = tool(name="hidden", speak="Wait.", background=True)(slow.gate.wait)
    async with tooling(hidden, mouth=True) as bench:
        await bench.calls(("hidden", "c1"))
        (follow_up,) = creates(bench)
        await bench.begins(follow_up, "r2")
        await bench.ends("r2")
        await bench.rest(5.0)
        assert creates(bench) == []


async def test_progress_is_said_at_once_and_the_newest_counts() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("telling", "c1"))
        told = bench.told(ToolProgress)
        assert [(event.text, event.spoken) for event in told] == [("A quarter", True), ("Half of it", True)]
        (asked,) = creates(bench)
        assert "Half of it" in str(asked.response)
        await bench.runner.progress("c1", "All of it", speak=True)
        await bench.begins(asked, "b1")
        assert [event.response_id for event in bench.sent()] == ["b1"]  # it is cancelled
        await bench.ends("b1", "cancelled")
        (asked,) = creates(bench)
        assert "All of it" in str(asked.response)


async def test_where_nobody_would_hear_it_nothing_is_said() -> None:
    slow = Slow()
    async with tooling(*slow.all) as bench:
        await bench.calls(("slow", "c1"), ("telling", "c2"))
        await bench.rest(5.0)
        assert bench.sent() == []
        assert not bench.told(ToolProgress)[0].spoken


async def test_a_server_without_responses_beside_the_conversation_is_not_asked() -> None:
    slow = Slow()
    async with tooling(
        *slow.all, mouth=True, dialect=events.GA.model_copy(update={"out_of_band": False})
    ) as bench:
        await bench.calls(("slow", "c1"))
        await bench.rest(5.0)
        assert bench.sent() == []


async def test_what_cannot_be_said_does_not_end_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(event: object, **more: object) -> str:
        raise Unsupported("it", dialect="this one")

    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        monkeypatch.setattr(bench.pump, "post", refuse)
        await bench.calls(("slow", "c1"))
        await bench.rest(1.0)
        monkeypatch.undo()
        slow.gate.set()
        await bench.rest()
        assert bench.outputs() == {"c1": "done"}


async def test_nothing_is_said_after_the_end() -> None:
    slow = Slow()
    async with tooling(*slow.all, mouth=True) as bench:
        await bench.calls(("slow", "c1"))
        bench.pump.end(None, 1000, "closed by us")
        await bench.rest(5.0)
        assert bench.sent() == []
