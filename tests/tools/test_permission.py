from __future__ import annotations

import threading
from typing import Any

import pytest

from rtagent.errors import ToolError
from rtagent.tools import ToolContext, ToolOutcome, tool
from rtagent.tools._permission import CallRefused, Permission
from rtagent.tools._threads import WorkerThreads

CONTEXT: ToolContext[Any] = ToolContext(session=None, call_id="c1", name="unlock")
DONE = ToolOutcome.success("open")


@tool(approval=True)
def unlock(door: str) -> str:
    return door


def permission(**asked: Any) -> Permission:
    return Permission(WorkerThreads(1), **asked)


def always(answer: Any) -> Any:
    return lambda *_: answer


def never(*_: Any) -> Any:
    message = "not this one"
    raise ToolError(message)


def broken(*_: Any) -> Any:
    return 1 // 0


async def later(*_: Any) -> Any:
    return {"door": "back"}


# -- before -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "arguments"),
    [
        (None, {"door": "front"}),
        (always(None), {"door": "front"}),
        (always({"door": "back"}), {"door": "back"}),
        (later, {"door": "back"}),
        (lambda *about: [*about] and later(*about), {"door": "back"}),
    ],
)
async def test_a_guard_may_change_the_arguments(before, arguments):
    assert await permission(before=before).arguments(unlock, {"door": "front"}, CONTEXT) == arguments


async def test_a_guard_knows_the_call_and_may_block():
    def look(*about: Any) -> None:
        seen.extend([*about, threading.current_thread() is threading.main_thread()])

    seen: list[Any] = []
    await permission(before=look).arguments(unlock, {"door": "front"}, CONTEXT)
    assert seen == [unlock, {"door": "front"}, CONTEXT, False]


@pytest.mark.parametrize(
    ("before", "words"), [(never, "not this one"), (broken, "the call is refused: checking it failed")]
)
async def test_a_guard_may_refuse_and_one_that_breaks_has_refused(before, words, caplog):
    with pytest.raises(CallRefused, match=words):
        await permission(before=before).arguments(unlock, {"door": "front"}, CONTEXT)
    assert ("the guard before tool unlock raised ZeroDivisionError" in caplog.text) is (before is broken)


# -- after --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "output"),
    [(None, "open"), (always(None), "open"), (always(ToolOutcome.success("***")), "***")],
)
async def test_a_guard_may_change_the_outcome(after, output):
    assert (await permission(after=after).outcome(unlock, DONE, CONTEXT)).output == output


@pytest.mark.parametrize(
    ("after", "words"), [(never, "not this one"), (broken, "the call is refused: checking it failed")]
)
async def test_what_a_guard_refuses_the_model_does_not_see(after, words):
    outcome = await permission(after=after).outcome(unlock, DONE, CONTEXT)
    assert (outcome.ok, outcome.kind, outcome.error, outcome.value) == (False, "denied", words, None)


# -- approval -----------------------------------------------------------------------------------------


async def refusal(approval: Any, approver: Any = None, own: Any = None) -> str | None:
    asking = tool(approval=approval)(unlock.fn)
    try:
        await permission(approver=own).approve(asking, {"door": "front"}, CONTEXT, approver)
    except CallRefused as refused:
        return str(refused)
    return None


async def test_without_need_nobody_is_asked():
    assert await refusal(False, approver=broken) is None
    assert await refusal(lambda arguments, _: arguments["door"] != "front", approver=broken) is None


@pytest.mark.parametrize("needed", [True, always(True), later, broken])
async def test_where_it_is_needed_or_nobody_can_tell_a_person_is_asked(needed):
    assert await refusal(needed) == "approval is not given: this tool needs it, and there is nobody to ask"
    assert await refusal(needed, approver=always(True)) is None
    assert await refusal(needed, approver=always(1)) == "approval is not given"
    assert await refusal(needed, approver=broken) == "approval is not given: asking for it failed"


async def test_the_one_who_is_named_with_the_call_is_asked_instead():
    assert await refusal(True, own=always(True)) is None
    assert await refusal(True, approver=always(False), own=always(True)) == "approval is not given"
