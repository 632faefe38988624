from __future__ import annotations

import signal
from importlib.resources import files

import pytest

from rtagent import Agent
from rtagent.cli import main
from rtagent.cli.talk import talk_with
from rtagent.errors import ConfigurationError


def test_tools_of_the_agent_file_are_run(small_server, question, agent_file, capsys):
    _, url = small_server(call=("set_light", '{"room": "kitchen", "on": true}'))

    code = main(["talk", str(agent_file), "--endpoint", url, "--in", str(question), "--out", "none"])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert 'tool      set_light(room="kitchen", on=true) -> "kitchen light is on" (' in out
    assert out.index("set_light") < out.index("assistant The light is on.")


def test_talking_to_nobody_is_one_line(capsys):
    assert main(["talk", "--text", "--endpoint", "ws://127.0.0.1:9/v1/realtime"]) == 1

    err = capsys.readouterr().err
    assert err.startswith("rtagent: ws://127.0.0.1:9/v1/realtime cannot be reached")
    assert err.count("\n") == 1


def test_a_place_for_the_answer_that_is_not_there_is_one_line(small_server, question, tmp_path, capsys):
    _, url = small_server()
    place = tmp_path / "nowhere" / "said.wav"

    assert main(["talk", "--endpoint", url, "--in", str(question), "--out", str(place)]) == 1
    assert capsys.readouterr().err == f"rtagent: {place}: there is no such file or directory\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file or directory"),
        (b"", "the file is empty"),
        (b"these are words and no sound at all", "it does not begin like any file that is read"),
    ],
)
def test_a_question_that_cannot_be_read_is_one_line(content, reason, tmp_path, capsys):
    path = tmp_path / "question.wav"
    if content is not None:
        path.write_bytes(content)

    assert main(["talk", "--endpoint", "local", "--in", str(path), "--out", "none"]) == 1

    err = capsys.readouterr().err
    assert err.startswith(f"rtagent: {path}: {reason}")
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
    agent = tmp_path / "home.py"
    agent.write_text("from rtagent.cli._demo_agent import home_agent\nagent = home_agent()\n")
    question = files("rtagent.cli") / "caller" / "01_light.wav"

    code = main(["talk", str(agent), "--endpoint", "local", "--in", str(question), "--out", "none"])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert 'set_light(room="kitchen", on=true)' in out
    assert "assistant" in out
