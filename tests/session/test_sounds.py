"""What is heard beside the voice, in a session whose server is played by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import numpy as np
import pytest

from rtagent import events
from rtagent.audio import AudioClip, NullSink
from rtagent.errors import ConfigurationError
from rtagent.session import Attachment, Session, Sounds
from rtagent.testing import FakeClock, ScriptedServer
from tests.session.attached import PlainSink


def clip(hz: float) -> AudioClip:
    samples = 0.5 * np.sin(2 * np.pi * hz * np.arange(24_000) / 24_000)
    return AudioClip(24_000, 1, samples.astype(np.float32)[:, None])


SOUNDS = Sounds(ambient=clip(200), thinking=clip(1_000), hold=clip(3_000))


class Room:
    """A session that is listened to."""

    def __init__(self, server: ScriptedServer, session: Session, clock: FakeClock) -> None:
        self.server = server
        self.session = session
        self.clock = clock
        self.sink = NullSink(clock=clock)
        self.heard = bytearray()
        self.sink.tap = lambda block: self.heard.extend(block.pcm)

    async def reaches(self, state: str) -> None:
        await anyio.wait_all_tasks_blocked()
        assert self.session.state == state

    async def tones(self) -> set[int]:
        """Which of the three tones are heard, in Hz."""
        await self.clock.advance(1.0)
        self.heard.clear()
        await self.clock.advance(0.5)
        spectrum = np.abs(np.fft.rfft(np.frombuffer(bytes(self.heard), "<i2").astype(float)))
        size = len(self.heard) // 2
        return {hz for hz in (200, 1_000, 3_000) if spectrum[round(hz * size / 24_000)] > 100 * size / 100}


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    clock = FakeClock(100.0)
    async with ScriptedServer() as server, Session(server.transport, clock=clock) as session:
        yield Room(server, session, clock)


async def test_each_sound_has_its_time() -> None:
    async with room() as place:
        attachment = place.session.attach(sink=place.sink, sounds=SOUNDS)
        assert await place.tones() == {200}
        await place.server.send(
            events.InputAudioBufferSpeechStarted(item_id="u1", audio_start_ms=0),
            events.InputAudioBufferSpeechStopped(item_id="u1", audio_end_ms=500),
            events.InputAudioBufferCommitted(item_id="u1", previous_item_id=None),
        )
        await place.reaches("thinking")
        assert await place.tones() == {200, 1_000}
        attachment.hold()
        assert await place.tones() == {3_000}
        attachment.resume()
        assert await place.tones() == {200, 1_000}
        await place.server.send(
            events.ResponseCreated(response=events.RealtimeResponse(id="r1")),
            events.ResponseDone(response=events.RealtimeResponse(id="r1", status="completed")),
        )
        await place.reaches("listening")
        assert await place.tones() == {200}


async def test_only_what_there_is_sounds_and_nothing_before_the_sink_is_open() -> None:
    sink = NullSink(clock=FakeClock())
    silent = Attachment(None, sink, FakeClock(), append=lambda _pcm, _at: None)
    silent.add_sounds(Sounds(thinking=clip(1_000)), "thinking")
    silent.hold()
    assert silent.backdrop is not None
    assert not sink.background.names
    silent.backdrop.begin()
    assert not sink.background.names
    silent.resume()
    assert [*sink.background.names] == ["thinking"]
    silent.backdrop.end()
    silent.backdrop.follow("listening")
    assert [*sink.background.names] == ["thinking"], "there is nothing to be heard any more"


async def test_a_sink_without_a_background_is_named() -> None:
    async with room() as place:
        with pytest.raises(ConfigurationError, match="PlainSink has no background"):
            place.session.attach(sink=PlainSink(), sounds=SOUNDS)
        with pytest.raises(ConfigurationError, match="there is no sink"):
            place.session.attach(sounds=SOUNDS)
