"""What the tests of the command line share: a small Realtime server, and the program as a child."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from rtagent.audio import level_dbfs, write_wav

VOICE = b"\x00\x20\x00\xe0" * 2400
"""200 ms of a loud tone at 24 kHz, the answer of the small server."""
END_OF_TURN_MS = 300
LOUD_DBFS = -50


class SmallServer:
    """Speaks just enough of the protocol to be talked to, in a thread: it answers every turn alike."""

    def __init__(
        self, *, call: tuple[str, str] | None = None, answers: bool = True, fails: bool = False
    ) -> None:
        self.call = call
        """A tool, and its arguments as JSON, that is called before the first answer."""
        self.answers = answers
        """Whether what is heard is answered."""
        self.fails = fails
        """Whether each response fails."""
        self.received: list[dict[str, Any]] = []
        self.closed = threading.Event()
        self._vad = True
        self._loud = False
        self._silent_ms = 0.0
        self._count = 0
        self._text = False

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """What the client sent of that type."""
        return [event for event in self.received if event["type"] == kind]

    def handle(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._send("session.created", session={"type": "realtime", "id": "sess_small", "model": "small"})
        try:
            for frame in connection:
                event = json.loads(frame)
                self.received.append(event)
                self._react(event)
        except ConnectionClosed:
            pass
        self.closed.set()

    def _react(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update":
                self._configure(event["session"])
            case "input_audio_buffer.append" if self._vad:
                self._hear(base64.b64decode(event["audio"]))
            case "input_audio_buffer.commit":
                self._commit()
            case "conversation.item.create":
                item = {"id": self._id("item"), **event["item"]}
                self._send("conversation.item.added", item=item)
                self._send("conversation.item.done", item=item)
            case "response.create":
                self._respond((event.get("response") or {}).get("metadata"))
            case _:
                pass

    def _configure(self, session: dict[str, Any]) -> None:
        ear = session.get("audio", {}).get("input", {})
        self._vad = ear.get("turn_detection", {}) is not None
        self._text = session.get("output_modalities") == ["text"]
        self._send("session.updated", session={"type": "realtime", "id": "sess_small", **session})

    def _hear(self, pcm: bytes) -> None:
        if level_dbfs(pcm) > LOUD_DBFS:
            self._silent_ms = 0.0
            if not self._loud:
                self._loud = True
                self._send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="spoken")
        elif self._loud:
            self._silent_ms += len(pcm) / 48
            if self._silent_ms >= END_OF_TURN_MS:
                self._loud = False
                self._send("input_audio_buffer.speech_stopped", audio_end_ms=1000, item_id="spoken")
                self._commit()
                if self.answers:
                    self._respond(None)

    def _commit(self) -> None:
        item_id = self._id("spoken")
        item = {"id": item_id, "type": "message", "role": "user", "content": [{"type": "input_audio"}]}
        self._send("input_audio_buffer.committed", item_id=item_id)
        self._send("conversation.item.added", item=item)
        kind = "conversation.item.input_audio_transcription"
        self._send(f"{kind}.delta", item_id=item_id, content_index=0, delta="turn on")
        self._send(f"{kind}.completed", item_id=item_id, content_index=0, transcript="turn on the light")

    def _respond(self, metadata: dict[str, str] | None) -> None:
        response: dict[str, Any] = {
            "id": self._id("resp"),
            "object": "realtime.response",
            "output": [],
            "metadata": metadata,
        }
        self._send("response.created", response={**response, "status": "in_progress"})
        if self.fails:
            error = {"type": "server_error", "code": "overloaded", "message": "too much to do"}
            details = {"type": "failed", "error": error}
            self._send("response.done", response={**response, "status": "failed", "status_details": details})
            return
        item = self._called(response["id"]) if self.call else self._said(response["id"])
        usage = {"total_tokens": 10, "input_tokens": 7, "output_tokens": 3}
        done = {**response, "status": "completed", "output": [item], "usage": usage}
        self._send("response.done", response=done)

    def _called(self, response_id: str) -> dict[str, Any]:
        assert self.call is not None
        (name, arguments), self.call = self.call, None
        item = {"id": self._id("call"), "type": "function_call", "call_id": self._id("call"), "name": name}
        item |= {"arguments": arguments, "status": "completed"}
        self._send("response.output_item.done", response_id=response_id, item=item)
        return item

    def _said(self, response_id: str) -> dict[str, Any]:
        item_id = self._id("said")
        where = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
        text = "The light is on."
        item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed"}
        self._send("response.output_item.added", response_id=response_id, item={**item, "content": []})
        if self._text:
            self._send("response.output_text.done", **where, text=text)
            return {**item, "content": [{"type": "output_text", "text": text}]}
        self._send("response.output_audio.delta", **where, delta=base64.b64encode(VOICE).decode())
        self._send("response.output_audio_transcript.done", **where, transcript=text)
        return {**item, "content": [{"type": "output_audio", "transcript": text}]}

    def _send(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": self._id("event"), **fields}
        self._connection.send(json.dumps(event))

    def _id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count}"


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """Half a second of a loud tone: the small server takes it for a question."""
    path = tmp_path / "question.wav"
    write_wav(path, b"\x00\x20\x00\xe0" * 6000, 24_000)
    return path


@pytest.fixture
def small_server() -> Iterator[Callable[..., tuple[SmallServer, str]]]:
    """Start a small server: the server, and its URL."""
    running: list[Server] = []

    def start(**manner: Any) -> tuple[SmallServer, str]:
        small = SmallServer(**manner)
        server = serve(small.handle, "127.0.0.1", 0)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return small, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/realtime"

    yield start
    for server in running:
        server.shutdown()


@pytest.fixture
def start_rtagent() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program as a child process; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "rtagent", *map(str, arguments)],
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def agent_file(tmp_path: Path) -> Path:
    """A file with an agent that has one tool."""
    path = tmp_path / "lights.py"
    path.write_text(
        '''
from rtagent import Agent, tool

@tool
def set_light(room: str, on: bool) -> str:
    """Switch the light of a room."""
    return f"{room} light is {'on' if on else 'off'}"

agent = Agent(instructions="You run a small home.", tools=[set_light])
'''
    )
    return path
