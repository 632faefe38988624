from __future__ import annotations

import asyncio
import contextvars
import json
import sys
import threading
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from rtagent.errors import ToolError
from rtagent.tools import Tool, ToolContext, ToolRegistry, tool

REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("REQUEST")


@tool
def add(a: int, b: int = 1) -> int:
    return a + b


@tool
async def add_async(a: int, b: int = 1) -> int:
    return a + b


class Place(BaseModel):
    name: str


class Mute(Exception):
    def __str__(self) -> str:
        raise self


class Stubborn:
    def __str__(self) -> str:
        message = "no words"
        raise RuntimeError(message)


@pytest.fixture
def gate():
    """Functions that wait for it end when the test does, whatever happens."""
    gate = threading.Event()
    yield gate
    gate.set()


def error_of(outcome) -> dict[str, Any]:
    assert not outcome.ok
    error: dict[str, Any] = json.loads(outcome.output)["error"]
    assert error["kind"] == outcome.kind
    assert error["message"] in outcome.error
    return error


@pytest.mark.parametrize("made", [add, add_async])
@pytest.mark.parametrize(("arguments", "output"), [('{"a": 1}', "2"), ('{"a": "3", "b": 4}', "7")])
async def test_a_call_answers(call, made, arguments, output):
    outcome = await call(made, arguments)
    assert (outcome.output, outcome.ok, outcome.kind, outcome.error) == (output, True, "ok", None)
    assert outcome.value == int(output)


async def test_arguments_arrive_as_their_types(call):
    def name_of(place: Place) -> str:
        return place.name

    assert (await call(name_of, '{"place": {"name": "attic"}}')).output == "attic"


async def test_a_synchronous_tool_leaves_the_event_loop_alone(call):
    def where() -> str:
        return f"{threading.current_thread().name} {REQUEST.get()}"

    REQUEST.set("r7")
    outcome = await call(where)
    assert threading.current_thread().name not in outcome.output
    assert outcome.output.endswith(" r7")


async def test_an_asynchronous_tool_runs_in_the_task_of_its_caller(call):
    async def where() -> bool:
        return asyncio.current_task() is caller

    caller = asyncio.current_task()
    assert (await call(where)).value is True


async def test_a_synchronous_tool_can_use_the_session(call):
    async def session_says() -> str:
        return "said"

    def ask() -> str:
        return anyio.from_thread.run(session_says)

    assert (await call(ask)).output == "said"


async def test_a_synchronous_function_may_return_an_awaitable(call):
    async def later() -> str:
        return "late"

    def soon() -> Any:
        return later()

    assert (await call(soon)).output == "late"


async def test_the_context_goes_where_it_is_asked_for():
    def note(text: str, first: ToolContext, *, last: ToolContext | None = None) -> None:
        seen.extend([first, last])

    seen: list[ToolContext | None] = []
    registry = ToolRegistry([note])
    outcome = await registry.call("note", '{"text": "x"}', call_id="call_7", session="S", state={"k": 1})
    expected = ToolContext(
        session="S", call_id="call_7", name="note", state={"k": 1}, arguments='{"text": "x"}'
    )
    assert outcome.output == "done"
    assert seen == [expected, expected]


async def test_a_model_cannot_fill_the_context(call):
    def note(context: ToolContext) -> None: ...

    assert error_of(await call(note, '{"context": {}}'))["kind"] == "bad_arguments"


async def test_a_model_cannot_replace_the_context_by_a_free_keyword(call):
    def note(context: ToolContext, **more: Any) -> str:
        return context.call_id

    assert (await call(note, '{"context": "forged"}')).output == "call_1"


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ("{", "bad_json", "line 1 column 1"),
        ("{}", "bad_arguments", "a: is required"),
        ('{"a": "x"}', "bad_arguments", "a: should be a valid integer"),
        ('{"a": 1, "c": 2}', "bad_arguments", "c: is not known here; the arguments are: a, b"),
    ],
)
async def test_wrong_arguments_are_answered_precisely(call, arguments, kind, words):
    outcome = await call(add, arguments)
    assert error_of(outcome)["kind"] == kind
    assert words in outcome.error


async def test_arguments_that_are_no_unicode_are_answered(call):
    assert not (await call(add, '{"a": "\ud800"}')).ok


