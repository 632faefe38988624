from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rtagent import Agent
from rtagent.audio import level_dbfs, read_wav, write_wav
from rtagent.cli import main
from rtagent.cli.talk import talk_with
from rtagent.errors import ConfigurationError
from rtagent.recording import read_events

SPEECH = b"\x00\x20\x00\xe0" * 6000
"""Half a second of a loud tone at 24 kHz."""


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    write_wav(path, SPEECH, 24_000)
    return path


@pytest.fixture
def type_lines(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
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


def test_tools_of_the_agent_file_are_run(small_server, question, agent_file, capsys):
    _, url = small_server(call=("set_light", '{"room": "kitchen", "on": true}'))

    code = main(["talk", str(agent_file), "--endpoint", url, "--in", str(question), "--out", "none"])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert 'tool      set_light(room="kitchen", on=true) -> "kitchen light is on" (' in out
    assert out.index("set_light") < out.index("assistant The light is on.")


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


def test_talking_to_nobody_is_one_line(capsys):
    assert main(["talk", "--text", "--endpoint", "ws://127.0.0.1:9/v1/realtime"]) == 1

    err = capsys.readouterr().err
    assert err.startswith("rtagent: ws://127.0.0.1:9/v1/realtime cannot be reached")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--text", "--in", "x.wav"], "no ears and no mouth"),
        (["--push-to-talk"], "needs a microphone, and a terminal"),
        (["--in", "x.wav", "--out", "x.wav"], "cannot be both"),
        (["--in", "missing.wav", "--out", "none"], "missing.wav: there is no such file"),
        (["--endpoint", "nowhere"], "unknown endpoint 'nowhere'"),
    ],
)
def test_impossible_wishes_are_one_line(flags, told, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    assert main(["talk", *flags]) == 1

    err = capsys.readouterr().err
    assert err.startswith("rtagent: ")
    assert told in err
    assert err.count("\n") == 1


def test_writing_and_push_to_talk_exclude_each_other(capsys):
    assert main(["talk", "--text", "--push-to-talk"]) == 2
    assert "not allowed with" in capsys.readouterr().err


def test_talk_is_an_error_that_a_program_can_catch():
    with pytest.raises(ConfigurationError, match="no ears and no mouth"):
        Agent().talk(text=True, input="x.wav")


async def test_talk_inside_an_event_loop_says_what_to_use_instead(small_server, question):
    _, url = small_server()
    with pytest.raises(ConfigurationError, match=r"rtagent\.connect"):
        talk_with(Agent(), endpoint=url, input=str(question), output="none")


def test_ctrl_c_ends_with_the_totals_and_130(small_server, question, start_rtagent):
    server, url = small_server(answers=False)
    process = start_rtagent("talk", "--endpoint", url, "--in", question, "--out", "none")
    assert any("you       turn on the light" in line for line in process.stdout)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "")
    assert "Traceback" not in out
    assert server.closed.wait(5)


def test_ctrl_c_is_how_a_talk_of_a_program_ends(small_server, question, monkeypatch):
    def interrupted(program: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rtagent.cli._run.run", interrupted)

    talk_with(Agent(), endpoint="ws://127.0.0.1:9/", input=str(question), output="none")


@pytest.mark.slow
def test_the_embedded_engine_answers_a_recorded_caller(tmp_path, capsys):
    from importlib.resources import files

    agent = tmp_path / "home.py"
    agent.write_text("from rtagent.cli._demo_agent import home_agent\nagent = home_agent()\n")
    question = files("rtagent.cli") / "caller" / "01_light.wav"

    code = main(["talk", str(agent), "--endpoint", "local", "--in", str(question), "--out", "none"])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert 'set_light(room="kitchen", on=true)' in out
    assert "assistant" in out
