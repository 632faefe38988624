"""Asking the user aloud: the next turn is the answer, and the server leaves it alone."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from rtagent import Agent, events
from rtagent.audio import NullSink
from rtagent.errors import ServerError
from rtagent.events import lifecycle
from rtagent.events.lifecycle import ToolProgress
from rtagent.session import Session
from rtagent.testing import RealtimeServer
from rtagent.tools import ask_aloud, tool
from tests.session.tooling import Bench, session_with, tooling

DETECTION = {"type": "server_vad"}


@tool(approval=True)
async def pay(euros: int) -> str:
    """Pay.

    Args:
        euros: how much.
    """
    return f"{euros} paid"


@tool(approval=True)
async def delete_all() -> str:
    """Delete everything."""
    return "deleted"


async def asked(bench: Bench, mouth: bool = True) -> None:
    """The server makes a call, and the question of it sounds."""
    await bench.says(events.SessionUpdated(session=session_with(silence_duration_ms=300)))
    await bench.calls(("pay", "c1"), arguments='{"euros": 5}')
    if mouth:
        (question,) = [event for event in bench.sent() if isinstance(event, events.ResponseCreate)]
        assert question.response is not None
        assert '"Shall I pay, euros 5?"' in str(question.response.instructions)
        await bench.begins(question, "b1")
        await bench.speaks("b1")
        await bench.ends("b1")


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("Yes, please.", "5 paid"),
        ("Yes, but not now.", "approval is not given"),
        ("What?", "approval is not given"),
        ("", "approval is not given"),
    ],
)
async def test_the_next_turn_decides(words: str, output: str) -> None:
    async with tooling(pay, mouth=True, approver=ask_aloud) as bench:
        await asked(bench)
        (progress,) = bench.told(ToolProgress)
        assert (progress.text, progress.spoken) == ("Shall I pay, euros 5?", True)
        assert bench.updates.asked == [
            {"type": "server_vad", "silence_duration_ms": 300, "create_response": False}
        ]
        await bench.turn(words)
        assert output in bench.outputs()["c1"]
        assert bench.updates.asked[1:] == [
            {"type": "server_vad", "silence_duration_ms": 300, "create_response": True}
        ]
        assert bench.sent()[-1].type == "response.create"  # the answer was none to the assistant


async def test_words_that_cannot_be_written_down_are_no_yes() -> None:
    async with tooling(pay, mouth=True, approver=ask_aloud) as bench:
        await asked(bench)
        await bench.turn(None)
        failed = events.ConversationItemInputAudioTranscriptionFailed(
            item_id="u1", content_index=0, error=events.ErrorDetail(type="x", message="no")
        )
        await bench.says(failed)
        assert bench.error_of("c1")["kind"] == "denied"


async def test_only_the_first_turn_counts_and_it_may_begin_with_its_commit() -> None:
    async with tooling(pay, mouth=True, approver=ask_aloud) as bench:
        await asked(bench)
        await bench.says(events.InputAudioBufferCommitted(item_id="u1"))
        await bench.turn("Yes.", item_id="u2")
        assert bench.outputs() == {}
        await bench.says(
            events.ConversationItemInputAudioTranscriptionCompleted(
                item_id="u1", content_index=0, transcript="No."
            )
        )
        assert bench.error_of("c1")["kind"] == "denied"


async def test_a_written_turn_answers_too() -> None:
    picture = events.user_image("data:image/png;base64,AA==", text="Yes.")
    async with tooling(pay, approver=ask_aloud) as bench:
        await asked(bench, mouth=False)
        assert not bench.told(ToolProgress)[0].spoken
        for item in (events.assistant_message("Yes."), picture, events.user_message("yes")):
            assert bench.outputs() == {}
            await bench.says(events.ConversationItemAdded(item=item))
        assert bench.outputs() == {"c1": "5 paid"}


async def test_without_an_answer_in_time_it_is_a_no() -> None:
    async def impatient(*about: Any) -> bool:
        return await ask_aloud(*about, within_s=0.05)

    async with tooling(pay, mouth=True, approver=impatient) as bench:
        await asked(bench)
        with anyio.fail_after(5):
            while not bench.outputs():
                await bench.rest()
        assert bench.error_of("c1")["kind"] == "denied"
        assert bench.updates.asked[-1]["create_response"] is True


async def test_a_server_that_cannot_be_told_is_asked_all_the_same() -> None:
    async with tooling(pay, mouth=True, approver=ask_aloud) as bench:
        bench.updates.refusal = ServerError("no")
        await asked(bench)
        await bench.turn("Yes.")
        assert bench.outputs() == {"c1": "5 paid"}


@pytest.mark.parametrize("ear", [events.AudioInput(turn_detection=None), events.AudioInput()])
async def test_where_the_server_answers_nothing_by_itself_nothing_is_changed(ear: events.AudioInput) -> None:
    session = events.RealtimeSession(audio=events.SessionAudio(input=ear))
    async with tooling(pay, approver=ask_aloud) as bench:
        await bench.says(events.SessionUpdated(session=session))
        await bench.calls(("pay", "c1"), arguments='{"euros": 5}')
        await bench.says(events.ConversationItemAdded(item=events.user_message("yes")))
        assert bench.outputs() == {"c1": "5 paid"}
        assert bench.updates.asked == []


async def test_one_question_at_a_time() -> None:
    async with tooling(pay, delete_all, approver=ask_aloud) as bench:
        await bench.calls(("delete_all", "c1"), ("delete_all", "c2"))
        await bench.says(events.ConversationItemAdded(item=events.user_message("no")))
        assert list(bench.outputs()) == ["c1"]
        await bench.says(events.ConversationItemAdded(item=events.user_message("yes")))
        assert bench.outputs()["c2"] == "deleted"


async def test_the_end_of_the_session_ends_the_question() -> None:
    async with tooling(pay, approver=ask_aloud) as bench:
        await asked(bench, mouth=False)
        bench.pump.end(None, 1000, "closed by us")
        await bench.rest()
        assert bench.outputs() == {}


async def test_a_spoken_yes_interrupts_the_question_and_not_the_call() -> None:
    voiced, silence = b"\x10\x20" * 4_800, bytes(19_200)
    agent = Agent(tools=[pay])
    server = RealtimeServer(over="memory", transcripts=["use the tool", "yes please"], arguments={"euros": 5})
    async with server, Session(await server.dial(), agent, approver=ask_aloud) as session:
        session.attach(sink=NullSink())
        async with session.subscribe(lifecycle.PlaybackStarted, lifecycle.ToolFinished) as stream:
            session.append_audio(voiced + silence)
            assert isinstance(await anext(stream), lifecycle.PlaybackStarted)  # of the question
            session.append_audio(voiced + silence)
            finished = await anext(stream)
            assert isinstance(finished, lifecycle.ToolFinished)
            assert (finished.output, finished.kept) == ("5 paid", False)
            assert isinstance(await anext(stream), lifecycle.PlaybackStarted)  # of the answer
    assert server.refusals == []
    asked = [update["session"]["audio"]["input"] for update in server.sent("session.update")]
    assert [ear["turn_detection"].get("create_response") for ear in asked] == [None, False, True]
