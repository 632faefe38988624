"""The embedded engine for conversations in writing: nothing is recognised, every line is in a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from rtagent import Endpoint
from rtagent.engine import BrainInput, Decision, Recognition


class Ears:
    """A recogniser that is never asked: these conversations are written."""

    async def start(self) -> None: ...

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None: ...

    async def feed(self, pcm16k: bytes) -> str | None:
        return None

    async def finish(self) -> Recognition:
        pytest.fail("nothing was spoken")

    async def aclose(self) -> None: ...


class Brain:
    """Says its lines, and calls the tools that its script names."""

    def __init__(self, *script: Decision) -> None:
        self.script = list(script)
        self.asked: list[BrainInput] = []

    async def decide(self, question: BrainInput) -> Decision:
        self.asked.append(question)
        return self.script.pop(0)


class Mouth:
    """A voice that hums 80 ms for each sentence."""

    rate = 24_000

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> Iterator[bytes]:
        yield b"\x10\x00" * 1920


def local(*script: Decision) -> tuple[Endpoint, Brain]:
    brain = Brain(*script)
    return Endpoint.local(recognizer=Ears, brain=brain, voice=Mouth()), brain
