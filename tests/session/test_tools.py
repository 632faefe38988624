"""Running calls as tasks: published, answered, and cancelled only when their tool says so."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtagent import events
from rtagent.errors import SessionClosed
from rtagent.events.lifecycle import ToolFinished, ToolProgress, ToolStarted
from rtagent.tools import Image, RunningCall, ToolContext, cancel_tool, running_tools, tool
from tests.session.tooling import Bench, tooling


class Waiting:
    """Tools that wait until they are let go on."""

    def __init__(self) -> None:
        self.gate = anyio.Event()
        self.contexts: list[ToolContext] = []
        self.cancel = tool(name="cancel", on_interrupt="cancel")(self._wait)
        self.keep = tool(name="keep", on_interrupt="keep")(self._wait)
        self.late = tool(name="late", background=True)(self._wait)

    async def _wait(self, context: ToolContext) -> str:
        """Wait."""
        self.contexts.append(context)
        await self.gate.wait()
        return context.name

    @property
    def all(self) -> tuple[Any, ...]:
        return (self.cancel, self.keep, self.late, double, running_tools, cancel_tool)


@tool
async def double(value: int = 21) -> int:
    """Double a number."""
    return 2 * value


def creates(sent: list[Any]) -> list[str]:
    """What was sent, in short."""
    return [
        f"{event.item.type} {getattr(event.item, 'call_id', '')}".strip()
        if isinstance(event, events.ConversationItemCreate)
        else event.type
        for event in sent
    ]


async def test_a_call_is_published_run_and_answered() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all, state={"n": 1}, caller="Ada") as bench:
        assert bench.runner.idle
        await bench.calls(("keep", "c1"))
        assert not bench.runner.idle
        assert bench.told(ToolStarted) == [
            ToolStarted(at=100.0, call_id="c1", name="keep", arguments="{}", response_id="r1")
        ]
        (context,) = waiting.contexts
        assert (context.session, context.call_id, context.state) == (bench.updates, "c1", {"n": 1})
        assert (context.caller, context.arguments, context.desk) == ("Ada", "{}", bench.runner)
        await bench.rest(0.25)
        waiting.gate.set()
        await bench.rest()
        assert bench.runner.idle
        assert bench.told(ToolFinished) == [
            ToolFinished(at=100.25, call_id="c1", name="keep", output="keep", ok=True, took_ms=250.0)
        ]
        assert creates(bench.sent()) == ["function_call_output c1", "response.create"]


async def test_calls_run_side_by_side_and_are_followed_up_once() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        await bench.calls(("keep", "slow"), ("double", "quick"))
        assert bench.sent() == []
        await bench.calls(("keep", "other"), response_id="r2")
        waiting.gate.set()
        await bench.rest()
        assert bench.outputs()["quick"] == "42"
        assert creates(bench.sent()) == [
            "function_call_output slow",
            "function_call_output quick",
            "response.create",
            "function_call_output other",
        ]


async def test_an_interruption_cancels_what_wants_it_and_keeps_the_rest_for_the_next_turn() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        await bench.calls(("cancel", "c1"), ("keep", "c2"))
        await bench.calls(("double", "c3"), response_id="r2", arguments='{"value": 1}')
        assert creates(bench.sent()) == ["function_call_output c3", "response.create"]
        await bench.speech()
        assert bench.error_of("c1")["kind"] == "cancelled"
        assert bench.error_of("c1")["message"] == "the user interrupted before the tool had finished"
        ended = bench.told(ToolFinished)[-1]
        assert (ended.call_id, ended.ok, ended.kind, ended.kept) == ("c1", False, "cancelled", True)
        assert ended.error == "the user interrupted before the tool had finished"
        waiting.gate.set()
        await bench.rest()
        assert bench.told(ToolFinished)[-1].kept
        assert creates(bench.sent()) == ["function_call_output c1", "function_call_output c2"]


async def test_an_interruption_before_the_tool_has_begun_counts() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        item = events.FunctionCall(id="f", call_id="c1", name="cancel", arguments="{}", status="completed")
        await bench.says(
            events.ResponseCreated(response=events.RealtimeResponse(id="r1")),
            events.ResponseOutputItemDone(response_id="r1", output_index=0, item=item),
            events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0),
        )
        assert waiting.contexts == []
        assert bench.error_of("c1")["kind"] == "cancelled"


async def test_an_interruption_after_the_end_changes_nothing() -> None:
    async with tooling(double) as bench:
        await bench.calls(("double", "c1"), arguments='{"value": 1}')
        bench.runner.interrupt(["c1", "nobody"])
        assert bench.outputs() == {"c1": "2"}


async def test_whatever_cannot_run_is_answered_all_the_same() -> None:
    async with tooling(double) as bench:
        await bench.calls(("nothing", "c1"))
        await bench.calls(("double", "c2"), response_id="r2", arguments='{"value": "many"}')
        await bench.calls(("double", "c3"), response_id="r3", arguments="{")
        kinds = [bench.error_of(call_id)["kind"] for call_id in ("c1", "c2", "c3")]
        assert kinds == ["unknown_tool", "bad_arguments", "bad_json"]
        assert [ended.kind for ended in bench.told(ToolFinished)] == kinds
        assert bench.told(ToolFinished)[0].error == 'there is no tool "nothing"'


async def test_calls_of_a_response_that_was_cut_do_not_start() -> None:
    async with tooling(double) as bench:
        await bench.says(events.ResponseCreated(response=events.RealtimeResponse(id="r1")))
        bench.pump.interrupt()
        await bench.calls(("double", "c1"), status="cancelled")
        assert bench.told(ToolStarted) == []


async def test_a_call_that_is_announced_twice_runs_once() -> None:
    async with tooling(double) as bench:
        await bench.calls(("double", "c1"), arguments='{"value": 1}')
        await bench.calls(("double", "c1"), response_id="r2", arguments='{"value": 1}')
        assert len(bench.told(ToolStarted)) == len(bench.told(ToolFinished)) == 1


async def test_the_end_of_the_group_ends_the_calls_without_an_answer() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        await bench.calls(("keep", "c1"))
    assert bench.outputs() == {}


# -- background ---------------------------------------------------------------------------------------


async def test_a_tool_in_the_background_is_answered_at_once_and_told_about_later() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        await bench.calls(("late", "c1"))
        assert bench.told(ToolStarted)[0].background
        assert "will follow" in bench.outputs()["c1"]
        _, follow_up = bench.sent()
        await bench.begins(follow_up, "r2")
        await bench.speech()  # what runs in the background is no part of what the user interrupts
        await bench.ends("r2", "cancelled")
        await bench.says(
            events.InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=500),
            events.InputAudioBufferCommitted(item_id="u1"),
        )
        waiting.gate.set()
        await bench.rest()
        assert (bench.told(ToolFinished)[0].output, bench.told(ToolFinished)[0].kept) == ("late", False)
        assert bench.sent() == []  # the user's turn is not answered yet
        await bench.says(events.ResponseCreated(response=events.RealtimeResponse(id="r3")))
        await bench.ends("r3")
        note, create = bench.sent()
        assert isinstance(note.item, events.SystemMessage)
        assert "Its result: late" in str(note.item.content)
        assert isinstance(create, events.ResponseCreate)


async def test_without_turns_every_tool_is_in_the_background_anyway() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        bench.pump.core.dialect = events.GA.model_copy(update={"protocol": "live"})
        await bench.calls(("late", "c1"))
        assert not bench.told(ToolStarted)[0].background
        assert bench.outputs() == {}


# -- what runs ----------------------------------------------------------------------------------------


async def test_the_model_sees_what_runs_and_cancels_it() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all) as bench:
        await bench.calls(("late", "c1"), ("keep", "c2"))
        await bench.rest(2.0)
        assert bench.runner.running() == (
            RunningCall("c1", "late", "{}", 2.0, background=True),
            RunningCall("c2", "keep", "{}", 2.0),
        )
        await bench.calls(("running_tools", "c3"), response_id="r2")
        assert bench.outputs()["c3"] == (
            '[{"call_id":"c1","name":"late","arguments":"{}","seconds":2.0},'
            '{"call_id":"c2","name":"keep","arguments":"{}","seconds":2.0}]'
        )
        for number, call_id in enumerate(("c1", "c2", "c9"), start=3):
            await bench.calls(
                ("cancel_tool", f"x{number}"),
                response_id=f"r{number}",
                arguments=f'{{"call_id": "{call_id}"}}',
            )
        assert bench.outputs()["x3"] == bench.outputs()["x4"] == "cancelled"
        assert bench.error_of("x5")["message"] == "no call 'c9' runs"
        assert bench.error_of("c2")["message"] == "it was called off"
        cancelled = [ended for ended in bench.told(ToolFinished) if ended.kind == "cancelled"]
        assert [(ended.call_id, ended.kept) for ended in cancelled] == [("c1", False), ("c2", False)]
        assert not any("Its result" in str(event) for event in bench.sent())


# -- progress and pictures ----------------------------------------------------------------------------


async def test_progress_is_published_and_of_what_has_ended_it_is_not() -> None:
    @tool
    async def count(context: ToolContext):
        """Count."""
        yield "one"
        yield "two"

    async with tooling(count) as bench:
        await bench.calls(("count", "c1"))
        assert [event.text for event in bench.told(ToolProgress)] == ["one", "two"]
        assert bench.told(ToolProgress)[0] == ToolProgress(at=100.0, call_id="c1", name="count", text="one")
        assert bench.outputs()["c1"] == "one\ntwo"
        await bench.runner.progress("c1", "three", speak=False)
        assert await bench.runner.ask("c1", "Really?", 1.0) is None
        assert len(bench.told(ToolProgress)) == 2


async def test_what_is_to_be_said_is_asked_for_once_and_hushed() -> None:
    waiting = Waiting()
    speaking = tool(name="speaking", speak="Wait.", speak_after=1.0)(waiting.gate.wait)
    async with tooling(speaking, mouth=True) as bench:
        await bench.calls(("speaking", "c1"), ("speaking", "c2"))
        await bench.rest(1.5)
        assert creates(bench.sent()) == ["response.create"]
        await bench.calls(("speaking", "c3"), response_id="r2")
        bench.runner.hush()
        await bench.rest(5.0)
        assert creates(bench.sent()) == []


async def test_progress_may_be_said() -> None:
    waiting = Waiting()
    async with tooling(*waiting.all, mouth=True) as bench:
        await bench.calls(("keep", "c1"))
        await bench.runner.progress("c1", "half", speak=True)
        await bench.rest()
        assert bench.told(ToolProgress)[0].spoken
        (said,) = bench.sent()
        assert '"half"' in str(said.response.instructions)


async def test_what_cannot_be_said_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*about: object) -> str:
        raise SessionClosed

    waiting = Waiting()
    async with tooling(*waiting.all, mouth=True) as bench:
        await bench.calls(("keep", "c1"))
        monkeypatch.setattr(bench.pump, "post", refuse)
        await bench.runner.progress("c1", "half", speak=True)
        await bench.rest()
        monkeypatch.undo()
        waiting.gate.set()
        await bench.rest()
        assert bench.outputs() == {"c1": "keep"}


async def test_a_call_that_asks_the_user_is_not_interrupted_by_the_answer() -> None:
    @tool
    async def ask(context: ToolContext) -> str:
        """Ask."""
        assert context.desk is not None
        return f"heard {await context.desk.ask(context.call_id, 'Really?', 5.0)}"

    async with tooling(ask) as bench:
        await bench.says(
            events.SessionUpdated(
                session=events.RealtimeSession(
                    audio=events.SessionAudio(input=events.AudioInput(turn_detection=events.ServerVad()))
                )
            )
        )
        await bench.calls(("ask", "c1"))
        await bench.turn("Sure.")
        assert bench.outputs() == {"c1": "heard Sure."}
        assert not bench.told(ToolFinished)[0].kept


async def look() -> list[Image | str]:
    """Look out of the window."""
    return ["here", Image(b"\x89PNG\r\n\x1a\n" + bytes(8)), Image(b"\xff\xd8\xff" + bytes(8))]


@pytest.mark.parametrize("shown", [True, False])
async def test_what_a_tool_shows_is_sent_before_the_follow_up(shown: bool) -> None:
    async with tooling(look, dialect=events.GA.model_copy(update={"images": shown})) as bench:
        await bench.calls(("look", "c1"))
        sent = bench.sent()
        expected = ["function_call_output c1", "response.create"]
        assert creates(sent) == (["message", *expected] if shown else expected)
        if shown:
            assert [part.type for part in sent[0].item.content] == [
                "input_text",
                "input_image",
                "input_image",
            ]


# -- everything at once -------------------------------------------------------------------------------


STEPS = st.lists(st.sampled_from(["finish", "finish", "finish", "speech", "answer"]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=4), STEPS, st.randoms())
async def test_each_call_is_answered_once_and_followed_up_at_most_once(
    keeps: list[bool], steps: list[str], random: Any
) -> None:
    gates: dict[str, anyio.Event] = {}

    async def wait(context: ToolContext) -> str:
        """Wait."""
        await gates.setdefault(context.call_id, anyio.Event()).wait()
        return "done"

    kept = tool(name="kept", on_interrupt="keep")(wait)
    cancelled = tool(name="cancelled")(wait)
    async with tooling(kept, cancelled) as bench:
        names = [f"c{number}" for number in range(len(keeps))]
        calls = [("kept" if keep else "cancelled", name) for keep, name in zip(keeps, names, strict=True)]
        await bench.calls(*calls)
        interrupted = await _walk(bench, steps, gates, random)
        for gate in gates.values():
            gate.set()
        await bench.rest()
        sent = creates(bench.sent())
        answered = [entry.split()[1] for entry in sent if entry.startswith("function_call_output")]
        assert answered == names
        assert sent.count("response.create") == (0 if interrupted else 1)


async def _walk(bench: Bench, steps: list[str], gates: dict[str, anyio.Event], random: Any) -> bool:
    """Do these things while calls run; whether the user interrupted any of them."""
    interrupted = False
    for number, step in enumerate(steps):
        running = [call.call_id for call in bench.runner.running()]
        match step:
            case "finish" if running:
                gates[random.choice(running)].set()
                await bench.rest()
            case "speech":
                interrupted = interrupted or bool(running)
                await bench.speech(f"u{number}")
            case "answer":
                await bench.says(events.ResponseCreated(response=events.RealtimeResponse(id=f"own{number}")))
                await bench.ends(f"own{number}")
            case _:
                pass
    return interrupted
