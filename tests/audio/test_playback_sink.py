from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rtagent.audio
from rtagent.audio import (
    AudioBlock,
    AudioClip,
    AudioFormat,
    Background,
    NullSink,
    PlaybackItem,
    Speaker,
    read_wav,
    write_wav,
)
from rtagent.audio._device_line import Patience
from rtagent.errors import ConfigurationError
from rtagent.testing._clock import FakeClock
from rtagent.testing._devices import FakeDevice, FakeSoundBackend
from rtagent.testing._sound_card import VirtualSoundCard

A = PlaybackItem("a")
RATE = 1_000
PATIENT = Patience(silence_s=60, first_callback_s=60, attempts=2, first_pause_s=0.001, longest_pause_s=0.001)
HUM = AudioClip(RATE, 1, np.full((100, 1), 0.25, np.float32))  # 8192, and 2458 at its usual volume


def tone(frames: int, value: int = 1_000) -> bytes:
    return np.full(frames, value, "<i2").tobytes()


@dataclass
class Running:
    """A sink that is open, and a way to let time pass; what sounded is what the tap got."""

    sink: NullSink | Speaker
    step: Callable[[], Awaitable[None]]
    tapped: list[AudioBlock]

    async def sounded(self, blocks: int) -> NDArray[np.int16]:
        """What leaves in so many blocks of 20 ms."""
        for _ in range(blocks):
            await self.step()
        if isinstance(self.sink, Speaker):
            self.sink.deliver_taps()
        pcm = b"".join(block.pcm for block in self.tapped)
        self.tapped.clear()
        return np.frombuffer(pcm, "<i2")


Opening = AbstractAsyncContextManager[Running]


@pytest.fixture(params=["null", "speaker"])
def opening(request: pytest.FixtureRequest, library: FakeSoundBackend, clock: FakeClock) -> Opening:
    """Opens each kind of sink."""
    tapped: list[AudioBlock] = []

    @asynccontextmanager
    async def null() -> AsyncIterator[Running]:
        async with NullSink(format=AudioFormat.pcm16(RATE), clock=clock) as sink:
            await clock.advance(0.001)
            sink.tap = tapped.append
            yield Running(sink, lambda: clock.advance(0.020), tapped)

    @asynccontextmanager
    async def device() -> AsyncIterator[Running]:
        async def step() -> None:
            library.output.run(20)
            await clock.advance(0.020)

        async with Speaker(rate=RATE, backend=library, clock=clock, patience=PATIENT) as sink:
            sink.tap = tapped.append
            yield Running(sink, step, tapped)

    return null() if request.param == "null" else device()


async def test_it_can_be_paused_and_goes_on(opening: Opening) -> None:
    async with opening as running:
        sink = running.sink
        sink.play(A, tone(200))
        sink.finish()
        await running.sounded(5)
        before = sink.pause()
        assert sink.paused
        assert before.silent_at is not None
        assert not (await running.sounded(10))[5:].any()
        assert sink.pause().silent_at == pytest.approx(before.silent_at, abs=1e-3)
        assert sink.heard().of("a") == 105.0
        sink.resume()
        assert not sink.paused
        await running.sounded(20)
        assert sink.heard().of("a") == sink.received_ms("a") == 200.0


async def test_its_volume_is_of_all_that_sounds(opening: Opening) -> None:
    async with opening as running:
        sink = running.sink
        assert sink.volume == 1.0
        sink.volume = 0.5
        sink.background.play("hum", HUM, volume=0.25, fade_ms=0)
        sink.background.ducked = 1.0
        sink.play(A, tone(400))
        sink.finish()
        assert set((await running.sounded(5))[40:]) == {round((1_000 + 2_048) / 2)}
        with pytest.raises(ConfigurationError):
            sink.volume = 5.0
        assert sink.volume == 0.5


async def test_a_background_is_not_heard_by_the_ledger_nor_waited_for(opening: Opening) -> None:
    async with opening as running:
        sink = running.sink
        assert isinstance(sink.background, Background)
        sink.background.play("hum", HUM)
        assert set((await running.sounded(20))[200:]) == {2_458}
        await sink.wait_drained()
        assert sink.heard().ms == {}
        sink.play(A, tone(300))
        sink.finish()
        beside = await running.sounded(20)
        assert set(beside[140:300]) == {1_000 + 737}, "ducked"
        assert set(beside[-1:]) == {2_458}
        assert sink.heard().ms == {"a": 300.0}


async def test_a_stop_and_a_pause_leave_the_background(opening: Opening) -> None:
    async with opening as running:
        sink = running.sink
        sink.background.play("hum", HUM, fade_ms=0)
        sink.background.ducked = 1.0
        sink.play(A, tone(1_000))
        await running.sounded(5)
        sink.pause()
        assert set((await running.sounded(5))[10:]) == {2_458}
        sink.resume()
        await running.sounded(5)
        sink.stop()
        assert set((await running.sounded(5))[10:]) == {2_458}
        assert sink.background.names == ("hum",)


