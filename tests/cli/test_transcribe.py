from __future__ import annotations

import json
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as websocket_serve

from rtagent.audio import AudioBlock, AudioFormat, write_wav
from rtagent.cli import _scribe_ears, main
from rtagent.engine import EngineSettings, Recognition, serve

CALLER = files("rtagent.cli") / "caller"
TONE = b"\x00\x20\x00\xe0" * 240
"""20 ms of a loud tone at 24 kHz; the engine takes it for speech."""
QUIET = bytes(960)


class Ears:
    """Understands every utterance as the next of a script; an exception is a failure."""

    def __init__(self, script: deque[str | Exception]) -> None:
        self._script = script

    async def start(self) -> None:
        """Nothing is to be prepared."""

    async def feed(self, pcm16k: bytes) -> str | None:
        return None

    async def finish(self) -> Recognition:
        said = self._script.popleft() if self._script else ""
        if isinstance(said, Exception):
            raise said
        return Recognition(text=said, confidence=1.0, alternatives=())

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        """Nothing is listened for."""

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.fixture
def engine() -> Iterator[Callable[..., str]]:
    """Start the embedded engine's server, with ears that follow a script; its URL."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())

        def start(*script: str | Exception) -> str:
            said = deque(script)
            settings = EngineSettings(recognizer=lambda: Ears(said))
            serving = portal.wrap_async_context_manager(serve(port=0, settings=settings))
            return stack.enter_context(serving).url

        yield start


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    """Two utterances of 0.6 s, the second one to the very end of the file."""
    path = tmp_path / "meeting.wav"
    write_wav(path, QUIET * 20 + TONE * 30 + QUIET * 50 + TONE * 30, 24_000)
    return path


def test_each_utterance_is_a_line(engine, meeting, capsys):
    code = main(["transcribe", str(meeting), "--endpoint", engine("good day", "thank you")])

    assert (code, *capsys.readouterr()) == (0, "good day\nthank you\n", "")


def test_lines_with_their_place_in_the_file(engine, meeting, capsys):
    url = engine("good day", "thank you")

    assert main(["transcribe", str(meeting), "--endpoint", url, "--timestamps", "--pace", "real"]) == 0
    assert capsys.readouterr().out == "[00:00.100 - 00:01.500] good day\n[00:01.700 - ?] thank you\n"


def test_json_for_programs(engine, meeting, capsys):
    url = engine("good day", "")

    assert main(["transcribe", str(meeting), "--endpoint", url, "--json", "--language", "en"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    got = json.loads(line)
    assert got.keys() == {"text", "start_ms", "end_ms", "item_id", "language", "speaker"}
    assert (got["text"], got["start_ms"], got["end_ms"]) == ("good day", 100, 1500)


def test_what_could_not_be_written_down_is_told_and_the_rest_is_written(engine, meeting, capsys):
    url = engine(RuntimeError("deaf"), "thank you")

    assert main(["transcribe", str(meeting), "--endpoint", url]) == 1
    out, err = capsys.readouterr()
    assert out == "thank you\n"
    assert err == "rtagent: an utterance could not be written down: the recogniser failed: deaf\n"


def test_a_file_in_which_nobody_speaks_is_no_line(engine, tmp_path, capsys):
    path = tmp_path / "silence.wav"
    write_wav(path, QUIET * 100, 24_000)

    assert main(["transcribe", str(path), "--endpoint", engine()]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def stream_server() -> Iterator[str]:
    """A server of another kind: it hears one stream, names nothing, and answers no update."""

    def handle(connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "session.created", "id": "sess_1", "created": 1}))
        try:
            for frame in connection:
                event = json.loads(frame)
                if event["type"] == "input_audio_buffer.commit" and event.get("final"):
                    connection.send(json.dumps({"type": "transcription.delta", "delta": "good"}))
                    connection.send(json.dumps({"type": "transcription.done", "text": "good day"}))
        except ConnectionClosed:
            pass

    server = websocket_serve(handle, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/realtime"
    server.shutdown()


def test_a_server_of_another_kind_writes_by_its_profile(stream_server, question, capsys):
    arguments = ["--endpoint", stream_server, "--profile", "vllm", "--model", "any"]

    assert main(["transcribe", str(question), *arguments]) == 0
    assert capsys.readouterr() == ("good day\n", "")


class Microphone:
    """Somebody speaks; in the middle of it comes Ctrl-C."""

    format = AudioFormat.pcm16(24_000)

    def __init__(self, device: int | str | None) -> None:
        assert device == "usb"

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        for _ in range(30):
            yield AudioBlock(TONE, 0.0)
        signal.raise_signal(signal.SIGINT)
        while True:
            await anyio.lowlevel.checkpoint()
            yield AudioBlock(QUIET, 0.0)


class Device:
    def serves(self, direction: str) -> bool:
        return direction == "input"


def test_ctrl_c_ends_the_microphone_and_what_was_said_last_is_written(engine, monkeypatch, capsys):
    monkeypatch.setattr(_scribe_ears, "Microphone", Microphone)
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Device()])

    code = main(["transcribe", "mic", "--device", "usb", "--endpoint", engine("that was all")])

    assert (code, *capsys.readouterr()) == (0, "that was all\n", "")


def test_a_machine_without_a_microphone_says_so(monkeypatch, capsys):
    monkeypatch.setattr(_scribe_ears, "list_devices", list)

    assert main(["transcribe", "mic", "--endpoint", "local"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("rtagent: no input device. ")
    assert err.count("\n") == 1


def test_ctrl_c_in_a_file_interrupts(engine, tmp_path, start_rtagent):
    path = tmp_path / "long.wav"
    write_wav(path, TONE * 30 + QUIET * 1500, 24_000)
    process = start_rtagent("transcribe", path, "--endpoint", engine("good day"), "--pace", "real")
    assert process.stdout.readline() == "good day\n"

    process.send_signal(signal.SIGINT)

    assert (*process.communicate(timeout=10), process.returncode) == ("", "", 130)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file or directory"),
        (b"", "the file is empty"),
        (b"these are words and no sound at all", "it does not begin like any file that is read"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(content, reason, tmp_path, capsys):
    path = tmp_path / "meeting.wav"
    if content is not None:
        path.write_bytes(content)

    assert main(["transcribe", str(path), "--endpoint", "local"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"rtagent: {path}: {reason}")
    assert err.count("\n") == 1


def test_writing_for_nobody_is_one_line(question, capsys):
    assert main(["transcribe", str(question), "--endpoint", "ws://127.0.0.1:9/v1/realtime"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("rtagent: ws://127.0.0.1:9/v1/realtime cannot be reached")
    assert err.count("\n") == 1


def test_a_server_that_has_no_such_sessions_is_one_line(question, capsys):
    arguments = ["transcribe", str(question), "--endpoint", "ws://127.0.0.1:9/", "--profile", "xai"]
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("rtagent: xAI Grok Voice does not support transcription")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required"),
        (["x.wav", "--language", "english"], "not the tag of a language"),
        (["x.wav", "--json", "--timestamps"], "not allowed with"),
        (["x.wav", "--pace", "slow"], "invalid choice"),
    ],
)
def test_wrong_usage(arguments, says, capsys):
    assert main(["transcribe", *arguments]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_the_embedded_engine_writes_down_a_recorded_caller(capsys):
    assert main(["transcribe", str(CALLER / "02_weather.wav"), "--endpoint", "local"]) == 0
    assert capsys.readouterr() == ("what is the weather in london\n", "")


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_server_of_ours_writes_down_a_recorded_caller(start_rtagent, capsys):
    server = start_rtagent("serve", "--port", "0")
    _, url = server.stdout.readline().split()

    assert main(["transcribe", str(CALLER / "03_timer.wav"), "--endpoint", url]) == 0
    assert capsys.readouterr().out == "stop please set the timer for five minutes\n"
