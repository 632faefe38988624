"""The stock ``openai`` client, in its own environment, against ``rtagent serve``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtagent.audio import Resampler, read_wav

ROOT = Path(__file__).parents[2]
INTERPRETER = ROOT / ".venv" / "interop" / "bin" / "python"
QUESTION = ROOT / "src" / "rtagent" / "cli" / "caller" / "01_light.wav"

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(90)]


@pytest.fixture
def server_url() -> Iterator[str]:
    """``rtagent serve`` as a child process, on a free port."""
    command = [sys.executable, "-m", "rtagent", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        ready = child.stdout.readline()
        match = re.fullmatch(r"ready (ws://127\.0\.0\.1:\d+/v1)/realtime\n", ready)
        assert match is not None, (ready, child.stderr.read() if child.stderr else "")
        yield match[1]
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=10)


def question_pcm(path: Path) -> bytes:
    """The recorded question at 24 kHz, with the silence that ends a turn."""
    wav = read_wav(QUESTION)
    resampler = Resampler(wav.rate, 24_000)
    pcm = resampler.process(wav.mono_pcm16()) + resampler.flush()
    assert path.write_bytes(pcm + bytes(48_000))
    return pcm


with_stock_client = pytest.mark.skipif(
    not INTERPRETER.exists() and not os.environ.get("CI"),
    reason="the stock clients are not installed (make test)",
)


def seen_by_the_stock_client(url: str, tmp_path: Path, *wish: str) -> dict[str, Any]:
    """What the client saw when it spoke the question."""
    question = tmp_path / "question.pcm"
    question_pcm(question)
    program = Path(__file__).with_name("openai_client.py")
    command: list[str | Path] = [INTERPRETER, program, url, question, *wish]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    seen: dict[str, Any] = json.loads(finished.stdout)
    assert "error" not in seen, seen
    return seen


@with_stock_client
def test_a_recording_is_written_down(server_url: str, tmp_path: Path) -> None:
    seen = seen_by_the_stock_client(server_url, tmp_path, "transcription")
    assert (seen["session"], seen["usage"]) == ("transcription", "duration")
    assert "kitchen" in seen["heard"].lower()
    assert not any(kind.startswith("response.") for kind in seen["types"])


@with_stock_client
def test_a_spoken_turn_with_a_tool_call(server_url: str, tmp_path: Path) -> None:
    seen = seen_by_the_stock_client(server_url, tmp_path)
    assert seen["calls"] == [{"name": "set_light", "arguments": {"room": "kitchen", "on": True}}]
    assert "kitchen light" in seen["heard"].lower()
    assert "kitchen light is on" in seen["said"].lower()
    assert seen["audio_bytes"] > 24_000  # more than half a second of voice
    order = [seen["types"].index(kind) for kind in ("session.created", "session.updated", "response.created")]
    assert order == sorted(order)
