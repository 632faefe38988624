from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rtagent import Agent, Endpoint, events
from rtagent.audio import ArraySource, Microphone, NullSink, PushToTalk, Speaker, level_dbfs, read_wav
from rtagent.cli import _conversation, main
from rtagent.cli._conversation import Plan, _Talk
from rtagent.cli._keyboard import Keyboard
from rtagent.cli._live import LiveLog
from rtagent.cli.talk import talk_with
from rtagent.errors import AudioUnavailable, ConnectionLost
from rtagent.recording import read_events
from rtagent.session import Session
from rtagent.testing import FakeSoundBackend, ScriptedServer


@pytest.fixture
def type_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Let stdin be a pipe that holds these bytes."""
    kept = os.dup(0)

    def type_them(text: bytes) -> None:
        read, write = os.pipe()
        os.write(write, text)
        os.close(write)
        os.dup2(read, 0)
        os.close(read)
        monkeypatch.setattr(sys, "stdin", io.StringIO())

    yield type_them
    os.dup2(kept, 0)
    os.close(kept)


def test_a_file_is_spoken_answered_and_the_answer_kept(small_server, question, tmp_path, capsys):
    server, url = small_server()
    said = tmp_path / "said.wav"

    code = main(["talk", "--endpoint", url, "--in", str(question), "--out", str(said)])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert "you       turn on the light\n" in out
    assert "assistant The light is on.\n" in out
    assert "turn 1 " in out
    assert " ms from the end of speech to the first sample heard\n" in out
    assert "tokens    10: 7 in, 3 out\n" in out
    assert "state     speaking\n" in out
    assert "turn on\n" not in out, "partial transcripts are for terminals"
    assert level_dbfs(read_wav(said).mono_pcm16()) > -40
    assert server.closed.wait(5)


def test_an_agent_that_takes_turns_by_hand_is_asked_at_the_end_of_the_file(small_server, question):
    server, url = small_server()

    talk_with(Agent(turn_taking="manual"), endpoint=url, input=str(question), output="none")

    kinds = [event["type"] for event in server.received if event["type"] != "input_audio_buffer.append"]
    assert kinds == ["session.update", "input_audio_buffer.commit", "response.create"]


def test_a_response_that_fails_is_the_one_line(small_server, question, capsys):
    _, url = small_server(fails=True)

    code = main(["talk", "--endpoint", url, "--in", str(question), "--out", "none"])

    assert code == 1
    assert capsys.readouterr().err == "rtagent: overloaded: the response failed: too much to do\n"


def test_a_conversation_is_recorded(small_server, question, tmp_path):
    _, url = small_server()
    directory = tmp_path / "recording"

    code = main(
        ["talk", "--endpoint", url, "--in", str(question), "--out", "none", "--record", str(directory)]
    )

    assert code == 0
    kinds = [event.type for event in read_events(directory / "events.jsonl")]
    assert "response.done" in kinds
    assert read_wav(directory / "conversation.wav").channels == 2


def test_typed_lines_are_answered_until_the_end_of_the_pipe(small_server, type_lines, capsys):
    server, url = small_server()
    type_lines(b"hello\n\nis the light on?")

    code = main(["talk", "--endpoint", url, "--text"])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    texts = [event["item"]["content"][0]["text"] for event in server.sent("conversation.item.create")]
    assert texts == ["hello", "is the light on?"]
    assert out.count("assistant The light is on.") == 2
    assert server.sent("session.update")[0]["session"]["output_modalities"] == ["text"]
    assert not server.sent("input_audio_buffer.append")


def test_a_failed_answer_to_a_line_is_the_one_line(small_server, type_lines, capsys):
    _, url = small_server(fails=True)
    type_lines(b"hello\n")

    assert main(["talk", "--endpoint", url, "--text"]) == 1
    assert capsys.readouterr().err == "rtagent: overloaded: the response failed: too much to do\n"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--text", "--in", "x.wav"], "no ears and no mouth"),
        (["--push-to-talk"], "needs a microphone, and a terminal"),
        (["--in", "x.wav", "--out", "x.wav"], "cannot be both"),
        (["--in", "missing.wav", "--out", "none"], "missing.wav: there is no such file"),
        (["--endpoint", "nowhere"], "unknown endpoint 'nowhere'"),
        (
            ["--endpoint", "ws://127.0.0.1:9", "--profile", "live", "--text"],
            "GPT-Live does not support a conversation in the terminal",
        ),
    ],
)
def test_impossible_wishes_are_one_line(flags, told, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    assert main(["talk", *flags]) == 1

    err = capsys.readouterr().err
    assert err.startswith("rtagent: ")
    assert told in err
    assert err.count("\n") == 1


# -- pieces ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def talking(**wishes: Any) -> AsyncIterator[tuple[ScriptedServer, _Talk, io.StringIO]]:
    out = io.StringIO()
    plan = Plan(agent=Agent(), endpoint=Endpoint.local(), out=out, **wishes)
    async with ScriptedServer() as server, Session(server.transport) as session:
        yield server, _Talk(plan, session, LiveLog(out), None), out


async def answer_a_turn(server: ScriptedServer) -> None:
    commit = await server.expect(events.InputAudioBufferCommit)
    await server.send(events.InputAudioBufferCommitted(event_id=commit.event_id, item_id="spoken"))
    create = await server.expect(events.ResponseCreate)
    metadata = create.response.metadata if create.response is not None else None
    for kind, status in ((events.ResponseCreated, "in_progress"), (events.ResponseDone, "completed")):
        await server.send(kind(response=events.RealtimeResponse(id="r1", status=status, metadata=metadata)))


async def test_the_space_bar_opens_the_ears_and_asks_when_pressed_again():
    keys = iter([b"x ", b" ", b""])
    gate = PushToTalk(ArraySource(bytes(960), 24_000))
    async with talking() as (server, talk, out), anyio.create_task_group() as group:
        group.start_soon(answer_a_turn, server)
        await talk._follow_key(gate, Keyboard(read=lambda: next(keys)))

        assert not gate.pressed
        assert out.getvalue() == ""


async def test_a_key_that_was_pressed_too_briefly_is_told_and_forgiven():
    async with talking() as (server, talk, out), anyio.create_task_group() as group:
        group.start_soon(talk._end_turn)
        commit = await server.expect(events.InputAudioBufferCommit)
        error = events.ErrorDetail(message="nothing was said", code="empty", event_id=commit.event_id)
        await server.send(events.Error(error=error))

    assert "error     empty: nothing was said" in out.getvalue()


async def test_a_live_conversation_lasts_until_the_session_is_lost():
    microphone = Microphone(backend=FakeSoundBackend(now=time.monotonic))
    lost: list[BaseExceptionGroup[ConnectionLost]] = []

    async def converse(talk: _Talk) -> None:
        try:
            await talk.converse(microphone, NullSink())
        except* ConnectionLost as group:
            lost.append(group)

    async with talking() as (server, talk, _), anyio.create_task_group() as group:
        group.start_soon(converse, talk)
        await anyio.lowlevel.checkpoint()
        await server.close(1011, "oops")
    assert "oops" in str(lost[0].exceptions[0])


async def test_a_microphone_that_cannot_be_opened_ends_the_conversation():
    microphone = Microphone("no such device", backend=FakeSoundBackend(now=time.monotonic))
    async with talking() as (_, talk, _):
        with pytest.raises(ExceptionGroup) as caught:
            await talk.converse(microphone, NullSink())
    assert caught.group_contains(AudioUnavailable)


async def test_a_speaker_that_cannot_be_opened_ends_the_conversation():
    library = FakeSoundBackend(now=time.monotonic)
    async with talking() as (_, talk, _):
        with pytest.raises(ExceptionGroup) as caught:
            await talk.converse(Microphone(backend=library), Speaker("no such device", backend=library))
    assert caught.group_contains(AudioUnavailable)


@pytest.mark.parametrize(
    ("wishes", "config"),
    [
        ({}, None),
        ({"text": True}, {"type": "realtime", "output_modalities": ("text",)}),
        ({"push_to_talk": True}, {"type": "realtime", "audio": {"input": {"turn_detection": None}}}),
    ],
)
def test_what_a_conversation_asks_for_whatever_the_agent_says(wishes, config, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    asked = Plan(agent=Agent(), endpoint=Endpoint.local(), **wishes).session_config()
    assert (asked and asked.model_dump(exclude_unset=True)) == config


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("output", "cancels"), [("speaker", True), ("none", False)])
def test_a_microphone_beside_a_speaker_does_not_hear_it(output, cancels, monkeypatch):
    monkeypatch.setattr(_conversation, "_require_device", lambda direction: None)
    plan = Plan(agent=Agent(), endpoint=Endpoint.local(), output=output)
    ears = plan.ears(plan.mouth())
    assert isinstance(ears, Microphone)
    assert (ears.echo_policy != "none") is cancels


@pytest.mark.parametrize(
    ("agent", "wishes", "ours"),
    [
        (Agent(turn_taking="manual"), {}, True),
        (Agent(turn_taking="manual"), {"push_to_talk": True}, False),
        (Agent(), {}, False),
    ],
)
async def test_turns_end_on_this_side_where_nobody_else_ends_them(agent, wishes, ours, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    plan = Plan(agent=agent, endpoint=Endpoint.local(), **wishes)
    async with talking() as (_, talk, _):
        talk._plan = plan
        assert talk._hears_turns is ours


async def test_somebody_who_types_is_told_how(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    async with talking(text=True) as (_, talk, out):
        await talk._write(Keyboard(read=lambda: b""))
    assert "type a line and press Enter" in out.getvalue()


async def test_whoever_pushes_to_talk_is_told_whether_they_are_heard():
    async with talking() as (_, talk, _):
        assert talk._hint() == ""
        talk._gate = PushToTalk(ArraySource(bytes(960), 24_000))
        assert talk._hint() == "(space to speak)"
        talk._gate.press()
        assert talk._hint() == "(you are heard: space when done)"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are not there")
async def test_push_to_talk_leaves_the_terminal_as_it_was(monkeypatch):
    import pty
    import termios

    kept, (ours, theirs) = os.dup(0), pty.openpty()
    os.dup2(theirs, 0)
    before = termios.tcgetattr(0)
    monkeypatch.setattr(sys, "stdin", Terminal())
    try:
        async with talking(push_to_talk=True) as (_, talk, _), anyio.create_task_group() as group:
            group.start_soon(
                talk.converse, Microphone(backend=FakeSoundBackend(now=time.monotonic)), NullSink()
            )
            with anyio.fail_after(5):
                while termios.tcgetattr(0) == before:
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert termios.tcgetattr(0) == before
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, ours, theirs):
            os.close(descriptor)