async def test_an_exception_is_answered_and_reported(call, caplog):
    def fail() -> None:
        message = "no lamp"
        raise LookupError(message)

    outcome = await call(fail)
    assert error_of(outcome) == {
        "kind": "failed",
        "tool": "fail",
        "message": "tool failed: LookupError: no lamp",
    }
    assert isinstance(outcome.value, LookupError)
    assert "tool fail raised LookupError: no lamp at" in caplog.text
    assert "test_call.py" in caplog.text


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError(), "tool failed: ValueError"),
        (Mute(), "tool failed: Mute"),
        (ValueError("x" * 1000), "tool failed: ValueError: " + "x" * 499 + "…"),
        (TimeoutError("of its own"), "tool failed: TimeoutError: of its own"),
        (SystemExit(3), "tool failed: SystemExit: 3"),
        (asyncio.CancelledError(), "tool failed: CancelledError"),
        (ExceptionGroup("two", [ValueError()]), "tool failed: ExceptionGroup: two (1 sub-exception)"),
        (ToolError("The lamp is broken."), "The lamp is broken."),
        (ToolError("x" * 1000), "x" * 499 + "…"),
    ],
)
@pytest.mark.parametrize("awaited", [True, False])
async def test_whatever_is_raised_becomes_an_answer(call, error, message, awaited):
    async def fail() -> None:
        raise error

    def fail_in_a_thread() -> None:
        raise error

    outcome = await call(fail if awaited else fail_in_a_thread)
    assert error_of(outcome)["message"] == message
    assert outcome.kind == "failed"


async def test_a_result_that_cannot_be_told_is_a_failure(call):
    async def odd() -> Stubborn:
        return Stubborn()

    assert error_of(await call(odd))["message"] == "tool failed: RuntimeError: no words"


async def test_an_exit_is_only_the_tools_own(call):
    async def leave() -> None:
        sys.exit(2)

    assert (await call(leave)).kind == "failed"


async def test_an_asynchronous_tool_has_a_deadline(call):
    @tool(timeout=0.01)
    async def hang() -> None:
        await anyio.sleep_forever()

    assert error_of(await call(hang))["message"] == "the tool did not finish within 0.01 s"


async def test_a_synchronous_tool_has_a_deadline(call, gate):
    @tool(timeout=0.01)
    def hang() -> None:
        gate.wait()

    assert error_of(await call(hang))["kind"] == "timeout"


async def test_without_a_deadline_a_tool_takes_its_time(call):
    @tool(timeout=None)
    async def patient() -> str:
        await anyio.lowlevel.checkpoint()
        return "there"

    assert (await call(patient)).output == "there"


async def test_waiting_for_a_thread_counts(gate):
    @tool(timeout=None)
    def hold() -> None:
        started.set()
        gate.wait()

    @tool(timeout=0.01)
    def quick() -> None: ...

    started = threading.Event()
    registry = ToolRegistry([hold, quick], max_threads=1)
    async with anyio.create_task_group() as tasks:

        async def call_hold() -> None:
            await registry.call("hold", "", call_id="call_1")

        tasks.start_soon(call_hold)
        while not started.is_set():
            await anyio.lowlevel.checkpoint()
        assert (await registry.call("quick", "", call_id="call_2")).kind == "timeout"
        gate.set()


@pytest.mark.parametrize("native", [True, False])
async def test_cancelling_the_caller_cancels_the_tool(call, native):
    seen: list[str] = []
    started = anyio.Event()

    async def hang() -> None:
        try:
            started.set()
            await anyio.sleep_forever()
        finally:
            seen.append("cancelled")

    if native:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(call(hang))
            await started.wait()
            task.cancel()
        assert task.cancelled()
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(call, hang)
            await started.wait()
            group.cancel_scope.cancel()
    assert seen == ["cancelled"]


async def test_cancelling_the_caller_leaves_a_thread_behind(call, gate):
    started = threading.Event()

    def hang() -> None:
        started.set()
        gate.wait()

    async with anyio.create_task_group() as group:
        group.start_soon(call, hang)
        while not started.is_set():
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert not gate.is_set()


@tool(approval=True)
def unlock(door: str) -> str:
    return f"{door} is open"


async def test_without_anybody_to_ask_a_call_is_denied(call):
    outcome = await call(unlock, '{"door": "front"}')
    assert error_of(outcome)["kind"] == "denied"
    assert "there is nobody to ask" in outcome.error


async def test_wrong_arguments_are_not_asked_about(call):
    asked: list[Any] = []
    outcome = await call(unlock, "{}", approver=lambda *about: asked.append(about))
    assert outcome.kind == "bad_arguments"
    assert asked == []


async def test_the_approver_knows_what_it_approves(call):
    asked: list[Any] = []

    async def approve(*about: Any) -> bool:
        asked.extend(about)
        return True

    assert (await call(unlock, '{"door": "front"}', approver=approve)).output == "front is open"
    expected = ToolContext(session=None, call_id="call_1", name="unlock", arguments='{"door": "front"}')
    assert asked == [unlock, {"door": "front"}, expected]


async def test_an_approver_cannot_change_the_arguments(call):
    def meddle(_tool: Tool[..., Any], arguments: dict[str, Any], _context: ToolContext) -> bool:
        arguments["door"] = "back"
        return True

    assert (await call(unlock, '{"door": "front"}', approver=meddle)).output == "front is open"