@pytest.mark.parametrize("device_rate", [44_100, 48_000])
async def test_a_background_is_exact_at_a_rate_of_the_devices_own(
    library: FakeSoundBackend, clock: FakeClock, device_rate: int
) -> None:
    library.devices = [FakeDevice("card", default_rate=device_rate, rates=frozenset({device_rate}))]
    wave = 0.5 * np.sin(2 * np.pi * 200 * np.arange(4_800) / 24_000)
    speaker = Speaker(backend=library, clock=clock, patience=PATIENT, volume=0.5)
    speaker.background.play(
        "hum", AudioClip(24_000, 1, wave.astype(np.float32)[:, None]), volume=1, fade_ms=0
    )
    async with speaker:
        library.output.run(device_rate)
        assert speaker.heard().ms == {}
    played = np.frombuffer(library.output.played, "<i2")
    expected = 8_192 * np.sin(2 * np.pi * 200 * np.arange(device_rate) / device_rate)
    assert np.abs(played - expected).max() < 40


@pytest.mark.slow
def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "topics" / "playback.md"
    program = page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    package = str(Path(rtagent.audio.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": package},
        capture_output=True,
        text=True,
        check=True,
    )
    paused, heard = done.stdout.splitlines()
    assert 400 <= float(paused.split()[2]) <= 800
    assert heard == "heard 1500 ms"
    assert len(read_wav(tmp_path / "heard.wav").mono_pcm16()) >= 2 * 24 * 1_800


# -- the virtual card


def recorded(
    card: VirtualSoundCard, folder: Path, command: str, chirp: NDArray[np.int16], *arguments: str
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """What ``playback_program.py`` says, and what the loudspeaker gave from its first sound to its last."""
    spoken, recording = folder / "spoken.wav", folder / "recording.wav"
    write_wav(spoken, chirp.tobytes(), 24_000)
    program = Path(__file__).with_name("playback_program.py")
    with card.record_speaker(recording):
        done = subprocess.run(
            [sys.executable, str(program), command, str(spoken), *arguments],
            env=card.env,
            capture_output=True,
            text=True,
            check=True,
        )
    sound = np.frombuffer(read_wav(recording).mono_pcm16(), "<i2").astype(np.int64)
    loud = np.nonzero(np.abs(sound) > 100)[0]
    return json.loads(done.stdout), sound[loud[0] : loud[-1] + 1]


def level(sound: NDArray[np.int64], at_ms: float) -> float:
    """The loudness of a tenth of a second; the median of its periods of 2.5 ms, as the card may miss some."""
    piece = sound[round(at_ms * 24) :][:2_400].reshape(-1, 60)
    return float(np.median(np.sqrt((piece**2).mean(axis=1))))


@pytest.mark.device
@pytest.mark.slow
def test_a_pause_on_a_card_is_silence_without_clicks(
    sound_card: VirtualSoundCard, chirp: NDArray[np.int16], tmp_path: Path
) -> None:
    facts, sound = recorded(sound_card, tmp_path, "pause", chirp, "600", "1.0")
    assert facts["heard_ms"] == 2_000.0
    assert facts["playback"]["underruns"] == 0
    loud = np.nonzero(np.abs(sound) > 2)[0]
    begin, end = max(pairwise(loud.tolist()), key=lambda pair: pair[1] - pair[0])
    assert begin / 24 == pytest.approx(facts["paused_at_ms"], abs=40)
    assert (end - begin) / 24 == pytest.approx(1_000, abs=60)
    for edge in (sound[begin - 60 : begin + 2], sound[end - 2 : end + 60]):  # half of each ramp
        assert np.abs(edge).max() < 9_000
        assert np.abs(np.diff(edge)).max() < 4_000


@pytest.mark.device
@pytest.mark.slow
def test_a_background_on_a_card_is_ducked_and_outlasts_a_stop(
    sound_card: VirtualSoundCard, chirp: NDArray[np.int16], tmp_path: Path
) -> None:
    facts, sound = recorded(sound_card, tmp_path, "background", chirp)
    assert facts["drained_before"]
    assert facts["names"] == []
    assert 1_000 <= facts["heard_ms"] <= facts["heard_in_all_ms"] < 1_300
    hum = 16_384 * 0.5 / 2**0.5
    assert level(sound, 1_000) == pytest.approx(hum, rel=0.05)
    assert level(sound, 2_500) == pytest.approx(((16_000 / 2**0.5) ** 2 + (0.3 * hum) ** 2) ** 0.5, rel=0.1)
    assert level(sound, 3_600) == pytest.approx(hum, rel=0.05), "after the stop"
    assert level(sound, 4_700) == pytest.approx(hum / 2, rel=0.05), "at half the volume"
