"""Each example as its reader runs it: a program of its own, answered by the embedded engine."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.server import ServerConnection, serve

import rtagent.cli

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


def run(tmp_path: Path, *arguments: str, stdin: str = "", **settings: str) -> str:
    """Run a program where no key can be found; returns what it printed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "RTAGENT_", "AZURE_"))
    }
    finished = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
        cwd=tmp_path,
        env={**environment, **settings, "HOME": str(tmp_path)},
    )
    assert finished.returncode == 0, finished.stderr + finished.stdout
    return finished.stdout


def test_every_example_is_tried_here() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == [
        "ask.py",
        "captions.py",
        "duplex.py",
        "errands.py",
        "lights.py",
        "protocol.py",
        "test_lights.py",
    ]


def test_ask(tmp_path: Path) -> None:
    printed = run(tmp_path, str(EXAMPLES / "ask.py"))
    assert "kitchen light is on" in printed.lower()
    assert "tokens" in printed


def test_ask_something_else(tmp_path: Path) -> None:
    printed = run(tmp_path, str(EXAMPLES / "ask.py"), "Please switch off the light in the kitchen.")
    assert "kitchen light is off" in printed.lower()


def test_protocol(tmp_path: Path) -> None:
    words, status, *_ = run(tmp_path, str(EXAMPLES / "protocol.py")).splitlines()
    assert len(words.split()) > 2
    assert status == "[completed]"


def test_lights_in_writing(tmp_path: Path) -> None:
    """The agent of the first example, talked to in writing."""
    agent = str(EXAMPLES / "lights.py")
    printed = run(tmp_path, "-m", "rtagent", "talk", agent, "--text", stdin="turn on the kitchen light\n")
    assert "kitchen light is on" in printed.lower()


def test_lights_tested(tmp_path: Path) -> None:
    """The test that a reader writes, run as the reader runs it; without a re-install nothing names the plugin."""
    plugins = (
        "-p",
        "pytest_asyncio.plugin",
        "-p",
        "rtagent.testing._pytest_plugin",
        "-p",
        "no:cacheprovider",
    )
    modes = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    settings = ("-c", os.devnull, "--rootdir", str(tmp_path), "--strict-markers", "-W", "error")
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    test = str(EXAMPLES / "test_lights.py")
    printed = run(tmp_path, "-m", "pytest", *settings, *plugins, *modes, test, **environment)
    assert "3 passed" in printed


def test_captions(tmp_path: Path) -> None:
    recording = Path(rtagent.cli.__file__).parent / "caller" / "02_weather.wav"
    printed = run(tmp_path, str(EXAMPLES / "captions.py"), str(recording))
    assert "weather in london" in printed


def test_errands(tmp_path: Path) -> None:
    printed = run(tmp_path, str(EXAMPLES / "errands.py"), str(tmp_path / "answer.wav"))
    assert printed.splitlines() == [
        "progress: asking for London",
        "It is raining in London.",
        "approved: book_hotel {'city': 'Paris'}",
        "Started: book_hotel runs in the background, and its result will follow.",
        "the hotel in Paris is booked for Ada",
        "completed",
        "['Paris']",
    ]
    assert (tmp_path / "answer.wav").stat().st_size > 40_000


def live_model(socket: ServerConnection) -> None:
    """A GPT-Live server that has one tool called, says something, and counts the time."""
    tone = (np.sin(np.arange(24_000) * 0.1) * 8_000).astype("<i2").tobytes()
    call = {"type": "function_call", "id": "f", "call_id": "c", "name": "set_light"}
    call["arguments"] = '{"room": "kitchen", "on": true}'
    session = {"id": "live_1", "model": "gpt-live-1", "status": "active"}

    def say(kind: str, **fields: object) -> None:
        socket.send(json.dumps({"type": kind, "event_id": "e", **fields}))

    for frame in socket:
        event = json.loads(frame)
        named = {"client_event_id": event.get("event_id"), "session": session}
        match event["type"]:
            case "session.start":
                tools = event["session"]["delegation"]["responses"]["tools"]
                assert [tool["name"] for tool in tools] == ["set_light"]
                say("session.started", **named)
                for wrapped in (
                    {"type": "response.created", "response": {"id": "r"}},
                    {"type": "response.output_item.done", "output_index": 0, "item": call},
                    {"type": "response.completed", "response": {"id": "r"}},
                ):
                    say("response.event", delegation_id="d", event=wrapped)
            case "response.create":  # the tool has answered
                say("session.output_audio.delta", delta=base64.b64encode(tone).decode())
                say("session.output_transcript.delta", delta="It is on.", start_ms=0, end_ms=900)
                say("session.usage.updated", usage={"seconds": 2})
            case "session.close":
                say("session.closed", reason="close_requested", usage={"seconds": 2.5}, **named)
            case _:  # audio
                continue


def test_duplex(tmp_path: Path) -> None:
    recording = Path(rtagent.cli.__file__).parent / "caller" / "01_light.wav"
    with serve(live_model, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/live/sessions"
        files = (str(recording), str(tmp_path / "answer.wav"))
        options = ("--backing-model", "gpt-x", "--url", url)
        printed = run(tmp_path, str(EXAMPLES / "duplex.py"), *files, *options)
        server.shutdown()
        thread.join()
    assert printed.splitlines() == ["(kitchen: True)", "It is on.", "[2.5 s]"]
    assert (tmp_path / "answer.wav").stat().st_size > 40_000
