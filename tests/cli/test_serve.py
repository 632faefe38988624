from __future__ import annotations

import json
import signal
import socket
import subprocess

import anyio
import anyio.lowlevel
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from rtagent import Agent
from rtagent.cli import _run, main
from rtagent.cli.serve import _serve
from rtagent.engine import EngineSettings


def ready_at(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line.startswith("ready ws://127.0.0.1:"), process.stderr.read()
    assert line.endswith("/v1/realtime\n")
    return line.split()[1]


def test_it_says_where_it_is_ready_and_who_comes_and_goes(start_rtagent, agent_file):
    process = start_rtagent("serve", agent_file, "--port", "0")

    with connect(ready_at(process)) as client:
        created = json.loads(client.recv(timeout=5))
        assert process.stderr.readline() == "a client connected; 1 connected now\n"
    assert process.stderr.readline() == "a client left; 0 connected now\n"

    session = created["session"]
    assert created["type"] == "session.created"
    assert session["instructions"] == "You run a small home."
    assert [tool["name"] for tool in session["tools"]] == ["set_light"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_good_order(number, code, start_rtagent):
    process = start_rtagent("serve", "--port", "0")
    with connect(ready_at(process)) as client:
        client.recv(timeout=5)
        process.send_signal(number)
        assert list(client) == [], "the session is at rest"
        assert client.close_code == 1001

    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert "rtagent:" not in err


def test_a_port_that_is_taken_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"rtagent: cannot listen on 127.0.0.1 port {port}: ")
    assert err.count("\n") == 1


def test_clients_show_the_key_of_the_environment(start_rtagent):
    process = start_rtagent("serve", "--port", "0", "--api-key-env", "ITS_KEY", env={"ITS_KEY": "secret"})
    url = ready_at(process)

    with pytest.raises(InvalidStatus) as refused:
        connect(url)
    assert refused.value.response.status_code == 401
    with connect(url, additional_headers={"Authorization": "Bearer secret"}) as client:
        assert json.loads(client.recv(timeout=5))["type"] == "session.created"


def test_a_key_that_is_not_there_is_one_line(capsys, monkeypatch):
    monkeypatch.delenv("ITS_KEY", raising=False)
    assert main(["serve", "--api-key-env", "ITS_KEY"]) == 1
    assert capsys.readouterr().err == "rtagent: the environment variable ITS_KEY holds no key\n"


def test_a_server_for_nobody_is_one_line(capsys):
    assert main(["serve", "--max-clients", "0"]) == 1
    assert "max_clients is 0" in capsys.readouterr().err


def test_a_full_server_turns_clients_away(start_rtagent):
    process = start_rtagent("serve", "--port", "0", "--max-clients", "1")
    url = ready_at(process)
    with connect(url) as first:
        first.recv(timeout=5)
        assert process.stderr.readline() == "a client connected; 1 connected now\n"
        with connect(url) as second, pytest.raises(ConnectionClosed):
            second.recv(timeout=5)
        assert process.stderr.readline() == "a client turned away, the server is full; 1 connected now\n"


async def test_who_comes_and_who_goes_is_told(capsys):
    async with anyio.create_task_group() as group:
        group.start_soon(_serve, Agent(), "127.0.0.1", 0, EngineSettings())
        told = ""
        with anyio.fail_after(10):
            while not (told := told + capsys.readouterr().out):
                await anyio.lowlevel.checkpoint()
            async with connect_async(told.split()[1]) as client:
                await client.recv()
                while "a client connected; 1 connected now\n" not in told:
                    await anyio.lowlevel.checkpoint()
                    told += capsys.readouterr().err
            while "a client left; 0 connected now\n" not in told:
                await anyio.lowlevel.checkpoint()
                told += capsys.readouterr().err
        group.cancel_scope.cancel()


@pytest.mark.parametrize(("end", "code"), [(_run.Terminated, 0), (KeyboardInterrupt, 130)])
def test_how_it_was_ended_is_the_exit_code(end, code, monkeypatch):
    def ended(program: object) -> None:
        raise end

    monkeypatch.setattr(_run, "run", ended)
    assert main(["serve"]) == code
