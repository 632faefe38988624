"""What a session costs above the codec: CPU per 20 ms block out and per audio delta in, as ratios in one run.

    python benchmarks/session_path.py [--rounds 15]

The transport is a double that takes and gives frames at once, so that only our own code is counted: outwards
``append_audio`` with the writer task, inwards reader, codec, core, fan-out and the play call of an attached
sink that throws everything away. Rounds of all cases are interleaved; the figures are medians of CPU time,
and the first row is measured twice to show what the machine itself does to a ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel

from rtagent import events
from rtagent.audio import AudioFormat, Heard, PlaybackItem
from rtagent.errors import SessionClosed
from rtagent.session import ReconnectPolicy, Session
from rtagent.testing import default_session

BLOCKS = 500
PCM = bytes(range(256)) * 3 + bytes(192)
FORMAT = AudioFormat.pcm16(24_000)


class InstantTransport:
    """Takes every frame at once; gives the prepared ones, then waits."""

    def __init__(self, frames: list[str]) -> None:
        self._frames = [
            events.encode(events.SessionCreated(event_id="e", session=default_session())),
            *frames,
        ]
        self._next = 0
        self.sent = 0
        self.drained = anyio.Event()
        self._closed = anyio.Event()

    async def send(self, frame: str | bytes) -> None:
        self.sent += 1
        await anyio.lowlevel.checkpoint()

    async def receive(self) -> str | bytes:
        await anyio.lowlevel.checkpoint()
        if self._next == len(self._frames):
            self.drained.set()
            await self._closed.wait()
            raise SessionClosed
        frame = self._frames[self._next]
        self._next += 1
        return frame

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        self._closed.set()


class DeafSink:
    """A mouth that swallows everything at once."""

    format = FORMAT

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        self.last = item

    def stop(self) -> Heard:
        return Heard()

    def heard(self) -> Heard:
        return Heard()

    async def wait_drained(self) -> None:
        return


def deltas() -> list[str]:
    """The frames of one response: created, its audio in 20 ms pieces, done."""
    pieces = [
        events.ResponseOutputAudioDelta.of(
            pcm=PCM, response_id="r", item_id="a", output_index=0, content_index=0, event_id=f"event_{number}"
        )
        for number in range(BLOCKS)
    ]
    return [events.encode(piece) for piece in pieces]


async def encode_only() -> float:
    """The floor outwards: the frame alone."""
    began = time.process_time()
    for _ in range(BLOCKS):
        events.encode_append(PCM)
    return time.process_time() - began


async def decode_only() -> float:
    """The floor inwards: the event and its samples alone."""
    frames = deltas()
    decoder = events.Decoder()
    began = time.process_time()
    for frame in frames:
        event = decoder.decode(frame)
        assert isinstance(event, events.ResponseOutputAudioDelta)
        _ = event.audio
    return time.process_time() - began


async def append(*, policy: ReconnectPolicy | None = None) -> float:
    """Blocks through a session: queue, writer task, transport; with a policy it keeps the speech besides."""
    transport = InstantTransport([])

    async def dial() -> InstantTransport:
        raise NotImplementedError

    async with Session(transport, dial=dial, reconnect=policy) as session:
        began = time.process_time()
        for _ in range(BLOCKS):
            session.append_audio(PCM)
            await anyio.lowlevel.checkpoint()
        while transport.sent < BLOCKS:
            await anyio.lowlevel.checkpoint()
        return time.process_time() - began


async def receive(*, subscribers: int) -> float:
    """Deltas through a session to a sink."""
    transport = InstantTransport(deltas())
    began = time.process_time()
    async with Session(transport) as session:
        session.attach(None, DeafSink())
        async with anyio.create_task_group() as group:
            for _ in range(subscribers):
                group.start_soon(_read, session)
            await transport.drained.wait()
            spent = time.process_time() - began
            group.cancel_scope.cancel()
    return spent


async def _read(session: Session) -> None:
    async with session.subscribe(buffer=1_000) as stream:
        async for _ in stream:
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    cases: list[tuple[str, Callable[[], Awaitable[float]], int]] = [
        ("encode an append", encode_only, 0),
        ("encode an append, again", encode_only, 0),
        ("append through a session", append, 0),
        ("the same, ready to be said again", lambda: append(policy=ReconnectPolicy()), 0),
        ("decode a delta", decode_only, 4),
        ("delta through a session to a sink", lambda: receive(subscribers=0), 4),
        ("the same with two subscribers", lambda: receive(subscribers=2), 4),
    ]
    spent: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds):
        for index, (_, case, _) in enumerate(cases):
            spent[index].append(anyio.run(case))
    medians = [statistics.median(times) for times in spent]
    print(f"20 ms of 24 kHz PCM16, {BLOCKS} blocks, {rounds} rounds; median CPU")
    for (name, _, floor), median in zip(cases, medians, strict=True):
        print(f"{name:36} {median / BLOCKS * 1e6:7.1f} µs   {median / medians[floor]:5.1f}x")


if __name__ == "__main__":
    main()
