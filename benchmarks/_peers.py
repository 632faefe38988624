"""The peers' side of a comparison: a program in an environment of their own, asked round by round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from _paired import Subject

__all__ = ("PEERS", "Peers", "make_environment", "peers")

HERE = Path(__file__).resolve().parent
PEERS = ("openai-agents", "openai-python")
ENVIRONMENT = HERE.parent / ".venv" / "peers"


class Peers:
    """Asks the running program for one piece of work at a time."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders = orders
        self._answers = answers
        self.versions: dict[str, str] = json.loads(answers.readline())

    def subject(self, order: str, *, audio_bytes: int = 0) -> Subject:
        """A subject that must get as many bytes of audio out of its frames as everybody else."""

        def run() -> float:
            self._orders.write(f"{order}\n")
            self._orders.flush()
            answer: dict[str, Any] = json.loads(self._answers.readline())
            assert answer["audio_bytes"] == audio_bytes, f"{order}: {answer}"
            return float(answer["seconds"])

        return run


@contextmanager
def peers(environment: Path, frames: Sequence[str]) -> Iterator[Peers | None]:
    """The peers' program in its environment; None if there is no such environment."""
    python = environment / "bin" / "python"
    if not python.exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "frames.jsonl")
        file.write_text("".join(f"{frame}\n" for frame in frames))
        command = [python, HERE / "peers" / "codec.py", file]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(  # noqa: S603
            command, **pipes, text=True, env={**os.environ, "OPENAI_API_KEY": "-"}
        ) as program:
            assert program.stdin is not None
            assert program.stdout is not None
            try:
                yield Peers(program.stdin, program.stdout)
            finally:
                program.stdin.close()


def make_environment(environment: Path) -> None:
    """Install the pinned peers into an environment of their own."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)  # noqa: S603
    pins = f"--requirement={HERE / 'peers' / 'requirements.txt'}"
    subprocess.run([environment / "bin" / "pip", "install", "--quiet", pins], check=True)  # noqa: S603
