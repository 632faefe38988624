"""An attachment that runs on a clock of the tests, sinks that obey them, and what all of these told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import numpy as np

from rtagent.audio import AudioBlock, AudioFormat, AudioSink, AudioSource, Heard, NullSink, PlaybackItem
from rtagent.errors import AudioUnavailable
from rtagent.events.lifecycle import LifecycleEvent
from rtagent.session import Attachment
from rtagent.testing import FakeClock

__all__ = (
    "A1",
    "A2",
    "PCM_24K",
    "SECOND",
    "TWENTY_MS",
    "Bench",
    "Broken",
    "PlainSink",
    "SlowSink",
    "loudness",
    "running",
    "talking",
)

PCM_24K = AudioFormat.pcm16(24_000)
TWENTY_MS = b"\x05\x00" * 480
SECOND = bytes(48_000)
A1 = PlaybackItem("a1", 0, "r1")
A2 = PlaybackItem("a2", 0, "r2")


class Bench:
    """An attachment that runs, and all that it told."""

    def __init__(
        self,
        source: AudioSource | None = None,
        sink: AudioSink | None = None,
        clock: FakeClock | None = None,
        *,
        wire: AudioFormat = PCM_24K,
    ) -> None:
        self.clock = clock if clock is not None else FakeClock()
        self.appended: list[tuple[bytes, float]] = []
        self.first: list[tuple[str, float]] = []
        self.drained: list[dict[str, float]] = []
        self.told: list[LifecycleEvent] = []
        self.muted: list[bool] = []
        self.handle = Attachment(
            source,
            sink,
            self.clock,
            append=lambda pcm, at: self.appended.append((pcm, at)),
            muted=self.muted.append,
            publish=self.told.append,
        )
        self.handle.set_formats(wire, wire)

    async def run(self) -> None:
        await self.handle.run(
            lambda item, at: self.first.append((item.item_id, round(at, 6))),
            lambda heard: self.drained.append(dict(heard.ms)),
        )

    @property
    def sent(self) -> bytes:
        return b"".join(pcm for pcm, _ in self.appended)


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    async with anyio.create_task_group() as group:
        group.start_soon(bench.run)
        await bench.clock.advance(0)
        yield bench
        bench.handle.detach()


def talking(*, wire: AudioFormat = PCM_24K, rate: int = 24_000) -> tuple[Bench, NullSink]:
    clock = FakeClock()
    sink = NullSink(clock=clock, format=AudioFormat.pcm16(rate))
    return Bench(sink=sink, clock=clock, wire=wire), sink


def loudness(pcm: bytes) -> float:
    return float(np.abs(np.frombuffer(pcm, "<i2").astype(float)).mean()) if pcm else 0.0


class Broken:
    """A source whose device is pulled out after one block."""

    format = PCM_24K

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        yield AudioBlock(TWENTY_MS, 0.0)
        raise AudioUnavailable("device_busy_or_lost", "Plug it in.")


class PlainSink:
    """A sink that needs no opening and can be told to fail."""

    format = PCM_24K

    def __init__(self) -> None:
        self.played: list[tuple[str, bytes]] = []
        self.failure: Exception | None = None

    def play(self, item: PlaybackItem, pcm: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.played.append((item.item_id, pcm))

    def stop(self) -> Heard:
        return Heard()

    def heard(self) -> Heard:
        return Heard()

    async def wait_drained(self) -> None:
        await anyio.sleep_forever()


class SlowSink(PlainSink):
    """A sink that opens when the test says so, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = anyio.Event()
        self.refusal: Exception | None = None
        self.finished = 0

    async def __aenter__(self) -> SlowSink:
        await self.may_open.wait()
        if self.refusal is not None:
            raise self.refusal
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.played.append(("closed", b""))

    def finish(self) -> None:
        self.finished += 1
