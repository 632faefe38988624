"""A conversation with the embedded engine on the devices of a virtual sound card, and what became of it.

Run as a child process in the card's environment. The assistant tells one long story after the other. Its server
answers whoever it hears, whatever was said: what matters is who interrupts. The facts are printed as one JSON
line at the end; what went to the server is left in a file of samples with its times.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import numpy as np

import rtagent
from rtagent import Agent, Endpoint
from rtagent.audio import AudioBlock, Microphone, Speaker
from rtagent.audio._echo_path import EchoCancel
from rtagent.engine import BrainInput, Decision, EngineSettings, Recognition, serve
from rtagent.events import InputAudioBufferSpeechStarted
from rtagent.events.lifecycle import Interrupted

STORY = (
    "The river begins as a thin stream between two stones, high above the village. ",
    "In spring it carries the snow of the mountains down to the old mill, where nobody has ground any corn "
    "for sixty years. ",
    "Children build small boats out of bark and let them go at the bridge. ",
    "Some of them, people say, have been found in the harbour, forty miles further down. ",
    "Whoever walks along the bank in the evening hears the frogs, the wind in the poplars, and now and then "
    "a train that crosses the valley on its way to the coast. ",
    "In summer the water is so low that you can step from stone to stone without getting wet feet. ",
    "The fishermen do not like that, but the herons do. ",
    "Last autumn a storm took away the lower path, and so the council decided to build a wooden one. ",
    "It has three hundred and twelve steps, and a bench at every turn. ",
)


class Storyteller:
    """A brain that always tells the next part."""

    def __init__(self) -> None:
        self._next = count()

    def decide(self, turn: BrainInput) -> Decision:
        first = 2 * next(self._next)
        return Decision("".join(STORY[(first + k) % len(STORY)] for k in range(7)))


class AnyWords:
    """A recogniser that hears the same words in everything."""

    async def start(self) -> None:
        pass

    async def feed(self, pcm: bytes) -> str | None:
        return None

    async def finish(self) -> Recognition:
        return Recognition("go on", 1.0)

    async def set_tools(self, tools: Sequence[Mapping[str, Any]]) -> None:
        pass

    async def aclose(self) -> None:
        pass


class Ear:
    """A microphone whose blocks are kept, as they go to the server."""

    def __init__(self, microphone: Microphone) -> None:
        self.microphone = microphone
        self.format = microphone.format
        self.kept: list[AudioBlock] = []
        self.told: Callable[[AudioBlock], object] = self.kept.append

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        async with aclosing(self.microphone.blocks()) as blocks:
            async for block in blocks:
                self.told(block)
                yield block

    def write(self, path: Path) -> None:
        pcm = np.frombuffer(b"".join(block.pcm for block in self.kept), "<i2")
        first = np.cumsum([0, *(len(block.pcm) // 2 for block in self.kept)])[:-1]
        np.savez(path, pcm=pcm, first=first, at=np.array([block.at for block in self.kept]))


async def converse(policy: EchoCancel, seconds: float, heard: Path) -> None:
    speaker = Speaker()
    ear = Ear(Microphone(echo_cancel=policy, far=speaker))
    interrupted: list[float] = []
    started: list[float] = []
    answers = 0
    settings = EngineSettings(recognizer=AnyWords, brain=Storyteller())
    async with (
        serve(port=0, settings=settings) as server,
        rtagent.connect(Agent(instructions="Tell stories."), endpoint=Endpoint.url(server.url)) as session,
    ):
        session.on(Interrupted, lambda event: interrupted.append(event.at))
        session.on(InputAudioBufferSpeechStarted, lambda _: started.append(time.monotonic()))
        await session.attach(ear, speaker).wait_open()
        sys.stdout.write(json.dumps({"speaks": True}) + "\n")
        sys.stdout.flush()
        began = time.monotonic()
        quiet_since: float | None = began
        with anyio.move_on_after(seconds):
            while True:
                await anyio.sleep(0.1)
                now = time.monotonic()
                if session.state != "listening":
                    quiet_since = None
                elif quiet_since is None:
                    quiet_since = now
                elif now - quiet_since > 1.0:
                    answers += 1
                    session.post(rtagent.events.ResponseCreate())
                    quiet_since = None
        statistics = ear.microphone.statistics()
        mouth = speaker.statistics()
    ear.write(heard)
    facts = {
        "policy": statistics.echo_policy,
        "seconds": time.monotonic() - began,
        "interrupted": interrupted,
        "started": started,
        "answers": answers,
        "microphone": asdict(statistics),
        "speaker": asdict(mouth),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--heard", type=Path, required=True, help="where to put what went to the server")
    options = parser.parse_args()
    anyio.run(converse, options.policy, options.seconds, options.heard)


if __name__ == "__main__":
    main()
