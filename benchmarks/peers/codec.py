"""Reads and writes frames the way a peer does. Runs in the peers' environment, driven through pipes.

    codec.py FRAMES        FRAMES: a file with one server frame a line

Each line of standard input names a peer and a piece of work, ``openai-agents decode`` or
``openai-python encode 2000``; each line of standard output answers with CPU seconds and the bytes of
audio that came out. The first line of output tells the versions.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Any

from agents.realtime.model_events import RealtimeModelAudioEvent, RealtimeModelErrorEvent
from agents.realtime.model_inputs import RealtimeModelSendAudio
from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel
from openai.resources.realtime.realtime import AsyncRealtimeConnection

APPEND = bytes(960)


class Socket:
    """Stands for the WebSocket: swallows what is sent, and yields the frames."""

    def __init__(self, frames: Sequence[str] = ()) -> None:
        self._frames = frames

    def __aiter__(self) -> Any:
        return self._each()

    async def _each(self) -> Any:
        for frame in self._frames:
            yield frame

    async def send(self, _data: Any) -> None:
        return None


class Listener:
    """Takes the audio, as a program would, and refuses to go on if a frame was not understood."""

    audio_bytes = 0

    async def on_event(self, event: Any) -> None:
        if isinstance(event, RealtimeModelAudioEvent):
            self.audio_bytes += len(event.data)
        elif isinstance(event, RealtimeModelErrorEvent):
            raise SystemExit(f"openai-agents did not understand a frame: {event.error}")


async def agents_decode(frames: Sequence[str]) -> int:
    """The model's own listening loop, up to its listener: one layer less than a ``RealtimeSession``."""
    model, listener = OpenAIRealtimeWebSocketModel(), Listener()
    model.add_listener(listener)
    model._websocket = Socket(frames)
    await model._listen_for_messages()
    return listener.audio_bytes


async def agents_encode(count: int) -> int:
    model = OpenAIRealtimeWebSocketModel()
    model._websocket = Socket()
    for _ in range(count):
        await model.send_event(RealtimeModelSendAudio(audio=APPEND))
    return 0


async def python_decode(frames: Sequence[str]) -> int:
    connection = AsyncRealtimeConnection(Socket())
    audio_bytes = 0
    for frame in frames:
        event = connection.parse_event(frame)
        if event.type == "response.output_audio.delta":
            audio_bytes += len(base64.b64decode(event.delta))
    return audio_bytes


async def python_encode(count: int) -> int:
    connection = AsyncRealtimeConnection(Socket())
    for _ in range(count):
        await connection.input_audio_buffer.append(audio=base64.b64encode(APPEND).decode())
    return 0


DECODERS: dict[str, Callable[[Sequence[str]], Awaitable[int]]] = {
    "openai-agents": agents_decode,
    "openai-python": python_decode,
}
ENCODERS: dict[str, Callable[[int], Awaitable[int]]] = {
    "openai-agents": agents_encode,
    "openai-python": python_encode,
}


def answers(frames: Sequence[str], orders: Iterator[str]) -> Iterator[dict[str, Any]]:
    yield {name: version(name) for name in ("openai", "openai-agents", "websockets", "pydantic")}
    for order in orders:
        peer, work, *count = order.split()
        start = process_time()
        job = DECODERS[peer](frames) if work == "decode" else ENCODERS[peer](int(count[0]))
        audio_bytes = asyncio.run(job)
        yield {"seconds": process_time() - start, "audio_bytes": audio_bytes}


def main() -> None:
    frames = Path(sys.argv[1]).read_text().splitlines()
    for answer in answers(frames, sys.stdin):
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
