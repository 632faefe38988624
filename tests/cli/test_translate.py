from __future__ import annotations

import base64
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection
from websockets.sync.server import serve as websocket_serve

from rtagent.audio import AudioBlock, AudioFormat, Speaker, level_dbfs, read_wav
from rtagent.cli import _scribe_ears, main
from rtagent.cli._scribe_ears import mouth
from rtagent.engine import EngineSettings, serve

VOICE = b"\x00\x20\x00\xe0" * 4800
"""400 ms of a loud tone at 24 kHz."""


class Interpreter:
    """A translation server: the first audio is a greeting to it, and it says the rest when it is to close."""

    def __init__(self) -> None:
        self.path = ""
        self.received: list[dict[str, Any]] = []

    def handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.path = connection.request.path
        self._connection = connection
        self._send("session.created", session={"type": "translation", "id": "sess_1"})
        try:
            for frame in connection:
                event = json.loads(frame)
                self._react(event, first=not self.sent(event["type"]))
                self.received.append(event)
        except ConnectionClosed:
            pass

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """What the client sent of that type."""
        return [event for event in self.received if event["type"] == kind]

    def _react(self, event: dict[str, Any], *, first: bool) -> None:
        match event["type"]:
            case "session.update":
                self._send("session.updated", session={"type": "translation", **event["session"]})
            case "session.input_audio_buffer.append" if first:
                self._say("Good", "Buenos")
                self._send("session.output_audio.delta", delta=base64.b64encode(VOICE).decode())
            case "session.close":
                self._say(" day.", " días.")
                self._send("session.closed")
            case _:
                pass

    def _say(self, source: str, translation: str) -> None:
        self._send("session.input_transcript.delta", delta=source, elapsed_ms=200)
        self._send("session.output_transcript.delta", delta=translation, elapsed_ms=200)

    def _send(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": f"event_{kind}", **fields}
        self._connection.send(json.dumps(event))


@pytest.fixture
def interpreter() -> Iterator[tuple[Interpreter, str]]:
    """A running translation server, and the URL of its vendor."""
    running = Interpreter()
    server: Server = websocket_serve(running.handle, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield running, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/realtime"
    server.shutdown()


def test_the_translation_is_written_and_its_voice_goes_into_a_file(interpreter, question, tmp_path, capsys):
    server, url = interpreter
    voice = tmp_path / "spanish.wav"

    code = main(["translate", str(question), "--to", "es", "--endpoint", url, "--out", str(voice)])

    assert (code, *capsys.readouterr()) == (0, "Buenos días.\n", "")
    assert server.path.startswith("/v1/realtime/translations?")
    (update,) = server.sent("session.update")
    assert update["session"]["audio"]["output"]["language"] == "es"
    heard = b"".join(
        base64.b64decode(event["audio"]) for event in server.sent("session.input_audio_buffer.append")
    )
    assert heard.count(b"\x00\x20\x00\xe0") == 6_000, "half a second, and silence where the machine was slow"
    pcm = read_wav(voice).mono_pcm16()
    blocks = [pcm[at : at + 960] for at in range(0, len(pcm), 960)]
    assert sum(level_dbfs(block) > -50 for block in blocks) == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("show", "text"),
    [
        ("source", "Good day.\n"),
        ("both", "source       Good day.\ntranslation  Buenos días.\n"),
    ],
)
def test_what_was_said_can_be_read_too(interpreter, question, show, text, capsys):
    _, url = interpreter
    arguments = ["translate", str(question), "--to", "es", "--endpoint", url, "--out", "none"]

    assert main([*arguments, "--show", show]) == 0
    assert capsys.readouterr() == (text, "")


@pytest.mark.parametrize("endpoint", [["--endpoint", "local"], []])
def test_the_embedded_engine_cannot(endpoint, question, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "RTAGENT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)

    assert main(["translate", str(question), "--to", "es", *endpoint]) == 1
    assert capsys.readouterr() == (
        "",
        "rtagent: the embedded engine cannot translate; use --endpoint openai\n",
    )


def test_a_server_of_ours_cannot_and_says_so(question, capsys):
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(port=0, settings=EngineSettings())) as server,
    ):
        arguments = ["translate", str(question), "--to", "es", "--endpoint", server.url, "--out", "none"]
        assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "404" in err


class Device:
    def __init__(self, direction: str = "input") -> None:
        self.direction = direction

    def serves(self, direction: str) -> bool:
        return direction == self.direction


class Duplex:
    def serves(self, direction: str) -> bool:
        return True


def test_a_speaker(monkeypatch):
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Duplex()])
    assert isinstance(mouth("speaker", None), Speaker)


class Microphone:
    """Somebody speaks; in the middle of it comes Ctrl-C."""

    format = AudioFormat.pcm16(24_000)

    def __init__(self, device: int | str | None) -> None:
        assert device is None

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        for _ in range(30):
            yield AudioBlock(VOICE[:960], 0.0)
        signal.raise_signal(signal.SIGINT)
        while True:
            await anyio.lowlevel.checkpoint()
            yield AudioBlock(bytes(960), 0.0)


def test_ctrl_c_ends_the_microphone_and_the_rest_is_still_said(interpreter, monkeypatch, capsys):
    _, url = interpreter
    monkeypatch.setattr(_scribe_ears, "Microphone", Microphone)
    monkeypatch.setattr(_scribe_ears, "list_devices", lambda: [Device()])

    code = main(["translate", "mic", "--to", "es", "--endpoint", url, "--out", "none"])

    assert (code, *capsys.readouterr()) == (0, "Buenos días.\n", "")


@pytest.mark.parametrize(
    ("devices", "missing"), [(list, "no output device"), (lambda: [Device("output")], "no input device")]
)
def test_a_machine_without_sound_says_so(
    devices: Callable[[], Any], missing, interpreter, monkeypatch, capsys
):
    monkeypatch.setattr(_scribe_ears, "list_devices", devices)
    server, url = interpreter

    assert main(["translate", "mic", "--to", "es", "--endpoint", url]) == 1
    assert capsys.readouterr().err.startswith(f"rtagent: {missing}. ")
    assert server.received == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x.wav"], "--to"),
        (["x.wav", "--to", "Spanish"], "not the tag of a language"),
        (["x.wav", "--to", "es", "--show", "nothing"], "invalid choice"),
    ],
)
def test_wrong_usage(arguments, says, capsys):
    assert main(["translate", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_a_file_that_is_not_there_is_one_line(interpreter, tmp_path, capsys):
    _, url = interpreter
    path = tmp_path / "no.wav"
    arguments = ["translate", str(path), "--to", "es", "--endpoint", url, "--out", "none"]
    assert main(arguments) == 1
    assert capsys.readouterr().err == f"rtagent: {path}: there is no such file or directory\n"
