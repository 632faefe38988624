"""One running call, as it is told."""

from __future__ import annotations

import json

import anyio

from rtagent.events.lifecycle import ToolFinished, ToolProgress, ToolStarted
from rtagent.protocol import Call
from rtagent.session._tool_record import CallRecord
from rtagent.tools import RunningCall, ToolOutcome

CALL = Call("c1", "add", '{"a": 1}', "r1", "f1")


async def test_a_call_is_told_from_its_beginning_to_its_end() -> None:
    record = CallRecord(CALL, None, 10.0, background=True)
    assert record.started() == ToolStarted(
        at=10.0, call_id="c1", name="add", arguments='{"a": 1}', response_id="r1", background=True
    )
    assert record.progress("half", 11.0, spoken=True) == ToolProgress(
        at=11.0, call_id="c1", name="add", text="half", spoken=True
    )
    assert record.snapshot(11.5) == RunningCall("c1", "add", '{"a": 1}', 1.5, background=True)
    assert record.finished(ToolOutcome.success("2"), 12.0) == ToolFinished(
        at=12.0, call_id="c1", name="add", output="2", ok=True, took_ms=2_000.0
    )


async def test_a_call_that_is_cancelled_says_why() -> None:
    record = CallRecord(CALL, None, 10.0, kept=True)
    outcome = record.cancelled()
    assert json.loads(outcome.output)["error"] == {
        "kind": "cancelled",
        "tool": "add",
        "message": "the user interrupted before the tool had finished",
    }
    finished = record.finished(outcome, 10.0)
    assert (finished.ok, finished.kind, finished.error, finished.kept) == (
        False,
        "cancelled",
        "the user interrupted before the tool had finished",
        True,
    )


async def test_what_waits_to_be_said_is_silenced() -> None:
    record = CallRecord(CALL, None, 10.0)
    waiting = [anyio.CancelScope(), anyio.CancelScope()]
    record.speech.extend(waiting)
    record.silence()
    assert record.speech == []
    assert all(scope.cancel_called for scope in waiting)