async def test_a_synchronous_approver_may_block(call):
    def approve(*_: Any) -> bool:
        return threading.current_thread() is not threading.main_thread()

    assert (await call(unlock, '{"door": "front"}', approver=approve)).ok


async def test_an_approver_may_return_an_awaitable(call):
    async def yes() -> bool:
        return True

    assert (await call(unlock, '{"door": "front"}', approver=lambda *_: yes())).ok


@pytest.mark.parametrize("answer", [False, None, "yes", 1])
async def test_only_true_is_a_yes(call, answer):
    outcome = await call(unlock, '{"door": "front"}', approver=lambda *_: answer)
    assert error_of(outcome)["message"] == "approval is not given"


async def test_an_approver_that_fails_has_not_approved(call, caplog):
    outcome = await call(unlock, '{"door": "front"}', approver=lambda *_: 1 // 0)
    assert error_of(outcome)["message"] == "approval is not given: asking for it failed"
    assert "the approver of tool unlock raised ZeroDivisionError" in caplog.text


async def test_arguments_of_a_given_schema_are_passed_on(call):
    def join(**parts: Any) -> str:
        return json.dumps(parts)

    made = Tool.from_schema("join", {"type": "object", "required": ["a"]}, join)
    assert (await call(made, '{"a": [1], "b": {}}')).output == '{"a": [1], "b": {}}'
    assert (await call(made, '{"b": {}}')).error == "1 argument cannot be used; a: is required"


# -- processes, limits, retries, generators, guards ---------------------------------------------------


@tool(run_in="process", timeout=20)
def own_name(suffix: str) -> str:
    return __name__ + suffix


async def test_a_tool_may_run_in_a_process():
    registry = ToolRegistry([own_name])
    registry.hold()
    outcome = await registry.call("own_name", '{"suffix": "!"}', call_id="call_1")
    assert outcome.output == f"{__name__}!"
    assert registry.process_statistics().idle == 1
    await registry.release()
    assert registry.process_statistics().idle == 0


async def test_a_tool_that_may_run_once_at_a_time_makes_others_wait_within_their_deadline():
    gate = anyio.Event()

    @tool(max_running=1, timeout=None)
    async def hold() -> str:
        await gate.wait()
        return "held"

    registry = ToolRegistry([hold])
    outputs: list[str] = []

    async def one() -> None:
        outputs.append((await registry.call("hold", "{}", call_id="c")).output)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(one)
        await anyio.wait_all_tasks_blocked()
        assert outputs == []
        gate.set()
    assert outputs == ["held", "held"]


async def test_who_finds_no_place_in_time_is_told_that_the_tool_is_busy(call):
    @tool(max_running=1, timeout=0.05)
    async def hold(seconds: float) -> None:
        await anyio.sleep(seconds)

    registry = ToolRegistry([hold])
    kinds: list[str] = []

    async def one() -> None:
        kinds.append((await registry.call("hold", '{"seconds": 60}', call_id="c")).kind)

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(one)
    assert sorted(kinds) == ["busy", "timeout"]
    assert (await registry.call("hold", '{"seconds": 0}', call_id="c")).ok


async def test_a_failure_that_may_pass_is_tried_again_within_the_deadline(call):
    made: list[int] = []

    @tool(retries=1, timeout=5)
    def flaky(room: str) -> str:
        made.append(1)
        if len(made) == 1:
            raise ConnectionError
        return room

    assert (await call(flaky, '{"room": "attic"}')).output == "attic"


@pytest.mark.parametrize("awaited", [True, False])
async def test_a_generator_is_a_tool_too(call, awaited):
    def rooms(count: int):
        for number in range(count):
            yield f"room {number}"

    async def rooms_async(count: int):
        for number in range(count):
            yield f"room {number}"

    outcome = await call(rooms_async if awaited else rooms, '{"count": 2}')
    assert outcome.output == "room 0\nroom 1"


async def test_guards_see_a_call_before_and_after():
    def before(_tool: Tool[..., Any], arguments: Any, _context: ToolContext) -> Any:
        return {"a": arguments["a"] * 10, "b": arguments["b"]}

    def after(_tool: Tool[..., Any], outcome: Any, context: ToolContext) -> Any:
        seen.append((outcome.output, context.call_id))

    seen: list[Any] = []
    registry = ToolRegistry([add, add_async], before=before, after=after)
    for name in ("add", "add_async"):
        assert (await registry.call(name, '{"a": 1}', call_id=name)).output == "11"
    assert seen == [("11", "add"), ("11", "add_async")]


async def test_what_a_guard_refuses_does_not_run_and_is_shown_to_the_other(call):
    def before(*_: Any) -> Any:
        message = "not now"
        raise ToolError(message)

    seen: list[str] = []
    outcome = await call(
        add, '{"a": 1}', before=before, after=lambda _tool, outcome, _: seen.append(outcome.kind)
    )
    assert (error_of(outcome)["message"], seen) == ("not now", ["denied"])
