"""What came of calls in the background is told at a quiet moment, together, once."""

from __future__ import annotations

from rtagent import events
from rtagent.protocol import Call
from rtagent.session._tool_results import LateResults, started
from tests.session.tooling import Bench, tooling

FIRST = Call("c1", "look_up", "{}", "r1", "f1")
SECOND = Call("c2", "count", "{}", "r1", "f2")


def in_short(bench: Bench) -> list[str]:
    return [
        str(event.item.model_dump()["content"][0]["text"])
        if isinstance(event, events.ConversationItemCreate)
        else event.type
        for event in bench.sent()
    ]


def test_a_call_is_answered_with_what_becomes_of_it() -> None:
    assert started(FIRST) == "started: look_up runs in the background, and its result will follow"


async def test_results_that_wait_together_are_told_in_one_response() -> None:
    async with tooling() as bench:
        late = LateResults(bench.pump)
        await bench.says(events.ResponseCreated(response=events.RealtimeResponse(id="r9")))
        late.add(FIRST, "42", bench.group)
        late.add(SECOND, "three", bench.group)
        await bench.rest()
        assert in_short(bench) == []
        await bench.ends("r9")
        first, second, create = in_short(bench)
        assert first.startswith("The call c1 of look_up, which ran in the background, has ended.")
        assert first.endswith("Its result: 42")
        assert second.endswith("Its result: three")
        assert create == "response.create"
        late.add(SECOND, "four", bench.group)
        await bench.rest()
        assert in_short(bench) == []  # the answer before is under way still


async def test_a_session_that_has_ended_is_told_nothing() -> None:
    async with tooling() as bench:
        late = LateResults(bench.pump)
        bench.pump.end(None, 1000, "closed by us")
        late.add(FIRST, "42", bench.group)
        await bench.rest()
        assert in_short(bench) == []
